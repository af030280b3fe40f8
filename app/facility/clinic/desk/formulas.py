"""What a visit may begin from: formulas (协定处方) and record templates (病历模板) of a doctor, a department or the clinic; the
patient's last sheets; what a doctor uses often.

A formula is a copy of lines, never of a patient. When it is put on a draft, products that stopped are left out and named. A
template holds the words of a record and its diagnoses; it fills what is still empty and changes nothing that was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import NotFound, WrongInput, words
from app.facility.catalog import queries as catalog
from app.facility.catalog.pinyin import search_keys
from app.facility.clinic.desk import rules
from app.facility.clinic.desk.answers import FAMILY
from app.facility.clinic.desk.rules import Content, Diagnosis, Line, Record, Sheet
from app.facility.clinic.packages import actions as packages
from app.facility.db import hot_action, run, transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.tenancy import Desk
    from app.facility.catalog.queries import ProductCard

MINE, DEPARTMENT, ALL = "mine", "department", "all"
SCOPES = {MINE: "我的", DEPARTMENT: "本科室", ALL: "全院"}
RECORD = "RECORD"
KINDS = {kind: word for kind, word in rules.KINDS.items() if kind != "FEE"} | {RECORD: "病历模板"}
TOLD = ("complaint", "history", "past", "exam", "advice")
PAGE, MOST_NAME, MOST_OFTEN, MOST_LAST = 30, 40, 12, 6
SAVE = """
insert into formula (tenant_id, id, facility_id, owner_id, department_id, name, initials, kind, body, staff_id, made_at)
select %(tenant)s, %(id)s, %(facility)s, %(owner)s::bigint, (
    select p.department_id from practitioner p where p.tenant_id = %(tenant)s and p.facility_id = %(facility)s and p.staff_id = %(staff)s and %(scope)s = 'department'),
    %(name)s, %(initials)s, %(kind)s, %(body)s::jsonb, %(staff)s, %(at)s
on conflict (tenant_id, id) do nothing
"""
END = """
update formula set ended_at = %(at)s, ended_by = %(staff)s
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and staff_id = %(staff)s and ended_at is null returning id
"""
KNOWN = "select 1 as known from formula where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(id)s and staff_id = %(staff)s"
MAY_USE = """
f.facility_id = :facility and f.ended_at is null and (f.owner_id = :staff or (f.owner_id is null and (f.department_id is null or f.department_id = (
    select p.department_id from practitioner p where p.facility_id = :facility and p.staff_id = :staff))))
"""
FIND = f"""
select f.id, f.name, f.kind, f.owner_id, f.department_id, f.staff_id, jsonb_array_length(f.body -> 'lines') as many,
    f.body #>> '{{record,complaint}}' as complaint from formula f
where {MAY_USE} and (cast(:begins as text) = '' or f.name like '%' || :part || '%' or f.initials like :begins || '%')
    and (cast(:after as uuid) is null or (f.owner_id is null, f.name, f.id) > (
        select a.owner_id is null, a.name, a.id from formula a where a.facility_id = :facility and a.id = cast(:after as uuid)))
order by f.owner_id is null, f.name, f.id limit {PAGE + 1}
"""
GET = f"select f.kind, f.body from formula f where {MAY_USE} and f.id = :id"
# The sheets of the patient's last signed visit.
LAST = f"""
select o.id, o.kind, o.signed_at, string_agg(l.described ->> 'name', '、' order by l.line_no) as names
from clinic_order o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
where o.tenant_id = :tenant and o.kind <> 'FEE' and (o.visit_id, o.version) = (
    select b.visit_id, b.version from clinic_order b
    where b.tenant_id = :tenant and b.patient_id in ({{family}}) and b.visit_id <> :visit and b.state not in ('VOID', 'RETURNED', 'REFUSED') order by b.signed_at desc limit 1)
