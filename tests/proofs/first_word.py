"""How long `liangli run` takes to its first word.

`python -m tests.proofs.first_word MODEL [--against FOLDER] [--rounds 7]`

cold: no service runs; warm: right after, with the service and the model there. Every question is a new one. With
--against another checkout takes turns with this one, so that both meet the same computer. Also told: the memory that
the service and its engine have to themselves (PSS), after the last round. Takes ten seconds a round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

HERE = Path(__file__).resolve().parents[2]
_TOKENS = "8"


@dataclass(frozen=True, slots=True)
class Checkout:
    """One of those that are compared, with a data folder of its own."""

    name: str
    source: Path
    home: Path
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    def liangli(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            cwd=self.source,
            env=os.environ | {"LIANGLI_HOME": str(self.home), "PYTHONPATH": str(self.source)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )

    def first_word(self, model: Path, question: str) -> float:
        """Seconds from the start of the command to the first byte of the answer."""
        began = time.perf_counter()
        with self.liangli(
            "run", question, "--file", str(model), "--temperature", "0", "--max-tokens", _TOKENS
        ) as process:
            assert process.stdout is not None
            first = process.stdout.read(1)
            seconds = time.perf_counter() - began
            process.stdout.read()
        if not first or process.returncode != 0:
            raise SystemExit(f"{self.name}: no answer (exit code {process.returncode})")
        return seconds

    def stop(self) -> None:
        """End its service."""
        with self.liangli("stop") as process:
            process.communicate()

    def memory(self) -> list[str]:
        """One line for each process of the service, itself first."""
        services = [
            process
            for process in psutil.process_iter(["cmdline", "cwd"])
            if "--no-daemon" in (process.info["cmdline"] or ()) and process.info["cwd"] == str(self.source)
        ]
        lines = []
        for process in (one for service in services for one in (service, *service.children(recursive=True))):
            name = next((part for part in process.cmdline() if part.startswith(("app", "inference."))), "")
            memory = process.memory_full_info()
            lines.append(f"  {name}: {memory.pss / 1e6:.0f} MB PSS, {memory.uss / 1e6:.0f} MB its own (USS)")
        return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args(arguments)
    model = given.model.resolve()
    with tempfile.TemporaryDirectory(prefix="liangli-first-word-") as folder:
        checkouts = [Checkout("here", HERE, Path(folder) / "here")]
        if given.against:
            checkouts.append(Checkout("there", given.against.resolve(), Path(folder) / "there"))
        for checkout in checkouts:
            checkout.home.mkdir()
            (checkout.home / "settings.toml").write_text("port = 0\ncontext_tokens = 4096\n", encoding="utf-8")
        try:
            _measure(checkouts, model, given.rounds)
        finally:
            for checkout in checkouts:
                checkout.stop()
    return 0


def _measure(checkouts: Sequence[Checkout], model: Path, rounds: int) -> None:
    for number in range(rounds):
        for checkout in checkouts:
            checkout.cold.append(checkout.first_word(model, f"{2 * number}. Name a river in one word."))
            checkout.warm.append(checkout.first_word(model, f"{2 * number + 1}. Name a river in one word."))
            if number == rounds - 1:
                print(f"{checkout.name} ({checkout.source}), load {os.getloadavg()[0]:.1f}")
                print(*checkout.memory(), sep="\n")
            checkout.stop()
            print(f"{checkout.name} {number + 1}: {checkout.cold[-1]:.2f} s, {checkout.warm[-1]:.2f} s", flush=True)
    for checkout in checkouts:
        for name, values in (("cold", checkout.cold), ("warm", checkout.warm)):
            print(
                f"{checkout.name} {name}: {median(values):.2f} s ({min(values):.2f}–{max(values):.2f}, {len(values)})"
            )


if __name__ == "__main__":
    sys.exit(main())
