"""The app for macOS: what its description says, and where engine and notices go."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest
from installers import macos


def test_the_description_opens_models_and_addresses_and_is_a_plist() -> None:
    read = plistlib.loads(plistlib.dumps(macos.info_plist("1.2.3")))
    assert read["CFBundleShortVersionString"] == "1.2.3"
    assert read["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["liangli"]
    [kind] = read["UTImportedTypeDeclarations"]
    assert kind["UTTypeTagSpecification"] == {"public.filename-extension": ["gguf"]}
    assert read["CFBundleDocumentTypes"][0]["LSItemContentTypes"] == [kind["UTTypeIdentifier"]]
    assert read["LSMinimumSystemVersion"] == macos.OLDEST_SYSTEM


def test_entitlements_allow_no_more_than_is_needed() -> None:
    read = plistlib.loads((macos.RECIPES / "entitlements.plist").read_bytes())
    assert set(read) == {
        "com.apple.security.cs.allow-unsigned-executable-memory",
        "com.apple.security.cs.disable-library-validation",
    }


def test_the_app_finds_the_engine_among_its_libraries(tmp_path: Path) -> None:
    bundle, app = tmp_path / "liangli", tmp_path / "Liangli.app" / "Contents"
    for folder in (bundle / "_internal" / "engine", bundle / "licenses", app / "Resources", app / "Frameworks"):
        folder.mkdir(parents=True)
    for path in (
        bundle / "_internal/engine/manifest.json",
        bundle / "THIRD-PARTY-NOTICES.txt",
        bundle / "sbom.cdx.json",
    ):
        path.write_text("{}")
    for _ in range(2):  # again, over what was there
        macos.finished_app(bundle)
    assert (app / "Frameworks" / "engine" / "manifest.json").read_text() == "{}"
    assert (app / "Resources" / "THIRD-PARTY-NOTICES.txt").is_file()


def test_apps_are_frozen_on_macos(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"Liangli\.app"):
        macos.finished_app(tmp_path / "liangli")
