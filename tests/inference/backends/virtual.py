"""The virtual accelerators of the test process: ggml cannot forget a device, so that there is one set of them."""

from __future__ import annotations

from inference.backends.llama_cpp.library import Callbacks
from inference.backends.llama_cpp.virtual_devices import VirtualDevices

CALLBACKS = Callbacks(lambda text: None)
DEVICES = VirtualDevices()
