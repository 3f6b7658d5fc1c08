"""llama-server as the peer that is measured beside us."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from app.cli.bench.answers import Server
from inference.values import LoadPlan
from inference.worker.environment import child_environment

_START_SECONDS = 300.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1


class PeerFailed(Exception):
    """llama-server did not come up; the message is the end of its log."""


class Peer:
    """A llama-server with the model loaded as our plan loads it, and in the same environment; a context manager."""

    def __init__(self, program: Path, plan: LoadPlan, *, slots: int, folder: Path) -> None:
        self._log_path = folder / "llama-server.log"
        self._base_url = f"http://127.0.0.1:{_free_port()}"
        self._command = [str(program), *peer_options(plan, slots=slots), "--port", self._base_url.rpartition(":")[2]]

    def __enter__(self) -> Self:
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env=child_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def server(self, *, reuse_prompts: bool) -> Server:
        """reuse_prompts: let it take over what an earlier prompt has left in its cache."""
        return Server(
            name="llama-server",
            base_url=self._base_url,
            token="",
            model="",
            extra={"cache_prompt": reuse_prompts},
            counts_end=True,
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self._base_url}/health", trust_env=False).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_POLL_SECONDS)
        raise PeerFailed(self._log_path.read_text(errors="replace")[-2000:])

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def peer_options(plan: LoadPlan, *, slots: int) -> list[str]:
    """The plan in llama-server's words: same file, threads, context in one unified cache, flash attention, weights."""
    return [
        *("-m", plan.model_path),
        *("-c", str(plan.context_tokens)),
        *("-t", str(plan.decode_threads)),
        *("-tb", str(plan.batch_threads)),
        *("-np", str(slots)),
        "-kvu",
        *("-fa", "on" if plan.flash_attention else "off"),
        *("-lm", "mmap" if plan.memory_map else "none"),
        *("-ngl", str(plan.placement.gpu_layers)),
        *("-ctk", plan.kv_type_k),
        *("-ctv", plan.kv_type_v),
        *("--host", "127.0.0.1"),
        "--no-ui",
    ]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
