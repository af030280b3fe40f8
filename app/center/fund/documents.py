"""The plain values that pass between the interface and the fund: a message, a purchase, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

    from app.center.fund.policy import Policy, Segment
    from app.center.fund.rules import Accounts, Counters, Line, Split

MOST_LINES = 200
MOST_CODES = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """A settling message as it arrived: who sent it, its id, and the digest of its bytes."""

    institution: str
    district: str
    msgid: str
    infno: str
    digest: bytes
    arrived_at: datetime
    operator: str
    operator_name: str


@dataclass(frozen=True, slots=True)
class TraceCode:
    """A scanned code of one pack; split when part of the pack is sold (拆零)."""

    code: str
    split: bool


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """A line as the institution sends it."""

    number: str
    code: str
    own_code: str
    price: Decimal
    quantity: Decimal
    amount_fen: int
    rxno: str
    codes: tuple[TraceCode, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """How the person was recognised: keyed hashes only."""

    kind: str  # mdtrt_cert_type: 01 e-certificate token, 02 citizen id, 03 card
    lookup: bytes
    certno_lookup: bytes | None
    read: str | None = None  # typed | card | ecert


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase at a pharmacy, or a batch of a visit's lines, to be split or settled (药店购药、门诊收费)."""

    psn_no: str
    insutype: str
    med_type: str
    total_fen: int
    credential: Credential
    use_own: bool
    use_mutual: bool
    lines: tuple[PurchaseLine, ...]
    disease: str = ""
    terminal: str = ""
    agent: bytes | None = None  # Keyed hash of the agent's number.
    agent_sealed: bytes | None = None
    replaces: str = ""
    expected: tuple[int, int, int, int] | None = None  # fund, own, mutual, cash
    override: str = ""
    mdtrt_id: str = ""  # The visit that is settled; a purchase gets an id of its own.
    parts: tuple[int, int, int, int] | None = None  # full, over, pre, in scope, as the trial said them.


@dataclass(frozen=True, slots=True)
class Person:
    """What the answer says of the person."""

    psn_no: str
    name: str
    sex: str
    ethnicity: str
    born_on: date
    age: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What becomes of one scanned code: it is held, shares a split pack, or was sold before."""

    line: str
    code: str
    split: bool
    holds: bool
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a document is adjudicated. Kept with the settlement, word for word."""

    policy: Policy
    aids: tuple[Segment, ...]
    policy_on: date
    person_class: str
    psn_type: str
    civil_servant: bool
    coverage_status: str
    entitlements: tuple[Mapping[str, Any], ...]

    @property
    def pools(self) -> bool:
        """Whether the pooled fund may pay at all; not while contributions are in arrears."""
        return self.coverage_status == "normal"

    def as_json(self) -> dict[str, Any]:
        policy = self.policy
        segments = [segment.as_json() for segment in policy.segments]
        return {
            "policy": {"id": policy.id, "version": policy.version, "name": policy.name, "segments": segments},
            "aids": [segment.as_json() for segment in self.aids],
            "policy_on": self.policy_on.isoformat(),
            "person_class": self.person_class,
            "psn_type": self.psn_type,
            "civil_servant": self.civil_servant,
            "coverage_status": self.coverage_status,
            "entitlements": list(self.entitlements),
        }


@dataclass(frozen=True, slots=True)
class Item:
    """What the catalog says of a line on the day."""

    name: str
    grade: str
    selfpay: int
    ceiling: Decimal | None
    contrary: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """An adjudicated document, before or after it is written."""

    setl_id: str
    mdtrt_id: str
    at: datetime
    person: Person
    purchase: Purchase
    terms: Terms
    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    split: Split
    counters: Counters
    accounts: Accounts
    identity: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()

    @property
    def balance_fen(self) -> int:
        """Own account after this document."""
        return self.accounts.current_fen + self.accounts.prior_fen - self.split.own_fen

    def room_fen(self, fund: str) -> int:
        """How much a fund could still pay this year before this document."""
        segments = (*self.terms.policy.segments, *self.terms.aids)
        limit = next((segment.limit_fen for segment in segments if segment.payer == fund), None)
        if limit is None:
            return self.split.inscope_fen
        return max(0, limit - self.counters.paid_fen.get(fund, 0))

    @property
    def duplicates(self) -> Sequence[Claim]:
        return [claim for claim in self.claims if claim.duplicate]


Judge = Callable[[datetime, Mapping[str, Any], Mapping[str, int]], Mapping[str, Any]]
Writer = Callable[[Draft], bytes]
