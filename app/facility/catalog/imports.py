"""What people do with a catalog file: upload it, say what its columns mean, have it checked, take it, undo it.

The file's rows are kept from the first moment, so a reload, another till or another day comes back to the same step.
Checking goes in portions and can be resumed; taking is one transaction, whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg
from sqlalchemy.exc import IntegrityError

from app.core import trail
from app.core.errors import DocumentChanged, NotFound
from app.facility.catalog import import_statements as sql
from app.facility.catalog import judging, queries
from app.facility.catalog.actions import lock_catalog, next_code
from app.facility.catalog.errors import (
    ChangedSinceImport,
    ColumnsMissing,
    ColumnsTwice,
    ImportInUse,
    NothingToTake,
    NotPreviewed,
    PreviewStale,
    RowsUndecided,
)
from app.facility.catalog.importer import columns, reader
from app.facility.catalog.importer.columns import FILE_FIELDS
from app.facility.catalog.importer.parse import parse_row
from app.facility.catalog.rules import RX_CLASSES
from app.facility.db import action, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

PORTION = 1000  # Rows checked in one go: under a second, so that progress can be seen.
STATES = {
    "uploaded": "等待列对应",
    "checking": "正在检查",
    "previewed": "等待导入",
    "taken": "已导入",
    "undone": "已撤销",
}
DEFAULT_OPTIONS = {"duplicates": "ask", "errors": "ask", "gone": "keep", "rx_class": ""}
OPTION_WORDS = {
    "duplicates": ("ask", "keep", "first"),
    "errors": ("ask", "skip"),
    "gone": ("keep", "stop"),
    "rx_class": ("", *RX_CLASSES),
}


# ---- uploading and columns ---------------------------------------------------------------------------------------


def upload_file(batch_id: UUID, file_name: str, content: bytes, staff_id: int) -> None:
    """Read a file and keep its rows. The same upload again changes nothing; another file under the same id is refused.

    Raises FileUnreadable, FileTooLarge, DocumentChanged.
    """
    name = reader.shown_name(file_name)
    table = reader.read_table(name, content)
    _keep_upload(batch_id, name, content, table, staff_id)


@action
def _keep_upload(batch_id: UUID, name: str, content: bytes, table: reader.Table, staff_id: int) -> None:
    digest = hashlib.sha256(content).digest()
    layout = columns.find_layout(table.rows)
    data = table.rows[layout.first_row - 1 :]
    remembered = run(
        "select mapping from column_mapping where signature = :signature", signature=layout.signature
    ).scalar_one_or_none()
    new = run(
        sql.KEEP_BATCH,
        id=batch_id,
        file_name=name,
        digest=digest,
        size_bytes=len(content),
        kind=table.kind,
        encoding=table.encoding,
        sheet=table.sheet,
        header=_json(layout.header),
        header_row=layout.header_row,
        signature=layout.signature,
        mapping=_json(remembered or columns.guess(layout.header, data)),
        options=_json(DEFAULT_OPTIONS),
        counts=_json({"other_sheets": table.other_sheets, "remembered": bool(remembered)}),
        row_count=sum(1 for row in data if row),
        staff_id=staff_id,
    ).one_or_none()
    if new is None:
        _same_or_refuse(batch_id, digest)
        return
    rows = [{"n": number, "raw": row} for number, row in enumerate(data, start=layout.first_row) if row]
    run(sql.KEEP_ROWS, batch_id=batch_id, rows=_json(rows))


def _same_or_refuse(batch_id: UUID, digest: bytes) -> None:
    kept = run("select digest from import_batch where id = :id", id=batch_id).scalar_one()
    if bytes(kept) != digest:
        raise DocumentChanged


@action
def choose_columns(batch_id: UUID, mapping: Mapping[str, str], staff_id: int, rx_class: str = "") -> None:
    """Say what each column means and begin checking; remembered for the next file with this header.

    Raises ColumnsMissing, ColumnsTwice, NotPreviewed.
    """
    batch = _locked(batch_id, "uploaded", "checking", "previewed")
    width = len(batch.header)
    chosen = {
        index: field
        for index, field in mapping.items()
        if field in FILE_FIELDS and index.isascii() and index.isdigit() and len(index) < 10 and int(index) < width
    }
    _check_columns(chosen, batch.header)
    run(sql.REMEMBER_COLUMNS, signature=batch.signature, mapping=_json(chosen), staff_id=staff_id)
    options = {**batch.options, "rx_class": rx_class if rx_class in RX_CLASSES else ""}
    _start_checking(batch_id, chosen, options)


def _check_columns(chosen: Mapping[str, str], header: list[str]) -> None:
    for field in set(chosen.values()):
        twice = [header[int(index)] or f"第 {int(index) + 1} 列" for index, name in chosen.items() if name == field]
        if len(twice) > 1:
            raise ColumnsTwice(field=FILE_FIELDS[field], columns="、".join(twice))
    if not {"generic_name", "labelled_name"} & set(chosen.values()):
        raise ColumnsMissing(field=FILE_FIELDS["generic_name"])


@action
def check_again(batch_id: UUID) -> None:
    """Throw the verdicts away and check every row against the catalog as it is now."""
    batch = _locked(batch_id, "checking", "previewed")
    _start_checking(batch_id, batch.mapping, batch.options)


def _start_checking(batch_id: UUID, mapping: Mapping[str, str], options: Mapping[str, Any]) -> None:
    run("delete from import_row where batch_id = :id and raw is null", id=batch_id)
    run(
        """
        update import_row set parsed = null, problems = '[]', changes = '{}', verdict = null, product_id = null, before = null
        where batch_id = :id and parsed is not null
        """,
        id=batch_id,
    )
    run(
        """
        update import_batch set mapping = cast(:mapping as jsonb), options = cast(:options as jsonb), checked_count = 0, state = 'checking'
        where id = :id
        """,
        id=batch_id,
        mapping=_json(mapping),
        options=_json(options),
    )


# ---- checking ----------------------------------------------------------------------------------------------------


@action
def check_next(batch_id: UUID) -> bool:
    """Check the next portion of rows; returns True when the preview is ready. Safe to call again after any interruption."""
    batch = _locked(batch_id, "checking", "previewed")
    if batch.state == "previewed":
        return True
    rows = run(
        "select number, raw from import_row where batch_id = :id and parsed is null and raw is not null order by number limit :portion",
        id=batch_id,
        portion=PORTION,
    ).all()
    if rows:
        _keep_parsed(batch_id, rows, batch.mapping, batch.options["rx_class"])
        run("update import_batch set checked_count = checked_count + :many where id = :id", id=batch_id, many=len(rows))
    if len(rows) == PORTION:
        return False
    judging.judge_batch(batch_id)
    return True


def _keep_parsed(batch_id: UUID, rows: Any, mapping: Mapping[str, str], rx_class: str) -> None:
    said = [(row.number, parse_row(row.raw, mapping, rx_class)) for row in rows]
    run(
        sql.SET_PARSED,
        batch_id=batch_id,
        rows=_json([{"n": number, "parsed": one.as_json(), "problems": one.problems} for number, one in said]),
    )


# ---- deciding, taking, undoing -----------------------------------------------------------------------------------


@action
def decide(batch_id: UUID, **options: str) -> None:
    """Say for the whole file what happens to shared national codes, rows in error and products no longer named."""
    batch = _locked(batch_id, "previewed")
    chosen = {name: word for name, word in options.items() if word in OPTION_WORDS.get(name, ())}
    run(
        "update import_batch set options = cast(:options as jsonb) where id = :id",
        id=batch_id,
        options=_json({**batch.options, **chosen}),
    )


@action
def decide_row(batch_id: UUID, number: int, decision: str | None) -> None:
    """Take or skip one row, whatever was said for the whole file; None leaves it to that."""
    _locked(batch_id, "previewed")
    word = decision if decision in {"take", "skip"} else None
    changed = run(
        "update import_row set decision = :decision where batch_id = :id and number = :number returning number",
        id=batch_id,
        number=number,
        decision=word,
    ).one_or_none()
    if changed is None:
        raise NotFound


@action
def take_import(batch_id: UUID, staff_id: int) -> dict[str, int]:
    """Bring the file into the catalog, whole or not at all; returns how many products are new, changed, stopped.

    Taking twice takes once. Raises RowsUndecided, NothingToTake, PreviewStale.
    """
    lock_catalog()
    batch = _locked(batch_id, "previewed", "taken")
    if batch.state == "taken":
        return dict(batch.counts["taken"])
    _refuse_undecided(batch_id)
    if stale := run(sql.STALE, batch_id=batch_id).all():
        raise PreviewStale(what="、".join(row.name for row in stale))
    taken = _take(batch_id, staff_id, f"导入 {batch.file_name}"[:200])
    run(
        """
        update import_batch set state = 'taken', taken_at = now(), taken_by = :staff_id,
            counts = counts || jsonb_build_object('taken', cast(:taken as jsonb))
        where id = :id
        """,
        id=batch_id,
        staff_id=staff_id,
        taken=_json(taken),
    )
    trail.record("catalog.import.taken", f"import/{batch_id}", rows=taken)
    return taken


def _take(batch_id: UUID, staff_id: int, reason: str) -> dict[str, int]:
    run(sql.EXPECT_MANY)
    _number_codeless(batch_id)
    try:
        new = run(sql.TAKE_NEW, batch_id=batch_id).rowcount
        run(sql.LINK_NEW, batch_id=batch_id)
        run(sql.FREE_BARCODES, batch_id=batch_id)
        changed = run(sql.TAKE_CHANGED, batch_id=batch_id).rowcount
    except IntegrityError as failure:
        if isinstance(failure.orig, pg.UniqueViolation):
            raise PreviewStale(what="商品编码或条码已被别的商品使用") from failure
        raise
    run(sql.TAKE_PRICES, batch_id=batch_id, staff_id=staff_id, reason=reason)
    stopped = run(sql.STOP_GONE, batch_id=batch_id).rowcount
    if not new and not changed and not stopped:
        raise NothingToTake
    return {"new": new, "changed": changed, "stopped": stopped}


def _number_codeless(batch_id: UUID) -> None:
    """Give rows without an own code the next numbers of ours, in the order of the file."""
    codeless = run(sql.CODELESS, batch_id=batch_id).all()
    first = int(next_code()[1:])
    rows = []
    for place, row in enumerate(codeless):
        draft = judging.draft_from({**row.final, "code": f"P{first + place:06d}"})
        rows.append({"n": row.number, "final": {**row.final, **judging.columns_of(draft)}})
    if rows:
        run(sql.SET_FINAL, batch_id=batch_id, rows=_json(rows))


def _refuse_undecided(batch_id: UUID) -> None:
    waiting = run(sql.UNDECIDED, batch_id=batch_id).one()
    if waiting.errors or waiting.duplicates:
        raise RowsUndecided(errors=waiting.errors, duplicates=waiting.duplicates)


@action
def undo_import(batch_id: UUID, staff_id: int) -> None:
    """Take an import back: what it brought leaves, what it changed is as before, prices step back with a new line of history.

    Only while nobody has used or changed it since. Twice is once. Raises ImportInUse, ChangedSinceImport, NotPreviewed.
    """
    lock_catalog()
    batch = _locked(batch_id, "taken", "undone")
    if batch.state == "undone":
        return
    brought = run(sql.BROUGHT, batch_id=batch_id).all()
    at_stake = [
        row.id for row in brought if row.verdict == "new" or {"pack_unit", "base_unit", "pack_size"} & set(row.changes)
    ]
    if used := queries.used_products(at_stake):
        raise ImportInUse(names=_names(used), count=len(used))
    if touched := run(sql.TOUCHED, batch_id=batch_id).all():
        raise ChangedSinceImport(
            names="、".join(row.generic_name for row in touched[: sql.MOST_NAMES]), count=len(touched)
        )
    _take_back(
        batch_id, [row.id for row in brought if row.verdict == "new"], staff_id, f"撤销导入 {batch.file_name}"[:200]
    )
    run(
        "update import_batch set state = 'undone', undone_at = now(), undone_by = :staff_id where id = :id",
        id=batch_id,
        staff_id=staff_id,
    )


def _take_back(batch_id: UUID, new: list[int], staff_id: int, reason: str) -> None:
    names = _names(set(new[:1]))
    run(sql.EXPECT_MANY)
    try:
        run("delete from product where id = any(cast(:ids as bigint[]))", ids=new)
    except IntegrityError as failure:  # Somebody used one between our look and our act.
        raise ImportInUse(names=names, count=1) from failure
    run(sql.FREE_BARCODES, batch_id=batch_id)
    run(sql.UNDO_CHANGED, batch_id=batch_id)
    run(sql.UNDO_PRICES, batch_id=batch_id, staff_id=staff_id, reason=reason)
    run(sql.UNDO_GONE, batch_id=batch_id)


def _names(ids: set[int]) -> str:
    cards = queries.get_products(sorted(ids)[: sql.MOST_NAMES])
    return "、".join(card.name for card in cards.values())


def _locked(batch_id: UUID, *states: str) -> Any:
    batch = run("select * from import_batch where id = :id for no key update", id=batch_id).one_or_none()
    if batch is None:
        raise NotFound
    if batch.state not in states:
        raise NotPreviewed(state=STATES[batch.state])
    return batch


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
