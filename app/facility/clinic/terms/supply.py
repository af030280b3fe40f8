"""How long goods last and how many are needed: doses, days, base units and packs. Plain values, exact, never a float.

A dose is not divided over days: seven days of a tablet every other day are four tablets, and last eight days.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from app.facility.clinic.terms.dictionaries import UNITS, unit

if TYPE_CHECKING:
    from app.facility.clinic.terms.dictionaries import Frequency

Dose = int | Decimal | Fraction  # In base units of the product; half a tablet is Decimal("0.5").

_STRENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Zμµ]+|万单位|万[Uu]|单位|毫克|微克|毫升|克)")


def doses_for(days: int, frequency: Frequency) -> int:
    """Count the doses of so many days; a frequency without a rhythm, such as prn, is one dose a day, st one at all."""
    assert days > 0
    if frequency.is_once:
        return 1
    return ceil((frequency.per_day or Fraction(1)) * days)


def quantity_for(days: int, dose: Dose, frequency: Frequency) -> int:
    """Return the fewest base units that last so many days (总量)."""
    assert dose > 0
    return ceil(doses_for(days, frequency) * Fraction(dose))


def days_of_supply(quantity: int, dose: Dose, frequency: Frequency) -> int:
    """Return for how many whole days a quantity of base units lasts (用药天数); never less than one.

    A dose at once is one day; without a rhythm, one dose is reckoned a day.
    """
    assert quantity > 0
    assert dose > 0
    if frequency.is_once:
        return 1
    doses = floor(quantity / Fraction(dose))
    return max(1, floor(doses / (frequency.per_day or Fraction(1))))


def quantity_to_sell(quantity: int, pack_size: int, *, split_allowed: bool) -> int:
    """Round base units up to whole packs where the product may not be split (拆零)."""
    assert quantity > 0
    assert pack_size > 0
    return quantity if split_allowed else -(-quantity // pack_size) * pack_size


def base_units(amount: Decimal, unit_text: str, base_unit: str, spec: str) -> Fraction | None:
    """Say how many base units a dose such as 0.5 g is of a product, by the strength its specification names first.

    1 g of `0.25g×24粒` is 4 粒. None when the specification does not tell: then the dose is asked in base units.
    """
    wanted = unit(unit_text)
    if unit_text == base_unit or (wanted and unit(base_unit) == wanted):
        return Fraction(amount)
    held = strength_of(spec, wanted.kind) if wanted else None
    if wanted is None or held is None or UNITS.get(base_unit, UNITS["g"]).kind != "piece":
        return None
    return Fraction(amount) * wanted.size / held


def strength_of(spec: str, kind: str) -> Fraction | None:
    """How much one piece holds, in the smallest unit of the kind (µg, µl, IU): the first such figure of a specification."""
    for figure, spelled in _STRENGTH.findall(spec):
        found = unit(spelled)
        if found and found.kind == kind and Decimal(figure) > 0:
            return Fraction(Decimal(figure)) * found.size
    return None
