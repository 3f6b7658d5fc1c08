"""How the faces reach the service."""

import sys

# httpx brings a command line of its own, which imports rich, pygments and click wherever they are installed: 50 ms of
# every start of ours. Without this part httpx works the same (its __init__ expects that it may be missing).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
