"""How tables of names stand in the source: side by side, with blanks between them."""

from __future__ import annotations


def names(text: str) -> tuple[str, ...]:
    """Read names written one after the other."""
    return tuple(text.split())
