"""Each rule of the reminder over plain values: what it finds, at which limit, and in which words."""

from datetime import date, timedelta

import pytest

from app.center.audit.line_rules import Draft, Limits, OrderLine, Supply, find, kind_of

TODAY = date(2026, 11, 22)
LINE = OrderLine("1", "X1", "阿莫西林", 3000, 5)


def draft(*lines, **facts):
    told = {"today": TODAY, "sex": "1", "age": 40, "kind": "ordinary", "lines": lines or (LINE,)}
    return Draft(**(told | facts))


def supply(left, days=30, here=False, code="X1"):
    until = TODAY + timedelta(days=left)
    return Supply(code, until - timedelta(days=days - 1), until, days, here)


def rules(made):
    return [finding.rule_id for finding in find(made)]


def test_an_ordinary_draft_is_not_disturbed():
    assert find(draft()) == []


def test_sex_is_compared_only_where_the_drug_is_limited_and_the_patient_known():
    limits = {"X1": Limits(sex="2")}

    [found] = find(draft(limits=limits))

    assert (found.rule_id, found.severity) == ("R044", "1")
    assert "限女性使用，本患者为男性" in found.text
    assert rules(draft(limits=limits, sex="2")) == rules(draft(limits=limits, sex="9")) == []


@pytest.mark.parametrize(("age", "found"), [(2, ["R007"]), (3, []), (12, []), (13, ["R007"])])
def test_ages_are_limits_inclusive(age, found):
    assert rules(draft(limits={"X1": Limits(age_from=3, age_to=12)}, age=age)) == found


def test_an_open_limit_of_age_is_said_in_words():
    assert "18 岁及以上" in find(draft(limits={"X1": Limits(age_from=18)}, age=7))[0].text
    assert "14 岁及以下" in find(draft(limits={"X1": Limits(age_to=14)}))[0].text


def test_a_drug_twice_in_a_draft_is_said_once_for_each_line_too_many():
    made = draft(LINE, OrderLine("2", "X1", "阿莫西林", 100, 5), OrderLine("3", "X2", "别的", 100, 5))

    [found] = find(made)

    assert (found.rule_id, found.line.rx_id) == ("R046", "2")


@pytest.mark.parametrize(("left", "found"), [(7, []), (8, ["R046"])])
def test_what_is_left_of_an_earlier_supply_counts_from_its_limit(left, found):
    assert rules(draft(supplies=(supply(left),))) == found


def test_several_supplies_add_up_and_those_gone_or_of_other_drugs_do_not():
    two = (supply(5), supply(4, here=True))

    [found] = find(draft(supplies=two))

    assert "还有约 9 天" in found.text
    assert rules(draft(supplies=(supply(5), supply(-1), supply(50, code="X9")))) == []


def test_where_it_came_from_is_said_without_a_name():
    assert "另一家机构" in find(draft(supplies=(supply(20),)))[0].text
    assert "本机构" in find(draft(supplies=(supply(20, here=True),)))[0].text


def test_days_are_limited_by_the_kind_of_visit():
    long = OrderLine("1", "X1", "阿莫西林", 3000, 30)

    [found] = find(draft(long))

    assert (found.rule_id, found.severity) == ("R009", "3")
    assert "开了 30 天，普通门诊一般不超过 7 天" in found.text
    assert rules(draft(long, kind="chronic", allowed_days=84)) == []
    assert rules(draft(OrderLine("1", "X1", "阿莫西林", 3000, None), allowed_days=1)) == []


def test_kinds_follow_the_category():
    assert [kind_of(code) for code in ("11", "13", "1301", "14", "")] == [
        "ordinary",
        "emergency",
        "emergency",
        "chronic",
        "ordinary",
    ]
