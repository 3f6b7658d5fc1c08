"""llama.cpp through the low-level bindings of llama-cpp-python: the only place that imports it."""
