"""The queue of downloads: what is wanted, in which order, when and how fast."""
