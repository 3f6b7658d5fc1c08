"""Models in several files: NAME-00001-of-00003.gguf and its siblings, of which llama.cpp is given the first."""

from __future__ import annotations

import re
from pathlib import Path

from models_catalog.errors import GgufHeaderBroken, ModelFileMissing, NotFirstShard, ShardMissing
from models_catalog.gguf.header import GgufHeader, read_header

MAX_SHARDS = 512
_NAME = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def other_shards(header: GgufHeader) -> tuple[GgufHeader, ...]:
    """The headers of the other files, in order; () for a model in one file.

    Raises NotFirstShard, ShardMissing, GgufHeaderBroken, and what `read_header` raises.
    """
    count = header.shard_count
    number = header.integer("split.no") or 0
    if number:
        raise NotFirstShard(header.path, number + 1, count)
    if count == 1:
        return ()
    path = Path(header.path)
    match = _NAME.fullmatch(path.name)
    if not 1 < count <= MAX_SHARDS or match is None or int(match["count"]) != count or int(match["number"]) != 1:
        raise GgufHeaderBroken(header.path, f"{count} parts do not fit the file's name")
    return tuple(
        _read_shard(header, path.with_name(f"{match['stem']}-{index + 1:05}-of-{count:05}.gguf"), index)
        for index in range(1, count)
    )


def _read_shard(first: GgufHeader, path: Path, index: int) -> GgufHeader:
    try:
        header = read_header(path)
    except ModelFileMissing as error:
        raise ShardMissing(first.path, path.name) from error
    if header.integer("split.no") != index or header.shard_count != first.shard_count:
        raise GgufHeaderBroken(header.path, f"is not part {index + 1} of {first.shard_count}")
    if twice := first.tensors.keys() & header.tensors.keys():
        raise GgufHeaderBroken(header.path, f"tensor {min(twice)} stands in two parts")
    return header
