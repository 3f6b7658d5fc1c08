"""Names of graphics cards as people and drivers write them, taken apart into words, memory and count. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

GIB = 1024**3

# What the Chinese words for makers and forms stand for; longer ones first where one contains another.
_CHINESE = (
    ("英伟达", " nvidia "),
    ("摩尔线程", " moore threads "),
    ("天数智芯", " iluvatar "),
    ("寒武纪", " cambricon "),
    ("英特尔", " intel "),
    ("锐炫", " arc "),
    ("锐炬", " iris "),
    ("苹果", " apple "),
    ("华为", " huawei "),
    ("昇腾", " ascend "),
    ("海光", " hygon "),
    ("沐曦", " metax "),
    ("壁仞", " biren "),
    ("笔记本", " laptop "),
    ("移动版", " laptop "),
    ("移动端", " laptop "),
    ("台式机", " "),
    ("台式", " "),
    ("桌面版", " "),
    ("显卡", " "),
    ("显存", " "),
    ("独显", " "),
    ("核显", " "),
    ("集显", " "),
    ("内存", " "),
    ("单卡", " "),
    ("两张", " 2x "),
    ("四张", " 4x "),
    ("八张", " 8x "),
    ("张", "x "),
)
# Words that tell nothing that a card's number does not: neither needed in a question nor wrong in it.
FILLERS = frozenset(
    [
        "nvidia",
        "geforce",
        "tesla",
        "quadro",
        "amd",
        "radeon",
        "instinct",
        "intel",
        "apple",
        "huawei",
        "ascend",
        "moore",
        "threads",
        "hygon",
        "dcu",
        "iluvatar",
        "corex",
        "cambricon",
        "biren",
        "metax",
        "graphics",
        "gpu",
        "igpu",
        "card",
        "series",
        "desktop",
        "generation",
        "edition",
        "workstation",
        "blackwell",
    ]
)
# Series letters: may be left out ("4060"), but wrong ones are wrong ("GTX 4060").
OPTIONAL = FILLERS | {"rtx", "gtx", "rx", "arc", "mtt", "pcie", "sxm", "hbm", "uhd"}

_NOISE = re.compile(r"\((?:r|tm|c)\)|[®™©]|\((?:radv|amd|llvm|mesa|intel|dg\d|gfx)[^)]*\)|\bmig\b.*$")
_SIZE = re.compile(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d+)?)\s*(?:gib|gb|g)(?![a-z0-9])")
_COUNT_BEFORE = re.compile(r"^\s*(\d{1,3})\s*[x×*]\s*(?=[a-z0-9])")
_PAIR = "双卡"
_COUNT_AFTER = re.compile(r"(?<=[a-z0-9])\s+[x×*]\s*(\d{1,3})\s*$|(?<=[a-z0-9])\s*[×*]\s*(\d{1,3})\s*$")
_SHORT_LAPTOP = re.compile(r"\b([1-5]0[5-9]0)\s?m\b")
_CORES = re.compile(r"\b(\d+)[\s-]?core\b")
_FORM = re.compile(r"\b(sxm|hbm|gddr)\d?[a-z]?\b")
_WORD = re.compile(r"cores\d+|[a-z]+|\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuName:
    """words: runs of letters and runs of digits ("rtx", "4060", "ti"). memory_gib: as written, None where it is not."""

    words: frozenset[str]
    memory_gib: float | None = None
    count: int = 1


def parse_gpu_name(text: str) -> GpuName:
    """Take a name apart: "2x RTX 4060 8GB", "NVIDIA A100-SXM4-80GB", "七彩虹 rtx4060ti 16G", "M2 Max 64GB"."""
    rest = unicodedata.normalize("NFKC", text).casefold()
    for chinese, latin in _CHINESE:
        rest = rest.replace(chinese, latin)
    rest = _NOISE.sub(" ", rest).replace("mobile", "laptop").replace("notebook", "laptop")
    rest, count = _take_count(rest)
    size = _SIZE.search(rest)
    if size is not None:
        rest = f"{rest[: size.start()]} {rest[size.end() :]}"
    rest = _SHORT_LAPTOP.sub(r"\1 laptop", _CORES.sub(r"cores\1", _FORM.sub(r"\1", rest)))
    return GpuName(
        words=frozenset(_WORD.findall(rest)), memory_gib=None if size is None else float(size.group(1)), count=count
    )


def _take_count(text: str) -> tuple[str, int]:
    if _PAIR in text:
        return text.replace(_PAIR, " "), 2
    before = _COUNT_BEFORE.match(text)
    if before is not None:
        return text[before.end() :], int(before.group(1))
    after = _COUNT_AFTER.search(text)
    if after is not None:
        return text[: after.start()], int(after.group(1) or after.group(2))
    return text, 1


_BYTES_OF_UNIT = {"": GIB, "k": 1024, "m": 1024**2, "g": GIB, "t": 1024**4}
_WHOLE_SIZE = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?\s*")


def parse_size(text: str) -> int | None:
    """Bytes of memory as people write it: "16G", "16 GB", "16GiB", "512M", "16" (GB); None for anything else.

    Memory is sold in powers of two, so "GB" means GiB here too.
    """
    found = _WHOLE_SIZE.fullmatch(unicodedata.normalize("NFKC", text).casefold())
    if found is None:
        return None
    return int(float(found.group(1)) * _BYTES_OF_UNIT[found.group(2)]) or None
