"""What a patient's file must say, on plain values."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from pypinyin import Style, lazy_pinyin

from app.core.errors import words
from app.national import certno

if TYPE_CHECKING:
    from app.core.errors import Words

SEXES = {"1": "男", "2": "女", "0": "未知", "9": "未说明"}
PHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}")
OLDEST = date(1900, 1, 1)


class Person(msgspec.Struct, frozen=True):
    """Who somebody is; everything but sex and day of birth is kept sealed."""

    name: str
    sex: str = ""
    born_on: date | None = None
    certno: str = ""
    phone: str = ""
    address: str = ""
    guardian: str = ""


def tidy(person: Person) -> Person:
    """The file as it is kept: without blanks at the ends; sex and day of birth as a good citizen id says them."""
    number = certno.normal(person.certno)
    sex, born_on = person.sex, person.born_on
    if certno.is_valid(number):
        sex, born_on = certno.sex(number), certno.birth_date(number)
    return Person(
        person.name.strip(), sex, born_on, number, person.phone.strip(), person.address.strip(), person.guardian.strip()
    )


def problem(person: Person, today: date) -> Words | None:
    """What keeps a file from being saved; nothing when it is well."""
    number_wrong = certno.why_wrong(person.certno) if person.certno else None
    born_well = person.born_on is not None and OLDEST <= person.born_on <= today
    wrong = {
        words("姓名要有 1 到 40 个字"): not 1 <= len(person.name) <= 40,
        words("身份证号{why}", why=number_wrong): number_wrong is not None,
        words("性别要选一项"): person.sex not in SEXES,
        words("要有出生日期，或正确的身份证号"): not born_well,
        words("电话要是 11 位手机号或带区号的座机号"): bool(person.phone) and not PHONE.fullmatch(person.phone),
        words("地址最多 200 个字，监护人最多 40 个字"): len(person.address) > 200 or len(person.guardian) > 40,
    }
    return next((why for why, holds in wrong.items() if holds), None)


def initials(name: str) -> str:
    """How somebody is found by ear: 孙秀兰 answers to sxl."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()[:40]
