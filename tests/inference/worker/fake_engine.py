"""An engine child without an engine: the real entry point, and one scripted behaviour per name.

`python -m tests.inference.worker.fake_engine BEHAVIOUR SOCKET PARENT_PID`. Words are answered at once; the text of the
request says what to do: "say N" speaks N words, "wait" speaks one word and then listens, others are named below.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from inference.values import GenerationRequest, LoadPlan, ModelFacts, Timings, Usage
from inference.worker import black_box, entry
from inference.worker.connection import Connection
from inference.worker.messages import (
    Admitted,
    Cancel,
    Delta,
    Finished,
    Heartbeat,
    LoadProgress,
    LoadRefused,
    Ready,
    Refused,
    Shutdown,
    Submit,
    ToService,
)

FACTS = ModelFacts(
    architecture="fake",
    name="fake",
    parameters=1,
    size_bytes=1,
    vocabulary_size=1,
    context_tokens=100,
    trained_context_tokens=100,
    sequences=4,
    has_chat_template=True,
    can_think=False,
    can_trim=True,
    load_seconds=0.0,
    engine="fake",
)


def finished(request_id: str, tokens: int, *, cancelled: bool = False) -> Finished:
    """The last message of an answer of that many words."""
    return Finished(
        request_id=request_id,
        reason="cancelled" if cancelled else "stop",
        usage=Usage(prompt_tokens=1, completion_tokens=tokens),
        timings=Timings(queue_seconds=0, prefill_seconds=0, decode_seconds=0),
    )


def good(connection: Connection, plan: LoadPlan) -> int:
    """Load at once and answer until told to shut down."""
    del plan
    connection.send_all([LoadProgress(fraction=0.5), LoadProgress(fraction=1.0), Ready(facts=FACTS)])
    while True:
        match connection.receive(None):
            case Submit(request=request):
                answer(connection, request)
            case Cancel(request_id=request_id):
                connection.send(finished(request_id, 1, cancelled=True))
            case Shutdown():
                return 0
            case _:
                return 1


def answer(connection: Connection, request: GenerationRequest) -> None:
    """Speak one word and then do what the request's text says."""
    assert request.text is not None
    order, *rest = request.text.text.split()
    name = request.request_id
    first: list[ToService] = [
        Admitted(request_id=name, prompt_tokens=1, cached_tokens=0, seed=1),
        Delta(request_id=name, text="w0 "),
    ]
    if order == "say":
        words = [Delta(request_id=name, text=f"w{number} ") for number in range(1, int(rest[0]))]
        connection.send_all([*first, *words, finished(name, int(rest[0]))])
    elif order == "refuse":
        connection.send(Refused(request_id=name, error="EngineBusy", fields={"waiting": 3, "limit": 2}))
    elif order == "bad-refusal":
        connection.send(Refused(request_id=name, error="KeyError", fields={}))
    elif order == "environment":
        text = "\n".join(f"{key}={value}" for key, value in os.environ.items())
        connection.send_all([Delta(request_id=name, text=text), finished(name, 1)])
    elif order == "limits":
        connection.send_all([Delta(request_id=name, text=limits()), finished(name, 1)])
    else:
        connection.send_all(first)
        misbehave(order, connection)


def misbehave(order: str, connection: Connection) -> None:
    """Die or hang in the way that is asked for; return for "wait"."""
    match order:
        case "segv":
            ctypes.string_at(0)
        case "abort":
            black_box.record(b"/build/vendor/llama.cpp/ggml/src/ggml.c:12: GGML_ASSERT(a == b) failed")
            os.abort()
        case "exit":
            print("last words", flush=True)
            os._exit(7)
        case "hang":
            time.sleep(600)
        case "hang-hard":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        case "close":
            connection.close()
            time.sleep(600)
        case "garbage":
            os.write(connection_number(), b"\x05\x00\x00\x00hello")
        case "huge":
            os.write(connection_number(), b"\xff\xff\xff\xff")
        case "eat":
            keep = []
            while True:
                keep.append(bytearray(16 * 1024 * 1024))
        case "slow":
            connection.send(Heartbeat(silent_for_seconds=600))
        case "flood":
            os.write(2, b"x" * 1_000_000 + b"\nthe end\n")
            os._exit(7)


def connection_number() -> int:
    """The descriptor that the service gave this process."""
    return int(sys.argv[1])


def limits() -> str:
    """What the fences are, as the child sees them."""
    import resource

    score = Path("/proc/self/oom_score_adj").read_text(encoding="ascii").strip()
    core, data = resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_DATA)[0]
    descriptors = sum(1 for entry in Path("/proc/self/fd").iterdir() if os.path.exists(entry))  # noqa: PTH110
    return f"core={core} data={data} oom={score} session={os.getsid(0) == os.getpid()} descriptors={descriptors}"


def refuse_load(connection: Connection, plan: LoadPlan) -> int:
    """Say that the file cannot be loaded."""
    connection.send(LoadRefused(error="ModelLoadFailed", fields={"path": plan.model_path, "detail": "no"}))
    connection.receive(None)
    return 0


def refuse_file(connection: Connection, plan: LoadPlan) -> int:
    """Refuse with an error of the catalogue."""
    connection.send(LoadRefused(error="NotGguf", fields={"path": plan.model_path, "looks_like": "zip"}))
    connection.receive(None)
    return 0


def load_for_ever(connection: Connection, plan: LoadPlan) -> int:
    """Never become ready."""
    del plan
    connection.send(LoadProgress(fraction=0.1))
    time.sleep(600)
    return 0


def die_loading(connection: Connection, plan: LoadPlan) -> int:
    """Abort over the file."""
    del connection, plan
    black_box.record(b"llama-model.cpp:99: GGML_ASSERT(hparams.n_rot > 0) failed")
    os.abort()


def crash_in_python(connection: Connection, plan: LoadPlan) -> int:
    """An exception that nobody expected."""
    del connection, plan
    raise RuntimeError("a bug")


def deaf(connection: Connection, plan: LoadPlan) -> int:
    """Ready, but deaf to Shutdown."""
    del plan
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection.send(Ready(facts=FACTS))
    time.sleep(600)
    return 0


BEHAVIOURS: dict[str, Callable[[Connection, LoadPlan], int]] = {
    run.__name__: run for run in (good, refuse_load, refuse_file, load_for_ever, die_loading, crash_in_python, deaf)
}

if __name__ == "__main__":
    behaviour = BEHAVIOURS[sys.argv.pop(1)]
    sys.exit(entry.main(sys.argv[1:], behaviour))
