"""What the center's staff do in the registry: register institutions, enrol persons, publish the catalog, set parameters."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from app.center.db import action, run
from app.center.registry.errors import AlreadyRegistered
from app.core import personal
from app.core.clock import business_date, now
from app.core.errors import WrongInput, words
from app.national import certno as certnos

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "center"
ECERT_SECONDS = 60  # A code on a phone turns over about once a minute.
MOST_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class NewInstitution:
    """An institution as its agreement names it. `benefit_class` selects the policy row."""

    code: str
    name: str
    district: str
    kind: str = "pharmacy"
    benefit_class: str = "pharmacy"
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    agreement_from: date = date(2025, 1, 1)
    agreement_until: date = date(2030, 12, 31)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An insured person with one coverage, accounts and entitlements."""

    psn_no: str
    name: str
    certno: str
    card: str
    district: str
    person_class: str = "in_service"
    insutype: str = "310"
    psn_type: str = "11"
    status: str = "normal"
    status_reason: str = ""
    coverage_status: str = "normal"
    civil_servant: bool = False
    watched: bool = False
    current_fen: int = 0
    prior_fen: int = 0
    mutual_fen: int = 0
    deductible_fen: int = 0  # Used up this year, and paid by the fund this year.
    hifp_fen: int = 0
    entitlements: tuple[tuple[str, str], ...] = ()
    covered_from: date = date(2020, 1, 1)
    employer: str = ""


@dataclass(frozen=True, slots=True)
class NewItem:
    """A catalog item as published: class, share paid first (basis points), ceiling, limits."""

    code: str
    name: str
    grade: str
    selfpay: int = 0
    ceiling: Decimal | None = None
    valid_from: date = date(2025, 1, 1)
    valid_until: date | None = None
    kind: str = "drug"
    prescription: bool = False
    restriction: str = ""
    sex_limit: str | None = None
    age_from: int | None = None
    age_to: int | None = None
    diseases: tuple[str, ...] = ()


@action
def register_institution(new: NewInstitution, secret: bytes) -> None:
    """Register a designated institution and seal the secret it signs with (定点机构登记)."""
    try:
        run(
            """
            insert into institution (code, district, name, kind, benefit_class, secret_sealed, agreement_from,
                agreement_until, latitude, longitude)
            values (:code, :district, :name, :kind, :benefit_class, :sealed, :agreement_from, :agreement_until,
                :latitude, :longitude)
            """,
            **asdict(new),
            sealed=personal.seal(KEY, secret),
        )
    except IntegrityError as failure:
        raise AlreadyRegistered(what=words("机构 {code} ", code=new.code)) from failure


@action
def enrol_persons(people: Sequence[NewPerson]) -> None:
    """Enrol persons with coverage, accounts and entitlements (参保登记). All of them or none."""
    assert len(people) <= MOST_AT_ONCE
    for person in people:
        if why := certnos.why_wrong(person.certno):
            raise WrongInput(what="身份证号", why=why)
    rows = json.dumps([_row(person) for person in people])
    try:
        for statement in (_PERSONS, _COVERAGES, _ACCOUNTS):
            run(statement, people=rows)
        run(_ENTRIES, people=rows, now=now())
        run(_ENTITLEMENTS, people=rows)
        run(_YEARS, people=rows, year=business_date().year)
    except IntegrityError as failure:
        raise AlreadyRegistered(what="其中有人员") from failure


def _row(person: NewPerson) -> dict[str, Any]:
    """A person as the statements read it: numbers sealed and hashed, in hex."""
    born = certnos.birth_date(person.certno)
    assert born is not None
    row = {name: value for name, value in asdict(person).items() if name not in {"certno", "card"}}
    return row | {
        "certno_sealed": personal.seal(KEY, person.certno).hex(),
        "certno_lookup": personal.lookup(person.certno).hex(),
        "card_sealed": personal.seal(KEY, person.card).hex(),
        "card_lookup": personal.lookup(person.card).hex(),
        "sex": certnos.sex(person.certno),
        "born_on": born.isoformat(),
        "covered_from": person.covered_from.isoformat(),
        "entitlements": [{"kind": kind, "detail": detail} for kind, detail in person.entitlements],
    }


