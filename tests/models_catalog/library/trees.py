"""Folders as other programs make them, written from their real layouts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ollama_pull(root: Path, name: str, content: bytes, *, host: str = "registry.ollama.ai") -> Path:
    """What `ollama pull` leaves: `name` is NAMESPACE/MODEL:TAG."""
    path, _, tag = name.partition(":")
    namespace, model = path.split("/")
    layers = [
        ("application/vnd.ollama.image.model", content),
        ("application/vnd.ollama.image.template", b"{{ .Prompt }}"),
        ("application/vnd.ollama.image.params", b'{"stop":["<|im_end|>"]}'),
    ]
    (root / "blobs").mkdir(parents=True, exist_ok=True)
    described = []
    for kind, data in layers:
        (root / "blobs" / f"sha256-{sha256(data)}").write_bytes(data)
        described.append({"mediaType": kind, "digest": f"sha256:{sha256(data)}", "size": len(data)})
    manifest = root / "manifests" / host / namespace / model / tag
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {
                    "mediaType": "application/vnd.docker.container.image.v1+json",
                    "digest": f"sha256:{sha256(b'{}')}",
                    "size": 2,
                },
                "layers": described,
            }
        )
    )
    return root / "blobs" / f"sha256-{sha256(content)}"


def hub_download(cache: Path, repository: str, file: str, content: bytes, *, commit: str = "a" * 40) -> Path:
    """What huggingface-hub's hf_hub_download leaves; returns the path that it hands out."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    blob = folder / "blobs" / sha256(content)
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)
    pointer = folder / "snapshots" / commit / file
    pointer.parent.mkdir(parents=True, exist_ok=True)
    up = "/".join([".."] * (2 + file.count("/")))
    pointer.symlink_to(f"{up}/blobs/{blob.name}")
    return pointer


def jan_import(data: Path, model_id: str, content: bytes, *, file: str = "") -> Path:
    """What Jan leaves for a model; file: where its bytes are, when they were imported from elsewhere."""
    folder = data.joinpath("llamacpp", "models", *model_id.split("/"))
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(file) if file else folder / "model.gguf"
    path.write_bytes(content)
    said = file or f"llamacpp/models/{model_id}/model.gguf"
    (folder / "model.yml").write_text(
        f"embedding: false\nmodel_path: {said}\nname: {model_id}\nsize_bytes: {len(content)}\n"
        f"model_sha256: {sha256(content)}\n",
        encoding="utf-8",
    )
    return path
