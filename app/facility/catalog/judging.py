"""Brings a file's rows and the catalog before the judge and keeps the verdicts. Called inside an import's acts."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.facility.catalog import import_statements as sql
from app.facility.catalog import queries, rules
from app.facility.catalog.actions import draft_of, stored
from app.facility.catalog.importer.judge import DECIMALS, Known, Row, judge
from app.facility.catalog.rules import FIELDS, ProductDraft, number_text
from app.facility.db import run
from app.facility.organizations import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

MOST_PRODUCTS = 60_000


def judge_batch(batch_id: UUID) -> None:
    """Give every row of a checked file its verdict, list what the file no longer names, and count."""
    found = run(
        "select number, parsed, problems from import_row where batch_id = :id and raw is not null order by number",
        id=batch_id,
    )
    usual = {"expiry_warning_days": parameters.here().days("near_expiry_days")}
    rows = [Row(row.number, row.parsed["given"], usual | row.parsed["assumed"], list(row.problems)) for row in found]
    catalog = load_catalog()
    gone = judge(rows, catalog, queries.used_products([known.id for known in catalog]))
    run(sql.EXPECT_MANY)
    run(sql.SET_VERDICTS, batch_id=batch_id, rows=_json([_verdict(row) for row in rows]))
    run(sql.KEEP_BEFORE, batch_id=batch_id)
    first = max((row.number for row in rows), default=0) + 1
    missing = [
        {"n": first + place, "product_id": known.id, "before": _named(known)} for place, known in enumerate(gone)
    ]
    if missing:
        run(sql.ADD_GONE, batch_id=batch_id, rows=_json(missing))
    run(
        "update import_batch set counts = counts || cast(:counts as jsonb), state = 'previewed', checked_count = row_count where id = :id",
        id=batch_id,
        counts=_json(count(rows, gone)),
    )


def load_catalog() -> list[Known]:
    """Read the whole catalog with prices in force, in one statement."""
    select = f"select {queries.CARD_COLUMNS} from product p {queries.PRICE_NOW} order by p.id limit {MOST_PRODUCTS}"
    cards = [queries.ProductCard(*row) for row in run(select)]  # type: ignore[call-arg]
    return [Known(card.id, draft_of(card), card.pack_price, card.split_price, card.state) for card in cards]


def count(rows: Sequence[Row], gone: Sequence[Known]) -> dict[str, Any]:
    """Count verdicts and kinds of problems for the summary."""
    verdicts = Counter(row.verdict for row in rows)
    problems = Counter(code for row in rows for code in {one["code"] for one in row.problems})
    shared = {
        row.draft.national_code
        for row in rows
        if row.draft and any(one["code"] == "national_code_shared" for one in row.problems)
    }
    names = ("new", "changed", "same", "error")
    return {
        "verdicts": {**{name: verdicts[name] for name in names}, "gone": len(gone)},
        "problems": dict(problems),
        "shared_codes": len(shared),
    }


def columns_of(draft: ProductDraft) -> dict[str, Any]:
    """Return the stored columns of a draft as JSON can carry them."""
    return {**stored(draft), **rules.facts(draft)}


def draft_from(values: dict[str, Any]) -> ProductDraft:
    """Return the draft that stored columns came from."""
    known = {name: values[name] for name in FIELDS}
    known.update({name: Decimal(known[name]) for name in DECIMALS if known[name] is not None})
    return ProductDraft(**known)


def _verdict(row: Row) -> dict[str, Any]:
    lasting = row.verdict in {"new", "changed"} and row.draft is not None
    return {
        "n": row.number,
        "verdict": row.verdict,
        "problems": row.problems,
        "changes": row.changes,
        "product_id": row.known.id if row.known else None,
        "before": _prices(row.known) if row.known and row.verdict == "changed" else None,
        "final": {**columns_of(row.draft), **_prices(row), "state": "active"} if lasting and row.draft else None,
    }


def _named(known: Known) -> dict[str, str]:
    draft = known.draft
    return {
        "code": draft.code,
        "generic_name": draft.generic_name,
        "trade_name": draft.trade_name,
        "spec": draft.spec,
        "maker": draft.maker,
    }


def _prices(of: Row | Known) -> dict[str, str | None]:
    return {
        "pack_price": None if of.pack_price is None else number_text(of.pack_price),
        "split_price": None if of.split_price is None else number_text(of.split_price),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
