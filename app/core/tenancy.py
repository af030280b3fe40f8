"""Whose data an act may see. The database enforces it by row-level security; this module only says who is asking."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Settings that every transaction of this context carries, for example {"app.tenant_id": "7"}.
_scope: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("tenancy_scope", default=())


class TenantChanged(AssertionError):
    """A transaction that began for one tenant met another; this is a bug."""


def scope() -> tuple[tuple[str, str], ...]:
    """Return the settings of the present context."""
    return _scope.get()


def enter(**settings: str) -> None:
    """Set the scope for the rest of this request (the web layer clears it at the end)."""
    _scope.set(_settings(settings))


def leave() -> None:
    """See nothing from here on."""
    _scope.set(())


@contextmanager
def acting_as(**settings: str) -> Iterator[None]:
    """Act with these settings inside the block, for example acting_as(tenant_id="7")."""
    token = _scope.set(_settings(settings))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def as_tenant(tenant_id: int) -> Iterator[None]:
    """Act as one tenant inside the block. For jobs, commands and tests."""
    with acting_as(tenant_id=str(tenant_id)):
        yield


def _settings(settings: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"app.{name}", value) for name, value in settings.items())


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, and where: the person, the facility, and the terminal in front of them. Every act of the counter names it."""

    tenant_id: int
    facility_id: int
    staff_id: int
    operator: str  # Number and masked name, as facts and receipts show it: "0012 王*敏".
    terminal_id: int | None = None
    terminal: str = "00"

    @property
    def station(self) -> str:
        """What a shift and an open basket belong to: the terminal, or the person where the browser is no terminal."""
        return f"T{self.terminal_id}" if self.terminal_id else f"S{self.staff_id}"

    @property
    def keys(self) -> dict[str, int]:
        """The parameters every hot statement of the facility wing needs."""
        return {"tenant": self.tenant_id, "facility": self.facility_id, "staff": self.staff_id}

    @property
    def settings(self) -> dict[str, str]:
        """The settings a transaction of this desk carries."""
        return {"app.tenant_id": str(self.tenant_id)}
