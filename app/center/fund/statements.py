"""The statements of the settling path. Two make a settlement: read and lock everything; write everything.

Locks are taken in one order everywhere: message, then the person's account and year, then trace codes by code.
"""

from __future__ import annotations

FUNDS = ("hifp", "hifob", "cvlserv", "hifes", "hifmi", "maf", "oth")
AMOUNTS = (
    "total_fen", "full_fen", "over_fen", "pre_fen", "inscope_fen", "unpooled_fen", "account_segment_fen",
    "deductible_fen", "shared_fen", "copay_fen", "over_cap_fen", "aid_burden_fen",
    *(f"{fund}_fen" for fund in FUNDS), "fund_fen", "person_fen", "current_fen", "prior_fen", "mutual_fen", "cash_fen",
)  # fmt: skip
COUNTERS = ("deductible_fen", "inscope_fen", "aid_burden_fen", *(f"{fund}_fen" for fund in FUNDS))
POTS = ("current", "prior", "mutual")


def _used(counter: str) -> str:
    """The settlement's column that a year's counter adds up."""
    return "shared_fen" if counter == "inscope_fen" else counter


# Writes the message down; a twin waits here until the first is answered, then finds no row inserted.
_ARRIVE = """
    message_in as (
        insert into message (institution_code, msgid, district, infno, digest, arrived_at)
        values (%(institution)s, %(msgid)s, %(district)s, %(infno)s, %(digest)s, %(now)s)
        on conflict (institution_code, msgid) do nothing
        returning msgid
    ), held as (
        select a.current_fen, a.prior_fen, a.mutual_fen, y.deductible_fen, y.inscope_fen, y.aid_burden_fen, y.hifp_fen,
            y.hifob_fen, y.cvlserv_fen, y.hifes_fen, y.hifmi_fen, y.maf_fen, y.oth_fen
        from message_in
        cross join account a
        join person_year y on y.psn_no = a.psn_no and y.insutype = %(insutype)s and y.year = %(year)s
        where a.psn_no = %(psn_no)s
        for no key update of a, y
    )
"""

# The same values without writing or locking, for a trial.
_LOOK = """
    message_in as (select %(msgid)s as msgid), held as (
        select a.current_fen, a.prior_fen, a.mutual_fen, y.deductible_fen, y.inscope_fen, y.aid_burden_fen, y.hifp_fen,
            y.hifob_fen, y.cvlserv_fen, y.hifes_fen, y.hifmi_fen, y.maf_fen, y.oth_fen
        from account a
        left join person_year y on y.psn_no = a.psn_no and y.insutype = %(insutype)s and y.year = %(year)s
        where a.psn_no = %(psn_no)s
    )
"""

