"""The code tables of the interface (字典), 303 of them, as issued."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "codes.json").read_text("utf-8"))
    return loaded


def name(table: str, value: str) -> str:
    """Say a code in words; a code that is not in the table is given back as it is."""
    found: str = _table().get(table, {}).get("values", {}).get(value, value)
    return found


@lru_cache(maxsize=512)
def values(table: str) -> frozenset[str] | None:
    """The codes of a table, or None when the specification has no table of that name."""
    known = _table().get(table)
    return frozenset(known["values"]) if known else None


@lru_cache(maxsize=1)
def _districts() -> dict[str, str]:
    loaded: dict[str, str] = json.loads((Path(__file__).parent / "data" / "districts.json").read_text("utf-8"))
    return loaded


def place(admdvs: str) -> str:
    """Say an administrative division in words (行政区划); one that is not in the table is given back as it is."""
    return _districts().get(admdvs, admdvs)


def table_name(table: str) -> str:
    """The name of a code table in words."""
    found: str = _table().get(table, {}).get("name", table)
    return found
