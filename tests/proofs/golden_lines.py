"""One plan as one line of the golden file, and the plans behind the lines: recorded computers, published models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from inference.backends.llama_cpp.dry_run import DryRunOracle
from inference.backends.llama_cpp.library import Callbacks
from inference.backends.llama_cpp.virtual_devices import VirtualDevices
from inference.planning.advice import Sibling
from inference.planning.machine import machine_from, usable_accelerators
from inference.planning.planner import ModelFigures, ModelPlanner, make_plan
from inference.planning.quantizations import Quantization, choose_quantization
from inference.planning.speeds import accelerator_speed, cpu_speed_from_facts
from inference.planning.values import HOST, Advice, DeviceBytes, Limits, Machine, PlanAnswer, Residuals, Wish
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import read_plan_data
from models_catalog.plan_library import published_models, published_plan_data
from tests.machines import is_windows, machines

_GB = 1e9
_DISK_BYTES_PER_SECOND = 1.2e9
_MODELS_KEPT = 8
# What is said only where something unusual was chosen.
_TELLING_FIELDS = ("context_tokens", "gpu_layers", "overrides", "memory_map", "flash_attention")
_DULL = frozenset({"fits_in_memory", "flash_on_device", "flash_saves_memory"})


@cache
def machine_named(name: str) -> Machine:
    """A recorded computer, with the speeds of published figures."""
    profile = machines()[name]
    return machine_from(
        profile,
        cpu_speed=cpu_speed_from_facts(profile.cpu, profile.memory),
        device_speeds={one.engine_device or "": accelerator_speed(one) for one in usable_accelerators(profile)},
        disk_bytes_per_second=_DISK_BYTES_PER_SECOND,
        windows=is_windows(profile),
    )


@lru_cache(maxsize=2)
def siblings_of(model: str) -> tuple[Sibling, ...]:
    """All quantizations of a published model."""
    return tuple(
        Sibling(quantization=name, weight_bytes=_header(model, name).weight_bytes) for name in published_models()[model]
    )


def _header(model: str, quantization: str) -> GgufHeader:
    head = published_plan_data(model, quantization)
    assert head is not None, (model, quantization)
    return read_plan_data(head, model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    header: GgufHeader
    oracle: DryRunOracle
    figures: ModelFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One plan. quantization "*": all are planned, and the line is that of the one to offer."""

    machine: str
    model: str
    quantization: str = "Q4_K_M"

    @property
    def key(self) -> str:
        """What the line begins with."""
        return f"{self.machine} | {self.model} | {self.quantization}"


class Planner:
    """Plans cases with llama.cpp's dry run; cases of one model one after the other are cheapest. For one thread."""

    def __init__(self, devices: VirtualDevices, callbacks: Callbacks) -> None:
        self._devices, self._callbacks = devices, callbacks
        self._models: dict[tuple[str, str, tuple[str, ...], int], _Opened] = {}

    def line(self, case: Case, *, with_advice: bool = True) -> str:
        """The case's line of the golden file. Raises MeasureFailed."""
        if case.quantization != "*":
            return line(case, case.quantization, self.answer(case, with_advice=with_advice))
        cases = [replace(case, quantization=name) for name in published_models()[case.model]]
        answers = [self.answer(one, with_advice=False) for one in cases]
        chosen = choose_quantization(
            [
                Quantization(name=one.quantization, weight_bytes=self._opened(one).header.weight_bytes, answer=answer)
                for one, answer in zip(cases, answers, strict=True)
            ]
        )
        if chosen is None:
            return f"{case.key} | none can be offered"
        return line(case, cases[chosen].quantization, self.answer(cases[chosen]))

    def answer(self, case: Case, *, with_advice: bool = True) -> PlanAnswer:
        """The plan for a model that nobody wished anything of. Raises MeasureFailed."""
        machine, opened = machine_named(case.machine), self._opened(case)
        header, oracle, figures = opened.header, opened.oracle, opened.figures
        if not with_advice:
            return ModelPlanner(case.model, header, oracle, Limits(), Residuals(), figures).plan(Wish(), machine)
        return make_plan(
            model_path=case.model,
            header=header,
            machine=machine,
            wish=Wish(),
            oracle=oracle,
            siblings=siblings_of(case.model),
            figures=figures,
        )

    def close(self) -> None:
        """Free all models."""
        for opened in self._models.values():
            opened.oracle.close()
        self._models.clear()

    def _opened(self, case: Case) -> _Opened:
        machine = machine_named(case.machine)
        names = tuple(device.name for device in machine.devices)
        threads = max(machine.host.decode_threads, machine.host.batch_threads)
        key = (case.model, case.quantization, names, threads)
        if key not in self._models:
            while len(self._models) >= _MODELS_KEPT:
                self._models.pop(next(iter(self._models))).oracle.close()
            header = _header(case.model, case.quantization)
            oracle = DryRunOracle(
                published_plan_data(case.model, case.quantization) or b"",
                size_bytes=header.size_bytes,
                devices=self._devices,
                device_names=names,
                threads=threads,
                callbacks=self._callbacks,
            )
            self._models[key] = _Opened(header=header, oracle=oracle, figures=ModelFigures(header, oracle))
        return self._models[key]


