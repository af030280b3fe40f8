"""What a diagnosis says of sex and age, as ranges of ICD-10 (诊断与性别、年龄不符).

After the categories that ICD-10, volume 2 (section 3.1.5) names as limited to one sex, without those that it calls only likelier, and
after what the chapters themselves mean (perinatal period, childbirth, old age). Facts only; where a range would catch
real patients it is left out, because whoever diagnoses knows better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.errors import Words, words

MALE, FEMALE = "1", "2"  # 性别 as the interface has it; 0 and 9 are unknown and agree with everything.
_CODE = re.compile(r"([A-Z]\d{2})(?:\.(\d))?")


@dataclass(frozen=True, slots=True)
class Range:
    """Codes from `first` to `last` (both meant with all below them) are of one sex, or of an age in whole years."""

    first: str
    last: str
    sex: str = ""
    least: int = 0
    most: int = 150

    def holds(self, code: str) -> bool:
        """Say whether a code without its point, such as N400, lies in the range."""
        return (
            len(code) >= len(self.first)
            and self.first <= code[: len(self.first)]
            and code[: len(self.last)] <= self.last
        )


def _of(sex: str, *ranges: str) -> tuple[Range, ...]:
    ends = (each.partition("-") for each in ranges)
    return tuple(Range(first, last or first, sex) for first, _, last in ends)


RANGES = (
    *_of(
        FEMALE,
        "A34", "B373", "C51-C58", "C796", "D06", "D070-D073", "D25-D28", "D39", "E28", "E894", "F525", "F53", "I863", "L292",
        "M800-M801", "M810-M811", "M830", "N70-N98", "N992-N993", "O00-O99", "P546", "Q50-Q52", "R87", "S314", "S374-S376",
        "T192-T193", "T833", "Z014", "Z124", "Z32-Z37", "Z39", "Z437", "Z875", "Z975",
    ),
    *_of(
        MALE,
        "B260", "C60-C63", "D074-D076", "D176", "D29", "D40", "E29", "E895", "F524", "I861", "L291", "N40-N51", "Q53-Q55", "R86",
        "S312-S313", "Z125",
    ),
    Range("O00", "O99", least=10, most=60),
    Range("Z32", "Z37", least=10, most=60),
    Range("P00", "P96", most=0),
    Range("A33", "A33", most=0),
    Range("R95", "R95", most=0),
    Range("Z38", "Z38", most=0),
    Range("N40", "N40", least=30),
    Range("N95", "N95", least=30),
    Range("M800", "M801", least=30),
    Range("M810", "M811", least=30),
    Range("F00", "F00", least=30),
    Range("G30", "G30", least=30),
    Range("H25", "H25", least=40),
    Range("R54", "R54", least=60),
)  # fmt: skip


def contrary(code: str, sex: str, age: int | None) -> tuple[Words, ...]:
    """Say what of a person contradicts a western diagnosis; empty when nothing does or it is not known.

    Codes of Chinese medicine say nothing of sex and age and never contradict.
    """
    found = _CODE.match(code.strip().upper())
    if not found or code.count(".") > 1:
        return ()
    plain = found[1] + (found[2] or "")
    held = [each for each in RANGES if each.holds(plain)]
    said = [_of_sex(each.sex) for each in held if each.sex and sex in {MALE, FEMALE} and sex != each.sex]
    said += [_of_age(each) for each in held if age is not None and not each.least <= age <= each.most]
    return tuple(dict.fromkeys(said))


def _of_sex(sex: str) -> Words:
    return words("这个诊断只用于女性。") if sex == FEMALE else words("这个诊断只用于男性。")


def _of_age(held: Range) -> Words:
    if held.most == 0:
        return words("这个诊断只用于未满一周岁的婴儿。")
    if held.least and held.most < 150:
        return words("这个诊断一般只见于 {least} 至 {most} 岁。", least=held.least, most=held.most)
    return words("这个诊断一般不见于 {least} 岁以下。", least=held.least)
