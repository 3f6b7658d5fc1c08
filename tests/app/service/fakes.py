"""An engine that says what the test wrote down, and a service around it on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from app.errors import ModelMissing
from app.planning.desk import PlanDesk
from app.service.engines.interface import AnswerFigures
from app.service.kept_settings import KeptSettings
from app.service.server import HttpServer, loopback_socket
from app.service.service import Outside, Service
from app.values import ImportReport, LocalModel, ModelRemoval
from inference.errors import ContextOverflow, EngineDied, OutOfMemoryLoading
from inference.planning.values import (
    HOST,
    Advice,
    Bill,
    DeviceBytes,
    Limits,
    PlanAnswer,
    Range,
    SpeedForecast,
    Wish,
)
from inference.values import (
    ChatPrompt,
    FinishReason,
    GenerationRequest,
    LoadPlan,
    MeasuredMemory,
    ModelFacts,
    PlanChoice,
    Timings,
    TokenLogprob,
    Usage,
)
from inference.worker.messages import Admitted, Delta, Finished, MemoryReport, PromptShown
from models_catalog.library.work import Work
from models_catalog.starter import Starter

TOKEN = "test-token-0123456789abcdef"


def model(model_id: str, *, size_bytes: int = 1000, added_at: float = 1.0) -> LocalModel:
    return LocalModel(
        id=model_id,
        name=model_id.replace("-", " ").title(),
        path=f"/models/{model_id}.gguf",
        size_bytes=size_bytes,
        architecture="qwen2",
        quantization="Q4_K_M",
        trained_context_tokens=32768,
        licence="Apache-2.0",
        added_at=added_at,
    )


@dataclass
class Script:
    """What an engine answers: pieces of text, thinking first. `gate`: pieces after `gated_from` wait for it."""

    pieces: tuple[str, ...] = ("你好", "，", "world")
    reasoning: tuple[str, ...] = ()
    finish: FinishReason = "stop"
    gated_from: int | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    # A plan that takes more kills the engine before it has said anything.
    memory_for_use: int = 10**15


class FakeEngine:
    """One child. `requests`: what it was asked; `cancelled`: ids of requests that were left early."""

    def __init__(
        self,
        plan: LoadPlan,
        script: Script,
        pid: int,
        memory: MeasuredMemory,
        on_memory: Callable[[MemoryReport], None] | None,
    ) -> None:
        self.plan = plan
        self.memory = memory
        self.on_memory = on_memory
        self.script = script
        self.pid = pid
        self.alive = True
        self.closed = False
        self.requests: list[GenerationRequest] = []
        self.cancelled: list[str] = []
        self._death: asyncio.Future[EngineDied] = asyncio.get_running_loop().create_future()

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(
            architecture="qwen2",
            name="fake",
            parameters=1,
            size_bytes=1,
            vocabulary_size=10,
            context_tokens=self.plan.context_tokens,
            trained_context_tokens=32768,
            sequences=4,
            has_chat_template=True,
            can_think=True,
            can_trim=True,
            load_seconds=0.0,
            engine="fake",
            memory=self.memory,
            chat_profile=self.plan.chat_profile or None,
        )

    def memory_bytes(self) -> int:
        return 1_000_000

    def report(self, private_bytes: int) -> None:
        """Say that the child holds so much now."""
        assert self.on_memory is not None
        self.on_memory(MemoryReport(private_bytes=private_bytes, peak_bytes=private_bytes))

    def die(self, cause: str = "killed") -> None:
        self.alive = False
        self._death.set_result(EngineDied(cause=cause, detail="", exit_code=None, signal=9))

    async def show_prompt(self, chat: ChatPrompt) -> PromptShown:
        text = "\n".join(f"{message.role}: {message.content}" for message in chat.messages)
        return PromptShown(request_id="p", text=text, prompt_tokens=len(text.split()))

    async def wait_dead(self) -> EngineDied:
        return await asyncio.shield(self._death)

    async def close(self) -> None:
        self.alive = False
        self.closed = True

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Admitted | Delta | Finished, None]:
        self.requests.append(request)
        finished = False
        try:
            prompt = prompt_words(request)
            if self.script.memory_for_use < plan_bytes(self.plan):
                self.die("out_of_memory")
                raise self._death.result()
            if prompt > self.plan.context_tokens:
                raise ContextOverflow(prompt_tokens=prompt, context_tokens=self.plan.context_tokens)
            yield Admitted(
                request_id=request.request_id,
                prompt_tokens=prompt,
                cached_tokens=1,
                seed=7 if request.sampling.seed is None else request.sampling.seed,
            )
            for piece in self.script.reasoning:
                yield Delta(request_id=request.request_id, reasoning=piece, token_ids=(1,))
            count = 0
            for place, piece in enumerate(self.script.pieces):
                if place == self.script.gated_from:
                    await self._gate()
                yield Delta(
                    request_id=request.request_id,
                    text=piece,
                    token_ids=(place,),
                    logprobs=self._logprobs(request, piece),
                )
                count += 1
            if self.script.gated_from == len(self.script.pieces):
                await self._gate()
            finished = True
            yield Finished(
                request_id=request.request_id,
                reason=self.script.finish,
                usage=Usage(prompt_tokens=prompt, completion_tokens=count, cached_tokens=1),
                timings=Timings(queue_seconds=0.0, prefill_seconds=0.1, decode_seconds=0.2),
            )
        finally:
            if not finished:
                self.cancelled.append(request.request_id)

    async def asked(self, count: int) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(5):
            while len(self.requests) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def gave_up(self, count: int) -> None:
        """Wait until so many requests were left early."""
        async with asyncio.timeout(5):
            while len(self.cancelled) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def _gate(self) -> None:
        gate = asyncio.ensure_future(self.script.gate.wait())
        self._death.add_done_callback(lambda _: gate.cancel())
        try:
            await gate
        except asyncio.CancelledError:
            if not self._death.done():
                raise
            raise self._death.result() from None
        finally:
            gate.cancel()

    def _logprobs(self, request: GenerationRequest, piece: str) -> tuple[TokenLogprob, ...]:
        wanted = request.sampling.logprobs
        if wanted is None:
            return ()
        top = tuple((n, f"t{n}", b"t%d" % n, -1.0 - n) for n in range(wanted))
        return (TokenLogprob(token_id=1, text=piece, raw=piece.encode(), logprob=float("-inf"), top=top),)


def prompt_words(request: GenerationRequest) -> int:
    if request.text is not None:
        return len(request.text.text.split())
    assert request.chat is not None
    return sum(len(message.content.split()) for message in request.chat.messages)


def plan_bytes(plan: LoadPlan) -> int:
    """What a fake engine takes beside its weights."""
    return plan.context_tokens * 2 + plan.batch_tokens


class FakeWorld:
    """Everything outside the service; the test turns its knobs.

    load_memory: a plan that takes more (`plan_bytes`) cannot be loaded. extra_bytes: what every engine holds beyond.
    plans: what was asked of the planner, in order.
    """

    def __init__(self) -> None:
        self.load_memory = 10**15
        self.extra_bytes = 0
        self.plans: list[tuple[str, Wish, Limits, dict[str, int]]] = []
        self.measured: list[tuple[str, str, dict[str, int]]] = []
        self.answers: list[AnswerFigures] = []
        self.advice: tuple[Advice, ...] = ()
        self.default_context_tokens: int | None = None
        self.script = Script()
        self.engines: list[FakeEngine] = []
        self.shelf_models: list[LocalModel] = [model("qwen-small")]
        self.free_bytes = 10_000_000
        self.state_bytes = 0
        self.maps_large = False
        self.context_tokens = 4096
        self.load_error: Exception | None = None
        self.load_gate: asyncio.Event | None = None
        self.loads = 0
        self.started = asyncio.Event()

    # Shelf

    def models(self) -> tuple[LocalModel, ...]:
        return tuple(self.shelf_models)

    def add(self, path: Path) -> LocalModel:
        added = model(path.stem)
        self.shelf_models.append(added)
        return added

    @property
    def folder(self) -> Path:
        return Path("/models")

    def add_folder(self, folder: Path) -> ImportReport:
        return ImportReport(models=(), refused=())

    def removal(self, model_id: str) -> ModelRemoval:
        return ModelRemoval(paths=(), freed_bytes=0)

    def remove(self, model_id: str) -> ModelRemoval:
        self.shelf_models = [one for one in self.shelf_models if one.id != model_id]
        return self.removal(model_id)

    def verify(self, model_id: str, work: Work) -> str:
        return "sound"

    def compare(self, work: Work) -> None:
        pass

    def copy_in(self, path: Path, work: Work) -> str:
        return self.add(path).id

    def move(self, folder: Path, switch: Callable[[Path], None], work: Work) -> tuple[str, ...]:
        switch(folder)
        return ()

    def finish_move(self) -> tuple[str, ...]:
        return ()

    # StartEngine, MakePlan

    async def start_engine(
        self,
        plan: LoadPlan,
        *,
        on_progress: Callable[[float], None] | None = None,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> FakeEngine:
        self.loads += 1
        if on_progress:
            on_progress(0.5)
        if self.load_gate is not None:
            await self.load_gate.wait()
        if self.load_error is not None:
            raise self.load_error
        if plan_bytes(plan) > self.load_memory:
            raise OutOfMemoryLoading(
                path=plan.model_path, device=HOST, needed_bytes=plan_bytes(plan), detail="failed to allocate"
            )
        held = self.state_bytes if plan.memory_map and self.maps_large else self._size(plan)
        memory = MeasuredMemory(private_bytes=held + self.extra_bytes)
        engine = FakeEngine(plan, self.script, 1000 + self.loads, memory, on_memory)
        self.engines.append(engine)
        self.started.set()
        return engine

    async def make_plan(
        self, model: LocalModel, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]
    ) -> PlanAnswer:
        """Keeps to the limits as the planner does; the bill is the model's size, mapped where it must and may be."""
        self.plans.append((model.id, wish, limits, dict(freed_bytes)))
        context = wish.context_tokens or min(self.context_tokens, limits.context_tokens or self.context_tokens)
        free_bytes = self.available_bytes() + freed_bytes.get(HOST, 0)
        mapped = self.maps_large and model.size_bytes + self.state_bytes > free_bytes
        plan = LoadPlan(
            model_path=model.path,
            backend="scripted",
            memory_map=mapped or not self.maps_large,
            context_tokens=context,
            sequences=4,
            batch_tokens=min(512, limits.batch_tokens or 512),
            decode_threads=1,
            batch_threads=1,
            kv_type_k=limits.kv_type or "f16",
            kv_type_v=limits.kv_type or "f16",
            choices=(
                PlanChoice(
                    field="context_tokens",
                    value=str(context),
                    chosen_by="user" if wish.context_tokens else "planner",
                    reason="default_context",
                ),
            ),
        )
        host = DeviceBytes(
            name=HOST,
            description="",
            weights_bytes=model.size_bytes,
            state_bytes=self.state_bytes,
            compute_bytes=0,
            other_bytes=0,
            budget_bytes=free_bytes,
            free_bytes=free_bytes,
            soft_bytes=model.size_bytes if mapped else 0,
        )
        unknown = Range(low=0.0, likely=0.0, high=0.0)
        return PlanAnswer(
            plan=plan,
            bill=Bill(devices=(host,), terms=(), basis="exact"),
            speed=SpeedForecast(decode=unknown, prefill=unknown, depth_tokens=0, origin="table", slowest=HOST),
            verdict="fits",
            advice=self.advice,
            limits=limits,
        )

    def _size(self, plan: LoadPlan) -> int:
        return next((one.size_bytes for one in self.shelf_models if one.path == plan.model_path), 0)

    def available_bytes(self) -> int:
        return self.free_bytes - sum(self._size(engine.plan) for engine in self.engines if engine.alive)

    def on_measured(self, engine: str, architecture: str, found: Mapping[str, int]) -> None:
        self.measured.append((engine, architecture, dict(found)))

    def fetch(self, starter: Starter, models_folder: Path, *, progress: Any, cancelled: Any) -> Path:
        raise ModelMissing(model=starter.key, available=())

    def outside(self) -> Outside:
        return Outside(
            start_engine=self.start_engine,
            make_plan=self.make_plan,
            shelf=self,
            fetch=self.fetch,
            desk=PlanDesk(models_folder=Path(), planning_folder=Path()),
            available_bytes=self.available_bytes,
            on_measured=self.on_measured,
            on_answer=self.answers.append,
        )


