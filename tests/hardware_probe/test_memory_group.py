"""A real memory group of 1 GiB: what a process in it is told, and that a file in the cache takes nothing away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware_probe.control_group import group_folders

GIB, MIB = 1 << 30, 1 << 20
HOME = Path(__file__).resolve().parents[2]
FILE_BYTES = 256 * MIB
SCRIPT = """
import json, os, sys
from dataclasses import asdict
from hardware_probe import probe_memory
before = probe_memory()
with open(sys.argv[1], "wb") as file:
    for _ in range(256):
        file.write(bytes(1 << 20))
    file.flush()
    os.fsync(file.fileno())
with open(sys.argv[1], "rb") as file:
    while file.read(1 << 20):
        pass
cached = probe_memory()
taken = bytearray(os.urandom(1)) * (256 << 20)
print(json.dumps([asdict(before), asdict(cached), asdict(probe_memory())]))
"""


@pytest.fixture
def group() -> Iterator[Path]:
    try:
        membership = Path("/proc/self/cgroup").read_text(encoding="utf-8")
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        folder = group_folders(membership, mounts, "memory")[-1]
        own = Path(folder) / f"liangli-test-{os.getpid()}"
        own.mkdir()
    except (OSError, IndexError) as error:
        pytest.skip(f"no memory group can be made here: {error!r}")
    try:
        limit = next((own / name for name in ("memory.limit_in_bytes", "memory.max") if (own / name).exists()), None)
        if limit is None:
            pytest.skip("the memory controller is not enabled here")
        limit.write_text(str(GIB))
        yield own
    finally:
        own.rmdir()


def test_a_process_in_a_group_of_one_gibibyte(group: Path, tmp_path: Path) -> None:
    entry = f'echo $$ > {group}/cgroup.procs && exec {sys.executable} -c "$SCRIPT" {tmp_path}/model'
    done = subprocess.run(
        ["/bin/sh", "-c", entry],
        env=os.environ | {"SCRIPT": SCRIPT},
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    before, cached, taken = json.loads(done.stdout)
    assert before["total_bytes"] == GIB
    assert before["limited_by_group"]
    assert GIB * 0.9 < before["available_bytes"] < GIB
    # The file fills a quarter of the group; the kernel gives that back, so nothing is gone.
    assert before["available_bytes"] - cached["available_bytes"] < FILE_BYTES / 8
    # What the process itself holds is gone.
    assert cached["available_bytes"] - taken["available_bytes"] > FILE_BYTES * 0.9
