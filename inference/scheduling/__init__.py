"""Pure policy: which requests run, and what the next decode call contains. No clock, no threads, no llama.cpp."""
