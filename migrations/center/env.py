"""Runs the migrations of the center wing, one transaction each, as center_owner."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import create_engine, text


def run() -> None:
    url = context.config.attributes.get("url") or os.environ["SUNMED_MIGRATE_URL"]
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '5s'"))
        connection.execute(text("set statement_timeout = '10min'"))
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True, version_table="migration")
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
