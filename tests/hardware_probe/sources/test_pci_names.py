"""Names of cards, from a piece of the list that systems carry."""

from __future__ import annotations

from pathlib import Path

from hardware_probe.sources.pci_names import parse_pci_names, read_pci_names

LIST = """\
#	List of PCI ID's
1002  Advanced Micro Devices, Inc. [AMD/ATI]
	1636  Renoir [Radeon Vega Series / Radeon Vega Mobile Series]
	73bf  Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]
		1002 0e3a  Radeon RX 6900 XT
# a remark
	7480  Navi 33
10de  NVIDIA Corporation
	2684  AD102 [GeForce RTX 4090]
8086  Intel Corporation
	46a6  Alder Lake-P GT2 [Iris Xe Graphics]
"""


def test_names() -> None:
    wanted = frozenset({(0x1002, 0x73BF), (0x1002, 0x7480), (0x10DE, 0x2684), (0x10DE, 0x1), (0x1ED5, 0x200)})
    assert parse_pci_names(LIST, wanted) == {
        (0x1002, 0x73BF): "AMD Radeon RX 6800/6800 XT / 6900 XT",
        (0x1002, 0x7480): "AMD Navi 33",
        (0x10DE, 0x2684): "NVIDIA GeForce RTX 4090",
    }


def test_the_first_list_there_is(tmp_path: Path) -> None:
    (tmp_path / "pci.ids").write_text(LIST)
    places = (tmp_path / "none", tmp_path / "pci.ids")
    assert read_pci_names(frozenset({(0x8086, 0x46A6)}), places) == {(0x8086, 0x46A6): "Intel Iris Xe Graphics"}
    assert read_pci_names(frozenset(), places) == {}
    assert read_pci_names(frozenset({(1, 2)}), ()) == {}
