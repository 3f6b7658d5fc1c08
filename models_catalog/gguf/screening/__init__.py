"""The checks of `models_catalog.gguf.screen`, one file for each part of a header."""
