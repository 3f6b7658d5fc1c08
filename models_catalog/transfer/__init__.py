"""Getting bytes over HTTP, in spite of networks and servers."""
