"""Newer versions of the program: looked for when the user says so, fetched when the user says so, never run."""
