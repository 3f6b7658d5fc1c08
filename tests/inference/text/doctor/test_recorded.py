"""Templates as published with models: what the doctor says of each was read once and found true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.text.doctor.examine import examine

_FOLDER = Path(__file__).resolve().parents[5] / "shared" / "chat_templates"
_FILES = sorted(_FOLDER.glob("*.jinja"))
_RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded.json").read_text("utf-8"))

pytestmark = pytest.mark.skipif(not _FILES, reason=f"no chat templates in {_FOLDER}")


def diagnosed(source: str) -> dict[str, Any]:
    diagnosis = examine(source, bos="<s>", eos="</s>", seconds=30.0)
    return {
        "tools": diagnosis.tools,
        "thinking": diagnosis.thinking,
        "findings": {finding.key: {"is": finding.severity.value, **finding.fields} for finding in diagnosis.findings},
    }


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_diagnosis(path: Path) -> None:
    assert diagnosed(path.read_text("utf-8")) == _RECORDED[path.stem]
