"""Getting a file's bytes from its sources onto the disk, whole, in spite of networks, servers and power cuts."""