# Everything that adjudication and the identity score need, as of the document's own date.
_FACTS = """
    , original as (
        select s.* from settlement s
        where s.setl_id = %(replaces)s and s.institution_code = %(institution)s and s.psn_no = %(psn_no)s
            and s.reverses_setl_id is null
    ), day as (
        select coalesce((select policy_on from original), %(today)s) as policy_on
    ), place as (
        select * from institution where code = %(institution)s
    ), covered as (
        select c.* from coverage c
        where c.psn_no = %(psn_no)s and c.insutype = %(insutype)s and c.valid_from <= %(today)s
            and (c.valid_until is null or c.valid_until >= %(today)s)
        order by c.valid_from desc limit 1
    ), entitled as (
        select e.kind, e.detail from entitlement e
        where e.psn_no = %(psn_no)s and e.valid_from <= %(today)s and (e.valid_until is null or e.valid_until >= %(today)s)
        order by e.id limit 20
    )
    select
        (select count(*) from message_in) as arrived,
        (select to_jsonb(held) from held) as held,
        (select jsonb_build_object(
            'kind', kind, 'district', district, 'agreement_from', agreement_from, 'agreement_until', agreement_until,
            'suspended_until', suspended_until, 'latitude', latitude::text, 'longitude', longitude::text
        ) from place) as institution,
        (select jsonb_build_object(
            'name', p.name, 'sex', p.sex, 'ethnicity', p.ethnicity, 'born_on', p.born_on, 'status', p.status,
            'reason', p.status_reason, 'watched', p.watched, 'certno', encode(p.certno_lookup, 'hex'),
            'card', encode(p.card_lookup, 'hex')
        ) from person p where p.psn_no = %(psn_no)s) as person,
        (select jsonb_build_object(
            'person_class', person_class, 'psn_type', psn_type, 'status', status, 'civil_servant', civil_servant
        ) from covered) as coverage,
        (select coalesce(jsonb_agg(to_jsonb(e)), '[]') from entitled e) as entitlements,
        (select coalesce(jsonb_agg(jsonb_build_object(
            'id', b.id, 'version', b.version, 'name', b.name, 'person_class', b.person_class, 'segments', b.segments
        ) order by length(b.area) desc), '[]')
        from benefit_policy b, covered c, place i, day d
        where b.insutype = c.insutype and b.person_class in (c.person_class, 'chronic') and b.benefit_class = i.benefit_class
            and c.district like b.area || '%%' and b.valid_from <= d.policy_on
            and (b.valid_until is null or b.valid_until >= d.policy_on)) as policies,
        (select coalesce(jsonb_agg(a.segment order by a.position), '[]')
        from aid_policy a, covered c, day d
        where c.district like a.area || '%%' and a.valid_from <= d.policy_on
            and (a.valid_until is null or a.valid_until >= d.policy_on)
            and (a.entitlement in (select kind from entitled) or (a.entitlement = 'civil_servant' and c.civil_servant))
        ) as aids,
        (select coalesce(jsonb_object_agg(k.code, jsonb_build_object(
            'name', k.name, 'grade', k.grade, 'selfpay', k.selfpay, 'ceiling', k.ceiling::text, 'sex', k.sex_limit,
            'age_from', k.age_from, 'age_to', k.age_to, 'diseases', k.diseases
        )), '{}')
        from catalog_item k, day d
        where k.code = any(%(items)s) and k.valid_from <= d.policy_on
            and (k.valid_until is null or k.valid_until >= d.policy_on)) as items,
        (select coalesce(jsonb_object_agg(name, value order by scope = '*' desc), '{}')
        from parameter
        where scope in ('*', %(institution)s) and valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s)
        ) as parameters,
        (select coalesce(jsonb_object_agg(signal, weight), '{}') from signal_weight
        where valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s)) as weights,
        (select coalesce(jsonb_object_agg(code, jsonb_build_object('here', institution_code = %(institution)s, 'split', split)), '{}')
        from code_claim
        where code = any(%(codes)s) and holds and released_at is null) as claims,
        (select jsonb_build_object(
            'psn_no', t.psn_no, 'here', t.institution_code = %(institution)s, 'expired', t.expires_at < %(now)s,
            'used', exists (select from ecert_use u where u.lookup = t.lookup)
        ) from ecert_token t where t.lookup = %(token)s) as token,
        (select jsonb_build_object(
            'year', o.year, 'snapshot', o.snapshot, 'used', to_jsonb(o) - 'snapshot' - 'identity',
            'reversed', exists (select from settlement r where r.reverses_setl_id = o.setl_id),
            'replaced', exists (
                select from settlement n where n.replaces_setl_id = o.setl_id
                    and not exists (select from settlement r where r.reverses_setl_id = n.setl_id)
            )
        ) from original o) as original,
        (select count(distinct s.institution_code) from settlement s
        where s.psn_no = %(psn_no)s and s.settled_at >= %(midnight)s and s.institution_code <> %(institution)s) as others_today,
        (select jsonb_build_object(
            'at', s.settled_at, 'latitude', i.latitude::text, 'longitude', i.longitude::text,
            'here', s.institution_code = %(institution)s
        ) from settlement s join institution i on i.code = s.institution_code
        where s.psn_no = %(psn_no)s and s.settled_at >= %(day_ago)s and s.reverses_setl_id is null
        order by s.settled_at desc limit 1) as last_visit,
        (select count(distinct s.psn_no) from (  -- The newest few answer it, however busy the place is.
            select n.psn_no, n.terminal, n.operator from settlement n
            where n.institution_code = %(institution)s and n.settled_at >= %(five_minutes_ago)s and %(terminal)s <> ''
            order by n.settled_at desc limit 50) s
        where s.terminal = %(terminal)s and s.operator = %(operator)s and s.psn_no <> %(psn_no)s) as other_cards,
        (select count(distinct s.psn_no) from settlement s
        where s.agent_lookup = %(agent)s and s.settled_at >= %(midnight)s and s.psn_no <> %(psn_no)s) as other_principals
"""

