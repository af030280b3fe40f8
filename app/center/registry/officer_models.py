"""Tables of the center's people, as migration 0001 makes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.center.db import Model


class Officer(Model):
    """Somebody who works for the center (经办人员): one role, one district prefix."""

    __tablename__ = "officer"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    district: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str] = mapped_column(deferred=True)
    password_changed_at: Mapped[datetime]
    must_change: Mapped[bool]
    demo: Mapped[bool]
    totp_sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    totp_step: Mapped[int]
    session_version: Mapped[int]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class SessionEnd(Model):
    """A session that was signed out; its cookie is worth nothing any more."""

    __tablename__ = "session_end"

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str]
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    ended_at: Mapped[datetime]


class AuditTrail(Model):
    """Who did what to what, from where, with which result (审计日志). Written once, never changed."""

    __tablename__ = "audit_trail"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    district: Mapped[str]
    at: Mapped[datetime]
    officer_id: Mapped[int | None]
    name: Mapped[str]
    act: Mapped[str]
    object: Mapped[str]
    result: Mapped[str]
    address: Mapped[str]
    terminal: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SignInGuard(Model):
    """Failures at the door, by a keyed hash of an account or an address."""

    __tablename__ = "sign_in_guard"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    failed_count: Mapped[int]
    failed_at: Mapped[datetime]