def line(case: Case, quantization: str, answer: PlanAnswer) -> str:
    """Machine, model, quantization, verdict, context, KV, batch, placement, memory, speed, reasons, advice."""
    plan, speed = answer.plan, answer.speed
    return " | ".join(
        (
            case.key if case.quantization == quantization else f"{case.key} {quantization}",
            answer.verdict,
            f"{plan.context_tokens}",
            _attention(answer),
            f"{plan.batch_tokens}",
            _placement(answer),
            "; ".join(map(_memory, answer.bill.devices)),
            f"{speed.decode.likely:.3g} t/s",
            f"{speed.prefill.likely:.3g} t/s",
            " ".join(_reasons(answer)),
            ", ".join(map(_advice, answer.advice)) or "-",
        )
    )


def _attention(answer: PlanAnswer) -> str:
    plan = answer.plan
    kinds = plan.kv_type_k if plan.kv_type_k == plan.kv_type_v else f"{plan.kv_type_k}/{plan.kv_type_v}"
    windows = "" if plan.swa_full else " windows"
    return f"{kinds} {'flash' if plan.flash_attention else 'plain'}{windows}"


def _placement(answer: PlanAnswer) -> str:
    plan, placement = answer.plan, answer.plan.placement
    loading = "" if not plan.memory_map else " mmap"
    if not placement.devices:
        return f"host{loading}"
    split = ":".join(f"{share:g}" for share in placement.tensor_split)
    overrides = f" -{len(placement.overrides)} overrides" if placement.overrides else ""
    return f"{placement.gpu_layers} on {'+'.join(placement.devices)} {split}".rstrip() + overrides + loading


def _memory(bar: DeviceBytes) -> str:
    soft = f"+{bar.soft_bytes / _GB:.1f}" if bar.soft_bytes else ""
    name = "host" if bar.name == HOST else bar.name
    return f"{name} {bar.hard_bytes / _GB:.2f}{soft} / {bar.budget_bytes / _GB:.2f} GB"


def _reasons(answer: PlanAnswer) -> Sequence[str]:
    found = {choice.field: choice.reason for choice in answer.plan.choices}
    telling = [found[field] for field in _TELLING_FIELDS if field in found and found[field] not in _DULL]
    telling += [found["batch_tokens"]] if found["batch_tokens"] != "usual_batch" else []
    return telling + ([found["kv_type_k"]] if found["kv_type_k"] != "fine_keys" else [])


def _advice(advice: Advice) -> str:
    fields = [str(value) for name, value in advice.fields.items() if name != "saves_bytes"]
    return f"{advice.kind} {' '.join(fields)}{'' if advice.makes_fit else '?'}".replace(" ?", "?")
