"""llama.cpp's own fitter (`common_fit_params`, what `--fit` does), asked about virtual cards with given budgets."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.backends.llama_cpp.library import base, lib
from inference.backends.llama_cpp.virtual_devices import MEMORY_BYTES, VirtualDevices
from inference.planning.values import HOST, Settings
from inference.values import Override, Placement

_SYMBOL = (
    "_Z17common_fit_paramsPKcP18llama_model_paramsP20llama_context_paramsPfP32llama_model_tensor_buft_overridePmj"
    "PK22common_fit_extra_model14ggml_log_level"
)
_MOST_OVERRIDES = 4096
_LEAST_CONTEXT = 4096
_LOG_ERRORS = 4


class _Override(ctypes.Structure):
    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """placement None: the fitter gave up."""

    placement: Placement | None


class Fitter:
    """library: libllama-common of the very same llama.cpp; it finds the libllama that is loaded already."""

    def __init__(self, library: Path, devices: VirtualDevices) -> None:
        self._devices = devices
        self._fit = getattr(ctypes.CDLL(str(library)), _SYMBOL)
        self._fit.restype = ctypes.c_int
        pointers = (ctypes.c_void_p,) * 5
        self._fit.argtypes = (ctypes.c_char_p, *pointers, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_int)

    def fit(self, path: str, settings: Settings, budgets: dict[str, int], layers: int) -> Fitted:
        """Where it would place the layers of this file with this context, by budgets in bytes of devices by name."""
        handles = self._devices.call_them(tuple(budgets))
        listed = (ctypes.c_void_p * (len(handles) + 1))(*handles, None)
        model, context = lib.llama_model_default_params(), lib.llama_context_default_params()
        model.devices = ctypes.cast(listed, ctypes.c_void_p)
        context.n_ctx, context.n_batch, context.n_ubatch = (
            settings.context_tokens,
            settings.batch_tokens,
            settings.batch_tokens,
        )
        context.n_seq_max, context.n_outputs_max, context.kv_unified = settings.sequences, settings.outputs_max, True
        context.flash_attn_type, context.swa_full = int(settings.flash_attention), settings.swa_full
        split = (ctypes.c_float * int(lib.llama_max_devices()))()
        overrides = (_Override * _MOST_OVERRIDES)()
        margins = (ctypes.c_size_t * int(lib.llama_max_devices()))(*(MEMORY_BYTES - size for size in budgets.values()))
        status = self._fit(
            path.encode(),
            ctypes.byref(model),
            ctypes.byref(context),
            split,
            overrides,
            margins,
            _LEAST_CONTEXT,
            None,
            _LOG_ERRORS,
        )
        if status != 0:
            return Fitted(placement=None)
        return Fitted(placement=_placement(tuple(budgets), model, split, overrides, layers))


def _placement(names: tuple[str, ...], model: Any, split: Any, overrides: Any, layers: int) -> Placement:
    count = int(model.n_gpu_layers)
    shares = tuple(float(split[number]) for number in range(len(names)))
    found: list[Override] = []
    for item in overrides:
        if not item.pattern:
            break
        device = base.ggml_backend_buft_get_device(item.buffer_type)
        name = base.ggml_backend_dev_name(device).decode() if device else HOST
        found.append(Override(pattern=item.pattern.decode(), device=name))
    return Placement(
        devices=names,
        gpu_layers=layers + 1 if count < 0 else count,
        # Without shares llama.cpp divides by free memory, which is the same for all virtual cards.
        tensor_split=(shares if any(shares) else (1.0,) * len(names)) if len(names) > 1 else (),
        overrides=tuple(found),
    )
