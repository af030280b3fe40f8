"""Projections of facts. Written by the inbox alone, read by officers within their district."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.center.db import Model


class Movement(Model):
    """A receipt, sale or refund at a facility (出入库单据)."""

    __tablename__ = "movement"

    stream: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    district: Mapped[str]
    kind: Mapped[str]
    document: Mapped[UUID]
    receipt: Mapped[str]
    at: Mapped[datetime]
    operator: Mapped[str]
    terminal: Mapped[str | None]
    paid: Mapped[str | None]
    total_fen: Mapped[int | None]
    setl_id: Mapped[str | None]
    reversed_setl_id: Mapped[str | None]
    fund_fen: Mapped[int | None]
    account_fen: Mapped[int | None]
    mutual_fen: Mapped[int | None]
    cash_fen: Mapped[int | None]
    original_document: Mapped[UUID | None]
    original_receipt: Mapped[str | None]
    reason: Mapped[str | None]
    act: Mapped[str | None]  # Of a moved document: what was done (transfer, hold, destruction …).
    approver: Mapped[str | None]
    counterpart: Mapped[str | None]  # The supplier, or the other facility of a transfer.
    delivery_note: Mapped[str | None]
    orphaned: Mapped[bool] = mapped_column(default=False)


class MovementLine(Model):
    """A line of a movement. The quantity is positive; the kind says which way the goods went.

    `line` is the place in the fact: a line of the document (`line_no`) that was taken from two lots has two places.
    """

    __tablename__ = "movement_line"

    stream: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer)
    district: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    document: Mapped[UUID]
    product: Mapped[str]
    national: Mapped[str | None]
    barcode: Mapped[str | None]
    name: Mapped[str]
    spec: Mapped[str | None]
    maker: Mapped[str | None]
    approval: Mapped[str | None]
    lot: Mapped[str]
    produced_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    quantity: Mapped[int]
    pack_size: Mapped[int | None]
    split: Mapped[bool] = mapped_column(default=False)
    price: Mapped[Decimal | None]
    amount_fen: Mapped[int | None]
    scanned_at: Mapped[datetime | None]
    original_line: Mapped[int | None] = mapped_column(Integer)
    goods: Mapped[str | None]
    zone: Mapped[str | None]
    code_count: Mapped[int] = mapped_column(Integer)
    act: Mapped[str | None]
    from_zone: Mapped[str | None]
    to_zone: Mapped[str | None]
    cost_price: Mapped[Decimal | None]
    rx: Mapped[str | None]
    orphaned: Mapped[bool] = mapped_column(default=False)


class TraceCode(Model):
    """A trace code the center has heard of (追溯码); the row is what those who judge it lock."""

    __tablename__ = "trace_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    first_heard_at: Mapped[datetime]


class TraceEvent(Model):
    """One code in one movement. `is_back` says that the pack came back from the buyer."""

    __tablename__ = "trace_event"

    stream: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    district: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    document: Mapped[UUID]
    original_document: Mapped[UUID | None]
    units: Mapped[int]
    pack_size: Mapped[int]
    split: Mapped[bool]
    is_back: Mapped[bool]
    orphaned: Mapped[bool] = mapped_column(default=False)


class Alert(Model):
    """Facts that contradict each other, put before a person (预警). Cleared when a late fact explains them."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    district: Mapped[str]
    kind: Mapped[str]
    code: Mapped[str | None]
    stream: Mapped[str]
    epoch: Mapped[int]
    number: Mapped[int]
    line: Mapped[int] = mapped_column(Integer, default=0)
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    cleared_reason: Mapped[str | None]
