"""The kit for computers without a network: one folder with installers, models and all that checks and explains them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from installers.checksums import NAME as CHECKSUMS
from installers.kit_models import KitModel, kit_model
from installers.manifest import file_hash
from installers.places import DIST, PACKAGING, source_date, version

PARTS = PACKAGING / "kit"
INSTALLERS, MODELS, PACKS, LICENCES = "installers", "models", "engine-packs", "licences"
# The largest file that FAT32, the usual file system of USB disks, can hold.
FAT32_BYTES = 2**32 - 1
_ENDINGS = (".deb", ".run", ".tar.zst", ".exe", ".msi", ".dmg")
_HOW = {
    ".deb": (
        "   Debian、Ubuntu：sudo apt install ./installers/{name}（系统缺少依赖时 apt 会要求联网）",
        "   Debian, Ubuntu: sudo apt install ./installers/{name} (apt wants a network where the system lacks packages)",
    ),
    ".run": ("   任何 Linux：sh installers/{name}", "   Any Linux: sh installers/{name}"),
    ".tar.zst": (
        "   任何 Linux，免安装：解压 installers/{name}",
        "   Any Linux, without installing: unpack installers/{name}",
    ),
    ".exe": ("   Windows：双击 installers\\{name}", "   Windows: double-click installers\\{name}"),
    ".msi": ("   Windows（管理员部署）：installers\\{name}", "   Windows, for administrators: installers\\{name}"),
    ".dmg": (
        "   macOS：打开 installers/{name}，把量力拖进“应用程序”",
        "   macOS: open installers/{name} and drag Liangli into Applications",
    ),
}
_PACKS_TEXT = (
    "\n4. 添加显卡加速包（engine-packs 文件夹，可选）\n{lines}\n",
    '\n4. Add the packs for graphics cards (folder "engine-packs", if wanted)\n{lines}\n',
)
_BIG_TEXT = (
    "\n有的文件超过 4 GB，FAT32 格式的 U 盘放不下，请用 exFAT 或 NTFS 格式。",
    "\nSome files are larger than 4 GB: a USB disk must be formatted with exFAT or NTFS, FAT32 cannot hold them.",
)


def build_kit(models: Sequence[Path], installers: Sequence[Path], packs: Sequence[Path], *, into: Path = DIST) -> Path:
    """`liangli-kit-VERSION/` in the folder, whole and verified; one of before is replaced.

    installers: those of this version in dist/ where none is named. Raises SystemExit, in words.
    """
    installers = installers or installers_in(DIST)
    known = [kit_model(path) for path in models]
    files = [(INSTALLERS, path) for path in installers] + [(MODELS, path) for path in models]
    files += [(PACKS, path) for path in packs]
    _check(files)
    target, made = into / f"liangli-kit-{version()}", into / f".liangli-kit-{version()}.new"
    shutil.rmtree(made, ignore_errors=True)
    into.mkdir(parents=True, exist_ok=True)
    _require_room(into, [path for _, path in files])
    for folder, path in files:
        _copy(path, made / folder / path.name)
    _write_licences(made / LICENCES, known)
    _write_texts(made, installers, known, packs)
    _write_sums(made, {f"{MODELS}/{model.file.name}": model.sha256 for model in known})
    shutil.rmtree(target, ignore_errors=True)
    made.rename(target)
    for path in _big(files):
        print(f"{path.name} is larger than 4 GB: a USB disk must be formatted with exFAT or NTFS, FAT32 cannot hold it")
    return target


def installers_in(folder: Path) -> list[Path]:
    """The installers of this version there. Raises SystemExit if there is none."""
    found = [
        path for path in sorted(folder.glob(f"liangli?{version()}*")) if path.is_file() and path.name.endswith(_ENDINGS)
    ]
    if not found:
        raise SystemExit(f"{folder} holds no installer of version {version()}; build one first or name it: --installer")
    return found


def _check(files: Sequence[tuple[str, Path]]) -> None:
    names: set[tuple[str, str]] = set()
    for folder, path in files:
        if not path.is_file():
            raise SystemExit(f"{path} is no file")
        # What Windows and USB disks cannot hold, or verify.cmd could not read.
        if set('<>:"|?*\\!%\n') & set(path.name) or path.name != path.name.strip(" ."):
            raise SystemExit(f"{path.name}: not every system can hold a file of this name; rename it first")
        if (folder, path.name.lower()) in names:
            raise SystemExit(f"two files are called {path.name}")
        names.add((folder, path.name.lower()))


def _require_room(folder: Path, files: Iterable[Path]) -> None:
    needed, free = sum(path.stat().st_size for path in files), shutil.disk_usage(folder).free
    if free < needed:
        raise SystemExit(f"the kit needs {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        what = "larger than this disk's file system can hold: format it with exFAT or NTFS"
        if source.stat().st_size > FAT32_BYTES and error.errno == 27:  # EFBIG
            raise SystemExit(f"{source.name} is {what}") from error
        raise SystemExit(f"{target} cannot be written: {error.strerror}") from error
    target.chmod(0o755 if source.suffix == ".run" else 0o644)


def _write_licences(folder: Path, models: Sequence[KitModel]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for model in models:
        for text in model.texts:
            place = folder / model.file.stem / text.name
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(text, place)
    lines = [
        f"{model.file.name}\n  {model.name}\n  {model.publisher} {model.page}\n  {model.licence_name}\n"
        f"  {model.terms_zh}\n  {model.terms_en}\n  sha256 {model.sha256}\n  licences/{model.file.stem}/\n"
        for model in models
    ]
    _write(folder / "MODELS.txt", "\n".join(lines))


def _write_texts(folder: Path, installers: Sequence[Path], models: Sequence[KitModel], packs: Sequence[Path]) -> None:
    big = bool(_big([("", path) for path in (*installers, *packs, *(model.file for model in models))]))
    for number, (name, language) in enumerate((("开始.txt", "ZH"), ("START.txt", "EN"))):
        how = [_HOW[_ending(path)][number].format(name=path.name) for path in installers]
        pack_lines = "\n".join(f"       liangli engine add {PACKS}/{path.name}" for path in packs)
        listed = [f"   {model.file.name}：{model.name}，{model.licence_name}" for model in models]
        if language == "EN":
            listed = [f"   {model.file.name}: {model.name}, {model.licence_name}" for model in models]
        texts = {
            "VERSION": version(),
            f"INSTALL_{language}": "\n".join(how),
            f"PACKS_{language}": _PACKS_TEXT[number].format(lines=pack_lines) if packs else "",
            f"MODELS_{language}": "\n".join(listed) or "   -",
            f"BIG_{language}": _BIG_TEXT[number] if big else "",
        }
        text = (PARTS / name).read_text(encoding="utf-8")
        for place, value in texts.items():
            text = text.replace(f"@{place}@", value)
        _write(folder / name, text)
    (folder / "verify.sh").write_bytes((PARTS / "verify.sh").read_bytes())
    (folder / "verify.sh").chmod(0o755)
    script = (PARTS / "verify.cmd").read_text(encoding="utf-8")
    (folder / "verify.cmd").write_text(script, encoding="utf-8", newline="\r\n")


def _ending(path: Path) -> str:
    found = next((ending for ending in _ENDINGS if path.name.endswith(ending)), None)
    if found is None:
        raise SystemExit(f"{path.name} is no installer that is known: {' '.join(_ENDINGS)}")
    return found


def _write(path: Path, text: str) -> None:
    """As the editors of Windows show it right, too."""
    path.write_text(text, encoding="utf-8-sig", newline="\r\n")


def _write_sums(folder: Path, expected: dict[str, str]) -> None:
    """Hash what was written, not what was meant to be; all files bear the time of this version."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, found = path.relative_to(folder).as_posix(), file_hash(path)
        if found != expected.get(name, found):
            raise SystemExit(f"{path} did not arrive as it was; the disk may be at fault")
        lines.append(f"{found}  {name}\n")
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (source_date(), source_date()))


def _big(files: Sequence[tuple[str, Path]]) -> list[Path]:
    return [path for _, path in files if path.stat().st_size > FAT32_BYTES]
