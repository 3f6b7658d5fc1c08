"""From the settings, and what was added, to the variables by which children choose engine and back ends."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Final

from app.settings import Settings
from inference.backends.llama_cpp.back_ends import BACK_ENDS_VARIABLE, CPU_ONLY, PACKS_VARIABLE, VARIANT_VARIABLE
from inference.engine_folder import ENGINE_VARIABLE
from inference.engine_packs.store import PackStore, fits, fitting_of

AUTO: Final = "auto"
# Names of variables that this program set, so that a child does not take them for the user's own.
_OURS: Final = "LIANGLI_CHOSEN"
_VARIABLES: Final = (ENGINE_VARIABLE, BACK_ENDS_VARIABLE, PACKS_VARIABLE, VARIANT_VARIABLE)


class Offer:
    """What was added and can be chosen. Reads folders when asked."""

    def __init__(self, data_folder: Path) -> None:
        self._store = PackStore(data_folder)

    def engine(self, name: str) -> Path | None:
        """The folder of an added engine that the app fits to."""
        for one in self._store.installed():
            if one.kind == "engine" and one.name == name and fits(one.manifest):
                return one.folder
        return None

    def packs(self, environment: Mapping[str, str]) -> dict[str, Path]:
        """By name, the folders of packs that fit the engine of this environment."""
        fitting = fitting_of(environment)
        found = self._store.installed() if fitting.ggml else []
        return {one.name: one.folder for one in found if one.kind == "pack" and fits(one.manifest, fitting)}


def chosen_engine(settings: Settings, offer: Offer) -> dict[str, str]:
    """The variable of the engine alone, on which it depends what packs fit. One that is gone leaves the usual one."""
    folder = offer.engine(settings.engine) if settings.engine else None
    return {} if folder is None else {ENGINE_VARIABLE: str(folder)}


def chosen_back_ends(settings: Settings, packs: Mapping[str, Path]) -> dict[str, str]:
    """The variables of back ends and processor variant."""
    variables: dict[str, str] = {}
    if settings.cpu_variant not in ("", AUTO):
        variables[VARIANT_VARIABLE] = settings.cpu_variant
    if settings.engine_packs == CPU_ONLY:
        variables[BACK_ENDS_VARIABLE] = CPU_ONLY
    elif folders := list(_chosen(settings, packs)):
        variables[PACKS_VARIABLE] = os.pathsep.join(map(str, folders))
    return variables


def own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the user has set from outside, which comes before any setting."""
    ours = environment.get(_OURS, "").split()
    return {name: environment[name] for name in _VARIABLES if environment.get(name) and name not in ours}


def set_variables(environment: MutableMapping[str, str], variables: Mapping[str, str]) -> bool:
    """Put these in the place of those set before; the user's own stay. Tells whether anything is another."""
    own = own_variables(environment)
    wanted = {**variables, **own}
    before = {name: environment[name] for name in _VARIABLES if name in environment}
    for name in before.keys() - wanted.keys():
        del environment[name]
    environment.update(wanted)
    environment.pop(_OURS, None)
    if ours := wanted.keys() - own.keys():
        environment[_OURS] = " ".join(sorted(ours))
    return before != wanted


def _chosen(settings: Settings, packs: Mapping[str, Path]) -> Iterable[Path]:
    names = sorted(packs) if settings.engine_packs == AUTO else settings.engine_packs.split()
    return (packs[name] for name in names if name in packs)
