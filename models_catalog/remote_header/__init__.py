"""The header of a model that still lies on a hub, read in a few small requests: what a plan needs before a download."""
