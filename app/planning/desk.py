"""Where plans are asked for: it knows the computer, the models' plan data, and the worker that plans."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.errors import CardUnknown, WishInvalid
from app.plan_values import PlanWish
from app.planning.calibrator import run_calibration
from app.planning.experience import Experience
from app.planning.models import LocalModels, PlanModel
from hardware_probe import probe_hardware, probe_memory
from hardware_probe.gpu_facts import GpuFacts, GpuFound, find_gpu, parse_size
from hardware_probe.programs import own_pids, read_programs
from hardware_probe.values import DiskKind, HardwareProfile, ProbeIssue
from inference.engine_version import has_accelerator_back_end
from inference.plan_worker.client import PlanWorker
from inference.plan_worker.messages import PlanTask
from inference.planning.advice import Sibling
from inference.planning.calibrated import Calibration
from inference.planning.machine import has_back_end, machine_from, usable_accelerators, what_if
from inference.planning.speeds import accelerator_speed, cpu_speed_from_facts, gpu_speed
from inference.planning.threads import choose_threads
from inference.planning.values import HOST, Host, Limits, Machine, PlanAnswer, Residuals, Wish
from models_catalog.plan_cache import PlanCache
from resources.own_program import module_command

ENGINE_DEVICES = module_command("inference.backends.llama_cpp.devices")
# Cards and drivers do not change often; what is free on them is asked again after this time.
_PROFILE_SECONDS = 10.0
# Reading a large file once, from the middle to the end of what such disks do.
_DISK_BYTES_PER_SECOND: dict[DiskKind, float] = {"ssd": 1.2e9, "hdd": 120e6, "network": 80e6, "unknown": 400e6}
_NO_CARD = "none"
# Work in the background comes plan after plan, or not at all.
_BACKGROUND_IDLE_SECONDS = 10.0


class PlanDesk:
    """For the thread of one event loop. models_folder: whose disk counts; planning_folder: what was learned.

    worker: one that may have been started already; ended with the desk. before_look: awaited before the computer is
    looked at; engine_issues: what the engine does not use because it failed.
    """

    def __init__(
        self,
        *,
        models_folder: Path,
        planning_folder: Path,
        worker: PlanWorker | None = None,
        before_look: Callable[[], Awaitable[None]] | None = None,
        engine_issues: Callable[[], tuple[ProbeIssue, ...]] = tuple,
    ) -> None:
        self._before_look, self._engine_issues = before_look, engine_issues
        self._models_folder, self._planning_folder = models_folder, planning_folder
        self._worker = worker or PlanWorker()
        # Nobody who waits for a plan shall wait for one that nobody waits for.
        self._background = PlanWorker(idle_seconds=_BACKGROUND_IDLE_SECONDS)
        self._awaited, self._nobody_waits = 0, asyncio.Event()
        self._nobody_waits.set()
        self.models = LocalModels(PlanCache(self.cache_folder))
        self._profile: HardwareProfile | None = None
        self._profile_time = 0.0
        self._probing = asyncio.Lock()
        self.experience = Experience(planning_folder)

    @property
    def cache_folder(self) -> Path:
        """Where plan data is kept, of distant models and of files that were screened."""
        return self._planning_folder / "models"

    @property
    def listings_folder(self) -> Path:
        """Where hubs' listings of repositories are kept."""
        return self._planning_folder / "listings"

    def use_folder(self, models_folder: Path) -> None:
        """The disk of another folder counts from now on."""
        self._models_folder, self._profile = models_folder, None

    async def engine_changed(self) -> None:
        """Another engine, or other back ends, from now on: look anew, with new children."""
        self._profile = None
        await self._worker.close()
        await self._background.close()

    async def prepare(self) -> None:
        """Look at the computer and start the worker now, so that the first plan waits for neither."""
        await asyncio.gather(self.hardware(), self._worker.start())

    # ---- the computer

    async def hardware(self, *, fresh: bool = False) -> HardwareProfile:
        """What this computer has; memory as it is now, the rest not older than ten seconds. Raises nothing."""
        if self._before_look is not None:
            await self._before_look()
        async with self._probing:
            old = time.monotonic() - self._profile_time > _PROFILE_SECONDS
            if self._profile is None or fresh or (old and self._profile.accelerators):
                # The engine is asked only where it could name more than the processor: its process takes 0.2 s.
                command = ENGINE_DEVICES if has_accelerator_back_end() else None
                profile = await asyncio.to_thread(probe_hardware, self._models_folder, engine_devices_command=command)
                self._profile = replace(profile, issues=(*self._engine_issues(), *profile.issues))
                self._profile_time = time.monotonic()
                return self._profile
            try:
                return replace(self._profile, memory=probe_memory())
            except OSError:
                return self._profile

    def calibrated_at(self) -> float | None:
        """When this computer's speed was measured, in seconds since the epoch; None when it never was."""
        file = self.experience.calibration_file
        return file.stat().st_mtime if file.exists() else None

    async def calibrate(self, on_progress: Callable[[float], None]) -> None:
        """Measure the processor, some seconds long. Cancelling ends it. Raises CalibrationFailed, OSError."""
        profile = await self.hardware()
        threads = choose_threads(profile.cpu)
        numbers = sorted({max(1, threads.batch // 2), threads.decode, threads.batch})
        self._planning_folder.mkdir(parents=True, exist_ok=True)
        await run_calibration(
            self.experience.calibration_file,
            threads=numbers,
            cpu_name=profile.cpu.name if profile.cpu else "",
            on_progress=on_progress,
        )

    async def machine(
        self,
        wish: PlanWish | None = None,
        *,
        freed_bytes: Mapping[str, int] | None = None,
        with_programs: bool = False,
    ) -> Machine:
        """What can be planned on: this computer now, or the one that the wish imagines.

        freed_bytes: by device name (HOST for main memory), what will be unloaded for the new model.
        with_programs: also look at what the user could close.
        Raises CardUnknown and WishInvalid.
        """
        profile = await self.hardware()
        freed = dict(freed_bytes or {})
        # Walks all processes: only for who asks what could be closed.
        ours = await asyncio.to_thread(own_pids) if with_programs else frozenset()
        calibration = self.experience.calibration(profile.cpu.name) if profile.cpu else None
        machine = machine_from(
            profile,
            cpu_speed=calibration.speed if calibration else cpu_speed_from_facts(profile.cpu, profile.memory),
            device_speeds={
                accelerator.engine_device or "": accelerator_speed(accelerator)
                for accelerator in usable_accelerators(profile)
            },
            disk_bytes_per_second=_DISK_BYTES_PER_SECOND[profile.disk.kind if profile.disk else "unknown"],
            host_freed_bytes=freed.pop(HOST, 0),
            freed_bytes=freed,
            processes=await asyncio.to_thread(read_programs, ours) if with_programs else (),
            own_pids=ours,
            windows=sys.platform == "win32",
        )
        if calibration is not None:
            machine = replace(machine, host=_as_measured(machine.host, calibration))
        if wish is None or not (wish.gpus or wish.ram):
            return machine
        return what_if(
            machine,
            speed_of=gpu_speed,
            gpus=_cards(wish.gpus) if wish.gpus else None,
            ram_bytes=_ram_bytes(wish.ram),
            windows=sys.platform == "win32",
        )

    # ---- plans

    async def plan_file(
        self,
        path: Path,
        wish: Wish,
        *,
        limits: Limits | None = None,
        residuals: Residuals | None = None,
        freed_bytes: Mapping[str, int] | None = None,
    ) -> PlanAnswer:
        """The plan for loading a file now. Raises leaves of ModelRefused and ModelFileRefused."""
        with self.awaited():
            model, machine, _ = await asyncio.gather(
                asyncio.to_thread(self.models.read, path), self.machine(freed_bytes=freed_bytes), self._worker.start()
            )
            return await self.plan(model, machine, wish, limits=limits, residuals=residuals)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """While somebody waits for a plan or for a model to be loaded: no plan is begun in the background."""
        self._awaited += 1
        self._nobody_waits.clear()
        try:
            yield
        finally:
            self._awaited -= 1
            if not self._awaited:
                self._nobody_waits.set()

    async def nobody_waits(self) -> None:
        """Returns when there is time for plans in the background; to be asked before each."""
        while self._awaited:
            await self._nobody_waits.wait()

    async def plan_in_background(self, model: PlanModel, machine: Machine) -> PlanAnswer:
        """As `plan`, by a worker of its own, so that no plan that somebody waits for comes after it."""
        task = PlanTask(
            model_path=model.path,
            head=model.head,
            machine=machine,
            wish=Wish(),
            limits=Limits(),
            residuals=Residuals(),
        )
        return self.experience.corrected(await self._background.plan(task), machine, model.header.architecture)

    async def plan(
        self,
        model: PlanModel,
        machine: Machine,
        wish: Wish,
        *,
        limits: Limits | None = None,
        residuals: Residuals | None = None,
        projector: Path | None = None,
        draft: PlanModel | None = None,
        with_advice: bool = False,
        siblings: tuple[Sibling, ...] = (),
    ) -> PlanAnswer:
        """The plan for this model on this machine, with what is loaded beside it.

        Raises leaves of ModelRefused and ModelFileRefused.
        """
        answer = await self._worker.plan(
            PlanTask(
                model_path=model.path,
                head=model.head,
                machine=machine,
                wish=wish,
                limits=limits or Limits(),
                residuals=residuals or Residuals(),
                projector_path=str(projector.absolute()) if projector else "",
                draft_head=draft.head if draft else b"",
                with_advice=with_advice,
                siblings=siblings,
            )
        )
        return self.experience.corrected(answer, machine, model.header.architecture)

    async def close(self) -> None:
        """End the workers."""
        await self._background.close()
        await self._worker.close()


def _as_measured(host: Host, calibration: Calibration) -> Host:
    """The host with the threads that were fastest, as far as this process may use them.

    Where other programs computed meanwhile, the choice of threads was theirs as much as the processor's.
    """
    if calibration.contended:
        return host
    return replace(
        host,
        decode_threads=min(calibration.decode_threads, host.batch_threads),
        batch_threads=min(calibration.batch_threads, host.batch_threads),
        threads_reason="threads_measured",
        repack=calibration.repack,
    )


def _cards(names: tuple[str, ...]) -> list[GpuFacts]:
    cards: list[GpuFacts] = []
    for name in names:
        if name.strip().lower() == _NO_CARD:
            continue
        found = find_gpu(name)
        if not isinstance(found, GpuFound):
            raise CardUnknown(name=name, reason=found.reason, candidates=tuple(found.candidates[:4]))
        if not has_back_end(found.facts):
            raise CardUnknown(name=found.facts.name, reason="no_back_end", candidates=())
        cards += [found.facts] * found.count
    return cards


def _ram_bytes(size: str) -> int | None:
    if not size:
        return None
    found = parse_size(size)
    if not found:
        raise WishInvalid(name="ram", value=size)
    return found
