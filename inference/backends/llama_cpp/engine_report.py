"""What the engine is and what it loaded here, as JSON: `python -m inference.backends.llama_cpp.engine_report`.

Run it as a child with a time limit, as `devices`, whose list is part of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from inference.backends.llama_cpp.back_ends import cpu_variants
from inference.backends.llama_cpp.devices import list_devices
from inference.backends.llama_cpp.library import back_ends, base, lib
from inference.backends.llama_cpp.soundness import mapped_copies
from inference.errors import EngineUnsound


def report() -> dict[str, Any]:
    """ggml, cpu_variant, variants (the best first; score 0: cannot run here), loaded, failed, copies, devices, unsound.

    unsound: why the engine cannot work, as EngineUnsound has it; "" for nothing.
    """
    unsound, devices = "", []
    try:
        devices = list_devices()
    except EngineUnsound as error:
        unsound = error.reason
    variants = cpu_variants(Path(lib.__file__).parent / "lib") if back_ends.separate else ()
    return {
        "ggml": base.ggml_version().decode() if hasattr(base, "ggml_version") else "",
        "separate": back_ends.separate,
        "cpu_variant": back_ends.cpu_variant,
        "variants": [{"name": one.name, "score": one.score} for one in variants],
        "loaded": back_ends.loaded,
        "failed": back_ends.failed,
        "copies": mapped_copies(),
        "devices": devices,
        "unsound": unsound,
    }


if __name__ == "__main__":
    json.dump(report(), sys.stdout)
