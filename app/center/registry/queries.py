"""What the other rooms may ask the registry: who is this institution, who is this person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.center.db import transaction
from app.core import personal

if TYPE_CHECKING:
    from datetime import date, datetime

NOTHING: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Institution:
    """A designated institution and the secret it signs with."""

    code: str
    name: str
    district: str
    kind: str
    secret: bytes = field(repr=False)


INSTITUTION = "select code, name, district, kind, secret_sealed from institution where code = %(code)s"

# The person behind a citizen id, a card or a token, with everything a counter may see.
INSURED = """
with found as (
    select p.* from person p
    where (%(kind)s = '02' and p.certno_lookup = %(lookup)s) or (%(kind)s = '03' and p.card_lookup = %(lookup)s)
        or (%(kind)s = '01' and p.psn_no = (select t.psn_no from ecert_token t where t.lookup = %(lookup)s))
    limit 1
)
select p.psn_no, p.name, p.cert_type, p.certno_sealed, p.certno_lookup, p.sex, p.ethnicity, p.born_on, p.status, p.status_reason,
    p.watched, a.current_fen, a.prior_fen, a.mutual_fen,
    (select jsonb_build_object('psn_no', t.psn_no, 'here', t.institution_code = %(institution)s,
        'expired', t.expires_at < %(now)s, 'used', exists (select from ecert_use u where u.lookup = t.lookup))
    from ecert_token t where t.lookup = %(lookup)s) as token,
    (select jsonb_build_object('agreement_from', i.agreement_from, 'agreement_until', i.agreement_until,
        'suspended_until', i.suspended_until, 'latitude', i.latitude::text, 'longitude', i.longitude::text)
    from institution i where i.code = %(institution)s) as institution,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'insutype', c.insutype, 'person_class', c.person_class, 'psn_type', c.psn_type, 'status', c.status,
        'civil_servant', c.civil_servant, 'district', c.district, 'employer', c.employer, 'valid_from', c.valid_from,
        'counters', to_jsonb(y), 'segments', (
            select b.segments from benefit_policy b, institution i
            where i.code = %(institution)s and b.benefit_class = i.benefit_class and b.insutype = c.insutype
                and b.person_class = c.person_class and c.district like b.area || '%%' and b.valid_from <= %(today)s
                and (b.valid_until is null or b.valid_until >= %(today)s)
            order by length(b.area) desc limit 1
        )) order by c.insutype), '[]')
    from coverage c
    left join person_year y on y.psn_no = c.psn_no and y.insutype = c.insutype and y.year = %(year)s
    where c.psn_no = p.psn_no and c.valid_from <= %(today)s and (c.valid_until is null or c.valid_until >= %(today)s)) as covers,
    (select coalesce(jsonb_agg(jsonb_build_object('kind', e.kind, 'detail', e.detail, 'valid_from', e.valid_from) order by e.id), '[]')
    from entitlement e
    where e.psn_no = p.psn_no and e.valid_from <= %(today)s and (e.valid_until is null or e.valid_until >= %(today)s)) as entitlements,
    (select coalesce(jsonb_object_agg(signal, weight), '{}') from signal_weight
    where valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s)) as weights
from found p join account a using (psn_no)
"""

# Exchanges a code for a token, once; no row when the code is unknown, used or too old.
EXCHANGE = """
with taken as (
    update ecert_code set exchanged_at = %(now)s
    where lookup = %(lookup)s and exchanged_at is null and expires_at >= %(now)s
    returning psn_no
), made as (
    insert into ecert_token (lookup, psn_no, institution_code, issued_at, expires_at)
    select %(token)s, psn_no, %(institution)s, %(now)s, %(now)s + make_interval(secs => (
        select value::int from parameter where name = 'token_seconds' and scope in ('*', %(institution)s)
            and valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s)
        order by scope = '*' limit 1
    ))
    from taken
    returning psn_no
)
select p.psn_no, p.name, p.cert_type, p.certno_sealed, p.sex, p.born_on, p.district from made join person p using (psn_no)
"""

SIGN_ON = """
with signed as (
    insert into sign_on (sign_no, institution_code, district, operator, signed_on, signed_on_at)
    values (%(sign_no)s, %(institution)s, %(district)s, %(operator)s, %(today)s, %(now)s)
    on conflict (institution_code, operator, signed_on) do nothing
    returning sign_no, signed_on_at
)
select sign_no, signed_on_at from signed
union all
select sign_no, signed_on_at from sign_on
where institution_code = %(institution)s and operator = %(operator)s and signed_on = %(today)s
limit 1
"""

SIGN_OFF = """
update sign_on set signed_off_at = %(now)s
where sign_no = %(sign_no)s and institution_code = %(institution)s and operator = %(operator)s and signed_on = %(today)s
    and signed_off_at is null
returning sign_no
"""


def find_institution(code: str) -> Institution | None:
    """Find an institution by its national code, with its secret."""
    with transaction("interface", NOTHING) as hot:
        found = hot.run(INSTITUTION, {"code": code})
    if not found:
        return None
    row = found[0]
    return Institution(
        row.code, row.name, row.district, row.kind, personal.unseal_bytes("center", bytes(row.secret_sealed))
    )


def find_insured(kind: str, lookup: bytes, institution: str, now: datetime, today: date) -> Any | None:
    """Find the insured person behind a credential."""
    ask = {
        "kind": kind,
        "lookup": lookup,
        "institution": institution,
        "now": now,
        "today": today,
        "year": str(today.year),
    }
    with transaction("interface", NOTHING) as hot:
        found = hot.run(INSURED, ask)
    return found[0] if found else None


def exchange_ecert(lookup: bytes, token: bytes, institution: str, now: datetime, today: date) -> Any | None:
    """Exchange an e-certificate code for a token of this institution, once."""
    ask = {"lookup": lookup, "token": token, "institution": institution, "now": now, "today": today}
    with transaction("interface", NOTHING) as hot:
        found = hot.run_last(EXCHANGE, ask)
    return found[0] if found else None


def sign_on(institution: Institution, operator: str, sign_no: str, now: datetime, today: date) -> Any:
    """Note that an operator begins the day; a second time the same day gives the first number (签到)."""
    ask = {
        "sign_no": sign_no,
        "institution": institution.code,
        "district": institution.district,
        "operator": operator,
        "now": now,
        "today": today,
    }
    with transaction("interface", NOTHING) as hot:
        return hot.run(SIGN_ON, ask)[0]


def sign_off(institution: Institution, operator: str, sign_no: str, now: datetime, today: date) -> bool:
    """Note that an operator ends the day; false when there was no beginning (签退)."""
    ask = {"sign_no": sign_no, "institution": institution.code, "operator": operator, "now": now, "today": today}
    with transaction("interface", NOTHING) as hot:
        return bool(hot.run_last(SIGN_OFF, ask))
