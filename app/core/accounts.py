"""Accounts as the door sees them: the same for staff of a facility and officers of the center.

A wing's table of persons (`staff`, `officer`) carries the same columns for signing in; this module writes them.
Failures are counted per account and per address before a password is looked at, so that parallel guesses count too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.core import clock, personal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.db import Database

LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
ADDRESS_LOCK_AFTER = 60  # A shop has one address for all tills, a chain perhaps one for all shops.
_OLD = timedelta(days=1)
_COLUMNS = """
    id, name, number, password_hash, password_changed_at, must_change, demo, disabled_at is not null as disabled,
    totp_sealed, totp_step, session_version
"""

# Counts one try. While locked the moment of the last counted failure stays, so the wait does not grow.
STRIKE = """
insert into sign_in_guard as g (key, failed_count, failed_at) values (%(key)s, 1, %(now)s)
on conflict (key) do update set
    failed_count = case when g.failed_at < %(since)s then 1 else least(g.failed_count + 1, 1000000) end,
    failed_at = case when g.failed_at >= %(since)s and g.failed_count >= %(most)s then g.failed_at else %(now)s end
returning failed_count, failed_at
"""
FORGIVE = "delete from sign_in_guard where key = %(key)s"
GIVE_BACK = "update sign_in_guard set failed_count = greatest(failed_count - 1, 0) where key = %(key)s"
SWEEP = """
delete from sign_in_guard where key in (
    select key from sign_in_guard where failed_at < %(before)s limit 50 for update skip locked
)
"""


@dataclass(frozen=True)
class Account:
    """One row at the door. `realm` says whose it is: a tenant's number, or a district of the center."""

    realm: int | str
    id: int
    name: str
    number: str
    password_hash: str
    password_changed_at: datetime
    must_change: bool
    demo: bool
    disabled: bool
    totp_sealed: bytes | None
    totp_step: int
    session_version: int


@dataclass(frozen=True)
class Accounts:
    """Writes the sign-in columns of one wing's table of persons. Acts run in the scope of the account."""

    db: Database
    table: str
    realm_column: str

    def find(self, code: str, name: str) -> Account | None:
        """Find who stands at the door by code and name or number; row-level security shows this one sign-in only.

        A number wins over a name; of two people with the same name neither is found, they use their numbers.
        """
        statement = (
            f"select {self.realm_column} as realm, {_COLUMNS} from {self.table} order by number = %(name)s desc limit 2"
        )
        with self.db.transaction(settings={"app.login": f"{code}/{name}"}) as hot:
            rows = hot.run_last(statement, {"name": name})
        if not rows or (len(rows) > 1 and rows[0].number != name):
            return None
        return Account(**rows[0]._asdict())

    def get(self, account_id: int) -> Account | None:
        """Read an account again, in its own scope."""
        statement = f"select {self.realm_column} as realm, {_COLUMNS} from {self.table} where id = %(id)s"
        with self.db.transaction() as hot:
            rows = hot.run_last(statement, {"id": account_id})
        return Account(**rows[0]._asdict()) if rows else None

    def strike(self, account_key: bytes, address_key: bytes) -> datetime | None:
        """Count one try at the door; return until when the door is locked, or None when it may be tried."""
        moment = clock.now()
        since = moment - LOCK_FOR
        batch = [
            (STRIKE, {"key": account_key, "now": moment, "since": since, "most": LOCK_AFTER}),
            (STRIKE, {"key": address_key, "now": moment, "since": since, "most": ADDRESS_LOCK_AFTER}),
        ]
        with self.db.transaction(settings={}) as hot:
            (account,), (address,) = hot.run_all(batch, last=True)
        locked = [
            row.failed_at
            for row, most in ((account, LOCK_AFTER), (address, ADDRESS_LOCK_AFTER))
            if row.failed_count > most
        ]
        return max(locked) + LOCK_FOR if locked else None

    def forgive(self, account_key: bytes, address_key: bytes) -> None:
        """Forget the failures of an account that has just come in, and clear away what is a day old."""
        with self.db.transaction(settings={}) as hot:
            hot.run_all(
                [
                    (FORGIVE, {"key": account_key}),
                    (GIVE_BACK, {"key": address_key}),
                    (SWEEP, {"before": clock.now() - _OLD}),
                ],
                last=True,
            )

    def unlock(self, account_id: int) -> None:
        """Forget the failures of an account, because an administrator says so."""
        with self.db.transaction(settings={}) as hot:
            hot.run_last(FORGIVE, {"key": self.key(account_id)})

    def locked(self, ids: list[int]) -> set[int]:
        """Which of these accounts are locked now, in one statement."""
        keys = {self.key(account_id): account_id for account_id in ids}
        statement = (
            "select key from sign_in_guard where key = any(:keys) and failed_count >= :most and failed_at >= :since"
        )
        rows = self.db.run(statement, keys=list(keys), most=LOCK_AFTER, since=clock.now() - LOCK_FOR)
        return {keys[bytes(row.key)] for row in rows}

    def key(self, account_id: int) -> bytes:
        """The key under which the failures of a known account are counted; ids are unique in a whole wing."""
        return personal.lookup(f"door:{self.table}:{account_id}")

    def save_password(self, account_id: int, password_hash: str, *, must_change: bool) -> int:
        """Store a new password and end every session of the account; returns the new session version."""
        return self._write(
            account_id,
            "password_hash = :password_hash, must_change = :must_change, password_changed_at = :at, session_version = session_version + 1",
            {"password_hash": password_hash, "must_change": must_change, "at": clock.now()},
        )

    def save_rehash(self, account_id: int, password_hash: str) -> None:
        """Store the same password hashed with today's parameters."""
        self._write(account_id, "password_hash = :password_hash", {"password_hash": password_hash})

    def save_totp(self, account_id: int, sealed: bytes | None, step: int = 0) -> int:
        """Store or take away the second factor and end other sessions; returns the new session version."""
        return self._write(
            account_id,
            "totp_sealed = :sealed, totp_step = :step, session_version = session_version + 1",
            {"sealed": sealed, "step": step},
        )

    def spend_step(self, account_id: int, step: int) -> bool:
        """Use up a code; False when it, or a later one, was used before."""
        row = self.db.run(
            f"update {self.table} set totp_step = :step where id = :id and totp_step < :step returning id",
            id=account_id,
            step=step,
        ).one_or_none()
        return row is not None

    def _write(self, account_id: int, assignments: str, params: Mapping[str, object]) -> int:
        statement = f"update {self.table} set {assignments} where id = :id returning session_version"
        return int(self.db.run(statement, id=account_id, **params).scalar_one())
