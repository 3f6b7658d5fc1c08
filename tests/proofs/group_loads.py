"""Random loads in memory control groups: `python -m tests.proofs.group_loads --limits 1,2,4,8 --loads 200`.

Each load is a random model (hollow files of 0.3 to 7 GB, published shapes) and a random wish, run whole (probe, plan
worker, engine child) in a group of 1 to 8 GiB of its own: with the product's plan, and beside it with llama.cpp's
defaults, or with `--peer PATH` by that llama-server. Counted are the processes that the kernel killed for memory;
the exit code is 1 when a single planned one was among them. Ctrl-C ends early, with the tables. Needs root and Linux.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.planning.values import Wish
from inference.values import KvType
from models_catalog.gguf.header import read_header
from tests.proofs.memory_group import MemoryGroup, memory_group, start_in
from tests.proofs.peer_load import run_peer
from tests.proofs.planned_load import Job, Outcome
from tests.synthetic.shapes import SHAPES
from tests.synthetic.writing import write_hollow

_GIB = 2**30
_SECONDS = 60.0
_ANSWER_TOKENS = 2
# What a prompt may cost, so that 200 loads end in an hour on two cores; small models read a full batch.
_PROMPT_FLOPS = 1.2e11
_FULL_BATCH_TOKENS = 100
_MODELS = (
    ("gemma-3-270m", "Q8_0"), ("qwen2.5-0.5b-instruct", "Q4_K_M"), ("qwen3-0.6b", "Q8_0"), ("qwen3.5-0.8b", "Q4_K_M"),
    ("qwen2.5-1.5b-instruct", "Q4_K_M"), ("qwen3.5-2b", "Q4_K_M"), ("qwen3-1.7b", "Q8_0"), ("rwkv7-g1-2.9b", "Q4_K_M"),
    ("gemma-3-4b-it", "Q4_K_M"), ("minicpm3-4b", "Q4_K_M"), ("qwen3-4b", "Q4_K_M"), ("qwen2.5-7b-instruct", "Q3_K_M"),
    ("chatglm3-6b", "Q4_K_M"), ("internlm2_5-7b-chat", "Q4_K_M"), ("glm-4-9b-chat", "Q4_K_M"),
    ("deepseek-v2-lite-chat", "Q2_K"), ("llama-2-7b-chat", "Q8_0"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    model: str
    limit_bytes: int
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    outcome: Outcome
    kills: int
    peak_bytes: int


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", default="1,2,4,8", help="GiB")
    parser.add_argument("--loads", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peer", type=Path, help="llama-server; llama.cpp's library with its defaults else")
    parser.add_argument("--only", choices=("plan", "peer"))
    arguments = parser.parse_args()
    limits = [int(float(limit) * _GIB) for limit in arguments.limits.split(",")]
    Callbacks(lambda text: None)
    lib.llama_backend_init()
    ours: list[tuple[_Load, _Seen]] = []
    peers: list[tuple[_Load, _Seen]] = []
    with tempfile.TemporaryDirectory(prefix="liangli-loads-") as folder:
        loads = _loads(Path(folder), random.Random(arguments.seed), limits, arguments.loads)
        try:
            for number, load in enumerate(loads, 1):
                if arguments.only != "peer":
                    ours.append((load, _run(load, load.job)))
                    print(_line(number, "plan", *ours[-1]), flush=True)
                if arguments.only != "plan":
                    defaults = msgspec.structs.replace(load.job, by="defaults")
                    seen = _run_peer(load, arguments.peer) if arguments.peer else _run(load, defaults)
                    peers.append((load, seen))
                    print(_line(number, "peer", *peers[-1]), flush=True)
        except KeyboardInterrupt:
            print("interrupted; so far:")
    if ours:
        _table("planned", ours, limits)
    if peers:
        _table("llama-server's defaults" if arguments.peer else "llama.cpp's defaults", peers, limits)
    return 1 if any(seen.kills for _, seen in ours) else 0


def _loads(folder: Path, dice: random.Random, limits: list[int], count: int) -> list[_Load]:
    files: dict[tuple[str, str], tuple[Path, int]] = {}
    loads = []
    for number in range(count):
        choice = dice.choice(_MODELS)
        if choice not in files:
            path = folder / f"{choice[0]}-{choice[1]}.gguf"
            write_hollow(path, SHAPES[choice[0]].blueprint, choice[1])
            files[choice] = path, read_header(path).parameters
        path, parameters = files[choice]
        affordable = int(_PROMPT_FLOPS / (2 * parameters))
        job = Job(
            path=str(path),
            wish=_wish(dice),
            prompt_tokens=0 if affordable > _FULL_BATCH_TOKENS else max(4, affordable),
            answer_tokens=_ANSWER_TOKENS,
        )
        loads.append(_Load(model=f"{choice[0]} {choice[1]}", limit_bytes=limits[number % len(limits)], job=job))
    return loads


def _wish(dice: random.Random) -> Wish:
    """Half of the users fix nothing; the others one or two numbers."""
    if dice.random() < 0.5:
        return Wish()
    kv_types: tuple[KvType | None, ...] = (None, None, None, "f16", "q8_0")
    kv = dice.choice(kv_types)
    return Wish(
        context_tokens=dice.choice((None, 2048, 4096, 8192, 16384, 32768)),
        parallel=dice.choice((None, None, 1, 2, 4)),
        kv_type_k=kv,
        kv_type_v=kv,
        batch_tokens=dice.choice((None, None, None, 128, 512)),
    )


def _run(load: _Load, job: Job) -> _Seen:
    with memory_group(load.limit_bytes) as group:
        process = start_in(group, [sys.executable, "-m", "tests.proofs.planned_load"], stdin=msgspec.json.encode(job))
        try:
            out, problems = process.communicate(timeout=_SECONDS)
        except Exception:
            process.kill()
            return _seen(group, Outcome(end="failed", detail="too slow"))
        if process.returncode:
            last = problems.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
            return _seen(group, Outcome(end="died", detail=f"exit {process.returncode} {last[0][:100]}"))
        return _seen(group, msgspec.json.decode(out, type=Outcome))


def _run_peer(load: _Load, peer: Path) -> _Seen:
    with memory_group(load.limit_bytes) as group:
        return _seen(group, run_peer(group, peer, load.job, seconds=_SECONDS))


def _seen(group: MemoryGroup, outcome: Outcome) -> _Seen:
    return _Seen(outcome=outcome, kills=group.kills(), peak_bytes=group.peak_bytes())


def _line(number: int, by: str, load: _Load, seen: _Seen) -> str:
    wish = {name: value for name, value in msgspec.to_builtins(load.job.wish).items() if value is not None}
    outcome = seen.outcome
    text = f"{number:3} {by} {load.limit_bytes / _GIB:.0f} GiB {load.model:32} {wish or 'no wish'}: {outcome.end}"
    if outcome.verdict:
        text += (
            f" ({outcome.verdict}, context {outcome.context_tokens}, planned {outcome.predicted_bytes / 2**20:.0f} MiB"
        )
        text += f", held {outcome.private_bytes / 2**20:.0f}, {outcome.plan_seconds:.1f} s)"
    if outcome.detail:
        text += f" {outcome.detail[:110]}"
    return text + f", {outcome.tokens} tokens" + (f", {seen.kills} OOM KILLS" if seen.kills else "")


def _table(title: str, seen: list[tuple[_Load, _Seen]], limits: list[int]) -> None:
    print(f"\n{title}\n  limit  loads  answered  refused  failed  died  OOM kills  tokens")
    for limit in limits:
        rows = [one for load, one in seen if load.limit_bytes == limit]
        ends = Counter(one.outcome.end for one in rows)
        print(
            f"  {limit / _GIB:3.0f} GiB {len(rows):5} {ends['answered']:9} {ends['refused']:8} {ends['failed']:7} "
            f"{ends['died']:5} {sum(one.kills for one in rows):10} {sum(one.outcome.tokens for one in rows):7}"
        )
    errors = [
        one.outcome.predicted_bytes / one.outcome.private_bytes - 1
        for _, one in seen
        if one.outcome.private_bytes and one.outcome.predicted_bytes
    ]
    if errors:
        print(f"  planned against held: mean {statistics.mean(errors):+.1%}, least {min(errors):+.1%}, "
              f"most {max(errors):+.1%} of {len(errors)}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
