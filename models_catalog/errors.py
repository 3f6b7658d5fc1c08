"""Errors of the catalogue. They carry fields, never sentences: `app.words` says them in the user's language.

CatalogError
├── StarterUnknown             no starter model has this key
├── CatalogueModelUnknown      the catalogue has no model of this name
├── FamilyFileBroken           a file of the catalogue cannot be used
├── FetchFailed                a download cannot start, go on or end
│   ├── NoSourceWorked
│   ├── ContentWrong           every source that answered served other bytes
│   ├── DiskTooSmall
│   ├── FolderUnwritable
│   ├── FetchAlreadyRunning
│   ├── FileNameRefused        a hub calls a file something that could leave the models folder, or cannot be stored
│   ├── SizeUnknown            no source says how large the file is
│   ├── FileChanged            replaced at its source time and again while it was fetched
│   └── SourceUnknown          no source of this name has the model
├── FetchCancelled             by the user; what arrived is kept for the next time
├── RemoteRefused              a model on the network cannot be looked at
│   ├── AddressNotUnderstood   no file, no address, no repository, no starter
│   ├── RemoteMissing          there is nothing under the address
│   ├── RemoteClosed           it needs a login, or does not exist (some hubs do not say which)
│   ├── RemoteUnreachable      no network, silence, a server that is busy or out of order
│   ├── RemoteChanged          replaced while it was read, time and again
│   ├── RemoteAnswerWrong      the server's answers cannot be true
│   ├── RepositoryWithoutGguf
│   └── QuantizationMissing
├── LibraryRefused             something cannot be done with the models on this computer
│   ├── LibraryFolderGone      the models folder is not there: its disk may be unplugged
│   ├── LibraryBusy            somebody else moves it, or a download runs in it
│   ├── LibraryMoveRefused     it cannot be moved to this folder
│   └── FolderWithoutModels
├── LibraryWorkCancelled       by the user; checking, comparing, copying or moving
└── ModelFileRefused           a file is not one that llama.cpp may see; every leaf carries its `path`
    ├── ModelFileMissing
    ├── ModelVanished          it was listed, and its disk or folder is not there now
    ├── ModelDamaged           its bytes are no longer those that it should have
    ├── NotRegularFile         a folder, pipe, socket or device
    ├── ModelFileUnreadable    permission or disk error
    ├── ModelFileEmpty
    ├── NotGguf                some other kind of file
    ├── LegacyGgml             chatglm.cpp and the formats before GGUF
    ├── GgufVersionUnsupported
    ├── GgufBigEndian
    ├── GgufHeaderBroken       a length, count, type or name in the header cannot be true
    ├── ModelFileTruncated     the header promises more bytes than the file has
    ├── ShardMissing           one file of a model in several files is not beside the others
    ├── NotFirstShard
    ├── NotChatModel           an adapter, projector, vocabulary, encoder …
    ├── ArchitectureUnknown    this engine has no code for the architecture
    ├── HyperparameterRefused
    ├── TokenizerRefused
    ├── TensorRefused
    └── TemplateRefused
"""

from __future__ import annotations

from dataclasses import dataclass

from models_catalog.sources.problems import SourceProblem


class CatalogError(Exception):
    """Base of every error of the catalogue."""


@dataclass(eq=False)
class CatalogueModelUnknown(CatalogError):
    """candidates: ids of models that may have been meant, the likeliest first."""

    name: str
    candidates: tuple[str, ...]


@dataclass(eq=False)
class FamilyFileBroken(CatalogError):
    """key: where in the file, such as "models[2].licence"; may be empty. problem: technical English."""

    path: str
    key: str
    problem: str


@dataclass(eq=False)
class ModelFileRefused(CatalogError):
    """The file cannot be used as a model. `problem` fields of the leaves are technical English."""

    path: str


@dataclass(eq=False)
class ModelFileMissing(ModelFileRefused):
    """No file there."""


@dataclass(eq=False)
class ModelVanished(ModelFileRefused):
    """The model was listed, and neither it nor the folder it was in is there now: a disk may be unplugged."""


@dataclass(eq=False)
class ModelDamaged(ModelFileRefused):
    """The file's hash is not what it was, or what its publisher says."""

    expected_sha256: str
    sha256: str


@dataclass(eq=False)
class NotRegularFile(ModelFileRefused):
    """kind: "folder", "pipe", "socket" or "device"."""

    kind: str


@dataclass(eq=False)
class ModelFileUnreadable(ModelFileRefused):
    """The operating system refused to read it."""

    problem: str


@dataclass(eq=False)
class ModelFileEmpty(ModelFileRefused):
    """0 bytes: usually a download that failed."""


@dataclass(eq=False)
class NotGguf(ModelFileRefused):
    """`looks_like`: "html", "zip", "safetensors", "json", or "" when it tells nothing."""

    looks_like: str


@dataclass(eq=False)
class LegacyGgml(ModelFileRefused):
    """A model in a format older than GGUF, for example one of chatglm.cpp; it must be converted anew."""

    magic: str


@dataclass(eq=False)
class GgufVersionUnsupported(ModelFileRefused):
    """A GGUF version that llama.cpp does not read."""

    version: int


@dataclass(eq=False)
class GgufBigEndian(ModelFileRefused):
    """Made for big-endian machines."""


@dataclass(eq=False)
class GgufHeaderBroken(ModelFileRefused):
    """The header contradicts itself or the file."""

    problem: str


@dataclass(eq=False)
class ModelFileTruncated(ModelFileRefused):
    """The file ends before its last weight: usually a download that did not finish."""

    needed_bytes: int
    size_bytes: int


@dataclass(eq=False)
class ShardMissing(ModelFileRefused):
    """The model consists of several files and `missing` (a file name) is not in the folder."""

    missing: str


