"""Decisions about people and rights, on plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

# Role -> Chinese word; the order is the order of importance.
ROLES = {
    "owner": "负责人",
    "doctor": "医师",
    "nurse": "护士",
    "pharmacist": "药师",
    "clerk": "收银员",
    "security_admin": "安全管理员",
    "audit_admin": "审计管理员",
}
ADMINISTRATIONS = frozenset({"owner", "security_admin", "audit_admin"})
PER_FACILITY = ("doctor", "nurse", "pharmacist", "clerk")
CODE = re.compile(r"[A-Z0-9]{4,20}")


@dataclass(frozen=True, order=True)
class Grant:
    """A role at a facility; None means the whole organization."""

    role: str
    facility_id: int | None = None
    valid_from: date | None = None  # None: from today.
    valid_until: date | None = None

    @property
    def key(self) -> tuple[str, int | None]:
        """What makes two grants the same right."""
        return self.role, self.facility_id


def roles_here(grants: Iterable[tuple[str, int | None]], facility_id: int | None) -> frozenset[str]:
    """The roles a person holds at one facility: those given there and those for the whole organization."""
    return frozenset(role for role, where in grants if where is None or where == facility_id)


def places_of(grants: Sequence[tuple[str, int | None]], facilities: Sequence[int]) -> list[int]:
    """The facilities where a person holds any role, in the order given."""
    everywhere = any(where is None for _, where in grants)
    named = {where for _, where in grants}
    return [facility for facility in facilities if everywhere or facility in named]


def administers_two(grants: Iterable[Grant]) -> bool:
    """Say whether somebody would hold two of the three administrations."""
    return len({grant.role for grant in grants} & ADMINISTRATIONS) > 1


def in_order(roles: Iterable[str]) -> tuple[str, ...]:
    """Roles, the most important first."""
    held = set(roles)
    return tuple(role for role in ROLES if role in held)


def is_code(text: str) -> bool:
    """Say whether a text can be a code of an organization or a national code."""
    return CODE.fullmatch(text) is not None
