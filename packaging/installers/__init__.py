"""Makes the packages that are given to users. Run by `packaging/build.py`; nothing of it is in them."""
