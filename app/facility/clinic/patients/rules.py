"""What a patient's file must say, on plain values."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from pypinyin import Style, lazy_pinyin

from app.core import personal
from app.core.errors import words
from app.national import certno

if TYPE_CHECKING:
    from app.core.errors import Words

CITIZEN = "01"
# Papers a patient may show, by the national table psn_cert_type; what of it proves no identity (社会保障卡, 残疾人证 …) is left out.
CERT_TYPES = {
    "01": "居民身份证（户口簿）", "08": "外国人护照", "16": "中国护照", "07": "外国人永久居留证", "04": "香港特区护照/港澳居民来往内地通行证",
    "05": "澳门特区护照/港澳居民来往内地通行证", "06": "台湾居民来往大陆通行证", "17": "港澳台居民居住证", "02": "中国人民解放军军官证", "03": "中国人民武装警察警官证",
    "990201": "医学出生证明", "99": "其他身份证件",
}  # fmt: skip
OTHER_NUMBER = re.compile(r"[0-9A-Z()/-]{4,30}")
LOOKED_FOR = re.compile(r"(?=.*\d)[0-9A-Z()/-]{6,30}")
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
    cert_type: str = CITIZEN

    @property
    def citizen_id(self) -> str:
        """The citizen id; empty for who has another paper or none."""
        return self.certno if self.cert_type == CITIZEN else ""


def tidy(person: Person) -> Person:
    """The file as it is kept: without blanks at the ends; sex and day of birth as a good citizen id says them."""
    number = normal(person.certno)
    sex, born_on = person.sex, person.born_on
    if person.cert_type == CITIZEN and certno.is_valid(number):
        sex, born_on = certno.sex(number), certno.birth_date(number)
    return Person(
        person.name.strip(), sex, born_on, number, person.phone.strip(), person.address.strip(), person.guardian.strip(),
        person.cert_type if number else CITIZEN,
    )  # fmt: skip


def normal(number: str) -> str:
    """A paper's number as it is kept: no blanks, half-width, capitals."""
    return certno.normal(unicodedata.normalize("NFKC", number))


def document_key(cert_type: str, number: str) -> str:
    """By what a paper is found again; two kinds of papers may have one number. The number is a normal one."""
    return number if cert_type == CITIZEN else f"{cert_type}:{number}"


def document_keys(typed: str) -> list[str]:
    """What the number somebody typed may be: a citizen id, or the number of any other paper."""
    number = normal(typed)
    others = [document_key(kind, number) for kind in CERT_TYPES if kind != CITIZEN]
    return ([number] if certno.is_valid(number) else []) + (others if LOOKED_FOR.fullmatch(number) else [])


def encoded(person: Person) -> bytes:
    """Who a file is about, to be sealed: of a citizen as files were written before papers had kinds, so that one sent again is known."""
    told = msgspec.structs.asdict(person)
    if person.cert_type == CITIZEN:
        del told["cert_type"]
    return msgspec.json.encode(told)


def opened(tenant: str, sealed: bytes) -> Person:
    """Who a file is about, whole."""
    return msgspec.json.decode(personal.unseal_bytes(tenant, bytes(sealed)), type=Person)


def problem(person: Person, today: date) -> Words | None:
    """What keeps a file from being saved; nothing when it is well."""
    number_wrong = certno.why_wrong(person.citizen_id) if person.citizen_id else None
    other_wrong = person.cert_type != CITIZEN and not OTHER_NUMBER.fullmatch(person.certno)
    born_well = person.born_on is not None and OLDEST <= person.born_on <= today
    wrong = {
        words("姓名要有 1 到 40 个字"): not 1 <= len(person.name) <= 40,
        words("身份证号{why}", why=number_wrong): number_wrong is not None,
        words("证件类型要选一项"): person.cert_type not in CERT_TYPES,
        words("证件号码要有 4 到 30 位字母或数字"): other_wrong,
        words("性别要选一项"): person.sex not in SEXES,
        words("要有出生日期，或正确的身份证号"): not born_well,
        words("电话要是 11 位手机号或带区号的座机号"): bool(person.phone) and not PHONE.fullmatch(person.phone),
        words("地址最多 200 个字，监护人最多 40 个字"): len(person.address) > 200 or len(person.guardian) > 40,
    }
    return next((why for why, holds in wrong.items() if holds), None)


def initials(name: str) -> str:
    """How somebody is found by ear: 孙秀兰 answers to sxl."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()[:40]
