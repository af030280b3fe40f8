"""Bytes in, rows out: encodings, sheets, limits. Workbooks are made here, so that nothing of others is committed."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from app.facility.catalog.errors import FileTooLarge, FileUnreadable
from app.facility.catalog.importer import reader
from app.facility.catalog.importer.reader import read_table

LINE = "商品编码,通用名\nA1,阿莫西林胶囊\nA2,板蓝根颗粒\n"


def workbook(*sheets):
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return made.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_text_is_read_in_the_encodings_of_offices(encoding):
    table = read_table("a.csv", LINE.encode(encoding))

    assert table.rows[2] == ["A2", "板蓝根颗粒"]


def test_big5_is_read_too():
    text = (
        "藥品名稱,規格,廠商\n" + "阿莫西林膠囊,二十四粒,中國製藥股份有限公司\n板藍根顆粒沖劑,十袋,臺灣中藥製造廠\n" * 20
    )

    assert read_table("a.csv", text.encode("big5")).rows[0][0] == "藥品名稱"


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
def test_delimiter_is_found(mark):
    table = read_table("a.txt", LINE.replace(",", mark).encode())

    assert table.rows[1] == ["A1", "阿莫西林胶囊"]
    assert table.kind == ("tsv" if mark == "\t" else "csv")


def test_a_code_that_was_typed_as_a_number_is_not_taken_for_a_code():
    row = read_table("a.xlsx", workbook([["码"], [81000141108660000123, "81000141108660000123"]])).rows[1]

    assert row == ["8.10001E+19", "81000141108660000123"]


def test_excel_cells_read_as_their_author_sees_them():
    content = workbook([["名称", "条码", "价", "日", "可"], ["药", 6901234567892, 0.1 + 0.2, date(2026, 1, 2), True]])

    row = read_table("a.xlsx", content).rows[1]

    assert row[:3] == ["药", "6901234567892", "0.3"]
    assert row[4] == "是"


def test_formula_gives_its_value_and_its_error():
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["名称", "价"])
    sheet.write(1, 0, "药")
    sheet.write_formula(1, 1, "=2*6", None, 12)
    book.close()

    assert read_table("a.xlsx", made.getvalue()).rows[1] == ["药", "12"]


def test_first_filled_sheet_is_read_and_others_are_counted():
    table = read_table("a.xlsx", workbook([], [["名称"], ["药"]], [["别的"]]))

    assert (table.sheet, table.other_sheets, table.rows[0]) == ("Sheet2", 1, ["名称"])


def test_row_numbers_stay_true_over_empty_rows():
    table = read_table("a.csv", "\n\n名称\n\n药\n\n\n".encode())

    assert table.rows == [[], [], ["名称"], [], ["药"]]


@pytest.mark.parametrize("content", [b"", b"   \n \n", b",,,\n,,\n", b"\x00\x01\x02" * 500])
def test_nothing_to_read_is_refused(content):
    with pytest.raises(FileUnreadable):
        read_table("a.csv", content)


def test_too_many_rows_are_refused():
    with pytest.raises(FileTooLarge) as refused:
        read_table("a.csv", "药\n".encode() * (reader.MOST_ROWS + 1))

    assert "超过 20000 行" in refused.value.message


def test_too_many_columns_are_refused():
    with pytest.raises(FileTooLarge):
        read_table("a.csv", b",".join([b"a"] * 101))


def test_cell_in_the_far_corner_is_refused_before_a_grid_is_made():
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.add_worksheet().write(1_048_575, 16_383, "x")
    book.close()

    with pytest.raises(FileTooLarge) as refused:
        read_table("a.xlsx", made.getvalue())

    assert "XFD1048576" in refused.value.message


def test_file_that_unfolds_to_gigabytes_is_refused():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(401):
                part.write(b" " * 1024 * 1024)

    with pytest.raises(FileTooLarge):
        read_table("a.xlsx", made.getvalue())


def test_other_archives_are_no_workbooks():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")

    with pytest.raises(FileUnreadable):
        read_table("a.docx", made.getvalue())


def test_cut_off_workbook_is_refused():
    with pytest.raises(FileUnreadable):
        read_table("a.xlsx", workbook([["名称"], ["药"]])[:-200])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\temp\\目录.xlsx", "目录.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("\x00\u202e", "未命名"),
        ("长" * 300, "长" * 120),
    ],
)
def test_file_names_are_shown_without_folders(given, shown):
    assert reader.shown_name(given) == shown


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(content):
    try:
        table = read_table("x", content)
    except (FileUnreadable, FileTooLarge):
        return
    assert all("\x00" not in cell for row in table.rows for cell in row)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 400))
def test_damaged_workbooks_are_read_or_refused(noise, place):
    content = workbook([["名称", "价"], ["药", 1]])
    damaged = content[:place] + noise + content[place + len(noise) :]

    try:
        read_table("x.xlsx", damaged)
    except (FileUnreadable, FileTooLarge):
        return
