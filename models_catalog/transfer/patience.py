"""How long a transfer waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Times in seconds. The defaults suit people who wait; tests pass shorter ones."""

    connect_seconds: float = 4.0
    # A stream that brings less than `stall_bytes` in this time counts as broken, whether silent or dripping.
    stall_seconds: float = 15.0
    stall_bytes: int = 64 * 1024
    # Asking the package index, which starts pip: seconds, and many of them on a computer that is busy.
    index_seconds: float = 60.0
    # Once one source has answered, how long the others may still take to show that they are faster.
    grace_seconds: float = 1.5
    probe_bytes: int = 256 * 1024
    # After a round in which every source failed; a round that brought bytes starts the list anew.
    rounds_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    # The longest Retry-After that is waited for.
    rest_limit_seconds: float = 120.0
    # The part is put on the disk whenever so much arrived or so much time went by.
    checkpoint_bytes: int = 4 * 1024 * 1024
    checkpoint_seconds: float = 1.0
    # How often the number of connections is reconsidered, and the speed of the source against the others'.
    adapt_seconds: float = 0.5
    review_seconds: float = 20.0
    # What one request asks for: so many seconds of what a connection brings, within these bounds.
    lease_seconds: float = 30.0
    least_lease_bytes: int = 8 * 1024 * 1024
    most_lease_bytes: int = 512 * 1024 * 1024
    # A range shorter than twice this is not divided between two connections.
    least_part_bytes: int = 1024 * 1024
    most_connections: int = 8
