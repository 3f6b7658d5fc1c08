"""Devices on the network, here on loopback: real ggml devices of type GPU whose memory is this machine's.

`python -m tests.proofs.rpc LIBRARY PORT` serves one; `register` makes them known to this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from inference.backends.llama_cpp.library import ggml

_START_SECONDS = 20.0
_P = ctypes.c_void_p


def register(library: Path, endpoints: tuple[str, ...]) -> None:
    """Load the back end and add a device for each endpoint; they are called RPC0, RPC1, … in order."""
    if not ggml.ggml_backend_load(str(library).encode()):
        raise OSError(f"{library} is no back end for this wheel")
    add = ctypes.CDLL(str(library)).ggml_backend_rpc_add_server
    add.restype, add.argtypes = _P, (ctypes.c_char_p,)
    for endpoint in endpoints:
        registry = add(endpoint.encode())
        if not registry:
            raise OSError(f"nothing serves at {endpoint}")
        ggml.ggml_backend_register(registry)


@contextlib.contextmanager
def servers(library: Path, count: int) -> Iterator[tuple[str, ...]]:
    """Endpoints of `count` device servers, each a process, that end with the block."""
    ports = [_free_port() for _ in range(count)]
    command = [sys.executable, "-m", "tests.proofs.rpc", str(library)]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen([*command, str(port)], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in ports
    ]
    try:
        for port in ports:
            _wait_for(port)
        yield tuple(f"127.0.0.1:{port}" for port in ports)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _serve(library: str, port: str) -> None:
    if not ggml.ggml_backend_load(library.encode()):
        raise OSError(f"{library} is no back end for this wheel")
    start = ctypes.CDLL(library).ggml_backend_rpc_start_server
    start.restype, start.argtypes = None, (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, _P)
    devices = (_P * 1)(ggml.ggml_backend_dev_by_type(0))
    start(f"127.0.0.1:{port}".encode(), None, 1, 1, devices)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
