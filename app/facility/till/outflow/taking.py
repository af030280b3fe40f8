"""Take an out-flow prescription on, or give it back. The lock is the center's, the prescription this pharmacy's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, faults, personal
from app.core.errors import NotFound, words
from app.facility.db import hot_action, run, transaction
from app.facility.insurance import outflow
from app.facility.stock.ledger import as_json
from app.facility.till.outflow.errors import NotACode, NotGivenBack, NothingTaken
from app.national import rx_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.insurance.outflow import Drug, Fetched

# What this pharmacy carries of these national codes, with what may be sold of it today. The first of a code is its product.
CARRIED = """
select distinct on (p.national_code) p.national_code, p.id, p.generic_name, p.spec, p.maker, p.pack_unit, p.pack_size, p.rx_class, (
    select coalesce(sum(b.on_hand - b.reserved), 0) from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id
    where b.tenant_id = p.tenant_id and b.facility_id = :facility and b.product_id = p.id and b.expires_on >= :today and l.hold is null
        and b.zone in ('SALEABLE', 'COLD', 'CONTROLLED')) as free
from product p where p.national_code = any(:codes) and p.state = 'active' order by p.national_code, free desc, p.id limit 60
"""
INSERT = """
with head as (
    insert into prescription (tenant_id, id, facility_id, number, patient_sealed, patient_shown, patient_hash, prescriber, institution, diagnosis,
        issued_on, valid_until, staff_id, entered_at, outflow_number, outflow_lock)
    values (%(tenant)s, %(id)s, %(facility)s, %(number)s, %(patient_sealed)s, %(patient_shown)s, %(patient_hash)s, %(prescriber)s, %(institution)s,
        %(diagnosis)s, %(issued_on)s, %(valid_until)s, %(staff)s, %(at)s, %(outflow_number)s, %(outflow_lock)s::int)
    returning id
)
insert into prescription_line (tenant_id, prescription_id, line_no, product_id, quantity, dosage, outflow_line)
select %(tenant)s, head.id, l.line_no, l.product_id, l.quantity, l.dosage, l.outflow_line
from head, jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, product_id bigint, quantity bigint, dosage text, outflow_line int)
"""
KNOWN = """
select id, state from prescription where tenant_id = %(tenant)s and facility_id = %(facility)s and (id = %(id)s
    or outflow_number = %(outflow_number)s and outflow_lock = %(outflow_lock)s::int) order by (state = 'void'), entered_at desc limit 1
"""
ONE = """
select id, number, state, outflow_number, outflow_lock, given_back_at from prescription
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s for no key update
"""
VOID = "update prescription set state = 'void' where tenant_id = %(tenant)s and id = %(id)s and state in ('pending', 'passed', 'refused')"
TOLD = "update prescription set given_back_at = %(at)s where tenant_id = %(tenant)s and id = %(id)s and state = 'void' and given_back_at is null"
SHORTEST = 60


@dataclass(frozen=True)
class Offered:
    """A drug of the prescription and what of it is here."""

    drug: Drug
    product: Any | None
    why: str = ""  # Why it cannot be had here.

    @property
    def packs_left(self) -> int:
        return self.drug.left // self.product.pack_size if self.product else 0


def look_up(desk: Desk, typed: str) -> tuple[str, Fetched, list[Offered]]:
    """Read a prescription by the code the patient shows; what is carried here stands beside each drug. Raises NotACode, OutflowRefused, Outage."""
    code = _code(typed)
    seen = outflow.fetch(desk, code)
    return code, seen, offered(desk.facility_id, seen.drugs)


def _code(typed: str) -> str:
    code = rx_code.read(typed)
    if code is None:
        raise NotACode
    return code


def offered(facility_id: int, drugs: Sequence[Drug]) -> list[Offered]:
    """Each drug with this pharmacy's product of the same national code, or why there is none."""
    codes = sorted({drug.national for drug in drugs})
    rows: Iterable[Any] = run(CARRIED, facility=facility_id, today=clock.business_date(), codes=codes) if codes else []
    carried = {row.national_code: row for row in rows}
    return [_offer(drug, carried.get(drug.national)) for drug in drugs]


def _offer(drug: Drug, product: Any | None) -> Offered:
    if drug.left <= 0:
        return Offered(drug, None, words("已取完"))
    if product is None:
        return Offered(drug, None, words("本店没有"))
    if drug.left < product.pack_size:
        return Offered(drug, None, words("本店的包装不同"))
    return Offered(drug, product)


