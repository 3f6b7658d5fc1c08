"""All programs whose models are found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from models_catalog.library.elsewhere.desktop_apps import jan, lm_studio
from models_catalog.library.elsewhere.hub_caches import huggingface, modelscope
from models_catalog.library.elsewhere.ollama import ollama
from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.values import Place, PlaceKey

PROGRAMS: Mapping[PlaceKey, Callable[[Surroundings], tuple[Place, ...]]] = MappingProxyType(
    {"ollama": ollama, "lm-studio": lm_studio, "jan": jan, "huggingface": huggingface, "modelscope": modelscope}
)


def places_of(programs: Collection[str], surroundings: Surroundings) -> tuple[Place, ...]:
    """Where these programs keep models here, in a fixed order; the folders need not exist."""
    return tuple(place for key, places in PROGRAMS.items() if key in programs for place in places(surroundings))
