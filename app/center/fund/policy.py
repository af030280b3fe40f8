"""What a benefit policy is made of: segments in order (待遇政策分段). Plain values; read from and written to JSON.

The usual order is SELF (deductible), SHARED (fund and person), OVERCAP (large-amount aid), then AID. Ningbo's employees
begin with ACCOUNT: this year's account pays before the deductible starts (DOMAIN 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = 10_000  # A ratio of 1 in basis points; the wire carries four decimals.


class Kind(StrEnum):
    """What happens to the in-scope cost that reaches a segment."""

    ACCOUNT = "ACCOUNT"  # This year's personal account pays until it is empty.
    SELF = "SELF"  # The person pays until the year's limit is used up (起付线 / 自负段).
    SHARED = "SHARED"  # The fund pays a ratio, the person the rest, until the fund's cap (统筹).
    OVERCAP = "OVERCAP"  # What lies above the cap: another fund pays a ratio (大额).
    AID = "AID"  # Another fund pays a ratio of what the person still bears (公务员补助 / 救助 …).


class Basis(StrEnum):
    """Which burden of the person an aid looks at."""

    COPAY = "copay"  # The person's share beside the fund.
    COPAY_AND_DEDUCTIBLE = "copay_and_deductible"
    BURDEN = "burden"  # All of the in-scope cost that nobody has paid yet.


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a policy. `payer` is the fund's field on the wire without `_pay`."""

    kind: Kind
    payer: str = ""
    ratio: int = 0  # In basis points.
    limit_fen: int | None = None  # A year's limit of what this segment pays or takes.
    upto_fen: int | None = None  # SHARED: covers the year's accumulated in-scope cost up to here.
    basis: Basis = Basis.BURDEN
    deductible_fen: int = 0  # AID: a year's deductible of its own.

    def as_json(self) -> dict[str, Any]:
        """Write down only what differs from nothing."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.kind is not Kind.AID:
            del told["basis"]
        return {name: value for name, value in told.items() if value not in (None, "", 0)}


@dataclass(frozen=True, slots=True)
class Policy:
    """A published policy row: who it is for was decided when it was found (DOMAIN 1.4)."""

    id: int
    version: str
    name: str
    segments: tuple[Segment, ...]

    @property
    def deductible_fen(self) -> int | None:
        """The year's deductible, if the policy has one."""
        return next((segment.limit_fen for segment in self.segments if segment.kind is Kind.SELF), None)

    @property
    def ratio(self) -> int:
        """The fund's ratio in its first shared segment, in basis points."""
        return next((segment.ratio for segment in self.segments if segment.kind is Kind.SHARED), 0)


NO_POLICY = Policy(0, "", "无统筹待遇", ())


def read_segment(told: Mapping[str, Any]) -> Segment:
    """Read a segment from JSON."""
    return Segment(**{**told, "kind": Kind(told["kind"]), "basis": Basis(told.get("basis", Basis.BURDEN))})


def read_policy(told: Mapping[str, Any] | None) -> Policy:
    """Read a policy from a row's JSON; nothing found means that no fund shares the cost."""
    if told is None:
        return NO_POLICY
    return Policy(
        told["id"], told["version"], told["name"], tuple(read_segment(segment) for segment in told["segments"])
    )
