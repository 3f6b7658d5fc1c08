"""The cause of death is read right from what a dead child leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.worker.death import EXIT_OUT_OF_MEMORY, Ending, cause_of_death

CAUSES = {"killed", "aborted", "segfault", "out_of_memory", "hung", "exited"}
ASSERTION = b"loading\n\x1e/tmp/build/ggml/src/ggml.c:12: GGML_ASSERT(a) failed\n"
FAULT = (
    b"one\n\nlast line\nFatal Python error: Aborted\n\nCurrent thread 0x0000 (most recent call first):\n"
    b'  File "/home/u/inference/worker/loop.py", line 9 in decode\n  File "<frozen runpy>", line 88 in _run_code\n'
)


@pytest.mark.parametrize(
    ("ending", "cause", "detail"),
    [
        (Ending(return_code=-9), "killed", ""),
        (Ending(return_code=-15), "killed", "SIGTERM"),
        (Ending(return_code=-9, kernel_took_memory_back=True), "out_of_memory", ""),
        (Ending(return_code=-9, was_hung=True, black_box=b"busy\n"), "hung", "busy"),
        (Ending(return_code=-15, was_hung=True, black_box=FAULT), "hung", "loop.py:9 in decode"),
        (Ending(return_code=-9, broken_rule="loaded twice"), "exited", "loaded twice"),
        (Ending(return_code=-6, black_box=ASSERTION + FAULT), "aborted", "ggml.c:12: GGML_ASSERT(a) failed"),
        (
            Ending(return_code=-6, black_box=b"Fatal Python error: " + ASSERTION),
            "aborted",
            "ggml.c:12: GGML_ASSERT(a) failed",
        ),
        (Ending(return_code=-6, black_box=b"\x1ea.c:1: x\x1ea.c:1: x\n"), "aborted", "a.c:1: x"),
        (Ending(return_code=1, black_box=b"\x1ellama_decode returned -3\n"), "exited", "llama_decode returned -3"),
        (Ending(return_code=-6, black_box=FAULT), "aborted", "last line"),
        (Ending(return_code=-6, black_box=b"\x1eD:\\a\\ggml.c:7: fatal error\n"), "aborted", "ggml.c:7: fatal error"),
        (
            Ending(return_code=-6, black_box=b"\x1eCUDA: out of memory\n"),
            "out_of_memory",
            "CUDA: out of memory",
        ),
        (
            Ending(return_code=-6, black_box=b"what(): std::bad_alloc\n"),
            "out_of_memory",
            "what(): std::bad_alloc",
        ),
        (Ending(return_code=-11, black_box=FAULT), "segfault", "SIGSEGV loop.py:9 in decode"),
        (Ending(return_code=-7), "segfault", "SIGBUS"),
        (Ending(return_code=-4), "segfault", "SIGILL"),
        (Ending(return_code=0xC0000005), "segfault", ""),
        (Ending(return_code=3, black_box=ASSERTION), "aborted", "ggml.c:12: GGML_ASSERT(a) failed"),
        (Ending(return_code=0xC0000409), "aborted", ""),
        (Ending(return_code=EXIT_OUT_OF_MEMORY, black_box=b"no room\n"), "out_of_memory", "no room"),
        (Ending(return_code=1, black_box=b"Traceback\n  x\nMemoryError\n"), "out_of_memory", "MemoryError"),
        (Ending(return_code=1, black_box=b"Traceback\n  x\nValueError: y\n"), "exited", "ValueError: y"),
        (Ending(return_code=1, black_box=b"out of memory\n" + b"fine\n" * 9), "exited", "fine"),
        (Ending(return_code=0), "exited", ""),
        (Ending(return_code=-99), "killed", "signal 99"),
    ],
)
def test_cause(ending: Ending, cause: str, detail: str) -> None:
    death = cause_of_death(ending)
    assert (death.cause, death.detail) == (cause, detail)
    code = ending.return_code
    assert (death.exit_code, death.signal) == ((code, None) if code >= 0 else (None, -code))


@given(
    code=st.integers(-70, 300) | st.integers(0, 2**32 - 1),
    black_box=st.binary() | st.text(alphabet='\x1e\nFatal Python error:File "", line 1 in x\\/').map(str.encode),
    was_hung=st.booleans(),
)
def test_whatever_is_left_a_cause_is_named(code: int, black_box: bytes, was_hung: bool) -> None:
    death = cause_of_death(Ending(return_code=code, black_box=black_box, was_hung=was_hung))
    assert death.cause in CAUSES
    assert len(death.detail) <= 400
