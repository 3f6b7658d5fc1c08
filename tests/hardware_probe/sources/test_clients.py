"""Who holds memory of a card, from what the kernel writes of open connections."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.sighting import Sighting
from hardware_probe.sources.clients import Client, read_clients, with_users

AMDGPU = """\
pos:\t0
flags:\t02100002
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-pdev:\t0000:03:00.0
pasid:\t32771
drm-total-vram:\t90000 KiB
drm-memory-vram:\t81920 KiB
drm-memory-gtt: \t4096 KiB
drm-memory-cpu: \t0 KiB
drm-resident-vram:\t81920 KiB
"""
XE = """\
drm-driver:\txe
drm-client-id:\t31
drm-pdev:\t0000:00:02.0
drm-total-system:\t0
drm-resident-system:\t12 MiB
drm-resident-vram0:\t0
"""
DISCRETE = Sighting(source="pci", vendor="amd", pci_id="0000:03:00.0", shares_host_memory=False)
SHARED = Sighting(source="pci", vendor="intel", pci_id="0000:00:02.0", shares_host_memory=True)


def _client(pid: int, text: str) -> Client:
    return Client(pid=pid, name=f"p{pid}", text=text)


def _held(*clients: Client, card: Sighting = DISCRETE) -> list[tuple[str, int | None]]:
    return [(user.name, user.used_bytes) for user in with_users((card,), clients)[0].users]


def test_memory_of_a_card_of_its_own() -> None:
    assert _held(_client(1, AMDGPU.format(client=5))) == [("p1", 81920 << 10)]


def test_borrowed_memory_of_an_integrated_card() -> None:
    assert _held(_client(2, XE), card=SHARED) == [("p2", 12 << 20)]
    assert _held(_client(2, XE)) == []


def test_a_connection_counts_once_and_a_program_with_all_of_its_own() -> None:
    first, second = AMDGPU.format(client=5), AMDGPU.format(client=6)
    found = _held(_client(1, first), _client(1, first), _client(3, first), _client(1, second), _client(3, XE))
    assert found == [("p1", 2 * (81920 << 10))]


@given(st.text(), st.text())
def test_any_text(text: str, other: str) -> None:
    clients = (
        _client(1, text),
        _client(2, AMDGPU.format(client=other)),
        _client(3, f"drm-memory-vram: {text} {other}"),
    )
    with_users((DISCRETE, SHARED), clients)


def test_the_folders_of_the_kernel(tmp_path: Path) -> None:
    for folder in ("77/fd", "77/fdinfo", "78/fd", "self"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "77/fd/9").symlink_to("/dev/dri/renderD128")
    (tmp_path / "77/fd/1").symlink_to("/dev/null")
    (tmp_path / "78/fd/3").symlink_to("/dev/dri/card0")
    (tmp_path / "77/fdinfo/9").write_text(XE)
    (tmp_path / "77/comm").write_text("firefox\n")
    assert read_clients(tmp_path) == (Client(pid=77, name="firefox", text=XE),)
    assert read_clients(tmp_path / "nowhere") == ()
