"""Excel files of every room: text stays text, figures are figures, moments stand in China's time, a long list is cut with a sentence."""

import io
import re
import tracemalloc
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from python_calamine import load_workbook

from app.core import workbook

HEADS = ["编码", "品名", "数量"]


def written(heads, rows, most=100, name="库存"):
    file = io.BytesIO()
    workbook.write(file, name, heads, rows, most)
    file.seek(0)
    return file


def sheet(heads, rows, **more):
    return load_workbook(written(heads, rows, **more)).get_sheet_by_index(0).to_python()


def part(file, name):
    with zipfile.ZipFile(file) as book:
        return book.read(name).decode()


@pytest.fixture(autouse=True)
def _in_a_page(facility_app):
    with facility_app.test_request_context():
        yield


def test_figures_are_figures_and_codes_stay_text():
    rows = sheet(HEADS, [["0012", "板蓝根", 3], ["81234567890123456789", None, Decimal("12.50")]])

    assert rows == [HEADS, ["0012", "板蓝根", 3.0], ["81234567890123456789", "", 12.5]]


@pytest.mark.parametrize("typed", ["=1+1", "@SUM(A1)", "+8613", "-2", "http://example.org", "{=A1}"])
def test_nothing_typed_becomes_a_formula_or_a_link(typed):
    file = written(["说明"], [[typed]])

    assert load_workbook(file).get_sheet_by_index(0).to_python()[1] == [typed]
    assert "<f>" not in part(file, "xl/worksheets/sheet1.xml")
    assert "hyperlink" not in part(file, "xl/worksheets/sheet1.xml")


def test_moments_stand_in_china_s_time_and_days_as_days():
    rows = sheet(["时间", "效期"], [[datetime(2026, 11, 22, 17, 5, 9, tzinfo=UTC), date(2027, 1, 31)]])

    assert rows[1] == ["2026-11-23 01:05:09", "2027-01-31"]


def test_a_long_list_is_cut_with_a_sentence():
    rows = sheet(HEADS, ([str(number), "", 1] for number in range(10)), most=2)

    assert len(rows) == 4
    assert "只导出了前 2 行" in rows[3][0]


def test_a_list_of_just_that_length_is_whole():
    assert len(sheet(HEADS, ([str(number), "", 1] for number in range(2)), most=2)) == 3


def test_columns_are_as_wide_as_what_stands_in_them_within_reason():
    columns = part(written(["甲", "乙"], [["短", "很长" * 40]]), "xl/worksheets/sheet1.xml")

    widths = [float(width) for width in re.findall(r'<col [^>]*width="([\d.]+)"', columns)]

    assert workbook.NARROWEST <= widths[0] < widths[1] < workbook.WIDEST + 1


def test_a_name_that_excel_forbids_is_still_a_sheet():
    assert sheet(HEADS, [], name="柜[1]:上/下?*'" + "长" * 40) == [HEADS]


def test_rows_leave_memory_as_they_are_written():
    tracemalloc.start()
    try:
        written(HEADS, ([f"{number:020d}", "阿莫西林胶囊" * 10, number] for number in range(8_000)), most=8_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 6_000_000, f"{peak:,} bytes"


def test_a_file_is_named_after_what_it_is_and_its_days():
    answer = workbook.send("发票", HEADS, [], days="2026-11-01-2026-11-22")

    assert answer.mimetype == workbook.EXCEL
    assert answer.headers["Content-Disposition"].endswith("2026-11-01-2026-11-22.xlsx")
