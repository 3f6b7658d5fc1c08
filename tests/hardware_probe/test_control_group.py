"""Control groups, on the files of recorded machines."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.control_group import (
    MemoryGrant,
    group_folders,
    parse_cpu_quota,
    parse_memory_grant,
    read_control_group,
)

GIB = 1024**3

# Debian 12, systemd, version 2 only.
V2_MEMBERSHIP = "0::/user.slice/user-1000.slice/session-2.scope\n"
V2_MOUNTS = """\
23 28 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
"""
# A machine with version 1 controllers and an empty unified hierarchy beside them.
HYBRID_MEMBERSHIP = """\
9:name=systemd:/
4:memory:/jobs/90bb
3:cpuset:/
2:cpuacct,cpu:/
0::/
"""
HYBRID_MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
38 31 0:35 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
# Docker with version 1: the mount shows only the container's own part of the hierarchy.
DOCKER_MEMBERSHIP = "5:memory:/docker/3f2a\n1:cpu,cpuacct:/docker/3f2a\n"
DOCKER_MOUNTS = """\
700 699 0:30 /docker/3f2a /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory
701 699 0:31 /docker/3f2a /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:16 - cgroup cgroup rw,cpu,cpuacct
"""


def _paths(*names: str) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(name) for name in names)


def test_version_2_walks_up_to_the_mount() -> None:
    assert group_folders(V2_MEMBERSHIP, V2_MOUNTS, "memory") == _paths(
        "/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope",
        "/sys/fs/cgroup/user.slice/user-1000.slice",
        "/sys/fs/cgroup/user.slice",
        "/sys/fs/cgroup",
    )


def test_version_1_wins_where_it_carries_the_controller() -> None:
    assert group_folders(HYBRID_MEMBERSHIP, HYBRID_MOUNTS, "memory") == _paths(
        "/sys/fs/cgroup/memory/jobs/90bb", "/sys/fs/cgroup/memory/jobs", "/sys/fs/cgroup/memory"
    )
    assert group_folders(HYBRID_MEMBERSHIP, HYBRID_MOUNTS, "cpu") == _paths("/sys/fs/cgroup/cpu,cpuacct")


def test_a_container_sees_its_own_part() -> None:
    assert group_folders(DOCKER_MEMBERSHIP, DOCKER_MOUNTS, "memory") == _paths("/sys/fs/cgroup/memory")


def test_a_group_outside_of_the_view_falls_back_to_the_mount() -> None:
    assert group_folders("0::/../../other\n", V2_MOUNTS, "cpu") == _paths("/sys/fs/cgroup")


@given(st.text(), st.text(), st.sampled_from(["memory", "cpu"]))
def test_any_text_is_survived(membership: str, mounts: str, controller: str) -> None:
    group_folders(membership, mounts, controller)
    group_folders(V2_MEMBERSHIP + membership, V2_MOUNTS + mounts, controller)


def test_version_2_memory_counts_file_cache_as_left() -> None:
    level = {
        "memory.max": f"{8 * GIB}\n",
        "memory.high": "max\n",
        "memory.current": f"{6 * GIB}\n",
        "memory.stat": f"anon {2 * GIB}\nfile {4 * GIB}\ninactive_file {3 * GIB}\nactive_file {1 * GIB}\n",
    }
    assert parse_memory_grant((level,)) == MemoryGrant(limit_bytes=8 * GIB, left_bytes=6 * GIB)


def test_version_1_memory_and_its_way_of_saying_no_limit() -> None:
    level = {
        "memory.limit_in_bytes": f"{4 * GIB}\n",
        "memory.usage_in_bytes": f"{1 * GIB}\n",
        "memory.stat": f"inactive_file 5\nactive_file 6\ntotal_inactive_file {GIB // 4}\ntotal_active_file {GIB // 4}",
    }
    unlimited = {"memory.limit_in_bytes": "9223372036854771712\n", "memory.usage_in_bytes": "1\n"}
    assert parse_memory_grant((level, unlimited)) == MemoryGrant(limit_bytes=4 * GIB, left_bytes=7 * GIB // 2)
    assert parse_memory_grant((unlimited,)) is None
    assert parse_memory_grant(()) is None


def test_a_parent_may_be_tighter_and_fuller() -> None:
    own = {"memory.max": f"{8 * GIB}", "memory.current": "0"}
    parent = {"memory.max": f"{6 * GIB}", "memory.current": f"{9 * GIB}"}
    assert parse_memory_grant((own, parent)) == MemoryGrant(limit_bytes=6 * GIB, left_bytes=0)


@pytest.mark.parametrize(
    ("levels", "cores"),
    [
        (({"cpu.max": "150000 100000\n"}, {"cpu.max": "max 100000\n"}), 1.5),
        (({"cpu.max": "max 100000\n"},), None),
        (({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"},), None),
        (({"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n"}, {}), 0.5),
        (({"cpu.max": "400000 100000"}, {"cpu.max": "200000 100000"}), 2.0),
        (({"cpu.max": "nonsense"},), None),
        ((), None),
    ],
)
def test_cpu_quota(levels: tuple[dict[str, str], ...], cores: float | None) -> None:
    assert parse_cpu_quota(levels) == cores


def test_a_system_without_proc_has_no_groups(tmp_path: Path) -> None:
    readings = read_control_group(tmp_path)
    assert (readings.memory, readings.cpu) == ((), ())


def test_files_are_read_from_where_the_mount_says(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/app\n")
    (tmp_path / "mountinfo").write_text(f"30 24 0:26 / {tmp_path}/mount rw - cgroup2 cgroup2 rw\n")
    (tmp_path / "mount/app").mkdir(parents=True)
    (tmp_path / "mount/app/memory.max").write_text("1000\n")
    (tmp_path / "mount/app/cpu.max").write_text("100 200\n")
    readings = read_control_group(tmp_path)
    assert readings.memory == ({"memory.max": "1000\n"}, {})
    assert readings.cpu[0] == {"cpu.max": "100 200\n"}
