"""Newer versions of the program, in the window."""
