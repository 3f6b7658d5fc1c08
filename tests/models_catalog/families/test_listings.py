"""A model that nobody had seen is shown from the moment that a hub lists it; one that is gone says so."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from models_catalog.download.resolve import DownloadFinder
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.listings import NAME, ListedSources, with_listings, worth_noting
from models_catalog.families.loader import load_catalogue
from models_catalog.families.query import parse_query
from models_catalog.families.search import search
from models_catalog.families.values import Listing, Model
from models_catalog.plan_source import PlanSource
from models_catalog.remote_header.hub_files import Hub
from models_catalog.remote_header.listed import tell_listed
from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources.faults import SourceFailed, SourceUnfit
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import ModelHub, Stored

DAY = date(2026, 11, 24)
MODELS = tuple(model for family in load_catalogue().families for model in family.models)


def _unseen() -> Model:
    return next(
        model for model in MODELS if not model.confirmed and model.sources and model.sources[0].huggingface is not None
    )


def _seen() -> Model:
    return next(model for model in MODELS if model.confirmed and model.sources and model.sources[0].modelscope)


def _repository(model: Model, hub: str) -> str:
    place = getattr(model.sources[0], hub)
    assert place is not None
    return str(place.name)


def _model(kept: KeptIndex, model: Model) -> Model:
    return next(one for one in kept.get().index.models if one.id == model.id)


def test_a_listing_confirms_a_model(tmp_path: Path) -> None:
    kept, model = KeptIndex(tmp_path), _unseen()
    query = parse_query(model.id)
    assert model.id not in {hit.model.id for hit in search(kept.get().index, query)}
    kept.listed("hf-mirror", _repository(model, "huggingface").upper(), there=True)
    assert model.id in {hit.model.id for hit in search(kept.get().index, query)}
    shown = _model(kept, model).sources[0]
    assert shown.confirmed and shown.listings == (
        Listing(hub="huggingface", there=True, date=date.today().isoformat()),
    )
    # Another process, or the next start.
    assert _model(KeptIndex(tmp_path), model).confirmed


def test_what_is_known_is_not_written(tmp_path: Path) -> None:
    kept, model = KeptIndex(tmp_path / "families"), _seen()
    kept.listed("modelscope", _repository(model, "modelscope"), there=True)
    kept.listed("modelscope", "somebody/else", there=True)
    kept.listed("modelscope", "somebody/else", there=False)
    KeptIndex(None).listed("modelscope", _repository(model, "modelscope"), there=False)
    assert not (tmp_path / "families").exists()


def test_a_source_that_is_gone_stays_in_sight(tmp_path: Path) -> None:
    kept, model = KeptIndex(tmp_path), _seen()
    kept.listed("modelscope", _repository(model, "modelscope"), there=False)
    gone = _model(kept, model)
    assert gone.confirmed and [listing.there for listing in gone.sources[0].listings] == [False]
    kept.listed("modelscope", _repository(model, "modelscope"), there=True)
    back = _model(kept, model)
    assert [listing.there for listing in back.sources[0].listings] == [True]


def test_a_source_that_was_never_seen_and_is_not_there(tmp_path: Path) -> None:
    kept, model = KeptIndex(tmp_path), _unseen()
    kept.listed("huggingface", _repository(model, "huggingface"), there=False)
    assert not _model(kept, model).confirmed and not (tmp_path / NAME).exists()


def test_the_day_is_that_of_the_first_sight(tmp_path: Path) -> None:
    kept = ListedSources(tmp_path)
    assert kept.note("huggingface", "A/b", there=True, today=DAY)
    assert not kept.note("huggingface", "a/B", there=True, today=date(2026, 12, 1))
    assert kept.read() == {"huggingface:a/b": Listing(hub="huggingface", there=True, date="2026-11-24")}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff", b'{"a": ' * 10_000])
def test_a_spoilt_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert ListedSources(tmp_path).read() == {}
    assert ListedSources(tmp_path).note("modelscope", "a/b", there=True, today=DAY)
    assert len(ListedSources(tmp_path).read()) == 1


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not ListedSources(tmp_path / "file").note("modelscope", "a/b", there=True, today=DAY)


def test_nothing_listed_changes_nothing() -> None:
    families = load_catalogue().families
    assert with_listings(families, {}) is families
    other = {"huggingface:a/b": Listing(hub="huggingface", there=True, date="2026-11-24")}
    assert all(one is before for one, before in zip(with_listings(families, other), families, strict=True))
    assert not worth_noting(MODELS, "modelscope", "a/b", there=True)


def test_what_hubs_say_is_told() -> None:
    told: list[tuple[str, str, bool]] = []

    def listed(hub: str, repository: str, *, there: bool) -> None:
        told.append((hub, repository, there))

    def tell(answer: tuple[RemoteFile, ...] | SourceUnfit | SourceFailed, hub: Hub, revision: str | None) -> None:
        asyncio.run(tell_listed(listed, hub, "a/b", revision, answer))

    file = RemoteFile(name="x.gguf", sources=(), size_bytes=1, sha256=None, revision="")
    tell((file,), Hub.HF_MIRROR, None)
    tell(SourceUnfit("HTTP 404", status=404), Hub.MODELSCOPE, None)
    assert told == [("hf-mirror", "a/b", True), ("modelscope", "a/b", False)]
    tell((), Hub.MODELSCOPE, None)
    tell(SourceUnfit("HTTP 401", status=401), Hub.HUGGINGFACE, None)
    tell(SourceUnfit("HTTP 404", status=404), Hub.HF_MIRROR, None)
    tell(SourceUnfit("HTTP 404", status=404), Hub.HUGGINGFACE, "a-commit")
    tell(SourceFailed("no answer"), Hub.HUGGINGFACE, None)
    assert len(told) == 2
    asyncio.run(tell_listed(None, Hub.HUGGINGFACE, "a/b", None, (file,)))


async def test_looking_for_files_to_download_or_plan_confirms_a_model(tmp_path: Path, patience: Patience) -> None:
    model = _unseen()
    repository = _repository(model, "huggingface")
    hub = ModelHub()
    try:
        hub.files = {f"{repository}/some-model-q4_k_m.gguf": Stored(b"small", 1000)}
        finder = DownloadFinder(families_folder=tmp_path / "1", addresses=hub.addresses, patience=patience)
        await finder.find(model.id, ("huggingface",))
        planned = KeptIndex(tmp_path / "2")
        source = PlanSource(addresses=hub.addresses, patience=patience, on_listed=planned.listed)
        await source.resolve(f"hf.co/{repository}")
    finally:
        hub.close()
    for folder in ("1", "2"):
        assert _model(KeptIndex(tmp_path / folder), model).confirmed
