"""What rooms above put beside the record of a patient (慢病管理 …): they register here, the desk does not know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Flask

    from app.core.errors import Words
    from app.core.tenancy import Desk

    Show = Callable[[Desk, UUID], "Part | None"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing said of a patient; `warn` when it is late."""

    word: Words | str
    said: Words | str
    warn: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A small part of the column: its title, its rows, and where more stands."""

    title: Words
    rows: tuple[Row, ...]
    more: str


def add(app: Flask, show: Show) -> None:
    """Let a room say something of each patient on the desk; it takes one statement and says nothing of most."""
    app.extensions.setdefault("beside_the_record", []).append(show)


def parts(app: Flask, desk: Desk, patient_id: UUID) -> list[Part]:
    """What the rooms say of a patient."""
    said = (show(desk, patient_id) for show in app.extensions.get("beside_the_record", ()))
    return [part for part in said if part is not None]
