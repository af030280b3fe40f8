"""The contract of news: what the center tells facilities, and what each body holds (消息契约). Checked on both sides.

As with facts: UTF-8 JSON without personal data, moments in UTC. A kind that a facility does not know is set aside there and
stops nothing, so new kinds may come before everybody understands them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from central_sync.contract import OutsideContract

if TYPE_CHECKING:
    from collections.abc import Mapping

Moment = Annotated[datetime, Meta(tz=True)]
Number = Annotated[str, Meta(min_length=1, max_length=60)]
Line = Annotated[str, Meta(max_length=400)]
Paragraph = Annotated[str, Meta(max_length=4000)]
Lot = Annotated[str, Meta(min_length=1, max_length=100)]
TraceCode = Annotated[str, Meta(min_length=1, max_length=80)]

MOST_LOTS = 200
MOST_CODES = 2000
MOST_DOCUMENTS = 50


class _Body(Struct, forbid_unknown_fields=True):
    """A body says what it says and nothing more."""


class RecalledProduct(_Body):
    """What is recalled: whatever is given must be the same at the facility, and the national code, the approval number, or the
    name together with the maker has to be given.
    """

    name: Line
    national: Line | None = None
    approval: Line | None = None
    spec: Line | None = None
    maker: Line | None = None


class RecallIssued(_Body):
    """A product is called back (召回): these lots, or all when none is named, or only these packs when codes are named."""

    recall: UUID
    number: Number
    level: Annotated[int, Meta(ge=1, le=3)]
    issued_at: Moment
    deadline_at: Moment
    issuer: Line
    product: RecalledProduct
    reason: Paragraph
    instructions: Paragraph
    lots: Annotated[list[Lot], Meta(max_length=MOST_LOTS)] = []
    codes: Annotated[list[TraceCode], Meta(max_length=MOST_CODES)] = []


class RecallClosed(_Body):
    """A recall is over (召回结束): what stayed frozen because of it may be released."""

    recall: UUID
    number: Number
    closed_at: Moment
    summary: Paragraph


class NoticePublished(_Body):
    """The center tells its facilities something (通知)."""

    notice: UUID
    number: Number
    published_at: Moment
    issuer: Line
    title: Line
    text: Paragraph
    level: Literal["info", "warn"] = "info"


class RecordViewed(_Body):
    """Another institution read this one's records of somebody it has registered (跨机构调阅): which, never whose by name."""

    viewed_at: Moment
    viewer: Line
    visits: Annotated[int, Meta(ge=0)]
    drugs: Annotated[int, Meta(ge=0)]
    documents: Annotated[list[Number], Meta(max_length=MOST_DOCUMENTS)]


class ReferralMoved(_Body):
    """A referral (转诊单) came to this institution, or one of its own was moved on; whose and why is asked for by its number."""

    referral: Number
    moved_at: Moment
    direction: Literal["in", "out"]
    other: Line
    state: Literal["SENT", "ACCEPTED", "DECLINED", "CLOSED", "WITHDRAWN"]
    urgent: bool


KINDS: dict[tuple[str, int], type[Struct]] = {
    ("recall.issued", 1): RecallIssued,
    ("recall.closed", 1): RecallClosed,
    ("notice.published", 1): NoticePublished,
    ("record.viewed", 1): RecordViewed,
    ("referral.moved", 1): ReferralMoved,
}

_decoders = {key: msgspec.json.Decoder(body) for key, body in KINDS.items()}


def read(kind: str, version: int, body: bytes) -> Any:
    """Read a body as its struct. Raises OutsideContract."""
    decoder = _decoders.get((kind, version))
    if decoder is None:
        raise OutsideContract(f"unknown kind {kind} version {version}")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise OutsideContract(f"{kind} {version}: {failure}") from failure


def compose(kind: str, body: Mapping[str, Any], version: int = 1) -> bytes:
    """Check a body and return its very bytes. Raises OutsideContract."""
    told = msgspec.json.encode(body)
    read(kind, version, told)
    return told
