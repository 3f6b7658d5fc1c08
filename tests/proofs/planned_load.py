"""One load as the product does it, or as llama.cpp's defaults do: probe, plan, engine child, one batch, a few tokens.

`python -m tests.proofs.planned_load` reads a Job as JSON from standard input and writes an Outcome to standard output.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import msgspec

from app.planning.desk import PlanDesk
from inference.errors import EngineDied, InferenceError
from inference.planning.values import Wish
from inference.worker.client import start_engine
from models_catalog.errors import CatalogError
from tests.proofs.engine import answer, private_bytes


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """prompt_tokens: 0 for one full batch."""

    path: str
    wish: Wish
    prompt_tokens: int
    answer_tokens: int
    by: Literal["plan", "defaults"] = "plan"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """end: "answered", "refused" (the plan says that it does not fit), "failed" (a plain error), "died"."""

    end: Literal["answered", "refused", "failed", "died"]
    tokens: int = 0
    detail: str = ""
    verdict: str = ""
    predicted_bytes: int = 0
    private_bytes: int = 0
    context_tokens: int = 0
    plan_seconds: float = 0.0


async def planned(job: Job) -> Outcome:
    """Through the product's own desk and engine child."""
    path = Path(job.path)
    with tempfile.TemporaryDirectory(prefix="liangli-planning-") as folder:
        desk = PlanDesk(models_folder=path.parent, planning_folder=Path(folder))
        started = time.monotonic()
        try:
            made = await desk.plan_file(path, job.wish)
        except (InferenceError, CatalogError) as error:
            return Outcome(end="failed", detail=f"plan: {error!r}")
        finally:
            seconds = time.monotonic() - started
            await desk.close()
    plan = made.plan
    host = made.bill.devices[0]
    known = {
        "verdict": made.verdict,
        "predicted_bytes": host.hard_bytes,
        "context_tokens": plan.context_tokens,
        "plan_seconds": seconds,
    }
    if made.verdict == "does_not_fit":
        return Outcome(end="refused", **known)  # type: ignore[arg-type]
    try:
        engine = await start_engine(plan)
    except (InferenceError, CatalogError) as error:
        return Outcome(end="failed", detail=repr(error), **known)  # type: ignore[arg-type]
    try:
        prompt = job.prompt_tokens or plan.batch_tokens
        tokens = await answer(engine, prompt_tokens=prompt, answer_tokens=job.answer_tokens)
        held = private_bytes(engine.pid)
    except EngineDied as death:
        return Outcome(end="died", detail=repr(death), **known)  # type: ignore[arg-type]
    except InferenceError as error:
        return Outcome(end="failed", detail=repr(error), **known)  # type: ignore[arg-type]
    finally:
        await engine.close()
    return Outcome(end="answered", tokens=tokens, private_bytes=held, **known)  # type: ignore[arg-type]


def by_defaults(job: Job) -> Outcome:
    """With every parameter as llama.cpp's library leaves it: the trained context, mapped, a batch of 2,048."""
    from inference.backends.llama_cpp.library import Callbacks, lib

    callbacks = Callbacks(lambda text: None)
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(job.path.encode(), lib.llama_model_default_params())
    if not model:
        return Outcome(end="failed", detail=callbacks.telling_line())
    params = lib.llama_context_default_params()
    params.n_ctx = (job.wish.context_tokens or 0) * (job.wish.parallel or 1)
    context = lib.llama_init_from_model(model, params)
    if not context:
        return Outcome(end="failed", detail=callbacks.telling_line())
    count = job.prompt_tokens or int(lib.llama_n_ubatch(context))
    tokens = (lib.llama_token * count)(*([16] * count))
    code = lib.llama_decode(context, lib.llama_batch_get_one(tokens, count))
    done = 0
    while code == 0 and done < job.answer_tokens:
        code = lib.llama_decode(context, lib.llama_batch_get_one((lib.llama_token * 1)(16), 1))
        done += code == 0
    if code:
        return Outcome(end="failed", detail=f"llama_decode: {code}", tokens=done)
    return Outcome(end="answered", tokens=done, context_tokens=int(lib.llama_n_ctx(context)))


def _main() -> int:
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    outcome = asyncio.run(planned(job)) if job.by == "plan" else by_defaults(job)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
