"""Documents from the network that only their publisher can have written: signatures, bounds, names."""
