"""Liangli: the service that owns everything, and its faces, the window and the terminal."""

VERSION = "0.1.0"
