"""The numbers of a plan that can be fixed: sliders and choices, each with who chose it and a way back to automatic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QWheelEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from app import plan_words
from app.gui import icons
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.plans.planning import Planning
from app.gui.theme.fonts import ui_font
from app.plan_values import PlanReason, PlanView

KV_TYPES = ("f16", "q8_0", "q4_0")
PARALLEL_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
# Where a model does not say how long a context it was trained with.
USUAL_LONGEST_CONTEXT = 32_768


def context_steps(trained: int) -> tuple[int, ...]:
    """Contexts to choose from: powers of two and their halves between, up to the trained one."""
    longest = trained if trained > 0 else USUAL_LONGEST_CONTEXT
    steps, step = [], 1_024
    while step < longest:
        steps += [step, step + step // 2]
        step *= 2
    return (*(one for one in steps if one < longest), longest)


class Control(QWidget):
    """Name, value, who chose it and why; `automatic` leaves the number to the planner again."""

    automatic = Signal()

    def __init__(self, look: Look, key: str) -> None:
        super().__init__()
        self.look, self._key = look, key
        self._name = plain_label("", 13, 500)
        self.value = plain_label("", 13, shade=2)
        self._why = plain_label("", 12, shade=3, wrap=True)
        self.reset = push_button("words")
        self.reset.setFont(ui_font(12, 500))
        self.reset.clicked.connect(self.automatic)
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self._name)
        top.addStretch(1)
        top.addWidget(self.reset)
        top.addWidget(self.value)
        stays = self.reset.sizePolicy()
        stays.setRetainSizeWhenHidden(True)  # else the panel jumps at the first touch of a slider
        self.reset.setSizePolicy(stays)
        self.middle = QHBoxLayout()
        self.middle.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(top)
        column.addLayout(self.middle)
        column.addWidget(self._why)

    @property
    def name(self) -> str:
        return self.look.say(f"plans.control.{self._key}")

    def show_reason(self, reason: PlanReason | None, *, fixed: bool) -> None:
        """fixed: the user chose the number."""
        say = self.look.say
        self._name.setText(self.name)
        if fixed:
            self._why.setText(say("plans.fixed"))
        elif reason is None:
            self._why.setText(say("plans.automatic_plain"))
        else:
            self._why.setText(say("plans.automatic", reason=plan_words.reason(reason, self.look.language)))
        self.reset.setText(say("plans.reset"))
        self.reset.setAccessibleName(say("plans.reset_name", name=self.name))
        self.reset.setVisible(fixed)


class CalmSlider(QSlider):
    """A wheel over it scrolls the panel, it does not change the plan."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class SliderControl(Control):
    """A number out of some steps. `moved` carries the number while the slider moves."""

    moved = Signal(int)

    def __init__(self, look: Look, key: str, show: Callable[[int], str]) -> None:
        super().__init__(look, key)
        self._show = show
        self._steps: tuple[int, ...] = (0,)
        self.slider = CalmSlider(Qt.Orientation.Horizontal)
        self.slider.setMinimumHeight(24)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setPageStep(2)
        self.middle.addWidget(self.slider)
        self.slider.valueChanged.connect(self._on_slider)

    def show_number(self, number: int, steps: tuple[int, ...]) -> None:
        """A number between two steps is shown as it is, with the handle at the lower one."""
        self._steps = steps
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(steps) - 1)
        if not self.slider.isSliderDown():
            self.slider.setValue(max(0, bisect_right(steps, number) - 1))
        self.slider.blockSignals(False)
        self._say(number)

    def _on_slider(self, place: int) -> None:
        number = self._steps[min(place, len(self._steps) - 1)]
        self._say(number)
        self.moved.emit(number)

    def _say(self, number: int) -> None:
        text = self._show(number)
        self.value.setText(text)
        self.slider.setAccessibleName(f"{self.name}: {text}")


class ChoiceControl(Control):
    """One of a few words. `chosen` carries it."""

    chosen = Signal(str)

    def __init__(self, look: Look, key: str, words: tuple[str, ...]) -> None:
        super().__init__(look, key)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for word in words:
            button = push_button("chip")
            button.setFont(ui_font(12, 500))
            button.setText(word)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, word=word: self.chosen.emit(word))
            self._group.addButton(button)
            self.buttons[word] = button
            self.middle.addWidget(button)
        self.middle.addStretch(1)

    def show_word(self, word: str, text: str) -> None:
        """word: which is chosen; text: how it is said where it is none of those that are offered."""
        self.value.setText("" if word in self.buttons else text)
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(name == word)
            button.setIcon(icons.icon("check", self.look.theme.accent, 13) if name == word else QIcon())
            button.setAccessibleName(f"{self.name}: {name}")
        self._group.setExclusive(True)


class Controls(QWidget):
    """Everything of the wish that has a control; follows the planning by `show_plan`."""

    def __init__(self, look: Look, planning: Planning) -> None:
        super().__init__()
        self._look, self._planning = look, planning
        self.context = SliderControl(look, "context", lambda n: look.say("plans.tokens", count=f"{n:,}"))
        self.parallel = SliderControl(look, "parallel", lambda n: look.say("plans.answers", count=n))
        self.kv = ChoiceControl(look, "kv", KV_TYPES)
        self.gpu_layers = SliderControl(look, "gpu_layers", self._layers_text)
        self._all_layers = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        for control in (self.context, self.parallel, self.gpu_layers, self.kv):
            column.addWidget(control)
        for name in ("context", "parallel", "gpu_layers"):
            slider: SliderControl = getattr(self, name)
            slider.moved.connect(lambda number, name=name: planning.fix(**{name: number}))
            slider.automatic.connect(lambda name=name: planning.fix(**{name: None}))
        self.kv.chosen.connect(lambda word: planning.fix(kv=word))
        self.kv.automatic.connect(lambda: planning.fix(kv=None))

    def show_plan(self, plan: PlanView) -> None:
        """The numbers of the wish where the user fixed them, those of the plan elsewhere."""
        wish = self._planning.wish
        reasons = {reason.field: reason for reason in plan.reasons}
        self.context.show_number(wish.context or plan.context, context_steps(plan.trained_context))
        self.context.show_reason(reasons.get("context_tokens"), fixed=wish.context is not None)
        self.parallel.show_number(wish.parallel or plan.parallel, PARALLEL_STEPS)
        self.parallel.show_reason(reasons.get("parallel"), fixed=wish.parallel is not None)
        self._all_layers = plan.layers + 1  # the output layer is one of its own
        self.gpu_layers.setVisible(len(plan.devices) > 1)
        layers = plan.gpu_layers if wish.gpu_layers is None else wish.gpu_layers
        self.gpu_layers.show_number(min(layers, self._all_layers), tuple(range(self._all_layers + 1)))
        self.gpu_layers.show_reason(reasons.get("gpu_layers"), fixed=wish.gpu_layers is not None)
        key, value = (wish.kv, wish.kv) if wish.kv else (plan.kv_type_k, plan.kv_type_v)
        both = key if key == value else f"{key} / {value}"
        self.kv.show_reason(reasons.get("kv_type_v"), fixed=wish.kv is not None)
        self.kv.show_word(key if key == value else "", both)

    def _layers_text(self, number: int) -> str:
        return f"{number} / {self._all_layers}"
