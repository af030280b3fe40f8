"""What the pages of transfers send, read into plain values. Whatever cannot be read counts as not said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.facility.stock.transfers.rules import MOST_LINES, Arrived, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict


def whole(text: str) -> int | None:
    """A whole number as typed; None when it is none."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def document_of(text: str) -> UUID | None:
    """The document's id that the browser made; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def typed_quantities(form: MultiDict[str, str], sizes: Mapping[tuple[int, str], int]) -> dict[tuple[int, str], int]:
    """The quantities of a draft's lines, typed in packs (single units in the split zone); `sizes` is known from the shelf."""
    typed = {}
    for place, text in list(zip(form.getlist("place"), form.getlist("packs"), strict=False))[:MOST_LINES]:
        lot, _sep, zone = place.partition(":")
        key, packs = (whole(lot) or 0, zone), whole(text)
        if key in sizes and packs is not None:
            typed[key] = packs * (1 if zone == "SPLIT" else sizes[key])
    return typed


def typed_arrival(form: MultiDict[str, str], lines: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """What was typed of each line while receiving: where it is put, why some is missing, and how much of what has no codes."""
    typed: dict[int, dict[str, Any]] = {}
    for line in lines:
        said: dict[str, Any] = {
            "zone": form.get(f"zone-{line.line_no}", "")[:20],
            "reason": form.get(f"reason-{line.line_no}", "")[:20],
        }
        packs = whole(form.get(f"packs-{line.line_no}", ""))
        if packs is not None and line.in_codes < line.quantity:
            said["quantity"] = packs * (1 if line.from_zone == "SPLIT" else line.pack_size)
        typed[line.line_no] = said
    return typed


def lines_to_send(content: Mapping[str, Any]) -> list[Sent]:
    """A draft's lines as the act takes them, in the order in which they were begun."""
    return [
        Sent(line["lot"], line["zone"], line["quantity"], tuple(line["codes"])) for line in reversed(content["lines"])
    ]


def lines_arrived(content: Mapping[str, Any], lines: Sequence[Any], homes: Mapping[int, str]) -> list[Arrived]:
    """What a receiving draft says of each line; what nobody touched did not arrive."""
    told = content["lines"]
    arrived = []
    for line in lines:
        said = told.get(str(line.line_no), {})
        came = int(said.get("quantity", 0))
        zone = (said.get("zone") or homes[line.line_no]) if came else ""
        arrived.append(
            Arrived(
                line.line_no,
                came,
                zone,
                tuple(said.get("codes", ())),
                said.get("reason", "") if came < line.quantity else "",
            )
        )
    return arrived


def codes_in(text: str) -> tuple[str, ...]:
    """Codes out of a field, each once."""
    return tuple(dict.fromkeys(re.split(r"[\s,，;；]+", text.strip())))[:500] if text.strip() else ()