READ_AND_LOCK = f"with {_ARRIVE} {_FACTS}"
READ_ONLY = f"with {_LOOK} {_FACTS}"

_SETTLEMENT_COLUMNS = (
    "setl_id", "mdtrt_id", "institution_code", "district", "msgid", "infno", "reverses_setl_id", "replaces_setl_id",
    "psn_no", "insutype", "year", "person_class", "psn_type", "civil_servant", "cert_type", "med_type", "disease",
    "operator", "operator_name", "terminal", "credential", "agent_lookup", "agent_sealed", "settled_at", "settled_on",
    "policy_on", "policy_id", "ratio", *AMOUNTS, "balance_fen", "snapshot", "identity",
)  # fmt: skip

# The answer, the counters, the account, the settlement with lines and entries, the code claims: all or nothing. The steps
# are in the migration that makes the function.
WRITE_SETTLEMENT = "select write_settlement(%(settlement)s::jsonb, %(answer)s, %(entries)s::jsonb, %(claims)s::jsonb, %(lines)s::jsonb, %(token)s)"

# A reversal: the same figures with the other sign, counters and account go back, the codes are free again.
WRITE_REVERSAL = f"""
with answered as (
    update message set answer = %(answer)s, state = 'accepted', setl_id = %(setl_id)s
    where institution_code = %(institution_code)s and msgid = %(msgid)s
), withdrawn as (
    update message set state = 'reversed'
    where %(withdraws)s::text is not null and institution_code = %(institution_code)s and msgid = %(withdraws)s::text
), counted as (
    update person_year y set {", ".join(f"{name} = y.{name} - s.{_used(name)}" for name in COUNTERS)}
    from settlement s
    where s.setl_id = %(original)s and y.psn_no = s.psn_no and y.insutype = s.insutype and y.year = s.year
), returned as (
    update account a set {", ".join(f"{pot}_fen = a.{pot}_fen + s.{pot}_fen" for pot in POTS)}
    from settlement s where s.setl_id = %(original)s and a.psn_no = s.psn_no
    returning a.psn_no, a.current_fen, a.prior_fen, a.mutual_fen
), settled as (
    insert into settlement ({", ".join(_SETTLEMENT_COLUMNS)})
    select %(setl_id)s, mdtrt_id, institution_code, district, %(msgid)s, %(infno)s, setl_id, null, psn_no, insutype, year,
        person_class, psn_type, civil_servant, cert_type, med_type, disease, %(operator)s, %(operator_name)s, terminal,
        credential, agent_lookup, agent_sealed, %(settled_at)s, %(settled_on)s, policy_on, policy_id, ratio,
        {", ".join(f"-{name}" for name in AMOUNTS)}, %(balance_fen)s, snapshot, '{{}}'::jsonb
    from settlement where setl_id = %(original)s
), entered as (
    insert into account_entry (psn_no, district, pot, amount_fen, balance_fen, reason, setl_id, entered_at)
    select s.psn_no, s.district, e.pot, e.amount, e.balance, 'reversed', %(setl_id)s, %(settled_at)s
    from settlement s
    join returned r using (psn_no)
    cross join lateral (values
        ('current', s.current_fen, r.current_fen), ('prior', s.prior_fen, r.prior_fen), ('mutual', s.mutual_fen, r.mutual_fen)
    ) as e (pot, amount, balance)
    where s.setl_id = %(original)s and e.amount <> 0
), visited as (  -- A visit's settlement is one less, and its lines wait again; a pharmacy's settlement has neither.
    update visit v set settlements = v.settlements - 1
    from settlement s where s.setl_id = %(original)s and v.mdtrt_id = s.mdtrt_id
    returning v.mdtrt_id
), reopened as (
    update visit_line set state = 'uploaded', setl_id = null where setl_id = %(original)s and mdtrt_id in (select mdtrt_id from visited)
), freed as (
    update code_claim set released_at = %(settled_at)s where document = %(original)s and source = 'settlement' and released_at is null
)
insert into settlement_line (setl_id, position, district, number, code, own_code, name, price, quantity, grade, selfpay,
    ceiling, pooled, rxno, amount_fen, full_fen, over_fen, pre_fen, inscope_fen, fund_fen, deductible_fen)
select %(setl_id)s, position, district, number, code, own_code, name, price, -quantity, grade, selfpay, ceiling, pooled,
    rxno, -amount_fen, -full_fen, -over_fen, -pre_fen, -inscope_fen, -fund_fen, -deductible_fen
from settlement_line where setl_id = %(original)s
"""

