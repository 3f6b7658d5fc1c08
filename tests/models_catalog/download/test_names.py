from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.download.names import long_path, place_in, safe_parts
from models_catalog.errors import FileNameRefused

HOSTILE = [
    "", ".", "..", "../x.gguf", "a/../../x.gguf", "a/..", "/etc/passwd", "//server/share/x.gguf", "a//b.gguf", "a/",
    "\\x.gguf", "..\\x.gguf", "a\\..\\..\\x", "C:x.gguf", "C:\\x.gguf", "c:/x.gguf", "\\\\server\\share\\x",
    "\\\\?\\C:\\x", "CON", "con.gguf", "a/NUL.gguf", "com1.gguf", "COM¹.gguf", "lpt9", "AUX .gguf", "conin$", "CONOUT$",
    "x.gguf:stream", "x.gguf::$DATA", "x.gguf.", "x.gguf ", "x. . .", " x.gguf", "a ./x.gguf", "x\0.gguf", "x\n.gguf",
    "x\x1b[2J.gguf", "x\x7f.gguf", "n" * 300, "汉" * 100, "d/" * 20 + "x", "%2e%2e/x.gguf", "..%2fx.gguf", "%00.gguf",
    "%252e%252e/x", "．．/x.gguf", "a／b.gguf", "a＼b.gguf", "a∕b\u202egguf.exe", "\u202ex", "x\u200b.gguf", "\ufeffx",
    "e\u0301.gguf", "\ud800.gguf", "․․/x", "‥/x", "ＣＯＮ.gguf", ".hidden.gguf", ".x.partial/journal.json", "~root/x",
    "-rf", "a*b.gguf", "a?.gguf", 'a".gguf', "a|b", "a<b>", "％2e",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:30])
def test_hostile_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNameRefused):
        place_in(tmp_path, "Somebody", "Model", name)


@pytest.mark.parametrize(
    "name",
    ["model-q4_k_m.gguf", "Q4_K_M/model-00001-of-00002.gguf", "通义千问 7B（对话）.gguf", "a+b=c,d;e@f.gguf", "é.gguf"],
)
def test_names_that_people_use_are_kept(name: str, tmp_path: Path) -> None:
    assert place_in(tmp_path, "Somebody", "Model", name) == tmp_path.joinpath("Somebody", "Model", *name.split("/"))


@given(st.text(max_size=60))
def test_no_name_leads_out(name: str) -> None:
    folder = Path("/models/here")
    try:
        path = place_in(folder, name)
    except FileNameRefused:
        return
    assert Path(os.path.normpath(path)).is_relative_to(folder) and path != folder
    assert "/".join(safe_parts(name)) == name


def test_long_windows_paths_take_the_form_without_a_limit() -> None:
    deep = "C:\\" + "folder\\" * 40 + "model.gguf"
    assert long_path(deep) == "\\\\?\\" + deep
    assert long_path(long_path(deep)) == long_path(deep)
    assert long_path("\\\\server\\share\\" + "d\\" * 130 + "x") == "\\\\?\\UNC\\server\\share\\" + "d\\" * 130 + "x"
    assert long_path("C:\\models\\x.gguf") == "C:\\models\\x.gguf"
