"""Who gets how much of a refund: the counter and the clinic's cashier decide it the same way. Plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.facility.till.tenders import Tender

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.facility.insurance.messages import Split

INSURERS = ("fund", "account", "mutual")


def shares_of(split: Split | None, rest_fen: int) -> tuple[dict[str, int], int]:
    """What each insurer, and what the person, pays of what stays; without a split the person pays all of it."""
    if split is None:
        return {}, rest_fen
    return {"fund": split.fund_fen, "account": split.account_fen, "mutual": split.mutual_fen}, split.cash_fen


def give_back(paid: Sequence[Tender], shares: Mapping[str, int], own_fen: int) -> list[Tender]:
    """What goes back to each by the way it came, when insurance pays `shares` from now on and the person `own_fen`.

    Cash goes back first, as far as cash was paid; then the other means. Where the person owes more than before, it is cash.
    """
    now = {tender.kind: tender.amount_fen for tender in paid}
    changes = [Tender(kind, shares.get(kind, 0) - now.get(kind, 0)) for kind in INSURERS]
    own = sorted((one for one in paid if one.kind not in INSURERS), key=lambda one: one.kind != "cash")
    rest = sum(one.amount_fen for one in own) - own_fen
    if rest < 0:
        return [one for one in (*changes, Tender("cash", -rest)) if one.amount_fen]
    for one in own:
        part = min(rest, one.amount_fen)
        changes.append(Tender(one.kind, -part))
        rest -= part
    return [one for one in changes if one.amount_fen]


def cash_back(changes: Sequence[Tender]) -> int:
    """What of it leaves the drawer; below nothing where it comes in."""
    return -sum(tender.amount_fen for tender in changes if tender.kind == "cash")
