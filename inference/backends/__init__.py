"""What computes: one protocol, llama.cpp behind it, and a scripted fake for tests."""