_FROM_PEOPLE = """
    jsonb_to_recordset(cast(:people as jsonb)) as p (
        psn_no text, district text, name text, certno_sealed text, certno_lookup text, card_sealed text, card_lookup text,
        sex text, born_on date, status text, status_reason text, watched boolean, insutype text, covered_from date,
        person_class text, psn_type text, coverage_status text, civil_servant boolean, employer text, current_fen bigint,
        prior_fen bigint, mutual_fen bigint, deductible_fen bigint, hifp_fen bigint, entitlements jsonb
    )
"""

_PERSONS = f"""
insert into person (psn_no, district, name, cert_type, certno_sealed, certno_lookup, card_sealed, card_lookup, sex,
    ethnicity, born_on, status, status_reason, watched)
select psn_no, district, name, '01', decode(certno_sealed, 'hex'), decode(certno_lookup, 'hex'),
    decode(card_sealed, 'hex'), decode(card_lookup, 'hex'), sex, '1', born_on, status, status_reason, watched
from {_FROM_PEOPLE}
"""

_COVERAGES = f"""
insert into coverage (psn_no, insutype, valid_from, district, person_class, psn_type, status, civil_servant, employer)
select psn_no, insutype, covered_from, district, person_class, psn_type, coverage_status, civil_servant, employer
from {_FROM_PEOPLE}
"""

_ACCOUNTS = f"""
insert into account (psn_no, district, current_fen, prior_fen, mutual_fen)
select psn_no, district, current_fen, prior_fen, mutual_fen from {_FROM_PEOPLE}
"""

_ENTRIES = f"""
insert into account_entry (psn_no, district, pot, amount_fen, balance_fen, reason, entered_at)
select psn_no, district, pot, amount_fen, amount_fen, 'credited', :now
from {_FROM_PEOPLE}
cross join lateral (values ('current', current_fen), ('prior', prior_fen), ('mutual', mutual_fen)) as e (pot, amount_fen)
where amount_fen > 0
"""

_ENTITLEMENTS = f"""
insert into entitlement (psn_no, district, kind, detail, valid_from)
select psn_no, district, e.kind, e.detail, covered_from
from {_FROM_PEOPLE}
cross join lateral jsonb_to_recordset(entitlements) as e (kind text, detail text)
"""

_YEARS = f"""
insert into person_year (psn_no, insutype, year, district, deductible_fen, hifp_fen)
select psn_no, insutype, :year, district, deductible_fen, hifp_fen from {_FROM_PEOPLE}
"""


@action
def credit_account(psn_no: str, pot: str, amount_fen: int) -> None:
    """Put money into a person's account and write the entry (个人账户划入)."""
    assert pot in {"current", "prior", "mutual"}
    assert amount_fen > 0
    run(
        f"""
        with credited as (
            update account set {pot}_fen = {pot}_fen + :amount where psn_no = :psn_no returning psn_no, district, {pot}_fen
        )
        insert into account_entry (psn_no, district, pot, amount_fen, balance_fen, reason, entered_at)
        select psn_no, district, :pot, :amount, {pot}_fen, 'credited', :now from credited
        """,
        psn_no=psn_no,
        pot=pot,
        amount=amount_fen,
        now=now(),
    )


@action
def set_status(psn_no: str, status: str, reason: str = "") -> None:
    """Report a person's card lost, freeze, or restore (挂失、暂停联网结算、恢复)."""
    run(
        "update person set status = :status, status_reason = :reason where psn_no = :psn_no",
        psn_no=psn_no,
        status=status,
        reason=reason,
    )


