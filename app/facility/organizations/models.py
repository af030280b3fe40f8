"""Tables of organizations, as migration 0001 makes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.facility.db import Model, OfTenant


class Organization(Model):
    """An organization that signed up (租户): one clinic or a chain. It is the tenant."""

    __tablename__ = "organization"

    tenant_id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Facility(OfTenant, Model):
    """A designated institution of an organization (定点医药机构), with its national code and its agreement."""

    __tablename__ = "facility"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["organization.tenant_id"]),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    national_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    district: Mapped[str]
    district_name: Mapped[str]
    kind: Mapped[str]
    address: Mapped[str]
    agreement_from: Mapped[date | None]
    agreement_until: Mapped[date | None]
    licences: Mapped[list[Any]] = mapped_column(JSONB)
    center_secret: Mapped[bytes] = mapped_column(deferred=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Staff(OfTenant, Model):
    """A person who works for an organization (人员) and may sign in."""

    __tablename__ = "staff"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["organization.tenant_id"]),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    number: Mapped[str]
    name: Mapped[str]
    national_code: Mapped[str | None]
    password_hash: Mapped[str] = mapped_column(deferred=True)
    password_changed_at: Mapped[datetime]
    must_change: Mapped[bool]
    demo: Mapped[bool]
    totp_sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    totp_step: Mapped[int]
    session_version: Mapped[int]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class StaffRole(OfTenant, Model):
    """What a person may do (岗位), at one facility or, without one, in the whole organization."""

    __tablename__ = "staff_role"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        ForeignKeyConstraint(["tenant_id", "facility_id"], ["facility.tenant_id", "facility.id"]),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    staff_id: Mapped[int]
    facility_id: Mapped[int | None]
    role: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Terminal(OfTenant, Model):
    """A till or desk of a facility (终端): the browser whose device token an owner has registered."""

    __tablename__ = "terminal"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "facility_id"], ["facility.tenant_id", "facility.id"]),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    facility_id: Mapped[int]
    name: Mapped[str]
    token_hash: Mapped[bytes | None]
    registered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Attendance(OfTenant, Model):
    """A pharmacist came on duty or left it (药师在岗). Written once, never changed."""

    __tablename__ = "attendance"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "facility_id"], ["facility.tenant_id", "facility.id"]),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    facility_id: Mapped[int]
    staff_id: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime]
    terminal: Mapped[str]


class ParameterChange(OfTenant, Model):
    """A parameter's value from a moment on (参数). Written once, never changed."""

    __tablename__ = "parameter"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["organization.tenant_id"]),
        ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    value: Mapped[str]
    begins_at: Mapped[datetime]
    staff_id: Mapped[int]
    set_at: Mapped[datetime]


class SessionEnd(OfTenant, Model):
    """A session that was signed out; its cookie is worth nothing any more."""

    __tablename__ = "session_end"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),)

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[int]
    ended_at: Mapped[datetime]


class AuditTrail(OfTenant, Model):
    """Who did what to what, from where, with which result (审计日志). Written once, never changed."""

    __tablename__ = "audit_trail"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["organization.tenant_id"]),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    facility_id: Mapped[int | None]
    staff_id: Mapped[int | None]
    name: Mapped[str]
    act: Mapped[str]
    object: Mapped[str]
    result: Mapped[str]
    address: Mapped[str]
    terminal: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SignInGuard(Model):
    """Failures at the door, by a keyed hash of an account or an address. Belongs to no tenant."""

    __tablename__ = "sign_in_guard"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failed_count: Mapped[int]
    failed_at: Mapped[datetime]
