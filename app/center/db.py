"""The center wing's database, its actions and hot transactions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, registry

from app.core.db import Database


class Base(DeclarativeBase):
    """Parent of every table of the center wing."""

    registry = registry(
        type_annotation_map={
            int: sa.BigInteger(),
            str: sa.Text(),
            bytes: sa.LargeBinary(),
            datetime: sa.DateTime(timezone=True),
            date: sa.Date(),
            Decimal: sa.Numeric(16, 6),
            UUID: sa.Uuid(),
            dict[str, Any]: sa.JSON(),
        }
    )


db = Database("center", Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

action, hot_action, run, transaction = db.action, db.hot_action, db.run, db.transaction