@dataclass
class Running:
    """A service that listens."""

    service: Service
    world: FakeWorld
    port: int
    http: httpx.AsyncClient
    stop: Callable[[], None]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON reply of an admin route that succeeds."""
        reply = await self.http.request(method, f"/liangli/v1{path}", json=body)
        assert reply.is_success, (reply.status_code, reply.text)
        return reply.json() if reply.content else None

    @asynccontextmanager
    async def events(self, after: int | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        async with self.http.stream("GET", "/liangli/v1/events", headers=headers) as reply:
            yield read_events(reply)


async def read_events(reply: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in reply.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def until(events: AsyncIterator[dict[str, Any]], kind: str, **fields: Any) -> dict[str, Any]:
    """The data of the next event of this kind that has these values."""
    async with asyncio.timeout(5):
        async for event in events:
            data: dict[str, Any] = event["data"]
            if event["kind"] == kind and all(data[name] == value for name, value in fields.items()):
                return data
    raise AssertionError(f"the stream ended before {kind}")


@asynccontextmanager
async def running_service(folder: Path, world: FakeWorld) -> AsyncIterator[Running]:
    """A service on a free port, in this loop."""
    folder.mkdir(exist_ok=True, parents=True)
    service = Service(
        data_folder=folder,
        models_folder=folder,
        chats_file=folder / "chats.sqlite3",
        settings=KeptSettings(folder / "settings.toml"),
        # What is learned of plans must not lie where the tests are run.
        outside=replace(world.outside(), desk=PlanDesk(models_folder=folder, planning_folder=folder / "planning")),
    )
    await service.open()
    listening = loopback_socket(0)
    port = int(listening.getsockname()[1])
    server = HttpServer(service.application(port=port, token=TOKEN, shut_down=lambda: server.stop()), listening)
    up = asyncio.Event()
    serving = asyncio.create_task(server.run(when_listening=up.set, before_end=service.close))
    await up.wait()
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=10
    )
    try:
        async with client:
            yield Running(service=service, world=world, port=port, http=client, stop=server.stop)
    finally:
        server.stop()
        with suppress(asyncio.CancelledError):
            await serving
