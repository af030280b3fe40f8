"""Cells, names, specifications and rows on plain values; whatever a cell holds, a row is read and its problems are said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from app.facility.catalog import imports, rules
from app.facility.catalog.importer import columns, names, words
from app.facility.catalog.importer.columns import FILE_FIELDS
from app.facility.catalog.importer.judge import Row, judge
from app.facility.catalog.importer.parse import parse_row
from app.facility.catalog.importer.problems import TEXTS
from app.facility.catalog.pinyin import search_keys


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("甲", ("A", Decimal(0))),
        ("甲类 ", ("A", Decimal(0))),
        ("乙", ("B", None)),
        ("乙10%", ("B", Decimal("0.1"))),
        ("乙10", ("B", Decimal("0.1"))),
        ("▲乙10%", ("B", Decimal("0.1"))),
        ("乙类 15%", ("B", Decimal("0.15"))),
        ("自", ("C", Decimal(1))),
        ("自费", ("C", Decimal(1))),
        ("▲100%", ("C", Decimal(1))),
        ("02", ("B", None)),
        ("Ａ", ("A", Decimal(0))),
        ("丁", None),
        ("", None),
        ("乙1000%", None),
    ],
)
def test_dirty_insurance_classes(written, read):
    assert words.insurance(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10%", "0.1"),
        ("0.1", "0.1"),
        ("10", "0.1"),
        ("100%", "1"),
        ("1", "1"),
        ("0", "0"),
        ("120%", None),
        ("-1", None),
        ("NaN", None),
        ("无", None),
    ],
)
def test_shares(written, read):
    assert words.share(written) == (None if read is None else Decimal(read))


@pytest.mark.parametrize(
    ("spec", "unit", "pack"),
    [
        ("0.25g*24粒", "盒", (24, "粒")),
        ("0.25g×24s", "盒", (24, "粒")),
        ("10mg*10s*2板", "盒", (20, "粒")),
        ("0.5g*20粒*10袋/盒", "盒", (200, "粒")),
        ("10ml×10支", "盒", (10, "支")),
        ("2贴/袋", "袋", (2, "贴")),
        ("4袋/贴", "盒", None),
        ("100mg/片", "盒", None),
        ("15ml:15ug/瓶", "瓶", None),
        ("5ml:50滴/支", "支", None),
        ("500ml", "瓶", None),
        ("24", "盒", None),
        ("", "盒", None),
        ("*", "盒", None),
        ("0.1g*0片", "盒", None),
        ("0.1g*999999片*999999盒", "盒", None),
        ("5cm*100cm", "包", None),
    ],
)
def test_how_many_a_pack_holds(spec, unit, pack):
    assert names.pack_of(spec, "某胶囊", unit) == pack


@pytest.mark.parametrize(
    ("written", "generic", "brand", "spec", "mark"),
    [
        ("(甲)阿司匹林肠溶片", "阿司匹林肠溶片", "", "", "甲"),
        ("※▲(乙10%)安奈拉唑钠肠溶片", "安奈拉唑钠肠溶片", "", "", "乙10%"),
        ("※(▲乙10%)注射用多种维生素(13)", "注射用多种维生素(13)", "", "", "▲乙10%"),
        ("(甲)安宫牛黄丸[国基]", "安宫牛黄丸", "", "", "甲"),
        ("(乙)复方α-酮酸片[国基、上增]", "复方α-酮酸片", "", "", "乙"),
        ("【仁和】布洛芬缓释胶囊", "布洛芬缓释胶囊", "仁和", "", ""),
        ("【同仁堂】】益母草颗粒", "益母草颗粒", "同仁堂", "", ""),
        ("【百灵鸟】维C银翘片(双层片)0.5g*24片", "维C银翘片(双层片)", "百灵鸟", "0.5g*24片", ""),
        ("【太极】藿香正气口服液10ml*10支", "藿香正气口服液", "太极", "10ml*10支", ""),
        ("(儿童)感冒颗粒", "(儿童)感冒颗粒", "", "", ""),
    ],
)
def test_names_are_taken_apart(written, generic, brand, spec, mark):
    name = names.take_apart(written, with_spec=True)

    assert (name.generic, name.brand, name.spec, name.mark) == (generic, brand, spec, mark)


@pytest.mark.parametrize(
    ("barcode", "sound"),
    [("6901234567892", True), ("6901234567893", False), ("12345678", True), ("690123456789X", True)],
)
def test_check_digit_of_barcodes(barcode, sound):
    assert words.is_barcode_sound(barcode) is sound


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("12.5", "12.5"),
        ("１，２００.50", "1200.50"),
        ("¥8 元", "8"),
        ("0", "0"),
        ("-1", None),
        ("1e3", "1000"),
        ("NaN", None),
        ("Infinity", None),
        ("1.1234567", None),
        ("99999999", None),
        ("", None),
        ("一元", None),
    ],
)
def test_prices_as_typed(typed, price):
    assert rules.price_of(typed) == (None if price is None else Decimal(price))


def test_herbs_are_counted_in_hundredths_of_a_gram():
    said = parse_row(["黄芪", "中草药", "0.12"], {"0": "generic_name", "1": "goods_type", "2": "pack_price"})

    assert said.assumed == {
        "rx_class": "HERB",
        "trace_required": False,
        "pack_unit": "克",
        "base_unit": "0.01克",
        "pack_size": 100,
        "split_allowed": True,
    }


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "=A1*2"])
def test_formula_without_a_value_is_an_error(cell):
    said = parse_row(["药", cell], {"0": "generic_name", "1": "pack_price"})

    assert next(one["code"] for one in said.problems) == "formula_error"


def test_barcode_that_excel_has_spoilt_is_an_error():
    said = parse_row(["药", "6.90123E+12"], {"0": "generic_name", "1": "barcode"})

    assert "barcode_scientific" in [one["code"] for one in said.problems]


def test_machine_names_under_the_header_are_no_data():
    layout = columns.find_layout(
        [["药品目录"], ["药品名称", "售价", "备注"], ["goods_name", "price", "remark"], ["药", "1", ""]]
    )

    assert (layout.header_row, layout.first_row) == (2, 4)


def test_keys_hold_both_readings():
    keys = search_keys("阿胶", "东阿", [])

    assert keys.initials == "ej de" or keys.initials.startswith("ej")
    assert "ajiao" in keys.search
    assert "ejiao" in keys.search


CELL = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "#REF!",
            "=1",
            "甲类 ",
            "乙10%",
            "-1",
            "1e9",
            "NaN",
            "６９０１２３４５６７８９２",
            "0.25g*24粒",
            "【a】b",
            "(甲)",
            "是",
            "\u202e",
            "'",
            "%s",
            "{value}",
            "{0}",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.decimals(allow_nan=True).map(str),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(CELL, max_size=8), st.lists(st.sampled_from(sorted(FILE_FIELDS)), max_size=8, unique=True))
def test_any_row_is_read_and_every_problem_can_be_said(cells, fields):
    row = [cell.replace("\x00", "") for cell in cells]
    said = parse_row(row, {str(index): field for index, field in enumerate(fields)})
    judged = Row(2, said.given, said.assumed, said.problems)

    judge([judged], [], set())

    for one in judged.problems:
        assert TEXTS[one["code"]][2].format(**one)
    if judged.verdict == "new":
        assert rules.wrongs(judged.draft) == [] or judged.draft.code == ""
        assert judged.draft.generic_name
        assert rules.keys(judged.draft).search


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=12))
def test_any_table_gets_a_layout_and_a_guess(rows):
    layout = columns.find_layout(rows)

    mapping = columns.guess(layout.header, rows[layout.first_row - 1 :])

    assert len(set(mapping.values())) == len(mapping)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_has_search_keys(generic, trade):
    keys = search_keys(generic, trade, [])

    assert keys.search == keys.search.lower()


def test_every_word_of_the_catalog_has_its_english():
    with (Path(__file__).parents[3] / "translations/en/catalog.po").open("rb") as file:
        english = {message.id: message.string for message in read_po(file) if message.id}
    vocabulary = [
        rules.RX_CLASSES,
        rules.STORAGES,
        rules.SPECIAL_CLASSES,
        rules.INSURANCE_CLASSES,
        rules.STATES,
        FILE_FIELDS,
        imports.STATES,
    ]
    texts = [word for table in vocabulary for word in table.values()]
    texts += [text for _, *both in TEXTS.values() for text in both]

    assert [text for text in texts if not english.get(text)] == []
