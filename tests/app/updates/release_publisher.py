"""A publisher of versions, on the publisher and the server of signed catalogues."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from app.updates.check import ThisCopy
from tests.models_catalog.signed.publisher import Publisher

INSTALLER = b"an installer" * 5000
NAME = "liangli_0.2.0_amd64.deb"
HERE = ThisCopy(version="0.1.0", system="linux-x86_64", system_version="2.36", kinds=("deb", "run"))


@dataclass
class ReleasePublisher(Publisher):
    """Version 0.2.0 with one file for HERE, unless the index is changed."""

    def publish_release(self, server_address: str, **changes: Any) -> None:
        """changes: other values for fields of the index."""
        base = server_address.removesuffix("index.json")
        self.files = {NAME: INSTALLER}
        index = {
            "format": "liangli-releases",
            "version": 1,
            "serial": 5,
            "date": "2999-01-01",
            "releases": [
                {"version": "0.2.0", "date": "2998-12-31", "notes": {"zh": "更快了。", "en": "It is faster."}},
                {"version": "0.1.0", "date": "2998-01-01"},
            ],
            "files": [release_file(base)],
        }
        self.files["index.json"] = json.dumps(index | changes).encode()
        self.sign()


def release_file(base: str, **changes: Any) -> dict[str, Any]:
    """The entry of INSTALLER, below the address `base`."""
    return {
        "name": NAME,
        "release": "0.2.0",
        "system": "linux-x86_64",
        "kind": "deb",
        "needs": "2.34",
        "size_bytes": len(INSTALLER),
        "sha256": hashlib.sha256(INSTALLER).hexdigest(),
        "url": f"{base}{NAME}",
        **changes,
    }
