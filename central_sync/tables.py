"""The bridge's own tables. The wings' migrations create them; a test compares the two.

`facility` holds the sending side, `center` the receiving side: two metadata, because they live in two databases.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text

facility = MetaData()
center = MetaData()


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# Where a facility's stream stands (流头); also hands out its receipt and message numbers, so there is one hot row.
stream_head = Table(
    "stream_head",
    facility,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("facility_id", BigInteger, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sent_number", BigInteger, nullable=False),
    _moment("sent_at", nullable=True),
    Column("relay_state", Text, nullable=False),
    Column("relay_note", Text, nullable=False),
    _moment("relay_at", nullable=True),
    Column("sealed_number", BigInteger, nullable=False),
    Column("sealed_hash", LargeBinary),
    Column("sealed_signature", LargeBinary),
    _moment("sealed_at", nullable=True),
    Column("receipt_day", Date),
    Column("receipt_number", Integer, nullable=False),
    Column("message_number", Integer, nullable=False),
)

# Each stretch of a stream between two restores, and how the stretch before it was left.
stream_epoch = Table(
    "stream_epoch",
    facility,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("facility_id", BigInteger, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("from_number", BigInteger, nullable=False),
    Column("from_hash", LargeBinary, nullable=False),
    Column("left_number", BigInteger),
    Column("left_hash", LargeBinary),
    _moment("opened_at"),
)

# Facts written in the same transaction as what they tell of (发件箱). Only added to.
outbox = Table(
    "outbox",
    facility,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("facility_id", BigInteger, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _moment("written_at"),
)

# One row a relay shard, written every second; health reads it.
relay_heartbeat = Table(
    "relay_heartbeat",
    facility,
    Column("shard", Integer, primary_key=True),
    Column("shards", Integer, nullable=False),
    Column("process", Integer, nullable=False),
    _moment("started_at"),
    _moment("beat_at"),
    Column("waiting", BigInteger, nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("note", Text, nullable=False),
)

# Where a facility stands with the news of the center (下行消息), and whether both sides agree.
facility_news_head = Table(
    "news_head",
    facility,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("facility_id", BigInteger, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("note", Text, nullable=False),
    _moment("pulled_at", nullable=True),
)

# Every item of news a facility took, with the reason where it could not be applied. Only added to.
facility_news = Table(
    "news",
    facility,
    Column("tenant_id", BigInteger, primary_key=True),
    Column("facility_id", BigInteger, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("set_aside", Text),
    _moment("received_at"),
)

# What the center tells one institution: its newest number and hash, and what the institution said it has.
center_news_head = Table(
    "news_head",
    center,
    Column("stream", Text, primary_key=True),
    Column("district", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("pulled_number", BigInteger, nullable=False),
    _moment("pulled_at", nullable=True),
    _moment("asked_at", nullable=True),
    _moment("opened_at"),
)

center_news = Table(
    "news",
    center,
    Column("stream", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _moment("published_at"),
)

# Where the center stands with a facility's stream; application may stand still at a refused fact.
inbox_stream = Table(
    "inbox_stream",
    center,
    Column("stream", Text, primary_key=True),
    Column("district", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("applied_number", BigInteger, nullable=False),
    Column("set_aside_number", BigInteger),
    Column("set_aside_reason", Text),
    _moment("set_aside_at", nullable=True),
    _moment("opened_at"),
    _moment("received_at", nullable=True),
    Column("verified_number", BigInteger, nullable=False),
    _moment("verified_at", nullable=True),
)

inbox_epoch = Table(
    "inbox_epoch",
    center,
    Column("stream", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("district", Text, nullable=False),
    Column("from_number", BigInteger, nullable=False),
    Column("from_hash", LargeBinary, nullable=False),
    Column("left_number", BigInteger),
    Column("left_hash", LargeBinary),
    _moment("opened_at"),
)

# Every fact ever received and verified (收件箱). Only added to; a fact lost by a restore is marked orphaned (孤立).
inbox_fact = Table(
    "inbox_fact",
    center,
    Column("stream", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _moment("received_at"),
    _moment("orphaned_at", nullable=True),
)
