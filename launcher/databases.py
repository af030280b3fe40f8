"""Makes the two wings' databases on a server: roles, databases, extensions, migrations; and says their addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent
ROLES = {
    "facility": ("owner", "app", "worker", "relay", "backup"),
    "center": ("owner", "app", "interface", "inbox", "backup"),
}
# The in-process transport ignores the caller's time-out, so the database's roles carry the limits.
LIMITS = {
    "app": {"lock_timeout": "5s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"},
    "interface": {"lock_timeout": "3s", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "10s"},
    "worker": {"lock_timeout": "5s", "statement_timeout": "30s"},
    "relay": {"lock_timeout": "5s", "statement_timeout": "30s"},
    "inbox": {"lock_timeout": "5s", "statement_timeout": "30s"},
}


def prepare(admin_url: str, wing: str, passwords: dict[str, str], database: str | None = None) -> dict[str, str]:
    """Make roles and database of a wing where missing, migrate it, and return the address of each role."""
    name = database or wing
    with administer(admin_url) as connection:
        make_roles(connection, wing, passwords)
        make_database(connection, wing, name)
    with psycopg.connect(plain(admin_url, name), autocommit=True) as connection:
        for extension in ("pg_trgm", "btree_gist"):
            connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))
        connection.execute("revoke create on schema public from public")
        connection.execute(
            sql.SQL("grant create, usage on schema public to {}").format(sql.Identifier(f"{wing}_owner"))
        )
    urls = addresses(admin_url, wing, passwords, name)
    migrate(wing, urls["owner"])
    return urls


def addresses(admin_url: str, wing: str, passwords: dict[str, str], database: str | None = None) -> dict[str, str]:
    """Return the address of each role of a wing, in SQLAlchemy's form."""
    base = make_url(plain(admin_url)).set(drivername="postgresql+psycopg", database=database or wing)
    return {
        role: base.set(username=f"{wing}_{role}", password=passwords[f"{wing}_{role}"]).render_as_string(
            hide_password=False
        )
        for role in ROLES[wing]
    }


def migrate(wing: str, owner_url: str, revision: str = "head") -> None:
    """Bring a wing's schema to a revision."""
    config = configuration(wing, owner_url)
    command.upgrade(config, revision)


def configuration(wing: str, owner_url: str) -> Config:
    """Alembic's configuration of a wing."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations" / wing))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = owner_url
    return config


def make_roles(connection: psycopg.Connection, wing: str, passwords: dict[str, str]) -> None:
    for role in ROLES[wing]:
        name = f"{wing}_{role}"
        known = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
        verb = "alter" if known else "create"
        connection.execute(
            sql.SQL(verb + " role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}").format(
                sql.Identifier(name), sql.Literal(passwords[name])
            )
        )
        for setting, value in LIMITS.get(role, {}).items():
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                )
            )


def make_database(connection: psycopg.Connection, wing: str, name: str) -> None:
    if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        return
    connection.execute(
        sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(f"{wing}_owner"))
    )
    connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
    for role in ROLES[wing]:
        connection.execute(
            sql.SQL("grant connect on database {} to {}").format(sql.Identifier(name), sql.Identifier(f"{wing}_{role}"))
        )


def administer(admin_url: str) -> psycopg.Connection:
    """Connect to a server as its administrator, beside the wing's database, which may not be there yet."""
    return psycopg.connect(plain(admin_url, "postgres"), autocommit=True)


def plain(url: str, database: str | None = None) -> str:
    """An address as libpq reads it, perhaps for another database of the same server."""
    made = make_url(url).set(drivername="postgresql")
    if database:
        made = made.set(database=database)
    return made.render_as_string(hide_password=False).replace("+psycopg", "")


def connect(url: str, **options: object) -> psycopg.Connection:
    """Connect with psycopg to an address in SQLAlchemy's form."""
    return psycopg.connect(plain(url), **options)  # type: ignore[arg-type]


def quoted(path: Path) -> str:
    """A path as part of an address."""
    return quote(str(path), safe="")
