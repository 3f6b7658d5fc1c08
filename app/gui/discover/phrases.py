"""What the page says of a model, as plain functions of values."""

from __future__ import annotations

from app import words
from app.catalogue_values import BothLanguages, CatalogueFit, CatalogueModel
from app.download_values import DownloadStatus
from app.values import Language
from resources.wording import text

# In the order in which they are offered as filters and named.
ABILITIES = ("chat", "thinking", "tools", "vision", "code", "audio", "translation", "embedding", "rerank")
_SIGNIFICANT = 3


def say(language: Language, key: str, **fields: object) -> str:
    """The text `discover.KEY`."""
    return text(f"discover.{key}", language, **fields)


def of(both: BothLanguages, language: Language) -> str:
    """A text of the catalogue in the window's language."""
    return both.zh if language == "zh" else both.en


def parameter_count(count: int, language: Language) -> str:
    """ "80 亿", "2.4 万亿"; in English "8B", "600M", "2.4T"."""
    units = (("万亿", 1e12), ("亿", 1e8), ("万", 1e4)) if language == "zh" else (("T", 1e12), ("B", 1e9), ("M", 1e6))
    for unit, size in units:
        if count >= size * 0.9995:
            return f"{_significant(count / size)} {unit}" if language == "zh" else f"{_significant(count / size)}{unit}"
    return str(count)


def parameters(model: CatalogueModel, language: Language) -> str:
    """ "80 亿参数"; with how many are active where not all are: "300 亿参数（激活 33 亿）"."""
    total = say(language, "card.parameters", count=parameter_count(model.total_parameters, language))
    if model.active_parameters is None:
        return total
    active = say(language, "card.active", count=parameter_count(model.active_parameters, language))
    return f"{total}（{active}）" if language == "zh" else f"{total} ({active})"


def abilities(names: tuple[str, ...], language: Language) -> list[str]:
    """The abilities in their usual order; one that is new to this window is left out."""
    return [say(language, f"ability.{name}") for name in ABILITIES if name in names]


def verdict(fit: CatalogueFit, language: Language) -> str:
    """ "合适"; what is missing is said with it: "超出：还差 5.6 GB"."""
    if fit.verdict is None:
        return say(language, "card.no_fit")
    word = text(f"plan.verdict.{fit.verdict}", language)
    if fit.verdict != "does_not_fit" or not fit.short_bytes:
        return word
    return say(language, "card.short", verdict=word, bytes=words.shown_bytes(fit.short_bytes))


def speed(decode: tuple[float, float, float], language: Language) -> str:
    """ "约 42 词元/秒"."""
    likely = decode[1]
    return say(language, "card.speed", rate=f"{likely:.0f}" if likely >= 10 else f"{likely:.1f}")


def percent(status: DownloadStatus) -> int:
    """How much of a download is done, 0 to 100; of what is checked while it is checked."""
    done = status.checked_bytes if status.state == "verifying" else status.received_bytes
    return min(100, int(100 * done / status.total_bytes)) if status.total_bytes > 0 else 0


def download(status: DownloadStatus, language: Language) -> str:
    """ "63% · 剩 1 分 20 秒", "排队中"."""
    if status.outside_hours:
        return say(language, "download.outside_hours")
    fields: dict[str, object] = {"percent": percent(status)}
    if status.state == "transferring" and status.remaining_seconds is not None:
        left = words.shown_seconds(status.remaining_seconds, language)
        return say(language, "download.transferring_left", time=left, **fields)
    return say(language, f"download.{status.state}", **fields)


def _significant(number: float) -> str:
    """Three significant digits, without an exponent and without idle zeros."""
    whole = len(str(int(number)))
    digits = max(0, _SIGNIFICANT - whole)
    rounded = round(number, _SIGNIFICANT - whole)
    shown = f"{rounded:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
