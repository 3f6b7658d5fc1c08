"""What this computer is known to do: speeds that were measured, and what real answers taught about forecasts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from inference.engine_version import engine_version
from inference.planning.calibrated import Calibration, from_json
from inference.planning.learning import Observation, correct, decode_at, observe
from inference.planning.learning import from_json as learned_from_json
from inference.planning.learning import to_json as learned_to_json
from inference.planning.values import HOST, Machine, PlanAnswer, SpeedForecast
from resources.atomic_file import write_atomically

log = logging.getLogger(__name__)

# Forecasts that are waited for, by the path of the model; older ones were never answered with.
_MOST_FORECASTS = 32
# A device that holds less of the weights than this does not decide how long a token takes.
_NOTABLE_SHARE = 0.1


class Experience:
    """Kept in two files of `folder`. For one thread."""

    def __init__(self, folder: Path) -> None:
        self.calibration_file = folder / "calibration.json"
        self._learned_file = folder / "learned.json"
        self._learned = learned_from_json(_read(self._learned_file))
        self._forecasts: dict[str, tuple[SpeedForecast, tuple[str, ...]]] = {}

    def calibration(self, cpu_name: str) -> Calibration | None:
        """What was measured on this processor with this engine."""
        return from_json(_read(self.calibration_file), cpu_name=cpu_name, engine=engine_version())

    def corrected(self, answer: PlanAnswer, machine: Machine, family: str) -> PlanAnswer:
        """The answer with its forecast as experience has it. family: the model's architecture."""
        devices = _devices(answer, machine)
        if not machine.hypothetical:
            self._forecasts.pop(answer.plan.model_path, None)
            self._forecasts[answer.plan.model_path] = answer.speed, devices
            while len(self._forecasts) > _MOST_FORECASTS:
                del self._forecasts[next(iter(self._forecasts))]
        return replace(answer, speed=correct(answer.speed, self._learned, devices=devices, family=family))

    def answered(
        self,
        model_path: str,
        family: str,
        *,
        prompt: tuple[int, float],
        completion: tuple[int, float],
        depth_tokens: int,
        unevenness: float,
    ) -> None:
        """An answer was given without others beside it. prompt, completion: tokens that were computed, and seconds.

        unevenness: median to best of the seconds of its tokens.
        """
        if model_path not in self._forecasts:
            return
        forecast, devices = self._forecasts[model_path]
        before = self._learned
        predicted = {"prefill": forecast.prefill.likely, "decode": decode_at(forecast, depth_tokens)}
        for work, (tokens, seconds) in (("prefill", prompt), ("decode", completion)):
            if tokens > 0 and seconds > 0:
                observation = Observation(
                    devices=devices,
                    family=family,
                    work="prefill" if work == "prefill" else "decode",
                    predicted=predicted[work],
                    actual=tokens / seconds,
                    tokens=tokens,
                    unevenness=unevenness,
                )
                self._learned = observe(self._learned, observation)
        if self._learned is not before:
            self._keep()

    def _keep(self) -> None:
        try:
            self._learned_file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._learned_file, learned_to_json(self._learned).encode())
        except OSError as error:
            log.warning("what answers taught is not kept: %s", error)


def _devices(answer: PlanAnswer, machine: Machine) -> tuple[str, ...]:
    """Names of those that a notable part of the weights lies on."""
    names: Mapping[str, str] = {HOST: machine.host.name} | {
        device.name: device.description for device in machine.devices
    }
    weights = {bar.name: bar.weights_bytes for bar in answer.bill.devices}
    least = _NOTABLE_SHARE * sum(weights.values())
    return tuple(sorted(names.get(name, name) for name, held in weights.items() if held > least))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
