"""The bill of materials of the frozen program in CycloneDX 1.6: the same from the same program, to the last byte."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from installers.components import Component
from installers.manifest import file_hash
from installers.places import source_date, system, version

NAME = "sbom.cdx.json"
_SPACE = uuid.UUID("a3c4f4f6-6a5b-5d0e-9a55-2f0c3f1d7b11")


def write_sbom(components: Iterable[Component], folder: Path) -> Path:
    """The list, in the program's folder."""
    parts = [_component(component, folder) for component in components]
    whole = bill(parts, version=version(), system=system(), date=source_date())
    target = folder / NAME
    target.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return target


def bill(parts: list[dict[str, Any]], *, version: str, system: str, date: int) -> dict[str, Any]:
    """The document. Its serial number is made of its content, its time is the program's (seconds since the epoch)."""
    subject = {
        "type": "application",
        "bom-ref": f"pkg:generic/liangli@{version}",
        "name": "liangli",
        "version": version,
        "purl": f"pkg:generic/liangli@{version}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "properties": [{"name": "liangli:system", "value": system}],
    }
    content = hashlib.sha256(json.dumps([subject, parts], sort_keys=True).encode()).hexdigest()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(date, UTC).isoformat().replace("+00:00", "Z"),
            "component": subject,
        },
        "components": parts,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def _component(component: Component, folder: Path) -> dict[str, Any]:
    files = [(path, folder / path) for path in component.files]
    nested = [_file(component, path, file) for path, file in files if file.is_file() and not file.is_symlink()]
    part: dict[str, Any] = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        **({"version": component.version} if component.version else {}),
        "licenses": [_licence(component.licence)],
        "purl": component.purl,
        "externalReferences": [{"type": "website", "url": component.homepage}],
    }
    return part | ({"components": nested} if nested else {})


def _file(component: Component, path: str, file: Path) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"{component.purl}#{path}",
        "name": path,
        "hashes": [{"alg": "SHA-256", "content": file_hash(file)}],
    }


def _licence(expression: str) -> Mapping[str, Any]:
    compound = any(word in f" {expression} " for word in (" AND ", " OR ", " WITH "))
    return {"expression": expression} if compound else {"license": {"id": expression}}
