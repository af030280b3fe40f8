"""Out-flow prescriptions as the center keeps them (处方外流, S010-S015): asked for by clinics and by pharmacies.

Each of these may be asked again and is done once, so nothing here has to be recovered; sending one out and making it void are the
clinic's, by the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.facility.insurance import desk as desks
from app.facility.insurance.errors import OutflowRefused
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.tenancy import Desk

STATES = {
    "REVIEWED": "待取药",
    "LOCKED": "药店配药中",
    "DISPENSED": "部分已取",
    "CLOSED": "已取完",
    "EXPIRED": "已过期",
    "VOID": "已作废",
}


@dataclass(frozen=True)
class Drug:
    """One line: quantities in base units, as it was written and what is left of it."""

    line_no: int
    national: str
    name: str
    spec: str
    quantity: int
    left: int
    pack_size: int
    pack_unit: str
    base_unit: str
    dosage: str


@dataclass(frozen=True)
class Fetched:
    """A prescription as a pharmacy reads it. The name is masked until it is locked; so is the citizen id left out."""

    number: str
    state: str
    rxno: str
    patient: str
    certno: str
    sex: str
    born_on: str
    institution: str
    department: str
    doctor: str
    reviewer: str
    signed_at: datetime
    valid_until: date
    is_ours: bool
    lock_no: int
    locked_until: date | None
    diagnoses: tuple[str, ...]
    drugs: tuple[Drug, ...]


@dataclass(frozen=True)
class Standing:
    """How one of our own stands at the center."""

    document: str
    number: str
    state: str
    keeper: str
    had: Mapping[str, int]


def fetch(desk: Desk, code: str) -> Fetched:
    """Read a prescription by its code (S011). Raises OutflowRefused, Outage."""
    return _read(_asked(desk, "S011", {"data": {"rx_trace_code": code}}))


def lock(desk: Desk, code: str) -> Fetched:
    """Take it on for this pharmacy (S012); who has it already, gets the same. Raises OutflowRefused, Outage."""
    return _read(_asked(desk, "S012", {"data": {"rx_trace_code": code}}))


def let_go(desk: Desk, number: str, lock_no: int) -> None:
    """Give a lock back (S014). Raises OutflowRefused, Outage."""
    _asked(desk, "S014", {"data": {"rx_no": number, "lock_sn": str(lock_no)}})


def statuses(desk: Desk, documents: Sequence[UUID]) -> list[Standing]:
    """How our own ones stand (S013), at most 50. Raises OutflowRefused, Outage."""
    output = _asked(desk, "S013", {"data": [{"rx_docm_id": str(document)} for document in documents]})
    return [standing_of(row) for row in output.get("result") or []]


def standing_of(row: Mapping[str, Any]) -> Standing:
    """One row of an answer to S013, or the answer to S015."""
    had = {str(line["rx_detl_sn"]): int(amounts.decimal_of(line["cnt"])) for line in row.get("rxdetail") or []}
    return Standing(
        str(row["rx_docm_id"]), str(row["rx_no"]), str(row["rx_stas"]), str(row.get("fixmedins_name") or ""), had
    )


def _asked(desk: Desk, infno: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = desks.ask_once(desk, infno, content)
    if not answer.accepted:
        raise OutflowRefused(told=answer.message)
    return answer.output


def _read(output: Mapping[str, Any]) -> Fetched:
    data = output["data"]
    until = str(data.get("lock_end_date") or "")
    return Fetched(
        number=str(data["rx_no"]), state=str(data["rx_stas"]), rxno=str(data["rxno"]), patient=str(data["psn_name"]), certno=str(data.get("certno") or ""),
        sex=str(data.get("gend") or ""), born_on=str(data.get("brdy") or ""), institution=str(data["fixmedins_name"]),
        department=str(data.get("dept_name") or ""), doctor=str(data["dr_name"]), reviewer=str(data["phar_name"]),
        signed_at=envelope.read_time(str(data["prsc_time"])), valid_until=date.fromisoformat(str(data["vali_end_date"])),
        is_ours=str(data["lock_flag"]) == "1", lock_no=int(data["lock_sn"]), locked_until=date.fromisoformat(until) if until else None,
        diagnoses=tuple(str(row["diag_name"]) for row in output.get("diseinfo") or []), drugs=tuple(_drug(row) for row in output["rxdetail"]),
    )  # fmt: skip


def _drug(row: Mapping[str, Any]) -> Drug:
    told = [str(row.get(name) or "") for name in ("medc_way_dscr", "used_frqu_dscr", "sin_dos_dscr", "memo")]
    if days := str(row.get("prd_days") or ""):
        told.append(f"{days} 天")
    return Drug(
        line_no=int(row["rx_detl_sn"]), national=str(row["med_list_codg"]), name=str(row["drug_genname"]), spec=str(row.get("drug_spec") or ""),
        quantity=int(amounts.decimal_of(row["cnt"])), left=int(amounts.decimal_of(row["left_cnt"])), pack_size=int(amounts.decimal_of(row["min_pac_cnt"])),
        pack_unit=str(row["min_pacunt"]), base_unit=str(row["min_prepunt"]), dosage="，".join(part for part in told if part)[:200],
    )  # fmt: skip
