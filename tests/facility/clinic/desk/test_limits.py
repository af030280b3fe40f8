"""The law's limits of a prescription, on plain values: what passes, what is said, and where."""

from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.clinic.desk import limits
from app.facility.clinic.desk.limits import Limits
from app.facility.clinic.desk.rules import Content, Line, Sheet
from app.facility.organizations.parameters import DEFAULTS


def card(number, name="阿莫西林胶囊", **fields):
    told = {
        "id": number, "generic_name": name, "spec": "0.25g×24粒", "dosage_form": "", "base_unit": "粒", "pack_size": 24,
        "special_class": None, "rx_class": "RX",
    } | fields  # fmt: skip
    return SimpleNamespace(**told)


def said(*sheets, cards=None, narcotics=False, allowed=None):
    known = cards or {n: card(n, f"试药{n}") for n in range(1, 30)}
    found = limits.broken(Content(sheets=sheets), known, allowed or Limits(), narcotics=narcotics)
    return [(one.sheet, one.line, str(one.said), one.days) for one in found]


def western(*lines, **fields):
    return Sheet(uuid4(), "WESTERN", lines, **fields)


def test_the_defaults_of_the_parameters_are_the_defaults_here():
    assert limits.of(DEFAULTS, clock.now()) == Limits()


def test_five_drugs_fit_and_the_sixth_does_not():
    five = [Line(n, 24) for n in range(1, 6)]
    assert said(western(*five)) == []
    assert said(western(*five, Line(6, 24))) == [(0, None, "一张处方最多 5 种药，请把多出的移到另一张", None)]
    assert said(western(Line(1, 24), Line(1, 24))) == [(0, 1, "同一种药只写一行，请合并数量", None)]


@pytest.mark.parametrize(
    ("fields", "fits", "most"),
    [
        ({}, 7, 7), ({"tag": "emergency"}, 3, 3), ({"reason": "高血压稳定"}, 28, 28), ({"reason": "高血压稳定", "long_term": True}, 84, 84),
        ({"long_term": True}, 7, 7), ({"tag": "emergency", "reason": "路远"}, 28, 28),
    ],
)  # fmt: skip
def test_days_have_a_limit_that_a_reason_widens(fields, fits, most):
    assert said(western(Line(1, 24, days=fits), **fields)) == []
    [(_sheet, line, _words, days)] = said(western(Line(1, 24, days=most + 1), **fields))
    assert (line, days) == (0, most)


def test_days_not_written_are_reckoned_from_the_dose():
    taken = {"dose": Decimal("0.25"), "dose_unit": "g", "frequency": "qd"}
    assert [days for *_rest, days in said(western(Line(1, 24, **taken)))] == [7]
    assert said(western(Line(1, 24, **taken | {"frequency": "qid"}))) == []
    assert said(western(Line(1, 24, **taken | {"dose_unit": "瓶"}))) == []  # A specification that does not tell.


@pytest.mark.parametrize(("form", "most", "in_pain"), [("注射液", 1, 3), ("缓释片", 7, 15), ("片", 3, 7)])
def test_narcotics_have_days_by_their_form_and_a_sheet_of_their_own(form, most, in_pain):
    cards = {1: card(1, f"吗啡{form}", special_class="NARCOTIC"), 2: card(2)}

    def days(number, **fields):
        return said(western(Line(1, 24, days=number), tag="narcotic", **fields), cards=cards, narcotics=True)

    assert (days(most), days(in_pain, long_term=True, reason="癌痛")) == ([], [])
    assert [one[3] for one in days(most + 1)] == [most]
    assert [one[3] for one in days(in_pain + 1, long_term=True, reason="癌痛")] == [in_pain]
    assert "没有麻醉药品" in said(western(Line(1, 24, days=1), tag="narcotic"), cards=cards)[0][2]
    assert "专用处方" in said(western(Line(1, 24, days=1)), cards=cards, narcotics=True)[0][2]
    mixed = western(Line(1, 24, days=1), Line(2, 24, days=1), tag="narcotic")
    assert "单独开" in said(mixed, cards=cards, narcotics=True)[0][2]


def test_special_drugs_are_never_long():
    cards = {1: card(1, special_class="PSYCHOTROPIC_2"), 2: card(2, special_class="TOXIC")}
    long = {"long_term": True, "reason": "失眠"}
    assert said(western(Line(1, 24, days=7), tag="psychotropic_2"), cards=cards) == []
    assert "不能开长期处方" in said(western(Line(1, 24, days=7), tag="psychotropic_2", **long), cards=cards)[0][2]
    assert said(western(Line(2, 24, days=3)), cards=cards)[0][3] == 2


def test_herbs_have_fifteen_doses_and_toxic_ones_two():
    cards = {1: card(1, "黄芪", rx_class="HERB"), 2: card(2, "生马钱子", rx_class="HERB")}

    def herbs(product, doses):
        return said(Sheet(uuid4(), "HERB", (Line(product, 900),), doses=doses), cards=cards)

    assert (herbs(1, 15), herbs(2, 2)) == ([], [])
    assert "最多 15 剂" in herbs(1, 16)[0][2]
    assert "最多 2 剂" in herbs(2, 3)[0][2]
