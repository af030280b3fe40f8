"""The sheet of a count: printed, taken away as Excel, sent back filled in."""

from __future__ import annotations

import io
from uuid import uuid4

import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.facility.stock.conftest import text
from tests.facility.stock.counts.world import at
from tests.factories.people import post
from tests.factories.shop import plain


def filled(content, rows):
    """The sheet with figures in its yellow columns: {lot: (packs, units, place)}."""
    table = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    header = table[1]
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(table):
        cells = list(row) + [""] * (len(header) - len(row))
        said = rows.get(cells[header.index("批号")]) if number > 1 else None
        for column, value in zip(("实盘整数", "实盘零头", "地点"), said or (), strict=False):
            cells[header.index(column)] = value
        sheet.write_row(number, 0, cells)
    book.close()
    return file.getvalue()


def send(client, count, content, name="盘点表.xlsx", **more):
    return post(
        client,
        at(count, "/sheets"),
        {"document": str(uuid4()), "file": (io.BytesIO(content), name), **more},
        content_type="multipart/form-data",
    )


def test_the_excel_sheet_goes_out_blind_and_comes_back_filled(clerk, pharmacy, desk, open_count):
    goods, other = plain(pharmacy, 10), plain(pharmacy, 4)
    count = open_count()
    sheet = clerk.get(at(count, "/sheet.xlsx"))
    assert sheet.content_type.startswith("application/vnd.openxml")

    answer = send(clerk, count, filled(sheet.data, {goods.lot_number: (10, "", "A01"), other.lot_number: (3, 5, "")}))

    assert answer.status_code == 303
    count.close()
    assert (count.difference(goods), count.difference(other)) == (0, -other.pack_size + 5)


def test_a_wrong_sheet_names_the_row_of_each_problem(clerk, pharmacy, desk, open_count):
    goods, other = plain(pharmacy, 10), plain(pharmacy, 4)
    count = open_count()
    sheet = clerk.get(at(count, "/sheet.xlsx")).data

    page = text(send(clerk, count, filled(sheet, {goods.lot_number: ("十", "", ""), other.lot_number: (3, 1.5, "")})))
    assert "第 3 行" in page
    assert "第 4 行" in page
    assert "不是 P" in text(
        send(
            clerk,
            count,
            b"x,y\n\xe8\xa1\x8c\xe5\x8f\xb7,\xe5\xae\x9e\xe7\x9b\x98\xe6\x95\xb4\xe6\x95\xb0\n1,2\n",
            "a.csv",
        )
    )
    for content in (b"", b"hello", b"PK\x03\x04broken"):
        assert send(clerk, count, content).status_code in {400, 413, 422}
    assert send(clerk, count, sheet).status_code == 422  # Nothing filled in.
    assert send(clerk, count, filled(sheet, {goods.lot_number: (1, "", "")}), since="x").status_code == 422
    assert count.head.counted_count == 0


def test_the_printed_sheet_has_the_number_as_a_barcode_and_pages(clerk, pharmacy, desk, open_count, monkeypatch):
    from app.facility.stock.counts import queries

    monkeypatch.setattr(queries, "SHEET_PAGE", 2)
    for _ in range(3):
        plain(pharmacy, 1)
    count = open_count()

    page = text(clerk.get(at(count, "/sheet")))

    assert f'aria-label="{count.number}"' in page
    assert page.count('class="blank"><span>') == 2
    assert "sheet?after=2" in page
    assert text(clerk.get(at(count, "/sheet?after=2"))).count('class="blank"><span>') == 1
