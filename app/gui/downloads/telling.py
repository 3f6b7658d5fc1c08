"""A download in words. Pure."""

from __future__ import annotations

from datetime import datetime

from app.download_hours import parse_hours
from app.download_values import DownloadState, DownloadStatus
from app.gui.downloads.watch import STARTER
from app.values import Language, LocalModel
from app.words import shown_bytes, shown_seconds
from resources.wording import text

TONES: dict[DownloadState, str] = {
    "queued": "still",
    "resolving": "busy",
    "choosing_source": "busy",
    "transferring": "busy",
    "waiting": "warn",
    "verifying": "busy",
    "repairing": "warn",
    "paused": "still",
    "done": "good",
    "failed": "bad",
}
_WITH_A_BAR = frozenset({"transferring", "waiting", "verifying", "repairing", "paused", "failed"})


def state_words(status: DownloadStatus, hours: str, since: datetime | None, language: Language) -> str:
    """What a download does now. hours: the setting `download_hours`; since: when it began to wait for a source."""
    if status.state == "queued" and status.outside_hours:
        return text("downloads.state.outside_hours", language, time=begin_of(hours))
    if status.state == "waiting" and since is not None:
        return text("downloads.state.waiting_since", language, time=since.strftime("%H:%M"))
    if status.state == "verifying" and status.checked_bytes and status.total_bytes:
        percent = int(100 * status.checked_bytes / status.total_bytes)
        return text("downloads.state.verifying_percent", language, percent=percent)
    return text(f"downloads.state.{status.state}", language)


def progress_words(status: DownloadStatus, language: Language) -> str:
    """ "491 MB / 1.12 GB · 12.4 MB/s · 还需 51 秒" """
    parts = []
    if status.state == "done":
        parts.append(shown_bytes(status.total_bytes))
    elif status.total_bytes and status.received_bytes:
        parts.append(f"{shown_bytes(status.received_bytes)} / {shown_bytes(status.total_bytes)}")
    elif status.total_bytes:
        parts.append(shown_bytes(status.total_bytes))
    if status.state in ("transferring", "repairing") and status.bytes_per_second > 0:
        parts.append(f"{shown_bytes(status.bytes_per_second)}/s")
        if status.remaining_seconds is not None:
            left = long_time(status.remaining_seconds, language)
            parts.append(text("downloads.row.left", language, time=left))
    return " · ".join(parts)


def source_words(status: DownloadStatus, language: Language) -> str:
    """ "来自 ModelScope · 4 个连接", "" while no source is chosen."""
    if not status.source or status.state not in ("transferring", "waiting", "repairing", "verifying"):
        return ""
    source = text("downloads.row.source", language, source=source_name(status.source, language))
    if status.connections < 1 or status.state == "verifying":
        return source
    key = "connection" if status.connections == 1 else "connections"
    return f"{source} · {text(f'downloads.row.{key}', language, count=status.connections)}"


def shown_name(status: DownloadStatus) -> str:
    """The model's name without its quantization and "-GGUF", which say nothing new beside it."""
    name = (status.name or status.model).removesuffix(status.quantization).rstrip()
    return name.removesuffix("-GGUF") or status.name


def source_name(name: str, language: Language) -> str:
    """A source as people call it."""
    return text("downloads.proxies.package_index", language) if name == "Python package index" else name


def fraction(status: DownloadStatus) -> float | None:
    """How much is done, 0..1, of the transfer or of the check; None where a bar would say nothing."""
    if status.state not in _WITH_A_BAR or not status.total_bytes:
        return None
    if status.state == "failed" and not status.received_bytes:
        return None
    done = status.checked_bytes if status.state == "verifying" and status.checked_bytes else status.received_bytes
    return min(1.0, done / status.total_bytes)


def begin_of(hours: str) -> str:
    """When the hours of downloads begin: "22:30"."""
    try:
        return parse_hours(hours).start.strftime("%H:%M")
    except ValueError:
        return hours


def long_time(seconds: float, language: Language) -> str:
    """A time to wait: of an hour and more the seconds are of no interest, of a day and more not even the minutes."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return shown_seconds(seconds, language)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return text("downloads.row.hours", language, hours=hours, minutes=minutes)
    return text("downloads.row.days", language, days=round(hours / 24))


def model_of(status: DownloadStatus, models: tuple[LocalModel, ...]) -> LocalModel | None:
    """The model on this computer that a finished download became."""
    if status.id.startswith(STARTER):
        named = [one for one in models if status.name.casefold() in (one.name.casefold(), one.id.casefold())]
        return named[0] if len(named) == 1 else None
    wanted = {f"/{file}" for file in status.files}
    for model in models:
        if model.place == "library" and any(model.path.replace("\\", "/").endswith(file) for file in wanted):
            return model
    return None