@dataclass(eq=False)
class NotFirstShard(ModelFileRefused):
    """Part `number` of `count`; a model is opened by its first part."""

    number: int
    count: int


@dataclass(eq=False)
class NotChatModel(ModelFileRefused):
    """A sound file, but nothing to chat with.

    kind: "vocabulary", "projector", "adapter", "imatrix", "encoder", "seq2seq", "diffusion", "draft" or "audio".
    """

    kind: str


@dataclass(eq=False)
class ArchitectureUnknown(ModelFileRefused):
    """The engine of this version has no code for this architecture; a newer one may."""

    architecture: str


@dataclass(eq=False)
class HyperparameterRefused(ModelFileRefused):
    """The value of `key` is missing, out of range, or contradicts another one."""

    key: str
    problem: str


@dataclass(eq=False)
class TokenizerRefused(ModelFileRefused):
    """The vocabulary is not one that can be loaded safely."""

    problem: str


@dataclass(eq=False)
class TensorRefused(ModelFileRefused):
    """A weight is missing or has a type or shape that this model cannot have."""

    tensor: str
    problem: str


@dataclass(eq=False)
class TemplateRefused(ModelFileRefused):
    """The chat template is too large, too deeply nested, or not a template."""

    problem: str


@dataclass(eq=False)
class StarterUnknown(CatalogError):
    """There is no starter model `key`; `known` lists those there are."""

    key: str
    known: tuple[str, ...]


class FetchFailed(CatalogError):
    """A download cannot start, go on or end. Bytes that arrived and may be right are kept for the next attempt."""


@dataclass(eq=False)
class NoSourceWorked(FetchFailed):
    """No source gave the bytes; `problems`: each source and what was wrong with it."""

    file: str
    problems: tuple[SourceProblem, ...]


@dataclass(eq=False)
class ContentWrong(FetchFailed):
    """Whole files arrived, but none with the right hash; `sources` served them. Nothing of them was kept."""

    file: str
    sources: str


@dataclass(eq=False)
class DiskTooSmall(FetchFailed):
    """The disk that holds `path` has not enough room for what is still missing."""

    path: str
    needed_bytes: int
    free_bytes: int


@dataclass(eq=False)
class FolderUnwritable(FetchFailed):
    """The folder cannot be written; `reason` is the operating system's (English, technical)."""

    path: str
    reason: str


@dataclass(eq=False)
class FetchAlreadyRunning(FetchFailed):
    """Another process, or another download in this one, is fetching this very file."""

    path: str


@dataclass(eq=False)
class FileNameRefused(FetchFailed):
    """`name` (its beginning) is not one that may be written into the models folder."""

    name: str


@dataclass(eq=False)
class SizeUnknown(FetchFailed):
    """The server of `file` does not say how large it is, so nothing could tell a whole file from a part."""

    file: str


@dataclass(eq=False)
class FileChanged(FetchFailed):
    """`file` has no published hash and was replaced during the download, more than once."""

    file: str


@dataclass(eq=False)
class SourceUnknown(FetchFailed):
    """None of the wished sources has the model; `available` are those that have."""

    source: str
    available: tuple[str, ...]


@dataclass(eq=False)
class FetchCancelled(CatalogError):
    """The user stopped the download. What arrived is kept; the next attempt goes on from there."""

    file: str


class RemoteRefused(CatalogError):
    """A model on the network cannot be looked at. Nothing was downloaded."""


@dataclass(eq=False)
class AddressNotUnderstood(RemoteRefused):
    """`text` is neither a file, an address, a repository nor a starter model."""

    text: str


@dataclass(eq=False)
class RemoteMissing(RemoteRefused):
    """There is nothing under this address."""

    address: str


@dataclass(eq=False)
class RemoteClosed(RemoteRefused):
    """The server wants a login. Hugging Face says the same of repositories that do not exist."""

    address: str


@dataclass(eq=False)
class RemoteUnreachable(RemoteRefused):
    """Nobody answered in time; `problems`: each source and what was wrong with it."""

    address: str
    problems: tuple[SourceProblem, ...]


@dataclass(eq=False)
class RemoteChanged(RemoteRefused):
    """The file was replaced while it was read, and again while it was read anew."""

    address: str


@dataclass(eq=False)
class RemoteAnswerWrong(RemoteRefused):
    """What the server said cannot be true; `problems` as in RemoteUnreachable."""

    address: str
    problems: tuple[SourceProblem, ...]


@dataclass(eq=False)
class RepositoryWithoutGguf(RemoteRefused):
    """The repository holds no model file of the kind that llama.cpp loads."""

    repository: str


@dataclass(eq=False)
class QuantizationMissing(RemoteRefused):
    """The repository has GGUF files, but none of this name; `available` lists those it has."""

    repository: str
    quantization: str
    available: tuple[str, ...]


class LibraryRefused(CatalogError):
    """Something cannot be done with the models on this computer. No file was lost."""


@dataclass(eq=False)
class LibraryFolderGone(LibraryRefused):
    """The models folder is not there; its disk may be unplugged."""

    path: str


@dataclass(eq=False)
class LibraryBusy(LibraryRefused):
    """Another program of ours is moving the folder, or is downloading into it."""

    path: str


@dataclass(eq=False)
class LibraryMoveRefused(LibraryRefused):
    """reason: "same", "inside" (one folder holds the other), "occupied" (another file is there), "no_folder" or
    "environment" (a variable names the folder, so that nothing else can)."""

    path: str
    reason: str


@dataclass(eq=False)
class FolderWithoutModels(LibraryRefused):
    """The folder that was to be added holds no GGUF model."""

    path: str


@dataclass(eq=False)
class LibraryWorkCancelled(CatalogError):
    """The user stopped the work; everything is as it was before."""
