"""Places and limits of many products at once (货位、下限、上限): a page of them, or an Excel file in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import Several, words
from app.facility.catalog.importer import reader
from app.facility.catalog.importer.columns import HEADERS
from app.facility.db import action, run
from app.facility.stock import typed
from app.facility.stock.purchasing.errors import ShelvesNotTaken
from app.facility.stock.shelf.actions import Place, fits, place_products, shelf_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.core.tenancy import Desk

MOST_ROWS = 20_000
MOST_SAID = 10
HEADS = {
    "code": (*HEADERS["code"], "编码", "Code"),
    "shelf": ("货位", "货架", "架位", "货位号", "Shelf"),
    "least": ("下限", "库存下限", "最低库存", "下限 包装", "Minimum"),
    "most": ("上限", "库存上限", "最高库存", "上限 包装", "Maximum"),
}

KNOWN = "select id, code, generic_name, pack_size from product where {by} = any(:keys) and state = 'active' order by id limit 20000"


@dataclass(frozen=True)
class Said:
    """What was typed for one product, in packs; `where` is how a sentence names the row."""

    key: str
    shelf: str
    least: str
    most: str
    where: str = ""


@action
def set_shelves(desk: Desk, said: Sequence[Said], *, by: str = "id") -> int:
    """Write places and limits of many products, all or none; returns of how many. Raises ShelvesNotTaken with every reason."""
    keys: list[Any] = [int(row.key) for row in said] if by == "id" else [row.key for row in said]
    known = {str(getattr(row, by)): row for row in run(KNOWN.format(by=by), keys=keys)}
    problems, places = [], []
    for row in said:
        place, why = _read(row, known.get(row.key))
        places += [place] if place else []
        problems += [why] if why else []
    if len({place.product for place in places}) < len(places):
        problems.append(words("同一个商品写了两行，请留一行。"))
    if problems:
        raise ShelvesNotTaken(problems=Several(problems[:MOST_SAID], between=" "))
    place_products(desk, places)
    return len(places)


def _read(row: Said, product: Any) -> tuple[Place | None, str]:
    if product is None:
        return None, words("{where}：目录里没有这个商品。", where=row.where or row.key)
    shelf = shelf_name(row.shelf)
    least, most = _packs(row.least), _packs(row.most)
    name = product.generic_name
    if not fits(shelf):
        return None, words("{name}：货位最多 20 个字。", name=name)
    if least == -1 or most == -1:
        return None, words("{name}：上下限请填整数（盒），空着是不设。", name=name)
    if least is not None and most is not None and least > most:
        return None, words("{name}：下限大于上限。", name=name)
    size = int(product.pack_size)
    return Place(product.id, shelf, None if least is None else least * size, None if most is None else most * size), ""


def _packs(text: str) -> int | None:
    """Packs as typed; None where nothing was; -1 for what is no number of packs."""
    if not typed.plain(text):
        return None
    found = typed.whole(text)
    return -1 if found is None or found > 9_999_999 else found


def read_file(file: str, content: bytes) -> list[Said]:
    """Read an Excel or text file of codes, places and limits. Raises FileUnreadable, FileTooLarge, ShelvesNotTaken."""
    name = reader.shown_name(file)
    rows = reader.read_table(name, content).rows
    for at, row in enumerate(rows[:10]):
        columns = _columns(row)
        if "code" in columns and len(columns) > 1:
            if missing := HEADS.keys() - columns.keys():
                said = Several(words(HEADS[each][0]) for each in HEADS if each in missing)
                raise ShelvesNotTaken(
                    problems=words("表头里缺少：{names}。请用导出的表格填写。", names=said)
                )  # What is not in the file must not be wiped.
            return list(_said(rows[at + 1 :], columns, at + 2))
    raise ShelvesNotTaken(problems=words("没有找到表头。第一行要有：商品编码、货位、下限、上限。"))


def _columns(row: Iterable[str]) -> dict[str, int]:
    cells = [typed.plain(cell).casefold() for cell in row]
    heads = {field: {name.casefold() for name in names} for field, names in HEADS.items()}
    return {field: next(at for at, cell in enumerate(cells) if cell in names) for field, names in heads.items() if names & set(cells)}  # fmt: skip


def _said(rows: Iterable[Sequence[str]], columns: dict[str, int], first: int) -> Iterator[Said]:
    for number, row in enumerate(rows, first):
        cells = {field: row[at].strip() if at < len(row) else "" for field, at in columns.items()}
        if cells["code"]:
            where = words("第 {n} 行 {code}", n=number, code=cells["code"][:40])
            yield Said(cells["code"], cells["shelf"], cells["least"], cells["most"], where)


def import_file(desk: Desk, file: str, content: bytes) -> int:
    """Take in a file of places and limits; returns how many products it set. Sending it again changes nothing."""
    said = read_file(file, content)
    if not said:
        raise ShelvesNotTaken(problems=words("没有一行商品。"))
    return set_shelves(desk, said, by="code")
