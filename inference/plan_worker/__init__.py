"""Plans loads in a child process of its own, where llama.cpp's dry run may fail without harm."""
