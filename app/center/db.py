"""The center wing's database, its actions and hot transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import DeclarativeBase, registry

from app.core.db import COLUMN_TYPES, Database


class Base(DeclarativeBase):
    """Parent of every table of the center wing."""

    registry = registry(type_annotation_map=COLUMN_TYPES)


db = Database("center", Base)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

action, hot_action, run, transaction = db.action, db.hot_action, db.run, db.transaction
