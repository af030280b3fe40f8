"""What speaks against a prescription of herbs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.facility.clinic.terms import herbs
from app.facility.clinic.terms.dictionaries import HANDLINGS


def kinds(*names, pregnant=False):
    return [
        (each.kind, each.herbs, each.firm)
        for each in herbs.objections([(name, None) for name in names], pregnant=pregnant)
    ]


@pytest.mark.parametrize(("one", "other", "which"), [
    ("黑顺片", "法半夏", "eighteen"), ("制川乌", "川贝", "eighteen"), ("附片", "全瓜蒌", "eighteen"), ("草乌", "白及", "eighteen"), ("炙甘草", "醋甘遂", "eighteen"),
    ("生甘草", "海藻", "eighteen"), ("藜芦", "党参", "eighteen"), ("藜芦", "细辛", "eighteen"), ("藜芦", "炒白芍", "eighteen"), ("丁香", "醋郁金", "nineteen"),
    ("人参", "醋五灵脂", "nineteen"), ("官桂", "赤石脂", "nineteen"), ("硫磺", "朴硝", "nineteen"), ("巴豆霜", "炒牵牛子", "nineteen"), ("醋三棱", "芒硝", "nineteen"),
    ("甘草", "白芍", ""), ("半夏", "生姜", ""), ("人参", "附子", ""), ("当归", "当归", ""), ("没有的药", "甘草", ""),
])  # fmt: skip
def test_two_herbs_go_together_or_not(one, other, which):
    assert herbs.incompatible(one, other) == herbs.incompatible(other, one) == which


def test_a_pair_is_named_as_it_was_written():
    [found] = herbs.objections([("黑顺片", Decimal(6)), ("茯苓", Decimal(10)), ("姜半夏", Decimal(9))])

    assert str(found.said) == "黑顺片与姜半夏属十八反，不宜同用。"
    assert found.firm


@pytest.mark.parametrize(("name", "herb"), [
    ("当归（配方颗粒）", "当归"), ("麸炒苍术", "苍术"), ("炒苦杏仁", "苦杏仁"), ("杏仁", "苦杏仁"), ("酒大黄", "大黄"), ("生姜", "生姜"), ("干姜", "干姜"), ("姜黄", "姜黄"),
    ("地黄炭", "生地黄"), ("熟地", "熟地黄"), ("煅牡蛎", "牡蛎"), ("生石膏", "石膏"), ("天花粉", "天花粉"), ("三七粉", "三七"), ("盐杜仲", "杜仲"), ("马钱子粉", "马钱子粉"), ("外星草", "外星草"),
])  # fmt: skip
def test_a_herb_is_known_by_its_other_names(name, herb):
    assert herbs.herb_of(name) == herb


def test_pregnancy_forbids_some_and_asks_care_for_others():
    assert kinds("醋三棱", "红花", "当归", pregnant=True) == [
        ("pregnancy", ("醋三棱",), True),
        ("pregnancy", ("红花",), False),
    ]
    assert kinds("醋三棱", "红花", "当归") == []


@pytest.mark.parametrize(("name", "grams", "firm"), [
    ("细辛", "3", None), ("细辛", "6", True), ("黑顺片", "30", True), ("黄芪", "30", None), ("黄芪", "60", False), ("甘草片", "12", False), ("全蝎", "6.5", True), ("外星草", "900", None),
])  # fmt: skip
def test_grams_beyond_the_pharmacopoeia_are_said_and_toxic_ones_refused(name, grams, firm):
    found = herbs.objections([(name, Decimal(grams))])

    assert [each.firm for each in found] == ([] if firm is None else [firm])


def test_the_same_herb_twice_is_said():
    assert kinds("甘草", "炙甘草", "茯苓") == [("twice", ("甘草", "炙甘草"), False)]


def test_firm_ones_come_first():
    found = herbs.objections([("红花", Decimal(20)), ("附子", Decimal(9)), ("瓜蒌子", Decimal(9))], pregnant=True)

    assert [each.firm for each in found] == sorted((each.firm for each in found), reverse=True)
    assert found[0].kind == "incompatible"


def test_toxic_raw_herbs_are_under_special_rules():
    assert [name for name in ("生川乌", "生半夏", "法半夏", "蟾酥", "制川乌", "当归") if herbs.is_controlled(name)] == [
        "生川乌",
        "生半夏",
        "蟾酥",
    ]


def test_the_tables_are_in_order():
    assert len(herbs.USUAL) > 120
    assert not herbs.USUAL.keys() & herbs.TOXIC.keys()
    for name in herbs.USUAL.keys() | herbs.TOXIC.keys():
        least, most = herbs.usual_grams(name)
        assert 0 < least < most <= 60, name
    assert herbs.HANDLED.keys() <= HANDLINGS.keys()
    assert herbs.usual_handling("薄荷") == "later"
    assert herbs.usual_handling("生石膏") == "first"
    assert herbs.usual_handling("当归") == ""
    others = [other for said in herbs.SYNONYMS.values() for other in said.split()]
    assert len(others) == len(set(others)), "one name for two herbs"
    assert not herbs.SYNONYMS.keys() & set(others)


@given(st.lists(st.tuples(st.text(max_size=8), st.none() | st.decimals(0, 999, places=2)), max_size=8), st.booleans())
def test_anything_may_be_written(written, pregnant):
    assert isinstance(herbs.objections(written, pregnant=pregnant), list)
