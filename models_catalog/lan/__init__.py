"""Model files between computers of one local network, by hash, among those who were given a code."""