group by o.id, o.kind, o.signed_at, o.number order by o.number limit {MOST_LAST}
"""
COPY = """
select o.kind, o.tag, o.doses, o.usage, l.product_id, l.quantity, l.split, l.dose, l.dose_unit, l.frequency, l.route, l.days, l.group_no, l.handling, l.skin_test, l.note
from clinic_order o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
where o.tenant_id = :tenant and o.id = :id and o.patient_id in ({family}) order by l.line_no
"""
# Of the doctor's newest 300 sheets: by the doctor's own index.
OFTEN = f"""
select l.product_id from (
    select o.tenant_id, o.id from clinic_order o where o.doctor_id = :staff and o.state <> 'VOID' order by o.signed_at desc limit 300
) o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
where p.rx_class = any(cast(:classes as text[])) and p.state = 'active' group by l.product_id order by count(*) desc, l.product_id limit {MOST_OFTEN}
"""


def _family(statement: str) -> str:
    here = FAMILY.replace("%(tenant)s", ":tenant").replace("%(facility)s", ":facility").replace("%(visit)s", ":visit")
    return statement.format(family=here)


class Template(msgspec.Struct, frozen=True):
    """A record to begin from: what is told, found and advised, and the diagnoses; no measurement and no patient."""

    record: Record
    diagnoses: tuple[Diagnosis, ...] = ()


def save_formula(desk: Desk, formula_id: UUID, name: str, sheet: Sheet, scope: str) -> None:
    """Keep a sheet as a formula of one's own, of the department or of the clinic. Sent again it changes nothing. Raises WrongInput."""
    if sheet.kind not in KINDS:
        raise WrongInput(what="协定处方", why="这张单子不能存为协定处方")
    plain = msgspec.structs.replace(sheet, id=UUID(int=0), reason="", long_term=False)
    _save(desk, formula_id, name, sheet.kind, plain, scope)


def save_template(desk: Desk, template_id: UUID, name: str, content: Content, scope: str) -> None:
    """Keep the words and diagnoses of a record as a template. Sent again it changes nothing. Raises WrongInput."""
    record = Record(**{field: getattr(content.record, field).strip() for field in TOLD})
    if record == Record() and not content.diagnoses:
        raise WrongInput(what="病历模板", why="还没有写病历，也没有诊断")
    _save(desk, template_id, name, RECORD, Template(record, content.diagnoses), scope)


@hot_action
def _save(desk: Desk, formula_id: UUID, name: str, kind: str, body: Sheet | Template, scope: str) -> None:
    if not 1 <= len(name.strip()) <= MOST_NAME or scope not in SCOPES:
        raise WrongInput(what=words(KINDS[RECORD] if kind == RECORD else "协定处方"), why=words("名称要有 1 到 {n} 个字，归属要选一项", n=MOST_NAME))  # fmt: skip
    keys = {
        **desk.keys, "id": formula_id, "owner": desk.staff_id if scope == MINE else None, "scope": scope, "name": name.strip(),
        "initials": search_keys(name.strip(), "", []).initials, "kind": kind, "body": msgspec.json.encode(body).decode(), "at": clock.now(),
    }  # fmt: skip
    try:
        with transaction(settings=desk.settings) as hot:
            hot.run_last(SAVE, keys)
    except pg.UniqueViolation as known:
        raise WrongInput(what=name.strip(), why="已经有同名的协定处方或模板，请换个名称，或先删去旧的") from known


