"""`liangli bench`: measures what the app promises, on this computer and with a model of the user's choice."""

from __future__ import annotations

from app.cli.bench.command import add_parser, run

__all__ = ["add_parser", "run"]
