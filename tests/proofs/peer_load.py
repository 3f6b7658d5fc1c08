"""The same load by llama-server as it comes: only the file and, where the user fixed them, context and parallel."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import httpx

from tests.proofs.memory_group import MemoryGroup, start_in
from tests.proofs.planned_load import Job, Outcome


def run_peer(group: MemoryGroup, program: Path, job: Job, *, seconds: float) -> Outcome:
    """Start, wait until it is ready, let it answer once. It is killed with its group."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(program), "-m", job.path, "--host", "127.0.0.1", "--port", str(port), "--log-disable"]
    parallel = job.wish.parallel or 1
    if job.wish.context_tokens:
        command += ["-c", str(job.wish.context_tokens * parallel)]
    if job.wish.parallel:
        command += ["-np", str(parallel)]
    process = start_in(group, command)
    try:
        return _ask(process, f"http://127.0.0.1:{port}", job, time.monotonic() + seconds)
    finally:
        process.kill()
        process.communicate()


def _ask(process: subprocess.Popen[bytes], address: str, job: Job, deadline: float) -> Outcome:
    with httpx.Client(base_url=address, timeout=max(1.0, deadline - time.monotonic()), trust_env=False) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get("/health", timeout=2).status_code == httpx.codes.OK:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        if time.monotonic() >= deadline:
            return Outcome(end="failed", detail="too slow")
        if process.poll() is not None:
            return Outcome(end="died" if process.returncode < 0 else "failed", detail=f"exit {process.returncode}")
        body = {"prompt": [16] * (job.prompt_tokens or 512), "n_predict": job.answer_tokens, "ignore_eos": True}
        try:
            reply = client.post("/completion", json=body)
        except httpx.TimeoutException:
            return Outcome(end="failed", detail="too slow")
        except httpx.HTTPError as error:
            return Outcome(end="died", detail=f"{type(error).__name__}, exit {process.poll()}")
        if reply.status_code != httpx.codes.OK:
            return Outcome(end="failed", detail=f"HTTP {reply.status_code}")
        return Outcome(end="answered", tokens=int(reply.json().get("tokens_predicted", 0)))
