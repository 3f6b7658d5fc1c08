"""Ollama's models: manifests that name blobs, which are called by their hash.

`manifests/HOST/NAMESPACE/MODEL/TAG` is JSON in the form of a container image; the layer of the type below is the GGUF
file `blobs/sha256-HASH`. https://github.com/ollama/ollama/blob/main/docs/faq.md tells the folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.values import Found, Place

_MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_OWN_HOST, _OWN_NAMESPACE = "registry.ollama.ai", "library"
_MOST_MANIFEST_BYTES = 1_000_000
# The service that its installer sets up on Linux has a user of its own; packages of distributions have others.
_LINUX_SERVICE = (
    "/usr/share/ollama/.ollama/models",
    "/var/lib/ollama/.ollama/models",
    "/var/lib/ollama",
    "/var/snap/ollama/common/models",
)


class _Layer(msgspec.Struct, rename="camel"):
    media_type: str = ""
    digest: str = ""


class _Manifest(msgspec.Struct):
    layers: list[_Layer] = []


def ollama(surroundings: Surroundings) -> tuple[Place, ...]:
    """The folders that Ollama may use here."""
    chosen = surroundings.named("OLLAMA_MODELS")
    usual = [surroundings.home / ".ollama" / "models"]
    if surroundings.system.startswith("linux"):
        usual += map(Path, _LINUX_SERVICE)
    places = [] if chosen is None else [Place(key="ollama", root=chosen, find=_find)]
    return (*places, *(Place(key="ollama", root=root, find=_find, lasting=False) for root in usual if root != chosen))


def _find(root: Path) -> Iterator[Found]:
    for manifest in sorted((root / "manifests").glob("*/*/*/*")):
        if manifest.name.startswith(".") or (sha256 := _model_blob(manifest)) is None:
            continue
        blob = root / "blobs" / f"sha256-{sha256}"
        if blob.is_file():
            name = _name(*manifest.parts[-4:])
            yield Found(path=blob, name=name, origin=name, sha256=sha256)


def _model_blob(manifest: Path) -> str | None:
    try:
        if manifest.stat().st_size > _MOST_MANIFEST_BYTES:
            return None
        layers = msgspec.json.decode(manifest.read_bytes(), type=_Manifest).layers
    except (OSError, msgspec.MsgspecError):
        return None
    blobs = [
        match[1] for layer in layers if layer.media_type == _MODEL_LAYER and (match := _DIGEST.fullmatch(layer.digest))
    ]
    return blobs[0] if len(blobs) == 1 else None


def _name(host: str, namespace: str, model: str, tag: str) -> str:
    """As Ollama writes it: "qwen3:8b", "someone/model:tag", "hf.co/someone/model:tag"."""
    if host != _OWN_HOST:
        return f"{host}/{namespace}/{model}:{tag}"
    return f"{model}:{tag}" if namespace == _OWN_NAMESPACE else f"{namespace}/{model}:{tag}"
