"""What the page knows about plans: the model looked at, the numbers that the user fixed, and the newest answer.

A change is asked for at once, but never more than one question at a time and not more often than thirty times a
second; when the numbers have rested a moment, the same is asked again with advice, which takes longer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.gui.session import Session
from app.plan_values import PlannedQuantization, Plans, PlanView, PlanWish
from app.values import EngineStatus, LocalModel

THROTTLE_MILLISECONDS = 30
REST_MILLISECONDS = 350


class Planning(QObject):
    """Lives in the Qt thread. `changed`: anything of the model looked at; `previews_changed`: of the list;
    `engine_changed`: what the loaded model looked at takes.

    seen: whether somebody looks; nothing is asked for by itself while nobody does.
    """

    changed = Signal()
    previews_changed = Signal()
    engine_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.target = ""
        self.wish = PlanWish()
        self.plans: Plans | None = None
        self.trouble: Exception | None = None
        self.advice_is_old = False
        self.previews: dict[str, Plans | Exception] = {}
        self._quantization = ""
        # Answers to what was asked before the model or the computer changed are of no use.
        self._epoch = 0
        self._asking = False
        self._ask_again = False
        self._moved = False
        self._unseen: list[str] = []
        self._previewing = False
        self._loaded = self._ready_models()
        self.seen = True
        self._throttle = QTimer(self, interval=THROTTLE_MILLISECONDS, singleShot=True)
        self._throttle.timeout.connect(self._on_throttle)
        self._rest = QTimer(self, interval=REST_MILLISECONDS, singleShot=True)
        self._rest.timeout.connect(self._ask_for_advice)
        session.engines_changed.connect(self._on_engines)

    # What is to be seen

    @property
    def quantization(self) -> PlannedQuantization | None:
        """The quantization that is looked at: what the user chose, else the best one."""
        if self.plans is None or not self.plans.quantizations:
            return None
        chosen = [one for one in self.plans.quantizations if one.name == self._quantization]
        return chosen[0] if chosen else self.plans.quantizations[self.plans.best or 0]

    @property
    def plan(self) -> PlanView | None:
        return self.quantization.plan if self.quantization is not None else None

    @property
    def model(self) -> LocalModel | None:
        """The model looked at, if it lies on this computer."""
        return next((model for model in self._session.usable_models if model.id == self.target), None)

    @property
    def engine(self) -> EngineStatus | None:
        """The engine of the model looked at, when it is ready."""
        engine = self._session.engines.get(self.target)
        return engine if engine is not None and engine.state == "ready" else None

    @property
    def hypothetical(self) -> bool:
        """Whether the plans are for a computer that the user thinks of."""
        return bool(self.wish.gpus or self.wish.ram)

    @property
    def waiting(self) -> bool:
        """Nothing is known yet about the model looked at."""
        return bool(self.target) and self.plans is None and self.trouble is None

    # What the user can do

    def look_at(self, target: str) -> None:
        """Plan another model, by whatever name; nothing is fixed any more but the computer."""
        self.target = target.strip()
        self.wish = PlanWish(gpus=self.wish.gpus, ram=self.wish.ram)
        self._quantization = ""
        self._begin()

    def choose(self, quantization: str) -> None:
        """Look at another quantization of the same model."""
        self._quantization = quantization
        self.changed.emit()

    def fix(self, **numbers: Any) -> None:
        """Fix some numbers of the wish; None leaves one to the planner again."""
        wish = replace(self.wish, **numbers)
        if wish == self.wish:
            return
        self.wish = wish
        self.advice_is_old = True
        self.changed.emit()
        if self._throttle.isActive():
            self._moved = True
        else:
            self._ask_and_pause()

    def imagine(self, gpus: tuple[str, ...], ram: str) -> None:
        """Plan for another computer; () and "" are this one."""
        self.wish = replace(self.wish, gpus=gpus, ram=ram)
        self._begin()
        self.preview_again()

    def ask_again(self) -> None:
        """The same with what is free now; the present answer stays until then."""
        if self.target:
            self._ask()

    def preview(self, models: tuple[str, ...]) -> None:
        """Plan these models one after another for the list; known answers are kept, failures are tried again."""
        self._unseen = [model for model in models if not isinstance(self.previews.get(model), Plans)]
        self._preview_next()

    def preview_again(self) -> None:
        """Forget the answers of the list, and ask for them again."""
        self._unseen = [*dict.fromkeys((*self.previews, *self._unseen))]
        self.previews = {}
        self.previews_changed.emit()
        self._preview_next()

    # How it is asked

    def _begin(self) -> None:
        self._epoch += 1
        self._rest.stop()
        self._asking = self._ask_again = False
        self.plans, self.trouble = None, None
        self.changed.emit()
        self.ask_again()

    def _ask_and_pause(self) -> None:
        self._moved = False
        self._throttle.start()
        self._ask()

    def _on_throttle(self) -> None:
        if self._moved:
            self._ask_and_pause()

    def _ask(self) -> None:
        if self._asking:
            self._ask_again = True
            return
        self._asking, self._ask_again = True, False
        self._send(self.wish, advice=False)

    def _ask_for_advice(self) -> None:
        self._send(self.wish, advice=True)

    def _send(self, wish: PlanWish, *, advice: bool) -> None:
        target, epoch = self.target, self._epoch

        def arrived(plans: Plans | None, trouble: Exception | None) -> None:
            if epoch != self._epoch:
                return
            if not advice:
                self._asking = False
                if self._ask_again:
                    self._ask()
            elif wish != self.wish:
                return
            self._take(plans, trouble, advice)

        self._session.link.ask(
            lambda client: client.plans(target, wish, advice=advice),
            lambda plans: arrived(plans, None),
            lambda error: arrived(None, error),
        )

    def _take(self, plans: Plans | None, trouble: Exception | None, advice: bool) -> None:
        self.trouble = trouble
        if plans is not None:
            self.plans = plans if advice else _with_advice_of(self.plans, plans)
            self.advice_is_old = not advice
            if not advice:
                self._rest.start()
        self.changed.emit()

    def _preview_next(self) -> None:
        if self._previewing or not self._unseen:
            return
        self._previewing = True
        model = self._unseen.pop(0)
        wish = PlanWish(gpus=self.wish.gpus, ram=self.wish.ram)

        def arrived(answer: Plans | Exception) -> None:
            self._previewing = False
            if wish.gpus == self.wish.gpus and wish.ram == self.wish.ram:
                self.previews[model] = answer
                self.previews_changed.emit()
            else:
                self._unseen.append(model)
            self._preview_next()

        self._session.link.ask(lambda client: client.plans(model, wish, advice=False), arrived, arrived)

    def _on_engines(self) -> None:
        """A model that was loaded or unloaded changes what is free, and what is measured."""
        loaded = self._ready_models()
        if loaded != self._loaded:
            self._loaded = loaded
            if self.seen:
                self.ask_again()
        self.engine_changed.emit()

    def _ready_models(self) -> frozenset[str]:
        return frozenset(engine.model for engine in self._session.engines.values() if engine.state == "ready")


def _with_advice_of(old: Plans | None, new: Plans) -> Plans:
    """The new plans, with the advice of the old ones until newer advice arrives."""
    if old is None:
        return new
    known = {one.name: one.plan.advice for one in old.quantizations if one.plan is not None}
    return replace(
        new,
        quantizations=tuple(
            one if one.plan is None else replace(one, plan=replace(one.plan, advice=known.get(one.name, ())))
            for one in new.quantizations
        ),
    )
