"""The app and its disk image for macOS, made of what PyInstaller froze there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from installers.places import BUILD, DIST, PACKAGING, run, source_date, system, version

IDENTIFIER = "io.github.liangli.Liangli"
RECIPES = PACKAGING / "macos"
# Qt 6.11 supports no older one, and Python's and numpy's packages are made for it.
OLDEST_SYSTEM = "14.0"
_GGUF = f"{IDENTIFIER}.gguf"


def build_dmg(bundle: Path) -> Path:
    """`dist/liangli-VERSION-macos-arm64.dmg` of the frozen program, whose app lies beside its folder."""
    app = finished_app(bundle)
    sign = RECIPES / "sign_and_notarise.sh"
    run(sign, "app", app)
    DIST.mkdir(exist_ok=True)
    target = DIST / f"liangli-{version()}-{system()}.dmg"
    settings = BUILD / "dmg.json"
    settings.write_text(json.dumps(image_settings(app, BUILD / "icons" / "liangli.icns")), encoding="utf-8")
    run("dmgbuild", "-s", settings, "Liangli", target, environment={"SOURCE_DATE_EPOCH": str(source_date())})
    run(sign, "dmg", target)
    return target


def image_settings(app: Path, icon: Path) -> dict[str, Any]:
    """How the disk image looks: the app, and beside it the folder to drag it to."""
    return {
        "title": "Liangli",
        "icon": str(icon),
        "icon-size": 112,
        "background": "builtin-arrow",
        "format": "ULFO",
        "window": {"position": {"x": 200, "y": 160}, "size": {"width": 560, "height": 340}},
        "contents": [
            {"x": 150, "y": 150, "type": "file", "path": str(app)},
            {"x": 410, "y": 150, "type": "link", "path": "/Applications"},
        ],
    }


def finished_app(bundle: Path) -> Path:
    """Liangli.app with the engine and the notices, which are put into the folder after PyInstaller's work.

    The engine's files are no code of the app's own to macOS, and go to its resources; the program looks for them where
    its other libraries are, and finds a link.
    """
    app = bundle.parent / "Liangli.app"
    if not app.is_dir():
        raise SystemExit(f"{app} is not there: apps for macOS are frozen on macOS")
    resources, frameworks = app / "Contents" / "Resources", app / "Contents" / "Frameworks"
    shutil.rmtree(resources / "engine", ignore_errors=True)
    shutil.copytree(bundle / "_internal" / "engine", resources / "engine", symlinks=True)
    (frameworks / "engine").unlink(missing_ok=True)
    (frameworks / "engine").symlink_to("../Resources/engine")
    shutil.rmtree(resources / "licenses", ignore_errors=True)
    shutil.copytree(bundle / "licenses", resources / "licenses")
    for name in ("THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"):
        shutil.copy2(bundle / name, resources / name)
    return app


def info_plist(text_version: str) -> dict[str, Any]:
    """What Info.plist says beside PyInstaller's own entries."""
    return {
        "CFBundleDisplayName": "量力",
        "CFBundleDevelopmentRegion": "zh_CN",
        "CFBundleLocalizations": ["zh_CN", "en"],
        "CFBundleShortVersionString": text_version,
        "CFBundleVersion": text_version,
        "LSMinimumSystemVersion": OLDEST_SYSTEM,
        "LSApplicationCategoryType": "public.app-category.productivity",
        "LSMultipleInstancesProhibited": False,  # the terminal and the service are the same program
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,  # dark where the system is dark
        "NSPrincipalClass": "NSApplication",
        "NSHumanReadableCopyright": "Apache-2.0",
        "NSLocalNetworkUsageDescription": (
            "只有打开“局域网共享”时才会用到：向局域网里的其他电脑提供或获取模型。"
            "Only used when sharing on the local network is on: to give models to other computers and to get them."
        ),
        "CFBundleURLTypes": [
            {"CFBundleURLName": IDENTIFIER, "CFBundleURLSchemes": ["liangli"], "CFBundleTypeRole": "Viewer"}
        ],
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "GGUF",
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": [_GGUF],
            }
        ],
        "UTImportedTypeDeclarations": [
            {
                "UTTypeIdentifier": _GGUF,
                "UTTypeDescription": "GGUF language model",
                "UTTypeConformsTo": ["public.data"],
                "UTTypeTagSpecification": {"public.filename-extension": ["gguf"]},
            }
        ],
    }
