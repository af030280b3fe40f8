"""Files on their way in: a supplier's note into a delivery, or opening stock onto the shelf (期初). In portions, resumable."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.facility.catalog.importer import columns, reader
from app.facility.db import action, run
from app.facility.stock import receiving
from app.facility.stock.purchasing import deliveries, files, import_checks, rules
from app.facility.stock.purchasing.errors import ColumnsUnclear, ImportNotReady, RowsUndecided
from app.facility.stock.rules import ReceiptLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.tenancy import Desk

PORTION = 1_000  # Rows checked in one go: under a second, so that progress can be seen.
MOST_POSTED = 450  # Lines of one opening receipt.
STATES = {
    "columns": "等待列对应",
    "checking": "正在检查",
    "preview": "等待确认",
    "posting": "正在入库",
    "done": "已完成",
}
MOST_PRODUCTS = 50_000

KEEP = """
    insert into stock_import (id, facility_id, kind, delivery_id, file_name, digest, encoding, header, signature, mapping, row_count, staff_id, created_at)
    values (:id, :facility, :kind, :delivery, :file, :digest, :encoding, cast(:header as jsonb), :signature, cast(:mapping as jsonb), :rows, :staff, :at)
    on conflict on constraint stock_import_pkey do nothing returning id
"""
KEEP_ROWS = """
    insert into stock_import_row (import_id, number, raw)
    select :id, r.number, r.raw from jsonb_to_recordset(cast(:rows as jsonb)) as r(number int, raw jsonb)
"""
REMEMBER = """
    insert into column_mapping (signature, mapping, staff_id) values (:signature, cast(:mapping as jsonb), :staff)
    on conflict (tenant_id, signature) do update set mapping = excluded.mapping, staff_id = excluded.staff_id
"""
JUDGE = """
    update stock_import_row r set said = j.said, verdict = j.verdict, problem = j.problem, product_id = j.product_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as j(number int, said jsonb, verdict text, problem text, product_id bigint)
    where r.import_id = :id and r.number = j.number
"""
TO_POST = """
    select r.number, r.said, r.product_id, p.storage, p.special_class from stock_import_row r
    join product p on p.tenant_id = r.tenant_id and p.id = r.product_id
    where r.import_id = :id and r.verdict = 'ready' order by r.product_id, r.number limit :most
