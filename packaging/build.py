"""`python packaging/build.py TARGET…`: from a clean checkout to what users get, in `dist/`. See `--help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from installers.bundle import build_bundle
from installers.engine import build_engine


def engine(options: argparse.Namespace) -> None:
    """the engine for all processors, without the app"""
    print(build_engine(vulkan=options.vulkan))


def bundle(options: argparse.Namespace) -> None:
    """the frozen program in its folder"""
    build_bundle(vulkan=options.vulkan)


TARGETS: dict[str, Callable[[argparse.Namespace], None]] = {
    "engine": engine,
    "bundle": bundle,
}


def main() -> int:
    """Builds the targets in the order in which they are named."""
    described = "\n".join(f"  {name:10} {target.__doc__}" for name, target in TARGETS.items())
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
    options = parser.parse_args()
    for name in options.targets:
        TARGETS[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
