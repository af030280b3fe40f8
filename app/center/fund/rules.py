"""Adjudication: who pays how much of a document (DOMAIN 1.1-1.6). Pure; the same values give the same fen, always.

Line by line first (out of scope, over the ceiling, paid first by the person, in scope), then the document through the
segments of the policy, then what the person bears through the accounts, then back to the lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.center.fund.policy import WHOLE, Basis, Kind, Policy, Segment
from app.core.money import allocate, fen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

PAYERS = ("hifp", "hifob", "cvlserv", "hifes", "hifmi", "maf", "oth")
FUNDS_AFTER_CAP = ("hifob", "cvlserv", "hifes", "hifmi", "maf", "oth")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the catalog classifies it. `pooled`: the pooled fund may share it (at a pharmacy: reviewed prescription)."""

    price: Decimal
    quantity: Decimal
    grade: str  # A 甲, B 乙, C 丙 or out of the catalog
    selfpay: int = 0  # The share the person pays first, in basis points.
    ceiling: Decimal | None = None
    pooled: bool = True


@dataclass(frozen=True, slots=True)
class LineSplit:
    """What became of one line, in fen."""

    amount_fen: int
    full_fen: int
    over_fen: int
    pre_fen: int
    inscope_fen: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What a person has used up this year (年度累计)."""

    deductible_fen: int = 0
    inscope_fen: int = 0
    aid_burden_fen: int = 0
    paid_fen: dict[str, int] = field(default_factory=dict)  # Fund -> paid this year.


@dataclass(frozen=True, slots=True)
class Accounts:
    """A person's money at the center: this year's account, earlier years', and the family's mutual account."""

    current_fen: int = 0
    prior_fen: int = 0
    mutual_fen: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """The whole answer, in fen. Each part is never negative; DOMAIN 1.1's invariants hold."""

    lines: tuple[LineSplit, ...]
    total_fen: int
    full_fen: int
    over_fen: int
    pre_fen: int
    inscope_fen: int
    unpooled_fen: int  # In scope, but not shared by the pooled fund.
    account_segment_fen: int  # Paid by this year's account before the deductible (three-segment model).
    deductible_fen: int
    shared_fen: int  # What the fund and the person shared.
    copay_fen: int
    over_cap_fen: int
    ratio: int
    funds: dict[str, int]
    aid_burden_fen: int
    fund_fen: int
    person_fen: int
    current_fen: int
    prior_fen: int
    mutual_fen: int
    cash_fen: int

    @property
    def own_fen(self) -> int:
        """Paid by the person's own account."""
        return self.current_fen + self.prior_fen


def adjudicate(
    lines: Sequence[Line],
    policy: Policy,
    counters: Counters,
    accounts: Accounts,
    *,
    use_own: bool = True,
    use_mutual: bool = True,
    aids: Sequence[Segment] = (),
) -> Split:
    """Split a document between funds, accounts and cash (费用分割)."""
    splits = tuple(split_line(line) for line in lines)
    pooled_fen = sum(split.inscope_fen for line, split in zip(lines, splits, strict=True) if line.pooled)
    own = accounts if use_own else Accounts(mutual_fen=accounts.mutual_fen)
    course = _Course(pooled_fen, counters, own.current_fen)
    for segment in (*policy.segments, *aids):
        course.pass_through(segment)
    return _finish(splits, pooled_fen, course, own, use_mutual=use_mutual)


def split_line(line: Line) -> LineSplit:
    """Steps 1 to 5 of DOMAIN 1.1 for one line."""
    amount = fen(line.price, line.quantity)
    if line.grade == "C":
        return LineSplit(amount, amount, 0, 0, 0)
    over = 0
    if line.ceiling is not None and line.price > line.ceiling:
        over = min(fen(line.price - line.ceiling, line.quantity), amount)
    pre = part(amount - over, line.selfpay) if line.grade == "B" else 0
    return LineSplit(amount, 0, over, pre, amount - over - pre)


def part(amount_fen: int, ratio: int) -> int:
    """A ratio (basis points) of an amount, rounded half up."""
    return (amount_fen * ratio * 2 + WHOLE) // (2 * WHOLE)


