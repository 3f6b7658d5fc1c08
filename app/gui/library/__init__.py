"""The page of the models on this computer: where they are, whether they are sound, and what can be done with them."""
