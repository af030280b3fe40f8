"""What a diagnosis says of sex and age."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.facility.clinic.terms.plausibility import FEMALE, MALE, contrary


@pytest.mark.parametrize(("code", "sex", "age", "said"), [
    ("O80.900", MALE, 30, ["这个诊断只用于女性。"]), ("O80.900", FEMALE, 30, []), ("O80.900", FEMALE, 8, ["这个诊断一般只见于 10 至 60 岁。"]),
    ("N40.x00", FEMALE, 70, ["这个诊断只用于男性。"]), ("N40.x00", MALE, 20, ["这个诊断一般不见于 30 岁以下。"]), ("N76.000", FEMALE, 25, []), ("N76.000", MALE, 25, ["这个诊断只用于女性。"]),
    ("P59.900", FEMALE, 0, []), ("P59.900", FEMALE, 3, ["这个诊断只用于未满一周岁的婴儿。"]), ("B37.300x001", MALE, 40, ["这个诊断只用于女性。"]), ("B37.000", MALE, 40, []),
    ("J06.900", MALE, 5, []), ("D25.900", MALE, 45, ["这个诊断只用于女性。"]), ("A01.000x005+J17.0*", MALE, 45, []), ("C61.x00", FEMALE, 66, ["这个诊断只用于男性。"]),
    ("N63.x00", MALE, 40, []), ("Z34.900", MALE, 5, ["这个诊断只用于女性。", "这个诊断一般只见于 10 至 60 岁。"]), ("A90.01.01", MALE, 5, []), ("B37.3.1", MALE, 40, []),
])  # fmt: skip
def test_a_diagnosis_contradicts_a_person(code, sex, age, said):
    assert list(contrary(code, sex, age)) == said


def test_what_is_not_known_of_a_person_contradicts_nothing():
    assert contrary("O80.900", "0", None) == ()
    assert contrary("N40.x00", "9", None) == ()


@given(st.text(max_size=20), st.sampled_from(["1", "2", "0", "9", ""]), st.none() | st.integers(0, 150))
def test_anything_may_be_asked(code, sex, age):
    assert isinstance(contrary(code, sex, age), tuple)


def test_the_national_list_is_told_apart():
    """Of 33,304 diagnoses so many are of women, of men, of infants; most say nothing."""
    folder = os.environ.get("SUNMED_REAL_DATA")
    if not folder:
        pytest.skip("SUNMED_REAL_DATA names no folder with the national list (icd10_ybb/ZD_INFO.json)")
    listed = json.loads((Path(folder) / "icd10_ybb" / "ZD_INFO.json").read_text("utf-8"))

    women, men = ({code for code in listed if contrary(code, sex, 30)} for sex in (MALE, FEMALE))
    assert {
        name
        for code, name in listed.items()
        if code in women and code not in men and "前列腺" in name and "前列腺素" not in name
    } == set()
    assert {name for code, name in listed.items() if code in men and code not in women and "子宫" in name} == set()
    assert {code for code in listed if code.startswith("O")} <= women
    assert len(women | men) < len(listed) // 5