@hot_action
def end_formula(desk: Desk, formula_id: UUID) -> None:
    """Take a formula off; only who made it may. Raises NotFound."""
    keys = {**desk.keys, "id": formula_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(END, keys) and not hot.run(KNOWN, keys):
            raise NotFound


def find_formulas(desk: Desk, text: str, after: UUID | None = None) -> list[Any]:
    """Formulas this doctor may use, by part of the name or its initials; the own first, 30 a page and one that says there are more."""
    typed = text.strip()[:MOST_NAME]
    plain = typed.replace("\\", "").replace("%", "").replace("_", "")
    return list(
        run(FIND, facility=desk.facility_id, staff=desk.staff_id, part=plain, begins=plain.lower(), after=after)
    )


def last_sheets(desk: Desk, visit_id: UUID) -> list[Any]:
    """The sheets of the patient's last visit (上次处方)."""
    return list(run(_family(LAST), tenant=desk.tenant_id, facility=desk.facility_id, visit=visit_id))


def often_used(desk: Desk, classes: tuple[str, ...]) -> list[ProductCard]:
    """What this doctor signs most (常用)."""
    ids = [row.product_id for row in run(OFTEN, staff=desk.staff_id, classes=list(classes))]
    cards = catalog.get_products(ids)
    return [cards[one] for one in ids if one in cards]


def formula(desk: Desk, formula_id: UUID) -> Sheet | Template:
    """One formula as a sheet, or a template. Raises NotFound."""
    row = run(GET, facility=desk.facility_id, staff=desk.staff_id, id=formula_id).one_or_none()
    if row is None:
        raise NotFound
    if row.kind == RECORD:
        return msgspec.convert(row.body, Template)
    return msgspec.convert(row.body, Sheet, strict=False)


def begin(content: Content, template: Template) -> Content:
    """Fill what is still empty of a record, and add the diagnoses that are not there."""
    told = {field: getattr(content.record, field) or getattr(template.record, field) for field in TOLD}
    there = {one.code for one in content.diagnoses}
    fresh = tuple(one for one in template.diagnoses if one.code not in there)
    record = msgspec.structs.replace(content.record, **told)
    return msgspec.structs.replace(content, record=record, diagnoses=(*content.diagnoses, *fresh))


def find_packages(text: str) -> list[packages.Version]:
    """Packages (套餐) one may begin from, by part of the name or its initials."""
    typed = text.strip().lower()
    fitting = (
        one
        for one in packages.list_offered()
        if typed in one.name.lower() or search_keys(one.name, "", []).initials.startswith(typed)
    )
    return list(fitting)[:PAGE]


def package(package_id: int) -> Sheet:
    """The items of a package as a sheet. Raises NotFound."""
    found = next((one for one in packages.list_offered() if one.id == package_id), None)
    if found is None:
        raise NotFound
    return Sheet(uuid4(), found.kind, tuple(Line(item.product_id, item.times) for item in found.items))


def last_sheet(desk: Desk, visit_id: UUID, sheet_id: UUID) -> Sheet:
    """A sheet this patient had before, to be written again. Raises NotFound."""
    rows = list(
        run(_family(COPY), tenant=desk.tenant_id, facility=desk.facility_id, visit=visit_id, id=sheet_id)
    )  # fmt: skip
    if not rows:
        raise NotFound
    lines = tuple(
        msgspec.convert({**_line(row), "dose": row.dose or None}, Line, strict=False) for row in rows
    )  # fmt: skip
    return Sheet(uuid4(), rows[0].kind, lines, rows[0].tag, rows[0].doses, rows[0].usage)


def _line(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Line.__struct_fields__ if hasattr(row, name)}


def put_on(content: Content, sheet: Sheet, cards: Mapping[int, ProductCard]) -> tuple[Content, list[str]]:
    """Put a sheet's lines on a draft as a sheet of their own; returns the names of what was left out because it stopped."""
    good, stopped = [], []
    for line in sheet.lines:
        card = cards.get(line.product_id)
        if card is not None and card.is_active and rules.price_of(card, split=line.split) is not None:
            good.append(line)
        else:
            stopped.append(card.generic_name if card is not None else "?")
    if not good:
        return content, stopped
    if len(content.sheets) >= rules.MOST_SHEETS:
        raise WrongInput(what="处方", why=words("最多 {n} 张", n=rules.MOST_SHEETS))
    made = msgspec.structs.replace(sheet, id=uuid4(), lines=tuple(good))
    return msgspec.structs.replace(content, sheets=(*content.sheets, made)), stopped
