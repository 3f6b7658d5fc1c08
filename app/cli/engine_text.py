"""The engine's state as the terminal shows it: for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.settings import Settings
from app.values import Language
from app.words import shown_bytes
from inference.backends.llama_cpp.back_ends import CPU_ONLY
from inference.engine_packs.store import Added
from inference.engine_report import EngineReport, as_values
from resources.wording import text

if TYPE_CHECKING:
    from hardware_probe.values import ProbeIssue

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """All that `liangli engine list` tells. folder: of an engine of its own; unfitting: folders of what was added but
    does not fit the engine in use; own: variables that the user has set, which come before the settings.
    """

    settings: Settings
    version: str
    folder: Path | None
    report: EngineReport
    added: tuple[Added, ...]
    unfitting: frozenset[Path]
    issues: tuple[ProbeIssue, ...]
    own: Mapping[str, str]

    def in_use(self, one: Added) -> bool:
        """Whether children load this engine or pack."""
        if one.kind == "engine":
            return self.folder == one.folder
        chosen = self.settings.engine_packs
        return one.folder not in self.unfitting and (chosen == "auto" or one.manifest.name in chosen.split())


def word(key: str, language: Language, /, **fields: Any) -> str:
    """A text of engine.toml."""
    return text(f"engine.{key}", language, **fields)


def facts(state: EngineState, language: Language) -> list[Fact]:
    """Pairs of a name and a sentence, "" for a name that goes on."""

    def say(key: str, /, **fields: Any) -> str:
        return word(key, language, **fields)

    report, comma = state.report, "、" if language == "zh" else ", "
    added = next((one for one in state.added if one.folder == state.folder), None)
    source = say("value.added") if added else say("value.came_along" if state.folder else "value.package")
    found = [(say("fact.engine"), say("value.engine", version=state.version, source=source))]
    found.append((say("fact.ggml"), report.ggml or "?"))
    if report.ending != "done":
        found.append((say("fact.state"), say(f"ending.{report.ending}")))
    elif report.unsound:
        found.append((say("fact.state"), text(f"errors.EngineUnsound.reason_words.{report.unsound}", language)))
    found += _variants(state, comma, language)
    loaded = [*(["CPU"] if report.devices else []), *map(_back_end, report.loaded)]
    found.append((say("fact.back_ends"), comma.join(loaded) or "-"))
    if state.settings.engine_packs == CPU_ONLY:
        found.append(("", say("value.cards_unwanted")))
    if report.failed:
        found.append(("", say("value.failed", names=comma.join(report.failed))))
    for number, device in enumerate(report.devices):
        sizes = {"free": shown_bytes(device.free_bytes), "total": shown_bytes(device.total_bytes)}
        line = say("value.device", name=device.name, description=device.description, **sizes)
        found.append(("" if number else say("fact.devices"), line))
    found += _added(state, language)
    for issue in state.issues:
        found.append((say("fact.note"), text(f"probe.advice.{issue.advice}", language)))
    for name, value in state.own.items():
        found.append((say("fact.note"), say("value.own", name=name, value=value)))
    return found


def record(state: EngineState) -> dict[str, Any]:
    """The same for programs."""
    settings = state.settings
    return {
        "engine": state.version,
        "folder": str(state.folder) if state.folder else None,
        **as_values(state.report),
        "added": [
            {
                **{
                    name: getattr(one.manifest, name)
                    for name in ("kind", "version", "ggml", "system", "back_ends", "needs")
                },
                "name": one.name,
                "folder": str(one.folder),
                "bytes": one.manifest.total_bytes,
                "fits": one.folder not in state.unfitting,
                "in_use": state.in_use(one),
            }
            for one in state.added
        ],
        "settings": {name: getattr(settings, name) for name in ("engine", "engine_packs", "cpu_variant")},
        "issues": [asdict(issue) for issue in state.issues],
        "own_variables": dict(state.own),
    }


def _variants(state: EngineState, comma: str, language: Language) -> Iterator[Fact]:
    report = state.report
    if not report.separate:
        yield word("fact.variant", language), word("value.fixed", language)
        return
    able = [one.name for one in report.variants if one.score > 0]
    unable = [one.name for one in report.variants if one.score <= 0]
    best = " " + word("value.best", language) if able and report.cpu_variant == able[0] else ""
    yield word("fact.variant", language), (report.cpu_variant or "-") + best
    if able:
        yield word("fact.able", language), comma.join(able)
    if unable:
        yield word("fact.unable", language), comma.join(unable)


def _added(state: EngineState, language: Language) -> Iterator[Fact]:
    named: set[str] = set()
    for one in state.added:
        use = "in_use" if state.in_use(one) else "unfitting" if one.folder in state.unfitting else "idle"
        line = word(
            "value.pack",
            language,
            name=one.name,
            version=one.manifest.version,
            ggml=one.manifest.ggml,
            size=shown_bytes(one.manifest.total_bytes),
            use=word(f"use.{use}", language),
        )
        yield "" if one.kind in named else word(f"fact.{one.kind}s", language), line
        named.add(one.kind)
        for need in one.manifest.needs:
            yield "", word("value.needs", language, need=need)


def _back_end(library: str) -> str:
    """ "libggml-vulkan.so" is "Vulkan"."""
    name = library.removeprefix("lib").removeprefix("ggml-").split(".")[0]
    return {"vulkan": "Vulkan", "cuda": "CUDA", "hip": "ROCm", "metal": "Metal", "sycl": "SYCL"}.get(name, name)
