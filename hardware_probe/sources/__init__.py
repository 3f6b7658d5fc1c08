"""One file for each thing that knows about accelerators: `read_x()` asks it, the pure `parse_x(text)` understands it.

Every parser returns what it saw, () for "no card", and None for text that is not in the format it knows; none raises.
"""
