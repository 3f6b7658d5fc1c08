"""Makes `resources/plan_data/` anew from the published shapes: `python -m tests.synthetic.make_plan_data [--check]`.

--check: writes nothing; tells whether what is there is what would be made. Prints each model's sizes beside those of
published files; the exit code is 1 when one is off by more than 1 % or, with --check, when something differs.
"""

from __future__ import annotations

import argparse
import json
import sys

import resources
from inference.backends.llama_cpp.library import Callbacks, lib
from models_catalog.gguf.plan_data import model_file_bytes, read_plan_data
from models_catalog.plan_library import pack, unpack
from tests.synthetic.header import plan_data_of
from tests.synthetic.shapes import SHAPES, Shape

_TOLERANCE = 0.01
_FOLDER = resources.path("plan_data")


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    Callbacks(lambda text: None)
    lib.llama_backend_init()
    _FOLDER.mkdir(exist_ok=True)
    index: dict[str, dict[str, int]] = {}
    failures = 0
    for shape in SHAPES.values():
        made = {quantization: plan_data_of(shape.blueprint, quantization) for quantization in shape.quantizations}
        index[shape.id] = {name: model_file_bytes(read_plan_data(raw, name)) for name, raw in made.items()}
        failures += _show(shape, index[shape.id])
        file = _FOLDER / f"{shape.id}.xz"
        if check:
            failures += not file.exists() or unpack(file.read_bytes()) != made
        elif not file.exists() or unpack(file.read_bytes()) != made:
            file.write_bytes(pack(made))
    text = json.dumps(index, indent=1) + "\n"
    if check:
        failures += (_FOLDER / "index.json").read_text() != text
    else:
        (_FOLDER / "index.json").write_text(text)
    total = sum(file.stat().st_size for file in _FOLDER.iterdir())
    print(f"{len(index)} models, {sum(map(len, index.values()))} files, {total} bytes; {failures} failures")
    return 1 if failures else 0


def _show(shape: Shape, sizes: dict[str, int]) -> int:
    misses = 0
    parts = []
    for quantization, size in sizes.items():
        published = shape.published_bytes.get(quantization)
        error = size / published - 1 if published else None
        parts.append(f"{quantization} {size / 1e9:.2f}" + (f" ({error:+.2%})" if error is not None else ""))
        misses += error is not None and abs(error) > _TOLERANCE
    print(f"{shape.id:32} GB: {', '.join(parts)}")
    return misses


if __name__ == "__main__":
    sys.exit(main())
