"""The child gets what drivers need and nothing private."""

from __future__ import annotations

from inference.worker.environment import child_environment


def test_only_allowed_names_pass() -> None:
    private = {
        "HF_TOKEN": "x",
        "LIANGLI_HOME": "x",
        "https_proxy": "x",
        "HTTP_PROXY": "x",
        "PYTHONPATH": "x",
        "PYTHONSTARTUP": "x",
        "LD_PRELOAD": "x",
        "SSH_AUTH_SOCK": "x",
        "PATHOLOGICAL": "x",
    }
    needed = {
        "PATH": "/bin",
        "HOME": "/home/u",
        "LC_ALL": "zh_CN.UTF-8",
        "CUDA_VISIBLE_DEVICES": "1",
        "OMP_NUM_THREADS": "2",
    }
    child = child_environment(private | needed)
    assert not private.keys() & child.keys()
    assert needed.items() <= child.items()


def test_threads_do_not_spin_unless_the_user_says_so() -> None:
    assert child_environment({})["GOMP_SPINCOUNT"] == "1000"
    assert child_environment({"GOMP_SPINCOUNT": "0"})["GOMP_SPINCOUNT"] == "0"
    assert child_environment({"GGML_NO_BACKTRACE": ""})["GGML_NO_BACKTRACE"] == "1"
