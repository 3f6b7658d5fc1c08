"""What the frozen program is made of: each part that others wrote, with its version, licence and the licence's text."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from installers.engine import PACKAGE, engine_source
from installers.places import BUILD, PACKAGING, ROOT

LICENSES = PACKAGING / "licenses"
_COMMON = Path("/usr/share/common-licenses")
# Files of the metadata that are licences or belong to them.
_LICENCE_WORDS = ("licen", "copying", "notice", "authors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part. licence is an SPDX expression; texts are licence texts by the names that they shall have; files are
    paths in the frozen program's folder, with "/", of libraries and programs that come from it.
    """

    name: str
    version: str
    licence: str
    purl: str
    homepage: str
    texts: Mapping[str, bytes]
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was frozen. `target` is its place in the program's folder, "" for a module inside the archive."""

    path: Path
    target: str


def components_of(bundle: Path) -> list[Component]:
    """All parts of the frozen program, which PyInstaller made last, by their names."""
    python = Path(environment_value("base_prefix"))
    sources = list(frozen_sources(BUILD / "pyinstaller" / "liangli"))
    owned, strange = by_distribution(sources, packages())
    found = [of_distribution(distribution, targets) for distribution, targets in owned if not _is_freezer(distribution)]
    # The program itself is PyInstaller's start code with ours behind it.
    found.append(of_distribution(next(filter(_is_freezer, packages())), program_names(bundle)))
    found.append(of_python(python, [source for source in strange if source.path.is_relative_to(python)]))
    system = [s for s in strange if not s.path.is_relative_to(python) and not s.path.is_relative_to(ROOT)]
    found += of_debian(system)
    found += of_engine(bundle)
    found.append(of_icons())
    return sorted(found, key=lambda component: component.name.lower())


def frozen_sources(work: Path) -> Iterator[Source]:
    """What PyInstaller took, as its lists in its work folder tell."""
    collected = ast.literal_eval((work / "COLLECT-00.toc").read_text(encoding="utf-8"))[0]
    for target, path, kind in collected:
        if kind != "SYMLINK" and Path(path).is_absolute():
            is_binary = kind in ("BINARY", "EXTENSION")
            place = f"_internal/{Path(target).as_posix()}" if is_binary else ""
            yield Source(path=Path(path), target=place)
    for _name, path, _kind in ast.literal_eval((work / "PYZ-00.toc").read_text(encoding="utf-8"))[1]:
        if path and Path(path).is_absolute():
            yield Source(path=Path(path), target="")


def by_distribution(
    sources: Iterable[Source], installed: Iterable[Distribution]
) -> tuple[list[tuple[Distribution, list[str]]], list[Source]]:
    """Which packages the files are of, with their libraries' places; and the files that are of none."""
    owner = {
        Path(str(distribution.locate_file(file))).resolve(): distribution
        for distribution in installed
        for file in distribution.files or ()
    }
    taken: dict[str, tuple[Distribution, list[str]]] = {}
    strange = []
    for source in sources:
        distribution = owner.get(source.path.resolve())
        if distribution is None:
            strange.append(source)
            continue
        _, targets = taken.setdefault(distribution.name.lower(), (distribution, []))
        if source.target:
            targets.append(source.target)
    return list(taken.values()), strange


def of_distribution(distribution: Distribution, targets: Iterable[str]) -> Component:
    """A Python package: its metadata has licence and texts; what it lacks is in components.toml."""
    name = distribution.name.lower().replace("_", "-")
    metadata: Any = distribution.metadata
    licence = metadata.get("License-Expression") or _table("licences").get(name) or metadata.get("License")
    texts = {
        "-".join(file.parts[1:]).removeprefix("licenses-"): file.read_binary()
        for file in distribution.files or ()
        if ".dist-info" in file.parts[0] and any(word in file.name.lower() for word in _LICENCE_WORDS)
    }
    return checked(
        Component(
            name=name,
            version=distribution.version,
            licence=licence or "",
            purl=f"pkg:pypi/{name}@{quote(distribution.version)}",
            homepage=f"https://pypi.org/project/{distribution.name}/{distribution.version}/",
            texts=texts | own_texts(name),
            files=tuple(sorted(targets)),
        )
    )


def of_python(prefix: Path, sources: Iterable[Source]) -> Component:
    """Python with the libraries that lie below its own folder; its licence lists those too."""
    places = (*prefix.glob("lib/python3*/LICENSE.txt"), prefix / "LICENSE.txt", prefix / "LICENSE")
    texts = {path.name: path.read_bytes() for path in places if path.is_file()}
    version = sys.version.split()[0]
    return checked(
        Component(
            name="Python",
            version=version,
            licence="PSF-2.0",
            purl=f"pkg:generic/python@{version}",
            homepage="https://www.python.org/",
            texts=texts,
            files=tuple(sorted(source.target for source in sources if source.target)),
        )
    )


