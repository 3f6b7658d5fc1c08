"""Which engine, back ends and processor variant children take: from the settings, and from what went wrong before."""
