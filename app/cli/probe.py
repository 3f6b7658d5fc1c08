"""`liangli probe`: what this computer has, and what to do about what is not as it should be. Needs no service."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from app import paths
from app.cli.screen import harmless, print_facts, print_json
from app.values import Language
from app.words import shown_bytes
from resources.own_program import module_command
from resources.wording import text

if TYPE_CHECKING:
    from hardware_probe import Accelerator, AcceleratorUser, Cpu, HardwareProfile, ProbeIssue

ENGINE_DEVICES_COMMAND = module_command("inference.backends.llama_cpp.devices")
_MOST_USERS = 4
Fact = tuple[str, str]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("probe", help=text("cli.probe.help", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    from app.engine_choice.command import choose_engine
    from app.local_models import models_folder
    from app.settings import load_settings
    from hardware_probe import probe_hardware

    folder = models_folder(load_settings(paths.settings_file()))
    choice = choose_engine()
    profile = probe_hardware(folder, engine_devices_command=ENGINE_DEVICES_COMMAND)
    profile = replace(profile, issues=(*choice.issues(), *profile.issues))
    if args.json:
        print_json(asdict(profile))
    else:
        _show(facts(profile, args.language))
    return 0


def _show(found: Sequence[Fact]) -> None:
    """Names beside values; in a terminal a long value goes on below itself."""
    if not sys.stdout.isatty():
        print_facts(found)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in found:
        table.add_row(Text(name), Text(harmless(value)))
    Console(highlight=False).print(table)


def facts(profile: HardwareProfile, language: Language) -> list[Fact]:
    """The profile as pairs of a name and a sentence, "" for a name that goes on; what is to be done comes last."""
    say = _Words(language)
    found: list[Fact] = list(_cpu(profile.cpu, say)) if profile.cpu else []
    if memory := profile.memory:
        sizes = {"available": shown_bytes(memory.available_bytes), "total": shown_bytes(memory.total_bytes)}
        limited = say("fact.limited") if memory.limited_by_group else ""
        found.append((say("fact.memory"), say("fact.memory_value", **sizes) + limited))
    if disk := profile.disk:
        sizes = {"free": shown_bytes(disk.free_bytes), "total": shown_bytes(disk.total_bytes)}
        room = say("fact.disk_value", folder=disk.folder, **sizes)
        kind = () if disk.kind == "unknown" else (say(f"disk_kind.{disk.kind}"),)
        found.append((say("fact.disk"), say.join((room, *kind))))
    for one in profile.accelerators:
        found += _accelerator(one, say)
    return [*found, *_issues(profile.issues, say)]


class _Words:
    """Texts of probe.toml in one language; called with a key and its fields."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def __call__(self, key: str, **fields: object) -> str:
        return text(f"probe.{key}", self._language, **fields)

    def join(self, parts: Iterable[str]) -> str:
        """Parts of a sentence."""
        return ("，" if self._language == "zh" else ", ").join(parts)

    def list(self, parts: Iterable[str]) -> str:
        """Members of an enumeration."""
        return ("、" if self._language == "zh" else ", ").join(parts)


def _cpu(cpu: Cpu, say: _Words) -> Iterator[Fact]:
    yield say("fact.cpu"), cpu.name
    counts = {"usable": cpu.usable_cores, "physical": cpu.physical_cores, "logical": cpu.logical_cores}
    kinds = ""
    if cpu.efficiency_cores:
        kinds = say("fact.cores_kinds", fast=cpu.performance_cores, frugal=cpu.efficiency_cores)
    yield say("fact.cores"), say("fact.cores_value", **counts) + kinds
    if cpu.quota_cores is not None:
        yield say("fact.quota"), say("fact.quota_value", cores=f"{cpu.quota_cores:g}")
    if cpu.instruction_sets:
        yield say("fact.instructions"), " ".join(cpu.instruction_sets)
    if cpu.numa_nodes > 1:
        yield say("fact.numa"), str(cpu.numa_nodes)


def _accelerator(one: Accelerator, say: _Words) -> Iterator[Fact]:
    yield say("fact.npu" if one.vendor == "huawei" else "fact.gpu"), _memory(one, say)
    yield "", say.join(_details(one, say))
    if one.users:
        yield "", say("card.users", programs=_users(one.users, say))


def _memory(one: Accelerator, say: _Words) -> str:
    name = one.name or one.vendor
    if one.total_bytes is None:
        return say("card.memory_unknown", name=name)
    total = shown_bytes(one.total_bytes)
    if one.free_bytes is None:
        return say("card.memory_total", name=name, total=total)
    kind = "card.memory_shared" if one.shares_host_memory else "card.memory"
    return say(kind, name=name, free=shown_bytes(one.free_bytes), total=total)


def _details(one: Accelerator, say: _Words) -> Iterator[str]:
    yield say("card.engine", device=one.engine_device) if one.engine_device else say("card.engine_none")
    if one.driver:
        old = one.driver_too_old and one.driver_minimum
        yield (
            say("card.driver_old", version=one.driver, minimum=one.driver_minimum)
            if old
            else say("card.driver", version=one.driver)
        )
    if one.compute_capability:
        yield say("card.capability", version=one.compute_capability)
    if one.memory_bytes_per_second:
        yield say("card.bandwidth", speed=f"{shown_bytes(one.memory_bytes_per_second)}/s")
    if one.link_bytes_per_second:
        yield say("card.link", speed=f"{shown_bytes(one.link_bytes_per_second)}/s")
    if one.display_attached:
        yield say("card.display")
    if one.is_slice:
        yield say("card.slice")
    if one.pci_id:
        yield say("card.pci", address=one.pci_id)


def _users(users: tuple[AcceleratorUser, ...], say: _Words) -> str:
    """The largest first; some systems do not tell how much each holds, and some not even its name."""
    ordered = sorted(users, key=lambda user: -(user.used_bytes or 0))
    programs = say.list(_user(user, say) for user in ordered[:_MOST_USERS])
    rest = len(ordered) - _MOST_USERS
    return say("card.more_users", programs=programs, count=rest) if rest > 0 else programs


def _user(user: AcceleratorUser, say: _Words) -> str:
    name = user.name or f"PID {user.pid}"
    return name if user.used_bytes is None else say("card.user", name=name, used=shown_bytes(user.used_bytes))


def _issues(issues: tuple[ProbeIssue, ...], say: _Words) -> Iterator[Fact]:
    """What it means and what to do; what is really wrong is followed by its technical detail."""
    for issue in issues:
        name = say(f"fact.{issue.part}")
        if not issue.advice:
            if not issue.expected:
                yield name, say("fact.issue", part=name, detail=issue.detail)
            continue
        yield name, say(f"advice.{issue.advice}")
        if not issue.expected:
            yield "", say("fact.detail", detail=issue.detail)
