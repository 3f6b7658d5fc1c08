"""The page "Hardware & plans": what this computer has, and what a model would take of it."""
