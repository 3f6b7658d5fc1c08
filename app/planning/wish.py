"""What the user fixed, checked before anything is planned around it. Pure."""

from __future__ import annotations

from typing import cast, get_args

from app.errors import WishInvalid
from app.plan_values import PlanWish
from inference.planning.values import Wish
from inference.values import KvType

_RANGES = {
    "context_tokens": (16, 16_777_216),
    "parallel": (1, 256),
    "batch_tokens": (32, 16_384),
    "gpu_layers": (0, 100_000),
    "decode_threads": (1, 1024),
}


def planner_wish(wish: PlanWish) -> Wish:
    """The part of a wish that concerns the model. Raises WishInvalid."""
    kv = kv_type("kv", wish.kv)
    return checked(
        Wish(
            context_tokens=wish.context,
            parallel=wish.parallel,
            kv_type_k=kv,
            kv_type_v=kv,
            flash_attention=wish.flash_attention,
            swa_full=wish.swa_full,
            batch_tokens=wish.batch,
            gpu_layers=wish.gpu_layers,
            decode_threads=wish.threads,
            memory_map=wish.mmap,
        )
    )


def checked(wish: Wish) -> Wish:
    """The wish, if a plan can be made around it. Raises WishInvalid."""
    for name, (least, most) in _RANGES.items():
        value = getattr(wish, name)
        if value is not None and not least <= value <= most:
            raise WishInvalid(name=name, value=str(value))
    # llama.cpp makes no context with a quantized V cache and without flash attention.
    if wish.flash_attention is False and wish.kv_type_v not in (None, "f16", "bf16"):
        raise WishInvalid(name="kv_type_v", value=f"{wish.kv_type_v}, flash_attention = false")
    return wish


def kv_type(name: str, value: str | None) -> KvType | None:
    """A type of keys and values by its name; None for none. Raises WishInvalid."""
    if value is not None and value not in get_args(KvType):
        raise WishInvalid(name=name, value=value)
    return cast(KvType | None, value)
