"""Memory control groups, version 1 or 2, made for one command each. Linux, as root."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_VERSION_1 = Path("/sys/fs/cgroup/memory")
_VERSION_2 = Path("/sys/fs/cgroup")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryGroup:
    """A group with a limit. procs: the file that takes process ids."""

    folder: Path
    version: int

    @property
    def procs(self) -> Path:
        """Write a process id here to put it into the group."""
        return self.folder / "cgroup.procs"

    def kills(self) -> int:
        """Processes of the group that the kernel has killed for memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        found = re.search(r"^oom_kill (\d+)$", (self.folder / name).read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def peak_bytes(self) -> int:
        """The most that the group has held, page cache included."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        file = self.folder / name
        return int(file.read_text()) if file.exists() else 0


@contextlib.contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup]:
    """A new group, removed with all its processes when the block ends. Raises OSError where groups cannot be made."""
    version = 1 if (_VERSION_1 / "memory.limit_in_bytes").exists() else 2
    folder = (_VERSION_1 if version == 1 else _VERSION_2) / f"liangli-proof-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    group = MemoryGroup(folder=folder, version=version)
    try:
        if version == 1:
            (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
            with contextlib.suppress(OSError):  # no accounting of swap
                (folder / "memory.memsw.limit_in_bytes").write_text(str(limit_bytes))
        else:
            (folder / "memory.max").write_text(str(limit_bytes))
            (folder / "memory.swap.max").write_text("0")
        yield group
    finally:
        _empty(group)
        folder.rmdir()


def start_in(group: MemoryGroup, command: Sequence[str], *, stdin: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a program that is in the group from its first instruction on, its standard input filled."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group.procs), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(stdin)
    process.stdin = None
    return process


def _empty(group: MemoryGroup) -> None:
    for _ in range(200):
        left = group.procs.read_text().split()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        time.sleep(0.05)