"""


def upload_file(desk: Desk, import_id: UUID, file_name: str, content: bytes, delivery_id: UUID | None = None) -> None:
    """Read a file and keep its rows; with a delivery it is that supplier's note, without one opening stock.

    The same upload again changes nothing. Raises FileUnreadable, FileTooLarge, DocumentChanged.
    """
    name = reader.shown_name(file_name)
    _keep(desk, import_id, name, content, reader.read_table(name, content), delivery_id)


@action
def _keep(
    desk: Desk, import_id: UUID, name: str, content: bytes, table: reader.Table, delivery_id: UUID | None
) -> None:
    if delivery_id:
        deliveries.get_draft(desk, delivery_id)
    digest = hashlib.sha256(content).digest()
    layout = columns.find_layout(table.rows, files.VOCABULARY)
    rows = [(number, row) for number, row in enumerate(table.rows[layout.first_row - 1 :], layout.first_row) if row]
    remembered = run("select mapping from column_mapping where signature = :signature", signature=layout.signature)
    mapping = remembered.scalar_one_or_none() or columns.guess(
        layout.header, [row for _, row in rows], files.VOCABULARY
    )
    new = run(
        KEEP, id=import_id, facility=desk.facility_id, kind="delivery" if delivery_id else "opening", delivery=delivery_id, file=name,
        digest=digest, encoding=table.encoding, header=_json(layout.header), signature=layout.signature, mapping=_json(mapping),
        rows=len(rows), staff=desk.staff_id, at=clock.now(),
    ).one_or_none()  # fmt: skip
    if new is None:
        kept = run(
            "select digest from stock_import where id = :id and facility_id = :f", id=import_id, f=desk.facility_id
        ).scalar_one_or_none()
        if kept is None or bytes(kept) != digest:
            raise DocumentChanged
        return
    run(KEEP_ROWS, id=import_id, rows=_json([{"number": number, "raw": row} for number, row in rows]))


@action
def choose_columns(desk: Desk, import_id: UUID, mapping: Mapping[str, str]) -> None:
    """Say what each column means and begin checking; remembered for the next file with this header. Raises ColumnsUnclear."""
    batch = _locked(desk, import_id, "columns", "checking", "preview")
    width = len(batch.header)
    chosen = {
        index: name
        for index, name in mapping.items()
        if name in files.FIELDS and index.isascii() and index.isdigit() and len(index) < 5 and int(index) < width
    }
    if lacks := files.missing_columns(chosen):
        raise ColumnsUnclear(why=words("还缺 {fields}", fields=Several([words(text) for text in lacks])))
    if len(set(chosen.values())) < len(chosen):
        raise ColumnsUnclear(why=words("有两列写的是同一项"))
    run(REMEMBER, signature=batch.signature, mapping=_json(chosen), staff=desk.staff_id)
    run(
        "update stock_import_row set verdict = 'waiting', problem = '', product_id = null where import_id = :id and verdict <> 'posted'",
        id=import_id,
    )
    run(
        "update stock_import set mapping = cast(:mapping as jsonb), state = 'checking', checked_count = 0 where id = :id",
        mapping=_json(chosen),
        id=import_id,
    )


@action
def check_next(desk: Desk, import_id: UUID) -> bool:
    """Check the next portion of rows; True when the preview is ready."""
    batch = _locked(desk, import_id, "checking", "preview", "posting", "done")
    if batch.state != "checking":
        return True
    rows = run(
        "select number, raw from stock_import_row where import_id = :id and verdict = 'waiting' order by number limit :most",
        id=import_id, most=PORTION,
    ).all()  # fmt: skip
    index, today = files.Index.of(_catalog()), clock.business_date()
    run(JUDGE, id=import_id, rows=_json([_judged(row, batch, index, today) for row in rows]))
    ready = len(rows) < PORTION
    if ready and batch.kind == "opening":
        import_checks.look_across(import_id)
    run(
        "update stock_import set checked_count = checked_count + :n, state = :state where id = :id",
        n=len(rows), state="preview" if ready else "checking", id=import_id,
    )  # fmt: skip
    return ready


def _catalog() -> Sequence[Any]:
    return run(
        "select id, code, national_code, barcode, generic_name, trade_name, spec, maker from product where state = 'active' order by id limit :most",
        most=MOST_PRODUCTS,
    ).all()


def _judged(row: Any, batch: Any, index: files.Index, today: date) -> dict[str, Any]:
    read = files.read_row(row.raw, batch.mapping, today)
    wrong = [name for name in read.problems if name not in files.NOTES]
    product_id, unclear = index.find(read.said) if "product" not in wrong else (None, "")
    verdict = "error" if wrong else "unmatched" if product_id is None else "ready"
    problem = ",".join([*([unclear] if unclear else []), *read.problems])
    return {"number": row.number, "said": read.said, "verdict": verdict, "problem": problem, "product_id": product_id}


@action
def choose_product(desk: Desk, import_id: UUID, number: int, product_id: int | None) -> None:
    """Say which product a row means, and all rows that say the same name, spec and maker; None leaves the row out."""
    batch = _locked(desk, import_id, "preview")
    if product_id is None:
        run(
            "update stock_import_row set verdict = 'skipped' where import_id = :id and number = :n and verdict <> 'posted'",
            id=import_id,
            n=number,
        )
        return
    if run("select 1 from product where id = :p and state = 'active'", p=product_id).one_or_none() is None:
        raise NotFound
    run(
        """
        update stock_import_row r set verdict = 'ready', product_id = :product, problem = case when r.problem like '%expired%' then 'expired' else '' end
        from stock_import_row t
        where t.import_id = :id and t.number = :n and r.import_id = t.import_id and r.verdict = 'unmatched'
            and r.said ->> 'name' = t.said ->> 'name' and r.said ->> 'spec' = t.said ->> 'spec' and r.said ->> 'maker' = t.said ->> 'maker'
        """,
        product=product_id, id=import_id, n=number,
    )  # fmt: skip
    if batch.kind == "opening":
        import_checks.look_across(import_id, product_id)


@action
def leave_rest(desk: Desk, import_id: UUID) -> int:
    """Leave every row out that is in error or has no product; returns how many. They stay in the file, named."""
    _locked(desk, import_id, "preview")
    left = run(
        "update stock_import_row set verdict = 'skipped' where import_id = :id and verdict in ('error', 'unmatched') returning number",
        id=import_id,
    )
    return len(left.all())


@action
def take_opening(desk: Desk, import_id: UUID) -> bool:
    """Begin to put an opening file onto the shelf, when nothing in it is undecided; all of it is looked at once more before.

    False when something came between, such as a sale: nothing was taken, and the rows say why. Raises RowsUndecided.
    """
    batch = _locked(desk, import_id, "preview", "posting")
    if batch.kind != "opening":
        raise NotFound
    waiting = run(
        "select count(*) from stock_import_row where import_id = :id and verdict in ('error', 'unmatched')",
        id=import_id,
    ).scalar_one()
    if batch.state == "preview" and waiting:
        raise RowsUndecided(n=waiting)
    if batch.state == "preview" and import_checks.look_across(import_id):
        return False
    start_posting(desk, import_id)
    return True


@action
def check_again(desk: Desk, import_id: UUID, number: int = 0) -> None:
    """Check what is not ready against the catalog as it is now; what a person chose stays. A row left out can be named to come back."""
    _locked(desk, import_id, "preview", "posting")
    run(
        """
        update stock_import_row set verdict = 'waiting', problem = '', product_id = null
        where import_id = :id and (verdict in ('error', 'unmatched') or (verdict = 'skipped' and number = :number))
        """,
        id=import_id,
        number=number,
    )
    run(
        """
        update stock_import set state = 'checking', checked_count = row_count - (
            select count(*) from stock_import_row where import_id = :id and verdict = 'waiting') where id = :id
        """,
        id=import_id,
    )


@action
def start_posting(desk: Desk, import_id: UUID) -> None:
    """Take what is ready: the rest of the file stays behind, named (确认期初)."""
    _locked(desk, import_id, "preview", "posting")
    run("update stock_import set state = 'posting' where id = :id", id=import_id)


def post_next(desk: Desk, import_id: UUID) -> bool:
    """Put the next rows of an opening file onto the shelf; True when nothing is left. Safe to ask again after a crash.

    Rows of one product always go together; each portion is a receipt whose id follows from its first row.
    """
    batch, rows = _portion(desk, import_id)
    if not rows:
        _finish(import_id)
        return True
    receipt = uuid5(import_id, f"{rows[0].product_id}:{rows[0].number}")
    receiving.open_stock(
        desk, receipt, [_opening_line(row) for row in rows], words("期初导入：{file}", file=batch.file_name)[:200]
    )
    _mark(import_id, receipt, [row.number for row in rows])
    return False


@action
def _portion(desk: Desk, import_id: UUID) -> tuple[Any, list[Any]]:
    batch = _locked(desk, import_id, "posting", "done")
    if batch.state == "done" or batch.kind != "opening":
        return batch, []
    rows = list(run(TO_POST, id=import_id, most=MOST_POSTED + 1))
    if len(rows) > MOST_POSTED:  # The last product may go on beyond the portion: leave it to the next one.
        whole = [row for row in rows if row.product_id != rows[-1].product_id]
        rows = whole or rows[:MOST_POSTED]
    return batch, rows


def _opening_line(row: Any) -> ReceiptLine:
    said = row.said
    expires = date.fromisoformat(said["expires_on"])
    home = rules.Goods("", 1, row.storage, row.special_class, "", "", "").home
    return ReceiptLine(
        row.product_id, said["lot"], expires, said["packs"], "REJECT" if expires < clock.business_date() else home,
        date.fromisoformat(said["produced_on"]) if said["produced_on"] else None,
        Decimal(said["cost"]) if said["cost"] else None, tuple(said["codes"]),
    )  # fmt: skip


@action
def _mark(import_id: UUID, receipt: UUID, numbers: list[int]) -> None:
    run(
        "update stock_import_row set verdict = 'posted', receipt_id = :receipt where import_id = :id and number = any(:numbers) and verdict = 'ready'",
        receipt=receipt, id=import_id, numbers=numbers,
    )  # fmt: skip
    run(
        "update stock_import set posted_count = (select count(*) from stock_import_row where import_id = :id and verdict = 'posted') where id = :id",
        id=import_id,
    )


@action
def _finish(import_id: UUID) -> None:
    run(
        "update stock_import set state = 'done', finished_at = coalesce(finished_at, :at) where id = :id",
        at=clock.now(),
        id=import_id,
    )


@action
def fill_delivery(desk: Desk, import_id: UUID) -> UUID:
    """Put the ready rows of a supplier's note into its delivery, to be checked against the goods; returns the delivery."""
    batch = _locked(desk, import_id, "preview", "done")
    if batch.kind != "delivery":
        raise NotFound
    if batch.state == "done":
        return UUID(str(batch.delivery_id))
    found = run(
        """
        select r.number, r.said, r.product_id, concat_ws(' · ', p.generic_name, nullif(p.spec, ''), p.pack_unit) as name
        from stock_import_row r join product p on p.tenant_id = r.tenant_id and p.id = r.product_id
        where r.import_id = :id and r.verdict = 'ready' order by r.number limit 500
        """,
        id=import_id,
    ).all()
    draft, version = deliveries.get_draft(desk, batch.delivery_id)
    named = {row.product_id for row in found}
    kept = [
        row for row in draft.rows if row.lot or row.product not in named
    ]  # What the order expected is now named by lot.
    costs = {row.product: row.cost for row in draft.rows}
    draft.rows = [*kept, *(_noted(row, costs) for row in found)]
    deliveries.save_delivery(desk, batch.delivery_id, version, draft)
    run("update stock_import_row set verdict = 'posted' where import_id = :id and verdict = 'ready'", id=import_id)
    run("update stock_import set posted_count = :n where id = :id", n=len(found), id=import_id)
    _finish(import_id)
    return UUID(str(batch.delivery_id))


def _noted(row: Any, costs: Mapping[int, str]) -> rules.Row:
    said = row.said
    return rules.Row(
        row.product_id, row.name, said["lot"], said["produced_on"], said["expires_on"], str(said["packs"]), cost=said["cost"] or costs.get(row.product_id, ""),
        approval=said["approval"], maker=said["maker"], origin=said["origin"], noted=str(said["packs"]), codes=list(said["codes"]),
    )  # fmt: skip


def _locked(desk: Desk, import_id: UUID, *states: str) -> Any:
    batch = run(
        "select * from stock_import where id = :id and facility_id = :f for no key update",
        id=import_id,
        f=desk.facility_id,
    ).one_or_none()
    if batch is None:
        raise NotFound
    if batch.state not in states:
        raise ImportNotReady(state=words(STATES[batch.state]))
    return batch


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
