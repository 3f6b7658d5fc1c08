"""The user's settings: a TOML file whose comments and unknown keys survive every write."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from app.download_hours import parse_hours
from app.errors import DataFolderUnusable, SettingInvalid
from resources.atomic_file import write_atomically

LanguageSetting = Literal["auto", "zh", "en"]
LEAST_DOWNLOAD_SPEED = 32 * 1024
_MOST_PEERS = 32
_PROXY = re.compile(r"(https?|socks5h?)://[^\s/]+/?")
_NAMES = re.compile(r"[A-Za-z0-9._+-]*(?: [A-Za-z0-9._+-]+)*")
Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their defaults.

    language: "auto" follows the system. theme: "system" follows the desktop.
    port: where the service listens on loopback; another free one is taken when it is in use, 0 always takes any.
    allowed_origins: web pages ("https://example.org") that may call the service from a browser.
    default_model: id of the model that answers when none is named; empty: the one used last, or the only one.
    context_tokens: wished context length; 0 leaves it to the planner.
    chat_profiles: by model id, the built-in chat profile that takes the place of the file's own template.
    models_folder: where model files are kept, absolute; empty: in the data folder.
    download_bytes_per_second: the most that all downloads together may take; 0: no limit.
    download_hours: "22:30-07:00", by this computer's clock, are the hours of downloads; empty: always.
    download_proxies: by source ("Hugging Face", "ModelScope", …), "system", "none" or a proxy's address.
    find_…: whether models that this other program holds are listed and used where they lie.
    lan_share: whether other computers of the local network that know this one's code may fetch models, at lan_port.
    lan_peers: codes of other such computers by address; they are asked for the files of every download.
    catalogue_updates: the user agreed that the model catalogue may renew itself, at most once a day.
    catalogue_url: where its updates are, https; empty: nowhere ($LIANGLI_CATALOGUE_URL comes first).
    update_url: where newer versions of the program are named, https; empty: nowhere ($LIANGLI_UPDATE_URL comes first).
    engine: name of an added engine; empty: the one that came with the program. engine_packs: "auto" takes all added
    packs that fit, "cpu" lets no card compute, other words are names of packs. cpu_variant: "auto", "safe" (the
    plainest) or a name.
    """

    language: LanguageSetting = "auto"
    theme: Theme = "system"
    port: int = 11466
    allowed_origins: tuple[str, ...] = ()
    default_model: str = ""
    context_tokens: int = 0
    chat_profiles: Mapping[str, str] = field(default_factory=dict)
    models_folder: str = ""
    download_bytes_per_second: int = 0
    download_hours: str = ""
    download_proxies: Mapping[str, str] = field(default_factory=dict)
    find_ollama: bool = True
    find_lm_studio: bool = True
    find_jan: bool = True
    find_huggingface: bool = True
    find_modelscope: bool = True
    catalogue_updates: bool = False
    lan_share: bool = False
    lan_port: int = 11467
    lan_peers: Mapping[str, str] = field(default_factory=dict)
    catalogue_url: str = ""
    update_url: str = ""
    engine: str = ""
    engine_packs: str = "auto"
    cpu_variant: str = "auto"


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a value from TOML or JSON becomes a setting: `read` raises ValueError; `expected` is shown to the user."""

    read: Callable[[Any], Any]
    expected: str


def _one_of(*allowed: str) -> _Rule:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return _Rule(read, " | ".join(allowed))


def _whole_number(lowest: int, highest: int) -> _Rule:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise ValueError
        return int(value)

    return _Rule(read, f"{lowest} … {highest}")


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    return str(value)


def _read_folder(value: Any) -> str:
    folder = _read_text(value)
    if folder and not Path(folder).is_absolute():
        raise ValueError
    return folder


def _read_speed(value: Any) -> int:
    # Slower connections than the least could not be told from dead ones.
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or value >= LEAST_DOWNLOAD_SPEED):
        raise ValueError
    return int(value)


def _read_hours(value: Any) -> str:
    hours = _read_text(value)
    parse_hours(hours)
    return hours


def _read_proxies(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError
    proxies = {_read_text(source): _read_text(proxy) for source, proxy in value.items()}
    if not all(proxy in ("system", "none") or _PROXY.fullmatch(proxy) for proxy in proxies.values()):
        raise ValueError
    return proxies


def _read_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _read_name(value: Any) -> str:
    name = _read_text(value)
    if not _NAMES.fullmatch(name):
        raise ValueError
    return name


def _read_address(value: Any) -> str:
    address = _read_text(value)
    if address and not address.startswith("https://"):
        raise ValueError
    return address


_SWITCH = _Rule(_read_switch, "true | false")


def _read_profiles(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError
    return {_read_text(model): _read_text(profile) for model, profile in value.items()}


def _read_peers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > _MOST_PEERS:
        raise ValueError
    return {_read_text(address): _read_text(code) for address, code in value.items()}


def _read_origins(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError
    origins = tuple(_read_text(item).rstrip("/") for item in value)
    if not all(origin.startswith(("http://", "https://")) for origin in origins):
        raise ValueError
    return origins


_RULES: dict[str, _Rule] = {
    "language": _one_of("auto", "zh", "en"),
    "theme": _one_of("system", "light", "dark"),
    "port": _whole_number(0, 65_535),
    "allowed_origins": _Rule(_read_origins, '["https://example.org", …]'),
    "default_model": _Rule(_read_text, '"…"'),
    "context_tokens": _whole_number(0, 16_777_216),
    "chat_profiles": _Rule(_read_profiles, '{"MODEL" = "chatml", …}'),
    "models_folder": _Rule(_read_folder, '"/…/…"'),
    "download_bytes_per_second": _Rule(_read_speed, f"0 | {LEAST_DOWNLOAD_SPEED} …"),
    "download_hours": _Rule(_read_hours, '"" | "22:30-07:00"'),
    "download_proxies": _Rule(_read_proxies, '{"Hugging Face" = "system | none | http://… | socks5://…", …}'),
    "find_ollama": _SWITCH,
    "find_lm_studio": _SWITCH,
    "find_jan": _SWITCH,
    "find_huggingface": _SWITCH,
    "find_modelscope": _SWITCH,
    "catalogue_updates": _SWITCH,
    "lan_share": _SWITCH,
    "lan_port": _whole_number(1024, 65_535),
    "lan_peers": _Rule(_read_peers, '{"192.168.1.5:11467" = "CODE", …}'),
    "catalogue_url": _Rule(_read_address, '"" | "https://…"'),
    "engine": _Rule(_read_name, '"" | "NAME"'),
    "engine_packs": _Rule(_read_name, '"auto" | "cpu" | "NAME …"'),
    "cpu_variant": _Rule(_read_name, '"auto" | "safe" | "NAME"'),
    "update_url": _Rule(_read_address, '"" | "https://…"'),
}


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some values replaced, checked. Raises SettingInvalid, also for a name that does not exist."""
    checked: dict[str, Any] = {}
    for name, value in changes.items():
        rule = _RULES.get(name)
        if rule is None:
            raise SettingInvalid(name=name, value=str(value), expected=" | ".join(_RULES))
        try:
            checked[name] = rule.read(value)
        except ValueError:
            raise SettingInvalid(name=name, value=str(value), expected=rule.expected) from None
    return replace(settings, **checked)


def as_values(settings: Settings) -> dict[str, Any]:
    """The settings as plain JSON values."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()}


def load_settings(path: Path) -> Settings:
    """The settings in the file; defaults where it says nothing or does not exist. Unknown keys are left alone.

    Raises SettingInvalid for a value that cannot be, and for a file that is not TOML (name: the file's path).
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise DataFolderUnusable(path=str(path), reason=error.strerror or str(error)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingInvalid(name=str(path), value=str(error), expected="TOML") from error
    return changed(Settings(), {name: value for name, value in found.items() if name in _RULES})


def save_settings(path: Path, changes: Mapping[str, Any]) -> Settings:
    """Write the changed values into the file and return all settings. Other lines of the file stay as they are.

    Raises SettingInvalid (nothing is written) and DataFolderUnusable.
    """
    import tomlkit  # reading does not need it, and starting must be quick

    settings = changed(load_settings(path), changes)
    values = as_values(settings)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    for name in changes:
        document[name] = values[name]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, tomlkit.dumps(document).encode())
    except OSError as error:
        raise DataFolderUnusable(path=str(path), reason=error.strerror or str(error)) from error
    return settings
