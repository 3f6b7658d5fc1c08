"""`liangli probe`: what this computer has. Needs no service."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from app import paths
from app.cli.screen import print_facts, print_json
from app.values import Language
from app.words import shown_bytes
from resources.wording import text

if TYPE_CHECKING:
    from hardware_probe import HardwareProfile


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("probe", help=text("cli.probe.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    from hardware_probe import probe_hardware

    profile = probe_hardware(paths.models_folder())
    if args.json:
        print_json(asdict(profile))
    else:
        print_facts(facts(profile, args.language))
    return 0


def facts(profile: HardwareProfile, language: Language) -> list[tuple[str, str]]:
    """The profile as pairs of a name and a sentence; parts that could not be looked at come last."""

    def say(key: str, **fields: object) -> str:
        return text(f"cli.probe.{key}", language, **fields)

    found: list[tuple[str, str]] = []
    if cpu := profile.cpu:
        found.append((say("cpu"), cpu.name))
        counts = {"usable": cpu.usable_cores, "physical": cpu.physical_cores, "logical": cpu.logical_cores}
        found.append((say("cores"), say("cores_value", **counts)))
        if cpu.quota_cores is not None:
            found.append((say("quota"), say("quota_value", cores=f"{cpu.quota_cores:g}")))
    if memory := profile.memory:
        sizes = {"available": shown_bytes(memory.available_bytes), "total": shown_bytes(memory.total_bytes)}
        limited = say("limited") if memory.limited_by_group else ""
        found.append((say("memory"), say("memory_value", **sizes) + limited))
    if disk := profile.disk:
        sizes = {"free": shown_bytes(disk.free_bytes), "total": shown_bytes(disk.total_bytes)}
        found.append((say("disk"), say("disk_value", folder=disk.folder, **sizes)))
    for gpu in profile.accelerators:
        sizes = {"free": shown_bytes(gpu.free_bytes or 0), "total": shown_bytes(gpu.total_bytes or 0)}
        found.append((say("gpu"), say("gpu_value", name=gpu.name, **sizes)))
    for issue in profile.issues:
        value = say("gpu_none") if issue.expected else say("issue", part=say(issue.part), detail=issue.detail)
        found.append((say(issue.part), value))
    return found
