"""Engines and back ends that the user adds: archives checked against their manifest, kept in the data folder."""
