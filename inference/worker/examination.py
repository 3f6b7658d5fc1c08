"""The template doctor in a child process of its own: a hostile template takes its memory and time, not the service's.

`python -m inference.worker.examination` reads a Subject as JSON from standard input and writes its Diagnosis.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from inference.text.doctor.subject import Subject, diagnose
from inference.text.doctor.values import Diagnosis, Finding, Severity
from inference.worker import fences
from inference.worker.environment import child_environment
from resources.own_program import module_command

# The doctor's allowance, what reading a template may take, and a slow start.
_SECONDS = 20.0
_MEMORY_BYTES = 2 * 1024**3
# Whoever waits for an answer goes first.
_NICENESS = 10
_COMMAND = module_command("inference.worker.examination")
_ROOT = Path(__file__).resolve().parents[2]


async def examine_in_child(
    subject: Subject, *, command: Sequence[str] = _COMMAND, seconds: float = _SECONDS
) -> Diagnosis:
    """The diagnosis; a child that dies or takes too long is one too. Cancelling kills the child."""
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(os.environ),
        cwd=_ROOT,
    )
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await child.communicate(msgspec.json.encode(subject))
        return msgspec.json.decode(answer, type=Diagnosis)
    except TimeoutError:
        return _stopped("time")
    except msgspec.MsgspecError:
        return _stopped("memory")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> int:
    """The child."""
    if sys.platform != "win32":
        os.nice(_NICENESS)
    fences.leave_no_core()
    fences.limit_private_memory(_MEMORY_BYTES)
    subject = msgspec.json.decode(sys.stdin.buffer.read(), type=Subject)
    sys.stdout.buffer.write(msgspec.json.encode(diagnose(subject)))
    return 0


def _stopped(limit: str) -> Diagnosis:
    return Diagnosis(findings=(Finding(key="over_limit", severity=Severity.BROKEN, fields={"limit": limit}),))


if __name__ == "__main__":
    sys.exit(main())
