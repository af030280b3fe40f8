"""What the fund would pay of the sheets being written (预计统筹), as the center reckons it for the same lines (S002).

It stands at the desk's foot and promises nothing: what is paid is asked anew at the cashier. Nobody waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import Outage, words
from app.facility.clinic.desk import wire
from app.facility.clinic.desk.checking import ask, psn_no_of
from app.facility.insurance import identify
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from app.core.errors import Words
    from app.core.tenancy import Desk
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.desk.rules import Content

SELF_PAID, AWAY, REFUSED = words("自费就诊"), words("中心没有回答"), words("中心不受理")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Who would pay what, in fen; or why that is not known."""

    fund_fen: int = 0
    person_fen: int = 0
    why: Words | None = None


def estimate(
    desk: Desk, visit: Any, content: Content, cards: Mapping[int, ProductCard], paid: Collection[UUID] = ()
) -> Estimate | None:
    """Ask about all lines that are not paid yet; None when there is none."""
    lines = wire.costs(content, cards, paid)
    if not lines:
        return None
    if not visit.mdtrt_id or visit.identification_id is None:
        return Estimate(why=SELF_PAID)
    loaded: Any = identify.get(desk, visit.identification_id)
    try:
        answer = ask(desk, "S002", wire.estimate(visit, psn_no_of(desk, loaded), lines), loaded.sign_no or "")
    except Outage:
        return Estimate(why=AWAY)
    if answer is None:
        return Estimate(why=REFUSED)
    told = answer["setlinfo"]
    return Estimate(amounts.fen_of(told["fund_pay_sumamt"]), amounts.fen_of(told["psn_part_amt"]))
