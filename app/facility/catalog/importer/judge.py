"""Holds the rows of a file against each other and against the catalog: new, changed, same, gone, or in error."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from app.facility.catalog import rules
from app.facility.catalog.importer.columns import FILE_FIELDS
from app.facility.catalog.importer.problems import has_error, problem
from app.facility.catalog.rules import FIELDS, UNITS, ProductDraft, number_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

DECIMALS = ("selfpay_share", "ceiling_price")
PRICES = ("pack_price", "split_price")
MOST_ROWS_NAMED = 5
_DEFAULTS = {f.name: f.default for f in fields(ProductDraft)}


@dataclass(frozen=True, slots=True)
class Known:
    """A product of the catalog as the judge sees it."""

    id: int
    draft: ProductDraft
    pack_price: Decimal | None
    split_price: Decimal | None
    state: str


@dataclass(slots=True)
class Row:
    """A row of the file on its way to a verdict."""

    number: int
    given: dict[str, Any]
    assumed: dict[str, Any]
    problems: list[dict[str, Any]]
    verdict: str = "error"
    known: Known | None = None
    draft: ProductDraft | None = None
    pack_price: Decimal | None = None
    split_price: Decimal | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)


def judge(rows: Sequence[Row], catalog: Sequence[Known], used: Collection[int]) -> list[Known]:
    """Give each row its verdict in place and return the active products that the file does not name."""
    _match(rows, catalog)
    for row in rows:
        _merge(row)
    _find_twins(rows)
    _find_taken_barcodes(rows, catalog)
    for row in rows:
        _settle(row, used)
    named = {row.known.id for row in rows if row.known}
    return [known for known in catalog if known.state == "active" and known.id not in named]


# ---- which product is meant --------------------------------------------------------------------------------------


def _match(rows: Sequence[Row], catalog: Sequence[Known]) -> None:
    """By own code where the file has one; else by barcode, by what it is called, by a national code that only one has."""
    by_code = {known.draft.code: known for known in catalog}
    by_barcode = {known.draft.barcode: known for known in catalog if known.draft.barcode and known.state == "active"}
    by_identity = _only((_identity(known.draft.generic_name, known.draft), known) for known in catalog)
    by_national = _only((known.draft.national_code, known) for known in catalog)
    national_once = _only((row.given.get("national_code"), row) for row in rows)
    for row in rows:
        given = row.given
        if code := given.get("code"):
            row.known = by_code.get(code)
            continue
        barcode, national = given.get("barcode"), given.get("national_code")
        named = by_identity.get(_identity(given.get("generic_name"), given))
        if named and barcode and named.draft.barcode not in {None, barcode}:
            named = None
        row.known = (
            (by_barcode.get(barcode) if barcode else None)
            or named
            or (by_national.get(national) if national in national_once else None)
        )


def _only(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """Keep the keys that name exactly one thing."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, thing in pairs:
        if key:
            found[key].append(thing)
    return {key: things[0] for key, things in found.items() if len(things) == 1}


def _identity(name: str | None, of: ProductDraft | Mapping[str, Any]) -> tuple[str, ...] | None:
    if not name:
        return None
    read = of.get if not isinstance(of, ProductDraft) else lambda key, default="": getattr(of, key, default)
    return tuple(
        rules.plain(str(read(key, "") or "")).lower()
        for key in ("generic_name", "trade_name", "spec", "maker", "approval_number", "barcode")
    )


# ---- what it would become ----------------------------------------------------------------------------------------


def _merge(row: Row) -> None:
    """Lay what the row says over what the catalog knows; a blank cell never erases, an assumption never overrules."""
    known = row.known
    base = (
        {name: getattr(known.draft, name) for name in FIELDS}
        if known
        else {**_DEFAULTS, **row.assumed, "code": "", "generic_name": ""}
    )
    values = {**base, **{name: value for name, value in row.given.items() if name in base and value is not None}}
    for name in DECIMALS:
        if isinstance(values[name], str):
            values[name] = Decimal(values[name])
    if "pack_size" in row.given and values["pack_size"] == 1:
        values["split_allowed"] = False
    draft = rules.tidied(ProductDraft(**values))
    row.pack_price, row.split_price = (
        _price(row.given.get(name), getattr(known, name) if known else None) for name in PRICES
    )
    for name, why in rules.wrongs(draft):
        if name not in {"code", "generic_name"} or getattr(draft, name):
            row.problems.append(
                problem("field_wrong", field=FILE_FIELDS[name], value=str(getattr(draft, name))[:60], why=why)
            )
    row.draft = draft


