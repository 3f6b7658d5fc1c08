"""Recipes that other systems run: their form, and that they name what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from installers.places import PACKAGING, ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
MANIFEST = PACKAGING / "linux" / "flatpak" / "io.github.liangli.Liangli.yml"


def test_the_workflow_asks_for_targets_that_exist() -> None:
    build = (PACKAGING / "build.py").read_text(encoding="utf-8")
    known = set(re.findall(r'^    "([a-z-]+)": \w+,$', build, re.MULTILINE))
    lines = re.findall(r"packaging/build\.py (.+)$", WORKFLOW.read_text(encoding="utf-8"), re.MULTILINE)
    asked = {word for line in lines for word in re.sub(r"--bundle \S+", "", line).split()}
    assert {"bundle", "deb", "run", "windows-setup", "macos-dmg", "checksums"} <= asked <= known


def test_the_workflow_runs_the_frozen_programs_test_on_all_systems() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    assert {"runs-on: ubuntu-22.04", "runs-on: windows-2025", "runs-on: macos-15"} <= {
        line.strip() for line in text.splitlines()
    }
    assert len(re.findall(r"--selftest --json --screenshot evidence/\S+\.png", text)) >= 3


def test_the_workflow_fits_its_schema() -> None:
    if (tool := shutil.which("check-jsonschema")) is None:
        pytest.skip("check-jsonschema is not installed")
    done = subprocess.run(
        (tool, "--builtin-schema", "vendor.github-workflows", WORKFLOW), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("flatpak-builder") is None, reason="flatpak-builder is not here")
def test_flatpak_builder_reads_the_manifest(tmp_path: Path) -> None:
    # It writes a folder of its own where it is run.
    command = ("flatpak-builder", "--show-manifest", str(MANIFEST))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"command" : "liangli"' in done.stdout


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
def test_scripts_of_the_recipes_are_clean() -> None:
    scripts = (PACKAGING / "macos" / "sign_and_notarise.sh", *(PACKAGING / "linux" / "appimage").iterdir())
    done = subprocess.run(("shellcheck", *map(str, scripts)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Liangli.Liangli.yaml", "Liangli.Liangli.installer.yaml"])
def test_winget_manifests_leave_only_known_places_open(name: str) -> None:
    text = (PACKAGING / "windows" / "winget" / name).read_text(encoding="utf-8")
    assert set(re.findall("@[A-Z0-9]+@", text)) <= {"@VERSION@", "@URL@", "@SHA256@"}
    assert Path(name).stem.startswith("Liangli.Liangli")
