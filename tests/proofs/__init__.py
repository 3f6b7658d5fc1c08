"""Commands that prove what the planner promises, on this machine: `python -m tests.proofs.NAME`. Not run by pytest."""
