"""Plans for recorded computers and published models, kept to be reviewed: `python -m tests.proofs.golden [--write]`.

Without `--write` all plans are made again and lines that differ from `golden_plans.txt` are shown. A line is: computer
| model | quantization ("*": the one that is offered) | verdict | context | KV cache and attention | batch | placement |
memory that is held (+ mapped pages) / budget | decode | prefill | reasons | advice ("?": helps, but does not suffice).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.virtual_devices import VirtualDevices
from tests.machines import machines
from tests.proofs.golden_lines import Case, Planner

FILE = Path(__file__).parent / "golden_plans.txt"
# Of every family and size that people run; the others of the library are alike to one of these.
MODELS = (
    "chatglm3-6b",
    "deepseek-v2-lite-chat",
    "deepseek-v3",
    "ernie-4.5-21b-a3b",
    "gemma-3-4b-it",
    "glm-4-9b-0414",
    "glm-4-32b-0414",
    "glm-4.5-air",
    "glm-4.7-flash",
    "hunyuan-a13b-instruct",
    "kimi-k2-instruct",
    "llama-2-7b-chat",
    "llama-2-70b-chat",
    "minicpm3-4b",
    "qwen2.5-0.5b-instruct",
    "qwen2.5-1.5b-instruct",
    "qwen2.5-7b-instruct",
    "qwen2.5-14b-instruct",
    "qwen2.5-32b-instruct",
    "qwen2.5-72b-instruct",
    "qwen3-1.7b",
    "qwen3-4b",
    "qwen3-8b",
    "qwen3-14b",
    "qwen3-30b-a3b",
    "qwen3-32b",
    "qwen3-235b-a22b",
    "qwen3-next-80b-a3b-instruct",
    "qwen3.5-9b",
    "rwkv7-g1-2.9b",
)
# For these all quantizations are planned, and the one that would be offered is a line of its own.
OFFERED = ("qwen3-8b", "qwen2.5-14b-instruct")


def cases() -> Iterator[Case]:
    """In the order of the file; one model after the other, for its dry run is shared by computers."""
    for model in MODELS:
        for machine in machines():
            yield Case(machine=machine, model=model)
    for model in OFFERED:
        for machine in machines():
            yield Case(machine=machine, model=model, quantization="*")


def recorded() -> dict[str, str]:
    """The file's lines by `Case.key`."""
    return {key_of(line): line for line in FILE.read_text(encoding="utf-8").splitlines()}


def key_of(line: str) -> str:
    """`Case.key` of a line; behind a "*" the line tells which quantization is offered."""
    machine, model, quantization = line.split(" | ")[:3]
    return f"{machine} | {model} | {quantization.split()[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.golden", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record the plans of today")
    parser.add_argument("--check", action="store_true", help="compare with what is recorded (the default)")
    parser.add_argument("--model", action="append", help="of these models only")
    args = parser.parse_args()
    if args.write and args.model:
        parser.error("only all plans can be written")
    chosen = [case for case in cases() if not args.model or case.model in args.model]
    lib.llama_backend_init()
    planner = Planner(VirtualDevices(), Callbacks(lambda text: None))
    known = {} if args.write or not FILE.exists() else recorded()
    lines, differing, begun, model = [], 0, time.monotonic(), ""
    for number, case in enumerate(chosen):
        if case.model != model:
            model = case.model
            print(f"{number:4d} of {len(chosen)}, {time.monotonic() - begun:4.0f} s: {model}", file=sys.stderr)
        lines.append(planner.line(case))
        if not args.write and lines[-1] != known.get(case.key):
            differing += 1
            print(f"- {known.get(case.key, '')}\n+ {lines[-1]}", flush=True)
    planner.close()
    if args.write:
        FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        print(f"{len(lines)} plans, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