def _price(said: str | None, before: Decimal | None) -> Decimal | None:
    return Decimal(said) if said is not None else before


# ---- rows against rows -------------------------------------------------------------------------------------------


def _find_twins(rows: Sequence[Row]) -> None:
    drafts = [(row, row.draft) for row in rows if row.draft and row.draft.generic_name]
    _report(((draft.code, row) for row, draft in drafts), "code_twice")
    _report(((draft.barcode, row) for row, draft in drafts), "barcode_twice")
    _report(((draft.national_code, row) for row, draft in drafts), "national_code_shared")
    _report(
        (((_identity(draft.generic_name, draft), draft.barcode), row) for row, draft in drafts if not draft.code),
        "row_twice",
    )
    targets: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.known and not row.given.get("code"):
            targets[row.known.id].append(row)
    for same in targets.values():
        for row in same[1:]:
            if not has_error(row.problems):
                row.problems.append(problem("row_twice", rows=str(same[0].number)))


def _report(pairs: Iterable[tuple[Any, Row]], code: str) -> None:
    found: dict[Any, list[Row]] = defaultdict(list)
    for key, row in pairs:
        if key:
            found[key].append(row)
    for key, same in found.items():
        for place, row in enumerate(same if len(same) > 1 else []):
            others = [str(other.number) for other in same if other is not row]
            shown = "、".join(others[:MOST_ROWS_NAMED]) + ("…" if len(others) > MOST_ROWS_NAMED else "")
            facts = {"later": place > 0} if code == "national_code_shared" else {}
            row.problems.append(problem(code, value=key if isinstance(key, str) else "", rows=shown, **facts))


def _find_taken_barcodes(rows: Sequence[Row], catalog: Sequence[Known]) -> None:
    """A barcode that another product on sale keeps after the import cannot be given to a row."""
    rewritten = {row.known.id for row in rows if row.known and row.draft}
    kept = {
        known.draft.barcode: known
        for known in catalog
        if known.draft.barcode and known.state == "active" and known.id not in rewritten
    }
    for row in rows:
        barcode = row.draft.barcode if row.draft else None
        if barcode and (owner := kept.get(barcode)) and (row.known is None or row.known.id != owner.id):
            row.problems.append(
                problem("barcode_taken", value=barcode, name=owner.draft.generic_name, other=owner.draft.code)
            )


# ---- verdicts ----------------------------------------------------------------------------------------------------


def _settle(row: Row, used: Collection[int]) -> None:
    draft, known = row.draft, row.known
    if draft is None:
        return
    if known is None:
        _miss(row, draft)
        row.verdict = "error" if has_error(row.problems) else "new"
        return
    row.changes = _changes(row, draft, known)
    if known.id in used and any(name in row.changes for name in UNITS):
        row.problems.append(
            problem("units_in_use", name=known.draft.generic_name, before=_units(known.draft), after=_units(draft))
        )
    if known.state == "stopped":
        row.changes["state"] = ["stopped", "active"]
        row.problems.append(problem("stopped_again", name=known.draft.generic_name))
    row.verdict = "error" if has_error(row.problems) else "changed" if row.changes else "same"


def _miss(row: Row, draft: ProductDraft) -> None:
    """Say what a new product lacks to be sold and settled."""
    if draft.generic_name and not draft.national_code:
        row.problems.append(problem("national_code_missing"))
    if row.pack_price is None and not has_error(row.problems):
        row.problems.append(problem("price_missing"))


def _changes(row: Row, draft: ProductDraft, known: Known) -> dict[str, list[Any]]:
    pairs = [(name, getattr(known.draft, name), getattr(draft, name)) for name in FIELDS]
    pairs += [("pack_price", known.pack_price, row.pack_price), ("split_price", known.split_price, row.split_price)]
    return {name: [_shown(before), _shown(after)] for name, before, after in pairs if before != after}


def _shown(value: Any) -> Any:
    return number_text(value) if isinstance(value, Decimal) else value


def _units(draft: ProductDraft) -> str:
    return f"1{draft.pack_unit}={draft.pack_size}{draft.base_unit}"
