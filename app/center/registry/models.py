"""Tables of the registry, as migration 0002 makes them. The hot path reads and writes them by SQL; screens by these."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Identity, Integer, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.center.db import Model


class Institution(Model):
    """A designated institution (定点医药机构): its agreement, place, policy class and sealed secret."""

    __tablename__ = "institution"

    code: Mapped[str] = mapped_column(primary_key=True)
    district: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    benefit_class: Mapped[str]
    secret_sealed: Mapped[bytes] = mapped_column(deferred=True)
    agreement_from: Mapped[date]
    agreement_until: Mapped[date]
    suspended_until: Mapped[date | None]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    registered_at: Mapped[datetime]


class Parameter(Model):
    """A parameter with dates of effect, for everybody (`*`) or one institution (参数)."""

    __tablename__ = "parameter"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    scope: Mapped[str]
    name: Mapped[str]
    value: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]


class Person(Model):
    """An insured person (参保人). Numbers are sealed; keyed hashes find them."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("card_lookup", name="person_card_key"),
        UniqueConstraint("certno_lookup", name="person_certno_key"),
    )

    psn_no: Mapped[str] = mapped_column(primary_key=True)
    district: Mapped[str]
    name: Mapped[str]
    cert_type: Mapped[str]
    certno_sealed: Mapped[bytes] = mapped_column(deferred=True)
    certno_lookup: Mapped[bytes]
    card_sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    card_lookup: Mapped[bytes | None]
    sex: Mapped[str]
    ethnicity: Mapped[str]
    born_on: Mapped[date]
    status: Mapped[str]
    status_reason: Mapped[str]
    watched: Mapped[bool]


class Coverage(Model):
    """A person's insurance of one kind (参保信息)."""

    __tablename__ = "coverage"

    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"), primary_key=True)
    insutype: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_until: Mapped[date | None]
    district: Mapped[str]
    person_class: Mapped[str]
    psn_type: Mapped[str]
    status: Mapped[str]
    civil_servant: Mapped[bool]
    employer: Mapped[str]


class Entitlement(Model):
    """What a person is entitled to besides: chronic disease, low income, family doctor (待遇资格)."""

    __tablename__ = "entitlement"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"))
    district: Mapped[str]
    kind: Mapped[str]
    detail: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]


class AccountOfPerson(Model):
    """A person's money (个人账户): this year's, earlier years', and the family's mutual account (家庭共济)."""

    __tablename__ = "account"

    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"), primary_key=True)
    district: Mapped[str]
    current_fen: Mapped[int]
    prior_fen: Mapped[int]
    mutual_fen: Mapped[int]


class CatalogItem(Model):
    """An item of the national catalog with dates of effect (医保目录)."""

    __tablename__ = "catalog_item"

    code: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_until: Mapped[date | None]
    name: Mapped[str]
    kind: Mapped[str]
    grade: Mapped[str]
    selfpay: Mapped[int] = mapped_column(Integer)
    ceiling: Mapped[Decimal | None]
    prescription: Mapped[bool]
    restriction: Mapped[str]
    sex_limit: Mapped[str | None]
    age_from: Mapped[int | None] = mapped_column(Integer)
    age_to: Mapped[int | None] = mapped_column(Integer)
    diseases: Mapped[Any] = mapped_column(JSONB)


class CodeClaim(Model):
    """A sale of a trace code that the center heard of; one of them holds the code (追溯码占用)."""

    __tablename__ = "code_claim"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    code: Mapped[str]
    institution_code: Mapped[str]
    district: Mapped[str]
    source: Mapped[str]
    document: Mapped[str]
    line: Mapped[str]
    split: Mapped[bool]
    holds: Mapped[bool]
    duplicate: Mapped[bool]
    claimed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class SignOn(Model):
    """An operator's day (签到)."""

    __tablename__ = "sign_on"
    __table_args__ = (UniqueConstraint("institution_code", "operator", "signed_on", name="sign_on_day_key"),)

    sign_no: Mapped[str] = mapped_column(primary_key=True)
    institution_code: Mapped[str]
    district: Mapped[str]
    operator: Mapped[str]
    signed_on: Mapped[date]
    signed_on_at: Mapped[datetime]
    signed_off_at: Mapped[datetime | None]


class EcertCode(Model):
    """A code as a phone showed it (医保码); only its keyed hash is kept."""

    __tablename__ = "ecert_code"

    lookup: Mapped[bytes] = mapped_column(primary_key=True)
    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    exchanged_at: Mapped[datetime | None]


class EcertToken(Model):
    """The token an institution got for a code; short-lived, good for one settlement."""

    __tablename__ = "ecert_token"

    lookup: Mapped[bytes] = mapped_column(primary_key=True)
    psn_no: Mapped[str] = mapped_column(ForeignKey("person.psn_no"))
    institution_code: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class EcertUse(Model):
    """The settlement a token paid."""

    __tablename__ = "ecert_use"

    lookup: Mapped[bytes] = mapped_column(primary_key=True)
    setl_id: Mapped[str]
    used_at: Mapped[datetime]