def of_debian(sources: Iterable[Source]) -> list[Component]:
    """Libraries of the system that builds, one component for each source package of Debian or Ubuntu."""
    found: dict[str, tuple[str, str, dict[str, bytes], list[str]]] = {}
    for source in sources:
        package, name, version = debian_package(source.path)
        copyright_file = Path("/usr/share/doc") / package / "copyright"
        text = copyright_file.read_bytes() if copyright_file.is_file() else b""
        _, _, texts, targets = found.setdefault(name, (name, version, {}, []))
        texts |= {"copyright": text} if text else {}
        texts |= common_licences(text.decode("utf-8", "replace"))
        targets.append(source.target)
    return [
        checked(
            Component(
                name=name,
                version=version,
                licence=_table("debian").get(name, ""),
                purl=f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch=source",
                homepage=f"https://tracker.debian.org/pkg/{name}",
                texts=texts,
                files=tuple(sorted(targets)),
            )
        )
        for name, version, texts, targets in found.values()
    ]


def debian_package(path: Path) -> tuple[str, str, str]:
    """The binary package, its source package and that one's version. Raises SystemExit where nobody knows the file."""
    real = path.resolve()
    # Files are known by the path of before or after /lib became a link to /usr/lib.
    for candidate in dict.fromkeys((str(real), str(real).removeprefix("/usr"), str(path))):
        try:
            done = subprocess.run(("dpkg", "-S", candidate), capture_output=True, text=True, check=False)
        except FileNotFoundError:
            break
        if done.returncode == 0:
            package = done.stdout.split(":", 1)[0].split(",")[0]
            form = "${source:Package} ${source:Version}"
            told = subprocess.run(
                ("dpkg-query", "-W", "-f", form + "\n", package), capture_output=True, text=True, check=True
            )
            name, version = told.stdout.splitlines()[0].split()
            return package, name, version
    raise SystemExit(f"nobody knows where {path} comes from: its licence cannot be told")


def common_licences(text: str) -> dict[str, bytes]:
    """Texts that a copyright file only names by their path in Debian."""
    return {path.name: path.read_bytes() for path in sorted(_COMMON.glob("*")) if f"{_COMMON.name}/{path.name}" in text}


def of_engine(bundle: Path) -> list[Component]:
    """The engine's binding and the libraries of llama.cpp, both as its source package holds them."""
    manifests = sorted(bundle.rglob("engine/manifest.json"))
    if not manifests:
        raise SystemExit(f"{bundle} holds no engine")
    manifest = json.loads(manifests[0].read_text(encoding="utf-8"))
    folder = manifests[0].parent.relative_to(bundle).as_posix()
    source = engine_source(manifest["version"])
    vendor = source / "vendor" / "llama.cpp"
    licences = (vendor / "LICENSE", vendor / "AUTHORS", *sorted((vendor / "licenses").glob("*")))
    libraries = sorted(f"{folder}/{name}" for name in manifest["files"] if "/lib/" in name)
    binding = Component(
        name=PACKAGE,
        version=manifest["version"],
        licence="MIT",
        purl=f"pkg:pypi/{PACKAGE}@{manifest['version']}",
        homepage="https://github.com/abetlen/llama-cpp-python",
        texts={"LICENSE.md": (source / "LICENSE.md").read_bytes()},
    )
    library = Component(
        name="llama.cpp",
        version=f"ggml-{manifest['ggml']}",
        licence="MIT",
        purl=f"pkg:github/ggml-org/llama.cpp?ggml={manifest['ggml']}",
        homepage="https://github.com/ggml-org/llama.cpp",
        texts={path.name: path.read_bytes() for path in licences if path.is_file()} | own_texts("llama.cpp"),
        files=tuple(libraries),
    )
    return [checked(binding), checked(library)]


def of_icons() -> Component:
    """The window's icons, which are files of the source tree."""
    return checked(
        Component(
            name="lucide",
            version="",
            licence="ISC AND MIT",
            purl="pkg:npm/lucide-static",
            homepage="https://lucide.dev/",
            texts={"LICENSE": (ROOT / "resources" / "icons" / "LICENSE.lucide").read_bytes()},
        )
    )


def checked(component: Component) -> Component:
    """The component. Raises SystemExit if its licence or the licence's text is not known."""
    if not component.licence or component.licence == "UNKNOWN":
        raise SystemExit(f"{LICENSES / 'components.toml'} does not say under which licence {component.name} is")
    if not any(text.strip() for text in component.texts.values()):
        raise SystemExit(f"{component.name} {component.version} comes without the text of its licence")
    return component


def own_texts(name: str) -> dict[str, bytes]:
    """Texts that lie in packaging/licenses for what comes without them."""
    return {file: (LICENSES / file).read_bytes() for file in _table("texts").get(name, ())}


def packages() -> list[Distribution]:
    """What is installed in the build environment."""
    return list(distributions(path=[environment_value("purelib")]))


def _is_freezer(distribution: Distribution) -> bool:
    return distribution.name.lower() == "pyinstaller"


def program_names(bundle: Path) -> list[str]:
    """The programs that users start, in the folder itself."""
    return sorted(path.name for path in bundle.glob("liangli*") if path.is_file())


@cache
def environment_value(name: str) -> str:
    """Of the build environment's Python: "base_prefix", "purelib"."""
    from installers.environment import build_python

    question = "import sys, sysconfig; print(sys.base_prefix); print(sysconfig.get_path('purelib'))"
    done = subprocess.run((build_python(), "-c", question), capture_output=True, text=True, check=True)
    return dict(zip(("base_prefix", "purelib"), done.stdout.splitlines(), strict=True))[name]


@cache
def _table(name: str) -> Mapping[str, Any]:
    read: dict[str, Mapping[str, Any]] = tomllib.loads((LICENSES / "components.toml").read_text(encoding="utf-8"))
    return read[name]