@action
def publish_items(items: Sequence[NewItem]) -> int:
    """Publish catalog items (目录发布). An item in force under the same code ends the day before; says how many were added."""
    assert len(items) <= MOST_AT_ONCE
    rows = json.dumps([_item(item) for item in items])
    run(_CLOSE_ITEMS, items=rows)
    return run(_ADD_ITEMS, items=rows).rowcount


def _item(item: NewItem) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
        for name, value in asdict(item).items()
    }


_FROM_ITEMS = """
    jsonb_to_recordset(cast(:items as jsonb)) as i (
        code text, name text, grade text, selfpay integer, ceiling numeric, valid_from date, valid_until date, kind text,
        prescription boolean, restriction text, sex_limit text, age_from integer, age_to integer, diseases jsonb
    )
"""

_CLOSE_ITEMS = f"""
update catalog_item c set valid_until = i.valid_from - 1
from {_FROM_ITEMS}
where c.code = i.code and c.valid_from < i.valid_from and (c.valid_until is null or c.valid_until >= i.valid_from)
"""

_ADD_ITEMS = f"""
insert into catalog_item (code, name, grade, selfpay, ceiling, valid_from, valid_until, kind, prescription, restriction,
    sex_limit, age_from, age_to, diseases)
select code, name, grade, selfpay, ceiling, valid_from, valid_until, kind, prescription, restriction, sex_limit, age_from,
    age_to, diseases
from {_FROM_ITEMS}
on conflict (code, valid_from) do nothing
"""


@dataclass(frozen=True, slots=True)
class NewPractitioner:
    """A doctor whom an institution may let treat on insurance (医保医师), by national code."""

    code: str
    institution: str
    district: str
    name: str
    eligible_from: date
    eligible_until: date | None = None


@action
def register_practitioner(new: NewPractitioner) -> None:
    """Register a doctor at an institution. Raises AlreadyRegistered."""
    made = run(
        """
        insert into practitioner (code, institution_code, district, name, eligible_from, eligible_until)
        values (:code, :institution, :district, :name, :eligible_from, :eligible_until)
        on conflict (code, institution_code) do nothing returning code
        """,
        **asdict(new),
    ).one_or_none()
    if made is None:
        raise AlreadyRegistered(what=words("医师 {code} ", code=new.code))


@action
def suspend_practitioner(code: str, institution: str, until: date, why: str) -> None:
    """Suspend a doctor at an institution up to a day (暂停医保服务资格); a day gone by lifts it."""
    run(
        """
        update practitioner set suspended_until = :until, suspended_why = :why
        where code = :code and institution_code = :institution
        """,
        code=code,
        institution=institution,
        until=until,
        why=why,
    )


@action
def set_parameter(name: str, value: str, *, scope: str = "*", valid_from: date | None = None) -> None:
    """Set a parameter from a day on, for everybody or one institution (参数). The value before it ends the day before."""
    day = valid_from or business_date()
    run(
        """
        update parameter set valid_until = :day - 1
        where scope = :scope and name = :name and valid_from < :day and (valid_until is null or valid_until >= :day)
        """,
        scope=scope,
        name=name,
        day=day,
    )
    run(
        "insert into parameter (scope, name, value, valid_from) values (:scope, :name, :value, :day)",
        scope=scope,
        name=name,
        value=value,
        day=day,
    )


@action
def issue_ecert(psn_no: str, area: str, *, seconds: int = ECERT_SECONDS) -> tuple[str, datetime]:
    """Issue an e-certificate code as a phone shows it: 28 digits ending in the area (医保码). Demo only.

    The text itself is not kept; a keyed hash finds it once.
    """
    assert len(area) == 6
    text = f"{secrets.randbelow(10**22):022d}{area}"
    issued = now()
    expires = issued + timedelta(seconds=seconds)
    run(
        "insert into ecert_code (lookup, psn_no, issued_at, expires_at) values (:lookup, :psn_no, :issued, :expires)",
        lookup=personal.lookup(text),
        psn_no=psn_no,
        issued=issued,
        expires=expires,
    )
    return text, expires
