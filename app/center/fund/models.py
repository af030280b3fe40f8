"""Tables of the fund, as migration 0002 makes them. The hot path reads and writes them by SQL; screens by these."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Identity, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.center.db import Model


class BenefitPolicy(Model):
    """A benefit policy with dates of effect (待遇政策). Closed and followed, never edited."""

    __tablename__ = "benefit_policy"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    version: Mapped[str]
    name: Mapped[str]
    area: Mapped[str]
    insutype: Mapped[str]
    person_class: Mapped[str]
    benefit_class: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    segments: Mapped[Any] = mapped_column(JSONB)


class AidPolicy(Model):
    """What another fund adds for an entitlement (补助、救助政策)."""

    __tablename__ = "aid_policy"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    version: Mapped[str]
    name: Mapped[str]
    area: Mapped[str]
    entitlement: Mapped[str]
    position: Mapped[int] = mapped_column(Integer)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    segment: Mapped[Any] = mapped_column(JSONB)


class PersonYear(Model):
    """What a person has used up in a year (年度累计)."""

    __tablename__ = "person_year"

    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"), primary_key=True)
    insutype: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    district: Mapped[str]
    deductible_fen: Mapped[int]
    inscope_fen: Mapped[int]
    aid_burden_fen: Mapped[int]
    hifp_fen: Mapped[int]
    hifob_fen: Mapped[int]
    cvlserv_fen: Mapped[int]
    hifes_fen: Mapped[int]
    hifmi_fen: Mapped[int]
    maf_fen: Mapped[int]
    oth_fen: Mapped[int]


class Message(Model):
    """A settling message and the answer it got (报文)."""

    __tablename__ = "message"

    institution_code: Mapped[str] = mapped_column(primary_key=True)
    msgid: Mapped[str] = mapped_column(primary_key=True)
    district: Mapped[str]
    infno: Mapped[str]
    digest: Mapped[bytes]
    state: Mapped[str]
    setl_id: Mapped[str | None]
    arrived_at: Mapped[datetime]
    answer: Mapped[bytes | None]


class Settlement(Model):
    """A settlement or the reversal of one (结算). Written once."""

    __tablename__ = "settlement"

    setl_id: Mapped[str] = mapped_column(primary_key=True)
    mdtrt_id: Mapped[str]
    institution_code: Mapped[str]
    district: Mapped[str]
    msgid: Mapped[str]
    infno: Mapped[str]
    reverses_setl_id: Mapped[str | None] = mapped_column(ForeignKey("settlement.setl_id"))
    replaces_setl_id: Mapped[str | None] = mapped_column(ForeignKey("settlement.setl_id"))
    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"))
    insutype: Mapped[str]
    year: Mapped[int] = mapped_column(Integer)
    person_class: Mapped[str]
    psn_type: Mapped[str]
    civil_servant: Mapped[bool]
    cert_type: Mapped[str]
    med_type: Mapped[str]
    disease: Mapped[str]
    operator: Mapped[str]
    operator_name: Mapped[str]
    terminal: Mapped[str]
    credential: Mapped[str]
    agent_lookup: Mapped[bytes | None]
    agent_sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    settled_at: Mapped[datetime]
    settled_on: Mapped[date]
    policy_on: Mapped[date]
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("benefit_policy.id"))
    ratio: Mapped[int] = mapped_column(Integer)
    total_fen: Mapped[int]
    full_fen: Mapped[int]
    over_fen: Mapped[int]
    pre_fen: Mapped[int]
    inscope_fen: Mapped[int]
    unpooled_fen: Mapped[int]
    account_segment_fen: Mapped[int]
    deductible_fen: Mapped[int]
    shared_fen: Mapped[int]
    copay_fen: Mapped[int]
    over_cap_fen: Mapped[int]
    aid_burden_fen: Mapped[int]
    hifp_fen: Mapped[int]
    hifob_fen: Mapped[int]
    cvlserv_fen: Mapped[int]
    hifes_fen: Mapped[int]
    hifmi_fen: Mapped[int]
    maf_fen: Mapped[int]
    oth_fen: Mapped[int]
    fund_fen: Mapped[int]
    person_fen: Mapped[int]
    current_fen: Mapped[int]
    prior_fen: Mapped[int]
    mutual_fen: Mapped[int]
    cash_fen: Mapped[int]
    balance_fen: Mapped[int]
    snapshot: Mapped[Any] = mapped_column(JSONB)
    identity: Mapped[Any] = mapped_column(JSONB)


class SettlementLine(Model):
    """A line of a settlement with its share of fund and deductible (结算明细)."""

    __tablename__ = "settlement_line"

    setl_id: Mapped[str] = mapped_column(ForeignKey("settlement.setl_id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    district: Mapped[str]
    number: Mapped[str]
    code: Mapped[str]
    own_code: Mapped[str]
    name: Mapped[str]
    price: Mapped[Decimal]
    quantity: Mapped[Decimal] = mapped_column(Numeric(16, 4))
    grade: Mapped[str]
    selfpay: Mapped[int] = mapped_column(Integer)
    ceiling: Mapped[Decimal | None]
    pooled: Mapped[bool]
    rxno: Mapped[str]
    amount_fen: Mapped[int]
    full_fen: Mapped[int]
    over_fen: Mapped[int]
    pre_fen: Mapped[int]
    inscope_fen: Mapped[int]
    fund_fen: Mapped[int]
    deductible_fen: Mapped[int]


class AccountEntry(Model):
    """A movement of a person's account (个人账户流水). Written once."""

    __tablename__ = "account_entry"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    psn_no: Mapped[str] = mapped_column(ForeignKey("account.psn_no"))
    district: Mapped[str]
    pot: Mapped[str]
    amount_fen: Mapped[int]
    balance_fen: Mapped[int]
    reason: Mapped[str]
    setl_id: Mapped[str | None] = mapped_column(ForeignKey("settlement.setl_id"))
    entered_at: Mapped[datetime]
