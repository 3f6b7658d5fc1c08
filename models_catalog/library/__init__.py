"""The models on this computer: found, described, remembered, checked, moved and removed.

The folders are the truth; the index (`index.py`) only remembers what reading them again would cost.
"""

from models_catalog.library.scan import list_models

__all__ = ["list_models"]
