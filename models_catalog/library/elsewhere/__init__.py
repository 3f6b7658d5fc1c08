"""Models that other programs hold: read where they lie, never written to."""