STORED = """
select infno, digest, state, setl_id, answer from message where institution_code = %(institution)s and msgid = %(msgid)s
"""

ARRIVE = """
insert into message (institution_code, msgid, district, infno, digest, arrived_at)
values (%(institution)s, %(msgid)s, %(district)s, %(infno)s, %(digest)s, %(now)s)
on conflict (institution_code, msgid) do nothing
returning msgid
"""

KEEP_ANSWER = """
insert into message (institution_code, msgid, district, infno, digest, arrived_at, state, answer)
values (%(institution)s, %(msgid)s, %(district)s, %(infno)s, %(digest)s, %(now)s, %(state)s, %(answer)s)
on conflict (institution_code, msgid) do nothing
returning msgid
"""

ANSWER = """
update message set answer = %(answer)s, state = 'accepted' where institution_code = %(institution)s and msgid = %(msgid)s
"""

# Stands in the place of a message that has not come; should it come late, it is refused.
TOMBSTONE = """
insert into message (institution_code, msgid, district, infno, digest, arrived_at, state)
values (%(institution)s, %(omsgid)s, %(district)s, %(oinfno)s, ''::bytea, %(now)s, 'tombstone')
on conflict (institution_code, msgid) do nothing
returning msgid
"""

LOCK_PERSON = """
select a.current_fen, a.prior_fen, a.mutual_fen
from account a join person_year y on y.psn_no = a.psn_no and y.insutype = %(insutype)s and y.year = %(year)s
where a.psn_no = %(psn_no)s
for no key update of a, y
"""

SETTLEMENT = """
select s.*, r.setl_id as reversed_by
from settlement s left join settlement r on r.reverses_setl_id = s.setl_id
where s.setl_id = %(setl_id)s and s.institution_code = %(institution)s
"""

SETTLEMENT_WITH_PERSON = """
select s.*, r.setl_id as reversed_by, p.name, p.sex, p.ethnicity, p.born_on, p.certno_sealed, p.cert_type as psn_cert_type,
    i.name as institution_name
from settlement s
join person p using (psn_no)
join institution i on i.code = s.institution_code
left join settlement r on r.reverses_setl_id = s.setl_id
where s.setl_id = %(setl_id)s and s.institution_code = %(institution)s and s.psn_no = %(psn_no)s
"""

OPEN_YEAR = """
insert into person_year (psn_no, insutype, year, district)
select psn_no, insutype, %(year)s, district from coverage where psn_no = %(psn_no)s and insutype = %(insutype)s
order by valid_from desc limit 1
on conflict (psn_no, insutype, year) do nothing
"""
