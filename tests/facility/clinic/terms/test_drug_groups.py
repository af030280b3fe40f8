"""An allergy to a group finds the drug by its generic name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.facility.clinic.terms.drug_groups import (
    GROUPS,
    allergic,
    groups_of,
    risk_in_pregnancy,
    therapies_of,
    too_young,
)
from app.national import codes


@pytest.mark.parametrize(("allergen", "drug", "how"), [
    ("青霉素", "注射用青霉素钠", "same"), ("青霉素类", "阿莫西林胶囊", "group"), ("青霉素过敏", "哌拉西林钠他唑巴坦钠", "group"), ("101", "阿莫西林克拉维酸钾片", "group"), ("penicillin", "苯唑西林钠", "group"),
    ("青霉素", "头孢克肟分散片", "related"), ("头孢类", "头孢丙烯片", "same"), ("头孢曲松", "头孢呋辛酯片", "group"), ("头孢类", "阿莫西林胶囊", "related"), ("头孢菌素类", "头孢克洛", "group"),
    ("磺胺", "复方磺胺甲噁唑片", "same"), ("磺胺类药物", "柳氮磺吡啶肠溶片", "group"), ("磺胺类", "塞来昔布胶囊", "related"), ("喹诺酮", "左氧氟沙星片", "group"), ("左氧氟沙星", "莫西沙星片", "group"),
    ("阿司匹林", "布洛芬缓释胶囊", "group"), ("阿司匹林", "阿司匹林肠溶片", "same"), ("解热镇痛药", "氨酚黄那敏颗粒", "group"), ("对乙酰氨基酚", "维C银翘片", "group"), ("阿奇霉素", "罗红霉素分散片", "group"),
    ("链霉素", "硫酸庆大霉素注射液", "group"), ("107", "阿米卡星注射液", "group"), ("利多卡因", "盐酸布比卡因注射液", "group"), ("甲硝唑", "奥硝唑片", "group"), ("银杏叶", "银杏叶片", "same"),
    ("青霉素", "阿奇霉素片", None), ("磺胺", "布洛芬缓释胶囊", None), ("花粉", "布洛芬缓释胶囊", None), ("甲硝唑", "硝唑尼特干混悬剂", None), ("", "阿莫西林胶囊", None), ("阿司匹林", "美沙拉秦肠溶片", None),
    ("乌司他汀", "阿托伐他汀钙片", None),
])  # fmt: skip
def test_an_allergy_finds_the_drug(allergen, drug, how):
    assert [met.how for met in allergic([allergen], drug)] == ([how] if how else [])


def test_the_surest_allergy_is_said_first_and_says_why():
    first, second = allergic(["头孢类", "青霉素"], "注射用青霉素钠")

    assert (first.how, second.how) == ("same", "related")
    assert first.firm
    assert not second.firm
    assert str(second.said) == "患者对“头孢类”过敏，注射用青霉素钠属于青霉素类，可能交叉过敏。"


@pytest.mark.parametrize(("drug", "firm"), [
    ("阿托伐他汀钙片", True), ("缬沙坦胶囊", True), ("马来酸依那普利片", True), ("左氧氟沙星片", True), ("利巴韦林颗粒", True), ("注射用乌司他汀", None), ("布洛芬缓释胶囊", False), ("叶酸片", None), ("甲巯咪唑片", False), ("鲜益母草胶囊", True), ("复方丹参滴丸", False),
])  # fmt: skip
def test_pregnancy_forbids_some_drugs_and_asks_care_for_others(drug, firm):
    risk = risk_in_pregnancy(drug)

    assert (risk and risk.firm) == firm


@pytest.mark.parametrize(("drug", "age", "forbidden"), [
    ("左氧氟沙星片", 17, True), ("左氧氟沙星片", 18, False), ("左氧氟沙星滴眼液", 5, False), ("左氧氟沙星片", None, False), ("盐酸多西环素片", 7, True), ("盐酸多西环素片", 8, False),
    ("复方磷酸可待因溶液", 12, True), ("尼美舒利分散片", 11, True), ("盐酸异丙嗪片", 1, True), ("布洛芬混悬液", 1, False),
])  # fmt: skip
def test_some_drugs_are_not_for_children(drug, age, forbidden):
    assert (too_young(drug, age) is not None) == forbidden


def test_the_groups_name_the_allergens_of_the_interface():
    assert {group.allergen for group in GROUPS.values()} - {""} <= codes.values("aise_code")
    assert {other for group in GROUPS.values() for other in group.related} <= GROUPS.keys()
    assert groups_of("酚麻美敏片") == ("antipyretic", "antihistamine")


@pytest.mark.parametrize(("one", "other", "same"), [
    ("布洛芬缓释胶囊", "感冒灵颗粒", True), ("氨氯地平片", "硝苯地平控释片", True), ("奥美拉唑肠溶胶囊", "雷贝拉唑钠肠溶片", True), ("氯雷他定片", "复方氨酚黄那敏颗粒", True), ("格列美脲片", "消渴丸", True),
    ("格列美脲片", "呋塞米片", False), ("西格列汀片", "格列美脲片", False), ("达格列净片", "西格列汀片", False), ("吡格列酮片", "格列齐特缓释片", False), ("碘伏消毒液", "胺碘酮片", False),
    ("阿莫西林胶囊", "头孢克肟分散片", False), ("氨氯地平片", "缬沙坦胶囊", False),
])  # fmt: skip
def test_two_drugs_that_do_the_same_are_known(one, other, same):
    assert bool(set(therapies_of(one)) & set(therapies_of(other))) == same


def test_one_antihistamine_not_borne_does_not_warn_of_all():
    assert allergic(["氯雷他定"], "西替利嗪片") == []
    assert [met.how for met in allergic(["氯雷他定"], "氯雷他定片")] == ["same"]


@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=20))
def test_anything_may_be_noted(allergens, drug):
    assert len(allergic(allergens, drug)) <= len(allergens)
