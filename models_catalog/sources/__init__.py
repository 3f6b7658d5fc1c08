"""Where the bytes of a model file may be had: one module per kind of source, each describing a `ByteSource`."""
