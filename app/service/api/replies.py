"""Our values as JSON responses."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response


def json_reply(value: Any, status: int = 200) -> Response:
    """A response with the value as JSON; dataclasses are written as objects."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
