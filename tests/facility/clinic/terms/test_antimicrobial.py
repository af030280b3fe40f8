"""Levels of antimicrobials by name, and who may prescribe them at a clinic."""

import pytest

from app.facility.clinic.terms.antimicrobial import level_of, refused


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("阿莫西林胶囊", "unrestricted"), ("头孢克肟分散片", "unrestricted"), ("盐酸莫西沙星片", "restricted"), ("注射用头孢他啶", "restricted"),
        ("注射用美罗培南", "special"), ("注射用头孢他啶阿维巴坦钠", "special"), ("左氧氟沙星滴眼液", None), ("苯磺酸氨氯地平片", None), ("红霉素软膏", None),
    ],
)  # fmt: skip
def test_a_name_says_its_level(name, level):
    assert level_of(name) == level


def test_a_right_covers_its_level_and_those_below():
    assert refused("阿莫西林胶囊", "unrestricted") is None
    assert refused("盐酸莫西沙星片", "restricted") is None
    assert "限制使用级抗菌药物，您的权限是「非限制使用级」" in str(refused("盐酸莫西沙星片", "unrestricted"))
    assert "没有抗菌药物处方权" in str(refused("阿莫西林胶囊", "none"))
    assert "门诊不得使用" in str(refused("注射用美罗培南", "special"))
    assert refused("苯磺酸氨氯地平片", "none") is None
