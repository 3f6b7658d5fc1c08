"""Owns the choice: sets the variables that children inherit, has cards tried before their use, remembers failures."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.engine_choice.environment import Offer, chosen_back_ends, chosen_engine, own_variables, set_variables
from app.engine_choice.verdicts import Verdicts, cards_mark, load_verdicts, processor_mark, save_verdicts
from app.settings import Settings
from inference.backends.llama_cpp.back_ends import BACK_ENDS_VARIABLE, CPU_ONLY, SAFE, VARIANT_VARIABLE
from inference.engine_version import has_accelerator_back_end

if TYPE_CHECKING:
    from hardware_probe.values import ProbeIssue
    from inference.engine_report import EngineReport

log = logging.getLogger(__name__)

VERDICTS_FILE: Final = "engine_verdicts.json"


def _ask(environment: Mapping[str, str]) -> EngineReport:
    from inference.engine_report import ask_engine  # needed once in a while, and starting must be quick

    return ask_engine(environment)


class EngineChoice:
    """Of one process, whose children inherit `environment`. May be used from several threads.

    `apply` comes first; where `must_try` then tells so, `try_cards` has to come before a card is used. Until it has,
    children are given none.
    """

    def __init__(
        self,
        data_folder: Path,
        *,
        environment: MutableMapping[str, str] = os.environ,
        ask: Callable[[Mapping[str, str]], EngineReport] = _ask,
    ) -> None:
        self._data_folder, self._environment, self._ask = data_folder, environment, ask
        self._settings, self._verdicts = Settings(), Verdicts()
        self._must_try = self._cards_off = self._plain_only = False
        self._lock = threading.RLock()

    def apply(self, settings: Settings) -> bool:
        """Set the variables as the settings and what is remembered have it; tells whether anything changed."""
        with self._lock:
            self._settings = settings
            self._verdicts = load_verdicts(self._data_folder / VERDICTS_FILE)
            return self._set()

    @property
    def must_try(self) -> bool:
        """There is a back end for cards, and with this engine, these packs and drivers it has not been tried."""
        return self._must_try

    @property
    def cards_off(self) -> bool:
        """Cards were tried and the engine crashed or hung over them, so they are not used."""
        return self._cards_off

    @property
    def plain_only(self) -> bool:
        """The processor turned out not to know an instruction, so the plainest variant is used."""
        return self._plain_only

    def try_cards(self) -> None:
        """Have a throw-away child load all back ends, if they must be tried, and remember how that went.

        Takes some tenths of a second, at most as long as a child is waited for.
        """
        with self._lock:
            if not self._must_try:
                return
            report = self._ask(self._with_cards())
            if report.ending == "illegal_instruction" and self.processor_refused():
                report = self._ask(self._with_cards())
            good = report.ending == "done" and not report.unsound
            verdict = "sound" if good else "hangs" if report.ending == "hangs" else "failed"
            log.info("cards tried: %s (%s)", verdict, ", ".join(report.loaded) or report.ending)
            self._remember(cards=verdict, cards_mark=cards_mark(self._with_cards()))
            self._set()

    def processor_refused(self) -> bool:
        """A child ended over an unknown instruction: from now on the plainest variant. False if it was that already."""
        with self._lock:
            if self._environment.get(VARIANT_VARIABLE) == SAFE:
                return False
            log.warning("the processor does not know an instruction of the engine: the plainest variant is used now")
            self._remember(needs_plain=processor_mark(self._environment))
            self._set()
            # Not so where the user's own variable has it otherwise.
            return self._environment.get(VARIANT_VARIABLE) == SAFE

    def doubt_cards(self) -> None:
        """A child ended while back ends were loaded: they have to be tried again."""
        with self._lock:
            if self._verdicts.cards == "sound":
                self._remember(cards="", cards_mark="")
                self._set()

    def forget(self) -> None:
        """The user asks again: what failed before is tried anew."""
        with self._lock:
            self._remember(cards="", cards_mark="", needs_plain="")
            self._set()

    def issues(self) -> tuple[ProbeIssue, ...]:
        """What is not used because it failed, for whoever shows the computer."""
        from hardware_probe.values import ProbeIssue

        found: list[ProbeIssue] = []
        if self._cards_off:
            detail = f"the engine with its back ends for cards: {self._verdicts.cards}"
            found.append(ProbeIssue(part="gpu", detail=detail, expected=False, advice=f"cards_{self._verdicts.cards}"))
        if self._plain_only:
            found.append(ProbeIssue(part="cpu", detail="illegal instruction", expected=False, advice="plain_variant"))
        return tuple(found)

    # ---- the variables

    def _set(self) -> bool:
        """Put the variables in place in one go: another thread may be starting a child."""
        variables = self._wanted()
        self._must_try = self._cards_off = False
        if has_accelerator_back_end(variables) and BACK_ENDS_VARIABLE not in variables:
            known = self._verdicts.cards_mark == cards_mark({**self._environment, **variables})
            verdict = self._verdicts.cards if known else ""
            self._must_try, self._cards_off = not verdict, verdict in ("failed", "hangs")
            if verdict != "sound":
                variables[BACK_ENDS_VARIABLE] = CPU_ONLY
        return set_variables(self._environment, variables)

    def _wanted(self) -> dict[str, str]:
        """As the settings and the user's own variables have it, with the plainest variant where no other works."""
        own = own_variables(self._environment)
        offer = Offer(self._data_folder)
        engine = {**chosen_engine(self._settings, offer), **own}
        variables = {**engine, **chosen_back_ends(self._settings, offer.packs(engine)), **own}
        needed = self._verdicts.needs_plain
        self._plain_only = bool(needed) and VARIANT_VARIABLE not in own and needed == processor_mark(variables)
        return variables | ({VARIANT_VARIABLE: SAFE} if self._plain_only else {})

    def _with_cards(self) -> dict[str, str]:
        return {name: value for name, value in self._environment.items() if name != BACK_ENDS_VARIABLE}

    def _remember(self, **changes: Any) -> None:
        self._verdicts = msgspec.structs.replace(self._verdicts, **changes)
        try:
            save_verdicts(self._data_folder / VERDICTS_FILE, self._verdicts)
        except OSError as error:
            log.warning("not remembered: %s", error)
