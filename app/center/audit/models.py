"""Tables of the audit, as migration 0002 makes them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from app.center.db import Model


class SignalWeight(Model):
    """The weight of an identity signal, or a limit of the score, with dates of effect (信号权重)."""

    __tablename__ = "signal_weight"

    signal: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_until: Mapped[date | None]
    weight: Mapped[int] = mapped_column(Integer)
