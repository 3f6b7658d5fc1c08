"""Which engine is installed, without loading it: what was measured with one version does not hold for another."""

from __future__ import annotations

from importlib import metadata


def engine_version() -> str:
    """For example "llama-cpp-python 0.3.36"."""
    return "llama-cpp-python " + metadata.version("llama-cpp-python")
