"""A prescription as it was sent, and as a pharmacy gets to read it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import personal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

CENTER = "center"


class Patient(msgspec.Struct, frozen=True):
    """Whose it is and what ails them; lies sealed."""

    name: str
    certno: str
    sex: str
    born_on: str
    diagnoses: tuple[tuple[str, str], ...]  # Code and name.


class Line(msgspec.Struct, frozen=True):
    """One drug: how much in base units, in which packs, and how it is taken."""

    line_no: int
    code: str
    name: str
    spec: str
    form: str
    quantity: int
    pack_size: int
    pack_unit: str
    base_unit: str
    dose: str = ""
    frequency: str = ""
    route: str = ""
    days: int | None = None
    note: str = ""


class Paper(msgspec.Struct, frozen=True):
    """What a clinic sends: signed by a doctor, passed by a pharmacist."""

    document: UUID
    rxno: str
    patient: Patient
    department: str
    doctor: str
    doctor_name: str
    reviewer: str
    reviewer_name: str
    signed_at: datetime
    reviewed_at: datetime
    valid_until: date
    lines: tuple[Line, ...]

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(msgspec.json.encode(self)).digest()


@dataclass(frozen=True, slots=True)
class Seen:
    """A prescription as it stands: its row, its lines, its patient, its state."""

    row: Any
    lines: Sequence[Any]
    patient: Patient
    state: str


def seal(patient: Patient) -> bytes:
    """The patient as they lie in the database."""
    return personal.seal(CENTER, msgspec.json.encode(patient))


def unseal(sealed: bytes) -> Patient:
    """The patient of a prescription."""
    return msgspec.json.decode(personal.unseal_bytes(CENTER, bytes(sealed)), type=Patient)
