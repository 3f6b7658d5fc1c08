"""Models of many architectures, made from hyper-parameters alone: llama.cpp itself names their tensors."""
