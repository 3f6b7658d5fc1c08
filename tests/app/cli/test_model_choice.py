"""Which model is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.cli.model_choice import choose_model
from app.errors import ModelMissing, NoModelInstalled
from app.values import ErrorBody
from tests.app.cli.fake_service import ENGINE, MODEL

SMALL = replace(MODEL, id="coder-0.5b", name="Coder 0.5B", added_at=1.0)
LARGE = replace(MODEL, id="coder-1.5b", name="Coder 1.5B", added_at=2.0)
BOTH = (SMALL, LARGE)


@pytest.mark.parametrize("wanted", ["coder-0.5b", "CODER 0.5B", "0.5"])
def test_by_name(wanted: str) -> None:
    assert choose_model(BOTH, (), wanted, LARGE.id) is SMALL


@pytest.mark.parametrize("wanted", ["coder", "glm"])
def test_a_name_for_none_or_several(wanted: str) -> None:
    with pytest.raises(ModelMissing) as caught:
        choose_model(BOTH, (), wanted, "")
    assert caught.value.available == ("coder-0.5b", "coder-1.5b")


def test_without_a_name_default_then_loaded_then_newest() -> None:
    loaded = replace(ENGINE, model=SMALL.id)
    assert choose_model(BOTH, (loaded,), None, LARGE.id) is LARGE
    assert choose_model(BOTH, (loaded,), None, "gone") is SMALL
    assert choose_model(BOTH, (replace(loaded, state="failed"),), None, "") is LARGE


def test_a_model_with_a_problem_is_not_taken_by_itself() -> None:
    broken = replace(LARGE, problem=ErrorBody(code="NotGguf", fields={}))
    assert choose_model((SMALL, broken), (), None, broken.id) is SMALL
    assert choose_model((SMALL, broken), (), broken.id, "") is broken
    assert choose_model((broken,), (), None, "") is broken


def test_no_model_at_all() -> None:
    with pytest.raises(NoModelInstalled):
        choose_model((), (), "coder", "")
