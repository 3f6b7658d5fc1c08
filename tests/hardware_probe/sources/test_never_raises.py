"""Whatever a tool prints, its parser gives cards, "no card" or "unreadable"."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.accelerators import _PARSERS
from hardware_probe.cpu import parse_sysctl
from hardware_probe.cpu_instructions import from_cpuinfo
from hardware_probe.cpu_topology import parse_cpu_list, parse_windows_cores
from hardware_probe.disk import parse_diskutil
from hardware_probe.sighting import Sighting, normal_pci_id
from hardware_probe.sources.nvidia import DriverRefusal
from tests.hardware_probe.recorded import recorded

RECORDED = (
    "npu-smi-910b.txt",
    "npu-smi-310p.txt",
    "mthreads-gmi-s5000.txt",
    "hy-smi-bw.txt",
    "ixsmi.txt",
    "rocm-smi-7900xt.json",
    "xpu-smi-flex170.txt",
    "vulkaninfo-apu-and-llvmpipe.txt",
    "system-profiler-m3-pro.txt",
    "nvml-a100-mig.json",
    "engine-laptop.json",
)
_KEYS = st.sampled_from(
    (
        *("gpus", "driver", "error", "name", "type", "slices", "total_bytes", "free_bytes", "users", "pid", "card0"),
        *("system", "gpu_data", "mem_usage", "total_vram", "value", "unit", "device_list", "device_id", "PID7"),
        *("VRAM Total Memory (B)", "VRAM Total Used Memory (B)", "vram Total Memory (MiB)", "pcie_generation"),
        "SPDisplaysDataType",
    )
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
).map(json.dumps)


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """A real answer, cut off or with something in the midst of it."""
    text = recorded(draw(st.sampled_from(RECORDED)))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    return (
        text[:start]
        + draw(st.sampled_from(["", "\x00", "-1", "N/A", '"', "}", "99999999999999999999", "|"]))
        + text[end:]
    )


@pytest.mark.parametrize("parse", _PARSERS.values(), ids=_PARSERS.keys())
@given(text=st.text() | _JSON | _damaged())
def test_parsers_of_tools(parse: Callable[[str], object], text: str) -> None:
    found = parse(text)
    if isinstance(found, tuple):
        assert all(isinstance(one, Sighting) and (one.total_bytes is None or one.total_bytes > 0) for one in found)
    else:
        assert found is None or isinstance(found, DriverRefusal)


@given(st.text() | _damaged())
def test_parsers_of_the_system(text: str) -> None:
    parse_cpu_list(text)
    from_cpuinfo(f"flags\t: fpu {text}\n{text}")
    parse_sysctl(text)
    parse_diskutil(text)
    normal_pci_id(text)


@given(st.binary(max_size=200))
def test_core_records(raw: bytes) -> None:
    fast, slow = parse_windows_cores(raw)
    assert fast >= 0
    assert slow >= 0