class _Course:
    """The in-scope cost on its way through the segments."""

    def __init__(self, base_fen: int, counters: Counters, current_fen: int) -> None:
        self.left = base_fen
        self.base = base_fen
        self.counters = counters
        self.current = current_fen
        self.account = self.deductible = self.shared = self.copay = self.over_cap = self.aid_burden = 0
        self.ratio: int | None = None
        self.funds: dict[str, int] = {}

    def pass_through(self, segment: Segment) -> None:
        """Let one segment take its part."""
        if segment.kind is Kind.ACCOUNT:
            self.account = min(self.left, self.current)
            self.left -= self.account
        elif segment.kind is Kind.SELF:
            room = max(0, (segment.limit_fen or 0) - self.counters.deductible_fen)
            self.deductible = min(self.left, room)
            self.left -= self.deductible
        elif segment.kind is Kind.SHARED:
            self._share(segment)
        elif segment.kind is Kind.OVERCAP:
            self._over_cap(segment)
        else:
            self._aid(segment)

    def _share(self, segment: Segment) -> None:
        base = self.left
        if segment.upto_fen is not None:
            base = min(base, max(0, segment.upto_fen - self.counters.inscope_fen - self.shared))
        if self.ratio is None:
            self.ratio = segment.ratio
        wanted = part(base, segment.ratio)
        paid = min(wanted, self._room(segment))
        if paid < wanted:  # The cap is met inside this document: only what the fund still covers is shared.
            covered = min(base, (paid * WHOLE * 2 + segment.ratio) // (2 * segment.ratio))
            base = max(covered, paid)
        self._pay(segment.payer, paid)
        self.shared += base
        self.copay += base - paid
        self.left -= base

    def _over_cap(self, segment: Segment) -> None:
        self.over_cap = self.left
        self._pay(segment.payer, min(part(self.left, segment.ratio), self._room(segment)))

    def _aid(self, segment: Segment) -> None:
        paid_by_aids = sum(self.funds.get(payer, 0) for payer in ("cvlserv", "hifes", "hifmi", "maf", "oth"))
        unpaid = self.base - self.account - sum(self.funds.values())
        burden = {
            Basis.COPAY: self.copay - paid_by_aids,
            Basis.COPAY_AND_DEDUCTIBLE: self.copay + self.deductible - paid_by_aids,
            Basis.BURDEN: unpaid,
        }[segment.basis]
        burden = max(0, min(burden, unpaid))
        if segment.deductible_fen:
            self.aid_burden += burden
            burden = max(0, burden - max(0, segment.deductible_fen - self.counters.aid_burden_fen))
        self._pay(segment.payer, min(part(burden, segment.ratio), self._room(segment)))

    def _room(self, segment: Segment) -> int:
        if segment.limit_fen is None:
            return self.base
        used = self.counters.paid_fen.get(segment.payer, 0) + self.funds.get(segment.payer, 0)
        return max(0, segment.limit_fen - used)

    def _pay(self, payer: str, amount_fen: int) -> None:
        assert payer in PAYERS
        self.funds[payer] = self.funds.get(payer, 0) + amount_fen


def _finish(
    splits: tuple[LineSplit, ...], pooled_fen: int, course: _Course, own: Accounts, *, use_mutual: bool
) -> Split:
    """Steps 14 to 16: what the person bears, and out of which pocket."""
    total = sum(split.amount_fen for split in splits)
    inscope = sum(split.inscope_fen for split in splits)
    fund = sum(course.funds.values())
    person = total - fund
    # This year's account first; in the three-segment model it has paid its segment already and may be empty now.
    current = min(person, own.current_fen)
    prior = min(person - current, own.prior_fen)
    mutual = min(person - current - prior, own.mutual_fen) if use_mutual else 0
    return Split(
        lines=splits,
        total_fen=total,
        full_fen=sum(split.full_fen for split in splits),
        over_fen=sum(split.over_fen for split in splits),
        pre_fen=sum(split.pre_fen for split in splits),
        inscope_fen=inscope,
        unpooled_fen=inscope - pooled_fen,
        account_segment_fen=course.account,
        deductible_fen=course.deductible,
        shared_fen=course.shared,
        copay_fen=course.copay,
        over_cap_fen=course.left,
        ratio=course.ratio or 0,
        funds={payer: course.funds.get(payer, 0) for payer in PAYERS},
        aid_burden_fen=course.aid_burden,
        fund_fen=fund,
        person_fen=person,
        current_fen=current,
        prior_fen=prior,
        mutual_fen=mutual,
        cash_fen=person - current - prior - mutual,
    )


def allocate_to_lines(lines: Sequence[Line], split: Split) -> list[tuple[int, int]]:
    """Give each line its share of the fund and of the deductible, by in-scope share (DOMAIN 1.6 rule 4)."""
    weights = [part_.inscope_fen if line.pooled else 0 for line, part_ in zip(lines, split.lines, strict=True)]
    return list(zip(allocate(split.fund_fen, weights), allocate(split.deductible_fen, weights), strict=True))
