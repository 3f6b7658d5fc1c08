"""What a chat template really does with conversations: it is read, and rendered. `examine` is the way in."""
