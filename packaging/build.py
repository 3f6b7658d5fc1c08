"""`python packaging/build.py TARGET…`: from a clean checkout to what users get, in `dist/`. See `--help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from installers.bundle import build_bundle
from installers.checksums import write_checksums
from installers.deb import build_deb
from installers.documents import build_documents
from installers.engine import build_engine
from installers.environment import build_python
from installers.flatpak import prepare_flatpak
from installers.floor import check_floor
from installers.icons import build_icons
from installers.kit import build_kit
from installers.macos import build_dmg
from installers.msi import build_msi
from installers.places import DIST
from installers.portable import build_run, build_tar
from installers.windows import build_setup
from installers.windows_recipes import check_recipes


def engine(options: argparse.Namespace) -> None:
    """the engine for all processors, without the app"""
    print(build_engine(vulkan=options.vulkan))


def bundle(options: argparse.Namespace) -> None:
    """the frozen program in its folder"""
    finished_bundle(options)


def finished_bundle(options: argparse.Namespace) -> Path:
    """The frozen program for the packages of this run, which is built once, or what --bundle names."""
    if options.bundle is None:
        options.bundle = build_bundle(vulkan=options.vulkan)
    return Path(options.bundle)


def icons(_options: argparse.Namespace) -> None:
    """the app's icon in all sizes and forms"""
    print(build_icons())


def documents(_options: argparse.Namespace) -> None:
    """manual pages and completions"""
    print(build_documents(build_python()))


def deb(options: argparse.Namespace) -> None:
    """the package for Debian and Ubuntu"""
    documents(options)
    print(build_deb(finished_bundle(options), build_icons()))


def tar(options: argparse.Namespace) -> None:
    """the program for every Linux, to unpack anywhere"""
    documents(options)
    print(build_tar(finished_bundle(options), build_icons()))


def run(options: argparse.Namespace) -> None:
    """the same as one file that unpacks and installs itself"""
    documents(options)
    print(build_run(finished_bundle(options), build_icons()))


def flatpak(options: argparse.Namespace) -> None:
    """the folder from which packaging/linux/flatpak is built"""
    print(prepare_flatpak(finished_bundle(options), build_icons()))


def floor(options: argparse.Namespace) -> None:
    """says how old a Linux may be, and fails if it is newer than claimed"""
    print(check_floor(finished_bundle(options)))


def windows_setup(options: argparse.Namespace) -> None:
    """the setup for Windows (there, or anywhere with --bundle)"""
    print(build_setup(finished_bundle(options), build_icons() / "liangli.ico"))


def windows_msi(options: argparse.Namespace) -> None:
    """the MSI for Windows, of what --bundle names (on Linux)"""
    print(build_msi(finished_bundle(options)))


def windows_recipes(_options: argparse.Namespace) -> None:
    """a setup and an MSI with nothing in them, to prove the recipes"""
    check_recipes()


def macos_dmg(options: argparse.Namespace) -> None:
    """the disk image for macOS (there)"""
    print(build_dmg(finished_bundle(options)))


def kit(options: argparse.Namespace) -> None:
    """a folder for a USB disk: installers, and the models and packs that are named"""
    print(build_kit(options.model, options.installer, options.pack))


def checksums(_options: argparse.Namespace) -> None:
    """SHA256SUMS of all that lies in dist/"""
    print(write_checksums(DIST))


TARGETS: dict[str, Callable[[argparse.Namespace], None]] = {
    "engine": engine,
    "bundle": bundle,
    "icons": icons,
    "documents": documents,
    "deb": deb,
    "tar": tar,
    "run": run,
    "flatpak": flatpak,
    "floor": floor,
    "windows-setup": windows_setup,
    "windows-msi": windows_msi,
    "windows-recipes": windows_recipes,
    "macos-dmg": macos_dmg,
    "kit": kit,
    "checksums": checksums,
}


def main() -> int:
    """Builds the targets in the order in which they are named."""
    described = "\n".join(f"  {name:16} {target.__doc__}" for name, target in TARGETS.items())
    parser = argparse.ArgumentParser(
        prog=f"python {Path(__file__).name}",
        description="Builds Liangli's packages.",
        epilog=f"targets:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="+", choices=TARGETS, metavar="TARGET")
    parser.add_argument(
        "--no-vulkan", dest="vulkan", action="store_false", help="leave the Vulkan back end out (it needs glslc)"
    )
    parser.add_argument(
        "--bundle", type=Path, metavar="FOLDER", help="make packages of this frozen program instead of building it"
    )
    for name, what in (("model", "model"), ("installer", "installer (default: all in dist/)"), ("pack", "engine pack")):
        parser.add_argument(
            f"--{name}", type=Path, action="append", default=[], metavar="FILE", help=f"for the kit: {what}; repeatable"
        )
    options = parser.parse_args()
    for name in options.targets:
        TARGETS[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
