"""Errors of the application. They carry fields, never sentences: `app.words` says them in the user's language.

AppError
├── ServiceUnreachable       a face cannot reach or start the service
├── ServiceStartFailed
├── AlreadyRunning           another service of this user holds the lock
├── SettingInvalid
├── WishInvalid              a number that a plan shall keep is none that it could
├── CardUnknown              "what if I had" a card that is not known
├── CalibrationFailed        this computer's speed could not be measured
├── ChatMissing / MessageMissing
├── ModelMissing             no such model on this computer
├── DownloadMissing          no such download in the queue
├── NoModelInstalled         no model at all
├── ModelInUse               it answers, so it cannot be unloaded
├── ModelNotLoaded           what is asked needs it in memory
├── MemoryTooSmall           not enough beside what is loaded and busy
├── ModelTooLarge            nothing is left to lower
├── BadRequest               a field of an API request is wrong
├── BodyTooLarge
├── Unauthorized
├── ForbiddenOrigin
├── ChatBusy                 the answer there is still being written
├── RequestTooSlow
├── RouteMissing             no such path in the service
├── DataFolderUnusable       read-only, full or vanished
├── DatabaseNewer            chats were written by a newer version
├── OpeningRefused           a file or an address that the program does not open
├── ProgramUpdatesNotSetUp   this build knows no address or no key for newer versions of itself
├── ProgramUpdateUnreachable
├── ProgramUpdateRefused     what was served is not to be used
├── ProgramUpdateNotOffered  no newer version, or no such file of it for this computer
└── RemoteError              what the service reported to a face
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class AppError(Exception):
    """Base of every error that the application itself raises."""


@dataclass(eq=False)
class ServiceUnreachable(AppError):
    """The service does not answer at this address."""

    address: str


@dataclass(eq=False)
class ServiceStartFailed(AppError):
    """The service was started but did not come up; its last log lines are in `log_path`.

    said: why, in its own words, if it said so; as when a newer version wrote the chats.
    """

    log_path: str
    said: str = ""


@dataclass(eq=False)
class AlreadyRunning(AppError):
    """One service per user: this process holds the lock already."""

    pid: int
    address: str


@dataclass(eq=False)
class SettingInvalid(AppError):
    """A setting has a value it cannot have."""

    name: str
    value: str
    expected: str


@dataclass(eq=False)
class WishInvalid(AppError):
    """A plan cannot be made around this value."""

    name: str
    value: str


@dataclass(eq=False)
class CardUnknown(AppError):
    """No single card that can be planned is meant; `candidates` are names that could be.

    reason: "unknown", "ambiguous", "memory", "count" or "no_back_end" (the engine cannot compute on it).
    """

    name: str
    reason: str
    candidates: tuple[str, ...]


@dataclass(eq=False)
class CalibrationFailed(AppError):
    """The measuring ended early; `detail` is technical English."""

    detail: str


@dataclass(eq=False)
class ChatMissing(AppError):
    """No chat with this id."""

    chat_id: str


@dataclass(eq=False)
class MessageMissing(AppError):
    """No message with this id."""

    message_id: str


@dataclass(eq=False)
class ModelMissing(AppError):
    """No model of this name is on this computer; `available` lists what is."""

    model: str
    available: tuple[str, ...]


@dataclass(eq=False)
class DownloadMissing(AppError):
    """The queue has no download with this id."""

    id: str


@dataclass(eq=False)
class NoModelInstalled(AppError):
    """There is no model on this computer yet."""


@dataclass(eq=False)
class ModelInUse(AppError):
    """The model cannot be unloaded or replaced while it answers `requests` requests."""

    model: str
    requests: int


@dataclass(eq=False)
class ModelNotLoaded(AppError):
    """What is asked can only be told by the loaded model, and nobody wants it to be loaded for that."""

    model: str


@dataclass(eq=False)
class MemoryTooSmall(AppError):
    """Not enough free memory to load this model beside what is loaded and busy."""

    needed_bytes: int
    free_bytes: int


@dataclass(eq=False)
class ModelTooLarge(AppError):
    """The model runs out of memory even with the smallest plan. smaller: a quantization that may fit, "" if unknown."""

    model: str
    needed_bytes: int
    free_bytes: int
    smaller: str


@dataclass(eq=False)
class BadRequest(AppError):
    """A field of a request is missing or wrong; `problem` is technical English (it goes to programmers)."""

    field: str
    problem: str


@dataclass(eq=False)
class BodyTooLarge(AppError):
    """The request body is larger than the service takes."""

    limit_bytes: int


@dataclass(eq=False)
class Unauthorized(AppError):
    """The token is missing or wrong."""


@dataclass(eq=False)
class ForbiddenOrigin(AppError):
    """The Host or Origin header names somebody whom the service does not talk to."""

    origin: str


@dataclass(eq=False)
class ChatBusy(AppError):
    """An answer of this chat is still being written; what was asked for has to wait for its end or stop it."""

    chat_id: str


@dataclass(eq=False)
class RequestTooSlow(AppError):
    """The request did not come in completely in time."""

    limit_seconds: float


@dataclass(eq=False)
class RouteMissing(AppError):
    """The service has no such path, or not for this method."""

    method: str
    path: str


@dataclass(eq=False)
class DataFolderUnusable(AppError):
    """The data folder cannot be written: read-only, full, or gone."""

    path: str
    reason: str


@dataclass(eq=False)
class PortableFolderUnusable(AppError):
    """The program is to keep everything beside itself, and cannot write there."""

    path: str
    reason: str


@dataclass(eq=False)
class DatabaseNewer(AppError):
    """The chats were written by a newer version; they are left untouched.

    backup_path: the copy from before the newer version changed them, "" if there is none.
    """

    path: str
    found_version: int
    known_version: int
    backup_path: str = ""


@dataclass(eq=False)
class ProgramUpdatesNotSetUp(AppError):
    """missing: "address" or "key"."""

    missing: str


@dataclass(eq=False)
class ProgramUpdateUnreachable(AppError):
    """No answer in time; `detail` is technical English."""

    address: str
    detail: str


@dataclass(eq=False)
class ProgramUpdateRefused(AppError):
    """`reason`: one of models_catalog.signed.errors.Reason; `detail` is technical English and may be empty."""

    address: str
    reason: str
    detail: str


@dataclass(eq=False)
class ProgramUpdateNotOffered(AppError):
    """wanted: the name of a file that was asked for, or "". available: names of files that run here."""

    version: str
    wanted: str
    available: tuple[str, ...]


@dataclass(eq=False)
class OpeningRefused(AppError):
    """The program was asked to open what it does not.

    reason: "no_model" (another kind of file), "elsewhere" (another computer's), "unknown" (no address of ours), "name"
    (what it names cannot be), "unreadable".
    """

    text: str
    reason: str


@dataclass(eq=False)
class RemoteError(AppError):
    """An error that the service reported to a face: its class name and fields, to be said in the face's language."""

    code: str
    fields: dict[str, Any]
    http_status: int
