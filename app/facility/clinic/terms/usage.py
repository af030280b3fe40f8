"""How a line of a sheet is taken, in words for whoever reads it: the pharmacist, the nurse, the label of the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import Several, words
from app.facility.clinic.terms.dictionaries import DECOCTIONS, FREQUENCIES, HANDLINGS, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.errors import Words


def usage(line: Any) -> Words:
    """A line of a sheet: by which way, how much, how often, how long (口服，每次 0.5 g，每天三次，7 天)."""
    return Several(_parts(line), between="，")


def _parts(line: Any) -> Iterator[Words | str]:
    if line.route in ROUTES:
        yield ROUTES[line.route].word
    if line.dose:
        herb = line.described["rx_class"] == "HERB"
        said = words("每剂 {dose} {unit}", dose=line.dose, unit=line.dose_unit) if herb else None
        yield said or words("每次 {dose} {unit}", dose=line.dose, unit=line.dose_unit)
    if line.frequency in FREQUENCIES:
        yield FREQUENCIES[line.frequency].word
    if line.days:
        yield words("{n} 天", n=line.days)
    if line.handling in HANDLINGS:
        yield HANDLINGS[line.handling].word
    if line.note:
        yield words("（{note}）", note=line.note)


def decoction(usage_code: str) -> Words | str:
    """How a whole prescription of herbs is taken."""
    return DECOCTIONS[usage_code].word if usage_code in DECOCTIONS else ""


def amount(line: Any) -> str:
    """How much of it, in packs where whole packs go: 2 盒, 6 粒, 63 克."""
    return amount_of(line, line.quantity)


def amount_of(line: Any, quantity: int) -> str:
    """So much of a line's goods, given in base units."""
    about = line.described
    if line.split or quantity % about["pack_size"]:
        return f"{quantity} {about['base_unit']}"
    return f"{quantity // about['pack_size']} {about['pack_unit']}"
