"""What the counter may do with specially controlled drugs (特殊管理药品, DOMAIN 3.5). Plain values in, plain values out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from app.facility.counter.errors import NeverAtRetail, NotToMinors, SpecialNeedsPrescription

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from app.facility.counter.rules import Line

NEVER = {"NARCOTIC": "麻醉药品", "PSYCHOTROPIC_1": "第一类精神药品"}
PRESCRIBED = {"PSYCHOTROPIC_2": "第二类精神药品", "TOXIC": "医疗用毒性药品", "SPECIAL_COMPOUND": "含特殊药品复方制剂"}
NOT_TO_MINORS = frozenset({"PSYCHOTROPIC_2", "TOXIC"})
EPHEDRINE = "EPHEDRINE"
OF_AGE = 18


def check_may_enter(name: str, special_class: str, *, prescribed: bool) -> None:
    """Refuse what retail may never sell, and what it sells on a prescription only. Raises NeverAtRetail, SpecialNeedsPrescription."""
    if special_class in NEVER:
        raise NeverAtRetail(name=name, what=NEVER[special_class])
    if special_class in PRESCRIBED and not prescribed:
        raise SpecialNeedsPrescription(name=name, what=PRESCRIBED[special_class])


def limited(lines: Iterable[Line]) -> list[Line]:
    """The lines of ephedrine compounds sold without a prescription: who buys them is registered, and how many is limited."""
    return [line for line in lines if line.about.special_class == EPHEDRINE and not line.rx]


def packs_of(lines: Iterable[Line]) -> Decimal:
    """How many smallest packages lines make; single units are parts of one."""
    return sum((Decimal(line.quantity) / line.about.pack_size for line in lines), Decimal(0)).quantize(
        Decimal("0.000001")
    )


def check_age(lines: Iterable[Line], born: date | None, today: date) -> None:
    """Class-2 psychotropics and toxic drugs are never sold to a minor, where the birth date is known. Raises NotToMinors."""
    if born is None or today.year - born.year - ((today.month, today.day) < (born.month, born.day)) >= OF_AGE:
        return
    for line in lines:
        if line.about.special_class in NOT_TO_MINORS:
            raise NotToMinors(name=line.about.name, what=PRESCRIBED[line.about.special_class])
