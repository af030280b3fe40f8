"""The facility wing's database, its actions and hot transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from app.core.db import COLUMN_TYPES, Database


class Base(DeclarativeBase):
    """Parent of every table of the facility wing."""

    registry = registry(type_annotation_map=COLUMN_TYPES)


db = Database("facility", Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

action, hot_action, run, transaction = db.action, db.hot_action, db.run, db.transaction


class OfTenant:
    """Mix-in of every table that belongs to a tenant 租户; keys lead with it."""

    tenant_id: Mapped[int] = mapped_column(
        primary_key=True,
        server_default=sa.text("nullif(current_setting('app.tenant_id', true), '')::bigint"),
        sort_order=-2,
    )
