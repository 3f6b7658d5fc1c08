"""The copy of an update that is kept in the data folder: one file, replaced in one step, checked when it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_catalog.errors import FolderUnwritable
from models_catalog.families.update_index import CatalogueIndex, read_catalogue_index
from models_catalog.families.whole_write import write_whole
from models_catalog.signed.keys import PublicKey, key_of
from models_catalog.signed.signature import SignatureRefused, verify
from models_catalog.signed.signed_index import MAX_INDEX_BYTES, MAX_WHOLE_BYTES, IndexRefused, SignedDocument, is_file

NAME = "update.json"
# Texts inside JSON grow by their escapes.
_MAX_BYTES = 2 * (MAX_WHOLE_BYTES + MAX_INDEX_BYTES)


class KeptUpdateBroken(Exception):
    """The copy cannot be used. `problem` is technical English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptUpdate:
    """An update that was verified when it came. files: by name, those of the index."""

    document: SignedDocument
    index: CatalogueIndex
    files: Mapping[str, bytes]


class _Kept(msgspec.Struct, frozen=True):
    key: str
    index: str
    signature: str
    files: dict[str, str]


def read_kept(folder: Path, keys: Sequence[PublicKey]) -> KeptUpdate | None:
    """The copy in the folder; None without one. Hashes are checked here, the signature by `check_signature`.

    Raises KeptUpdateBroken, also for one that was signed with a key that this build no longer trusts.
    """
    try:
        whole = _read(folder / NAME)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeptUpdateBroken(error.strerror or type(error).__name__) from error
    head, _, rest = whole.partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != head:
        raise KeptUpdateBroken("it was changed after it was written, or written in part")
    try:
        kept = msgspec.json.decode(rest, type=_Kept)
        document = SignedDocument(body=kept.index.encode(), signature=kept.signature.encode(), key=kept.key)
        index = read_catalogue_index(document.body)
    except (msgspec.DecodeError, IndexRefused, UnicodeError, RecursionError) as error:
        raise KeptUpdateBroken(str(error)[:200]) from error
    if key_of(document.key, keys) is None:
        raise KeptUpdateBroken(f"signed with the key {document.key}, which is not one of this version")
    files = {name: text.encode() for name, text in kept.files.items()}
    for file in index.files:
        if not is_file(files.get(file.name, b""), file):
            raise KeptUpdateBroken(f"{file.name} is not what the index says")
    return KeptUpdate(document=document, index=index, files=files)


def check_signature(kept: KeptUpdate, keys: Sequence[PublicKey]) -> None:
    """That the copy is what its publisher signed: tells a forgery, where hashes only tell accidents.

    Raises KeptUpdateBroken.
    """
    try:
        verify(kept.document.body, kept.document.signature, keys, today=None)
    except SignatureRefused as refused:
        raise KeptUpdateBroken(f"{refused.reason} {refused.detail}") from refused


def write_kept(folder: Path, update: KeptUpdate) -> None:
    """Puts the update in the place of the one before; a reader sees one of them. Raises FolderUnwritable."""
    kept = _Kept(
        key=update.document.key,
        index=update.document.body.decode(),
        signature=update.document.signature.decode(),
        files={name: body.decode() for name, body in update.files.items()},
    )
    rest = msgspec.json.encode(kept)
    try:
        write_whole(folder / NAME, hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
    except OSError as error:
        raise FolderUnwritable(path=str(folder), reason=error.strerror or str(error)) from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        whole = file.read(_MAX_BYTES + 1)
    if len(whole) > _MAX_BYTES:
        raise KeptUpdateBroken("larger than an update may be")
    return whole
