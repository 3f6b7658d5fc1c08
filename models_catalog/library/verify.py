"""Whether a model's files are what they should be: byte for byte where that is known, else in their structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from models_catalog.errors import ModelDamaged, ModelFileMissing, ModelFileUnreadable, ShardMissing
from models_catalog.gguf.header import read_header
from models_catalog.gguf.shards import other_shards
from models_catalog.library.files import file_stamp, parts
from models_catalog.library.index import FileHash, Index
from models_catalog.library.scan import known_hashes
from models_catalog.library.values import ModelFile
from models_catalog.library.work import Work, sha256_of

# matches: the bytes are those that were published; unchanged: as when they were read last; sound: whole, and from now
# on it is known what they are.
Verdict = Literal["matches", "unchanged", "sound"]


def verify(path: Path, index: Index, work: Work) -> Verdict:
    """Read all files of a model and judge them; their hashes are remembered.

    Raises ModelDamaged, other leaves of ModelFileRefused, and LibraryWorkCancelled.
    """
    files = parts(path)
    for file in files:
        if not file.is_file():
            raise ShardMissing(str(path), file.name) if len(files) > 1 else ModelFileMissing(str(file))
    other_shards(read_header(path))
    work.expect(sum(file_stamp(file)[0] for file in files))
    verdicts = {_verify_file(file, index, work) for file in files}
    return "sound" if "sound" in verdicts else "unchanged" if "unchanged" in verdicts else "matches"


def _verify_file(file: Path, index: Index, work: Work) -> Verdict:
    size_bytes, changed_ns = file_stamp(file)
    known = index.hashes().get(str(file))
    found = _hash(file, work)
    promised = known.promised_sha256 if known is not None and known.size_bytes == size_bytes else ""
    before = (
        known.sha256 if known is not None and (known.size_bytes, known.changed_ns) == (size_bytes, changed_ns) else ""
    )
    if expected := promised or before:
        if found != expected:
            raise ModelDamaged(path=str(file), expected_sha256=expected, sha256=found)
    elif file_stamp(file) == (size_bytes, changed_ns):
        entry = FileHash(size_bytes=size_bytes, changed_ns=changed_ns, sha256=found)
        index.keep(hashes={str(file): entry})
        return "sound"
    if known is not None:
        index.keep(hashes={str(file): replace(known, changed_ns=changed_ns, sha256=found)})
    return "matches" if promised else "unchanged"


def compare(models: Sequence[ModelFile], index: Index, work: Work) -> None:
    """Compute the hashes that are missing to tell which of the models of equal size are the same."""
    hashes = index.hashes()
    unknown = [
        part
        for model in models
        if model.maybe_duplicates and not known_hashes(Path(model.path), hashes)
        for part in parts(Path(model.path))
    ]
    work.expect(sum(file_stamp(file)[0] for file in unknown))
    for file in unknown:
        size_bytes, changed_ns = file_stamp(file)
        known = hashes.get(str(file))
        promised = known.promised_sha256 if known is not None and known.size_bytes == size_bytes else ""
        entry = FileHash(
            size_bytes=size_bytes, changed_ns=changed_ns, promised_sha256=promised, sha256=_hash(file, work)
        )
        index.keep(hashes={str(file): entry})


def _hash(file: Path, work: Work) -> str:
    try:
        return sha256_of(file, work)
    except OSError as error:
        raise ModelFileUnreadable(str(file), error.strerror or str(error)) from error