def take_on(desk: Desk, document: UUID, typed: str, packs: Mapping[int, int]) -> UUID:
    """Lock a prescription at the center and make it this pharmacy's own, to be reviewed (接方); `packs` by its line. Returns its id.

    Stopped between the two, the code is typed again: the lock is the same. Raises NotACode, NothingTaken, OutflowRefused, Outage.
    """
    code = _code(typed)
    _lines(
        offered(desk.facility_id, outflow.fetch(desk, code).drugs), packs
    )  # What cannot be taken is not locked either.
    locked = outflow.lock(desk, code)
    faults.at("outflow.locked")
    made = _make(desk, document, locked, packs)
    if made is None:  # Given back before, and the center not told: told now, and locked anew.
        outflow.let_go(desk, locked.number, locked.lock_no)
        made = _make(desk, document, outflow.lock(desk, code), packs)
    if made is None:
        raise NothingTaken(why=words("这张处方刚刚交还"))
    return made


def state_of(prescription_id: UUID) -> str:
    """Where a prescription of this pharmacy stands, so that its page can be opened."""
    return str(run("select state from prescription where id = :id", id=prescription_id).scalar_one())


@hot_action
def _make(desk: Desk, document: UUID, locked: Fetched, packs: Mapping[int, int]) -> UUID | None:
    """The pharmacy's own prescription under this lock; nothing when that was given back."""
    keys = {**desk.keys, "id": document, "outflow_number": locked.number, "outflow_lock": locked.lock_no}
    lines = _lines(offered(desk.facility_id, locked.drugs), packs)
    try:
        with transaction(settings=desk.settings) as hot:
            if known := hot.run(KNOWN, keys):
                return None if known[0].state == "void" else known[0].id
            hot.run_last(INSERT, keys | _head(desk, locked) | {"lines": as_json(lines)})
    except pg.UniqueViolation as twin:  # Somebody here took it on at the same moment.
        raise pg.SerializationFailure from twin
    return document


def _lines(here: Sequence[Offered], packs: Mapping[int, int]) -> list[dict[str, Any]]:
    found = []
    for one in here:
        wanted = packs.get(one.drug.line_no, 0)
        if not wanted:
            continue
        if one.product is None or not 1 <= wanted <= one.packs_left:
            raise NothingTaken(why=words("{name}最多可取 {n} 盒", name=one.drug.name, n=one.packs_left))
        found.append(
            {"product_id": one.product.id, "quantity": wanted * one.product.pack_size, "dosage": one.drug.dosage, "outflow_line": one.drug.line_no}
        )  # fmt: skip
    if not found:
        raise NothingTaken(why=words("没有选药"))
    if len({line["product_id"] for line in found}) < len(found):
        raise NothingTaken(why=words("同一种药写了两行"))
    return [line | {"line_no": n} for n, line in enumerate(found, 1)]


def _head(desk: Desk, locked: Fetched) -> dict[str, Any]:
    tenant, until = str(desk.tenant_id), locked.locked_until or locked.valid_until
    name = locked.patient.strip()
    return {
        "number": locked.number if locked.lock_no == 1 else f"{locked.number}-{locked.lock_no}", "patient_shown": personal.mask_name(name),
        "patient_sealed": personal.seal(tenant, msgspec.json.encode({"name": name, "certno": locked.certno})),
        "patient_hash": personal.lookup(locked.certno) if locked.certno else None, "prescriber": locked.doctor[:SHORTEST],
        "institution": locked.institution[:SHORTEST], "diagnosis": "；".join(locked.diagnoses)[:200],
        "issued_on": clock.business_date(locked.signed_at), "valid_until": until, "at": clock.now(),
    }  # fmt: skip


def give_back(desk: Desk, prescription_id: UUID) -> None:
    """Give a prescription back to the center (交还): first it cannot be sold here, then the center is told; again tells it again.

    Raises NotGivenBack, NotFound; OutflowRefused or Outage when the center was not told: its lock lapses by itself then.
    """
    row = _close(desk, prescription_id)
    if row.given_back_at is not None:
        return
    faults.at("outflow.closing")
    outflow.let_go(desk, row.outflow_number, row.outflow_lock)
    with transaction(settings=desk.settings) as hot:
        hot.run_last(TOLD, {**desk.keys, "id": prescription_id, "at": clock.now()})


@hot_action
def _close(desk: Desk, prescription_id: UUID) -> Any:
    keys = {**desk.keys, "id": prescription_id}
    with transaction(settings=desk.settings) as hot:
        found = hot.run(ONE, keys)
        if not found or found[0].outflow_number is None:
            raise NotFound
        row = found[0]
        if row.state == "used":
            raise NotGivenBack(number=row.number, why=words("已经售药，或正在结算"))
        hot.run_last(VOID, keys)
    return row
