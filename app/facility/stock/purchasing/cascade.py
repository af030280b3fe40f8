"""A supplier's code file (大中小码关系表) on its way in: kept and judged row by row, then taken whole or not at all."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.facility.catalog.importer import columns, reader
from app.facility.db import action, hot_action, run, transaction
from app.facility.stock.purchasing import cascade_rules as rules
from app.facility.stock.purchasing import codes
from app.facility.stock.purchasing.cascade_rules import Pair
from app.facility.stock.purchasing.errors import CascadeNotTaken, ImportNotReady

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder().encode
STATES = {"preview": words("等待确认"), "done": words("已完成")}
MOST_NAMED = 10

KEEP = """
    insert into stock_import (id, facility_id, kind, file_name, digest, encoding, header, signature, mapping, state, row_count, checked_count, staff_id, created_at)
    values (:id, :facility, 'cases', :file, :digest, :encoding, cast(:header as jsonb), :signature, cast(:mapping as jsonb), 'preview', :rows, :rows, :staff, :at)
    on conflict on constraint stock_import_pkey do nothing returning id
"""
KEEP_ROWS = """
    insert into stock_import_row (import_id, number, raw, said, verdict, problem)
    select :id, r.number, r.raw, r.said, r.verdict, r.problem
    from jsonb_to_recordset(cast(:rows as jsonb)) as r(number int, raw jsonb, said jsonb, verdict text, problem text)
"""
# Which of these codes lie in something already, and in what.
LIES_IN = "select child, parent from code_pack where child = any(:children) limit 50000"
LOCK = """
select file_name, state, row_count from stock_import
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(file)s and kind = 'cases' for no key update
"""
ROWS = "select number, said, verdict from stock_import_row where tenant_id = %(tenant)s and import_id = %(file)s order by number limit 20001"
FINISH = """
with rows as (
    update stock_import_row set verdict = 'posted' where tenant_id = %(tenant)s and import_id = %(file)s
)
update stock_import set state = 'done', posted_count = row_count, finished_at = %(at)s where tenant_id = %(tenant)s and id = %(file)s
"""


def upload_file(desk: Desk, file_id: UUID, file_name: str, content: bytes) -> None:
    """Read a supplier's code file, judge each row and keep it for the preview. The same upload again changes nothing.

    Raises FileUnreadable, FileTooLarge, CascadeNotTaken (not one row of it holds codes), DocumentChanged.
    """
    name = reader.shown_name(file_name)
    table = reader.read_table(name, content)
    layout = columns.find_layout(table.rows, rules.VOCABULARY)
    raw = [(number, row) for number, row in enumerate(table.rows[layout.first_row - 1 :], layout.first_row) if any(row)]
    mapping = rules.mapping_of(layout.header, [row for _, row in raw])
    read = rules.read_rows(raw, mapping)
    if all("codes" in row.problems for row in read):
        raise CascadeNotTaken(problems=words("没有一行大小码。要有外面的码和里面的码两列，或大码、中码、小码三列。"))
    about = {
        "id": file_id, "facility": desk.facility_id, "file": name, "digest": hashlib.sha256(content).digest(), "encoding": table.encoding,
        "header": json.dumps(layout.header), "signature": layout.signature, "mapping": json.dumps(mapping), "rows": len(read), "staff": desk.staff_id,
    }  # fmt: skip
    _keep(about, [row for _, row in raw], read)


@action
def _keep(about: dict[str, Any], raw: Sequence[Sequence[str]], read: Sequence[rules.Row]) -> None:
    if run(KEEP, at=clock.now(), **about).one_or_none() is None:
        kept = run("select digest, facility_id, kind from stock_import where id = :id", id=about["id"]).one_or_none()
        if kept is None or (bytes(kept.digest), kept.facility_id, kept.kind) != (
            about["digest"],
            about["facility"],
            "cases",
        ):
            raise DocumentChanged
        return
    known = {
        row.child: row.parent
        for row in run(LIES_IN, children=sorted({pair.child for row in read for pair in row.pairs}))
    }
    rows = [_judged(row, cells, known) for row, cells in zip(read, raw, strict=True)]
    run(KEEP_ROWS, id=about["id"], rows=_json(rows).decode().replace("\\u0000", ""))


def _judged(row: rules.Row, cells: Sequence[str], known: dict[str, str]) -> dict[str, Any]:
    problems = list(row.problems)
    elsewhere = [known[pair.child] for pair in row.pairs if known.get(pair.child, pair.parent) != pair.parent]
    if elsewhere and not problems:
        problems.append("elsewhere")
    said = {"pairs": row.pairs, "elsewhere": elsewhere[:1], "known": all(pair.child in known for pair in row.pairs)}
    return {
        "number": row.number, "raw": cells, "said": said, "verdict": "error" if problems else "ready", "problem": ",".join(problems),
    }  # fmt: skip


@hot_action
def take_file(desk: Desk, file_id: UUID) -> int:
    """Learn every pair of a kept file, and which kinds of code are cases (F9); returns how many pairs it names. Again changes nothing.

    Raises CascadeNotTaken while a row of it has a problem, or when one of its codes was learnt elsewhere meanwhile; NotFound.
    """
    keys = {**desk.keys, "file": file_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        found = hot.run(LOCK, keys)
        if not found:
            raise NotFound
        rows = hot.run(ROWS, keys)
        pairs = rules.levelled(Pair(**pair) for row in rows for pair in row.said["pairs"])
        if found[0].state == "done":
            return len(pairs)
        if found[0].state != "preview":
            raise ImportNotReady(state=words("正在检查"))
        if wrong := [row.number for row in rows if row.verdict != "ready"]:
            named = Several([str(number) for number in wrong[:MOST_NAMED]])
            raise CascadeNotTaken(
                problems=words(
                    "还有 {n} 行有错（第 {numbers} 行）。请改好文件再上传，目前一行也没有取用。",
                    n=len(wrong),
                    numbers=named,
                )
            )
        _learn(hot, desk, pairs, found[0].file_name[:100])
        hot.run_last(FINISH, keys)
        return len(pairs)


def _learn(hot: Hot, desk: Desk, pairs: Sequence[Pair], source: str) -> None:
    rows = [msgspec.to_builtins(pair) for pair in pairs]
    codes.learn_pairs(hot, desk, rows, source)
    kinds = [
        {"prefix": pair.parent[: codes.PREFIX], "level": pair.level, "child": pair.child[: codes.PREFIX]}
        for pair in pairs
    ]
    hot.run(codes.LEARN_KINDS, {**desk.keys, "kinds": _json(kinds).decode()})
