"""What a pharmacist looks at on a sheet, and what the page can say of each item by itself. Plain values in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.core.errors import Words
    from app.facility.clinic.desk.reminders import Reminder

# The items of the review (审核要点, DOMAIN 4.3), in the order in which they are read.
CHECKS = {
    "prescriber": words("医师资格"), "fields": words("项目完整"), "identity": words("身份、年龄、性别"), "diagnosis": words("诊断相符"),
    "dose": words("剂量、频次、天数"), "route": words("剂型、途径"), "duplicate": words("重复用药"), "interaction": words("相互作用、配伍"),
    "contraindication": words("禁忌、过敏、妊娠"), "skin_test": words("皮试"), "special": words("特殊药品限制"), "insurance": words("医保限制"),
    "signature": words("签名"),
}  # fmt: skip
KEYS = "123456789abde"  # The key of each item on the page.
RESULTS = {
    "PASS": words("已通过"), "PASS_WITH_NOTE": words("通过并注明"), "RETURN": words("已退回医师"), "REFUSE": words("拒绝调配"), "EMERGENCY": words("急诊先行"),
}  # fmt: skip
BECOMES = {"PASS": "PASSED", "PASS_WITH_NOTE": "PASSED", "RETURN": "RETURNED", "REFUSE": "REFUSED"}
STATES = {
    "SIGNED": words("待审"), "PASSED": words("已通过"), "RETURNED": words("已退回"), "REFUSED": words("已拒绝"), "CHARGED": words("已收费"),
    "DISPENSING": words("发药中"), "DONE": words("已完成"), "VOID": words("已作废"), "OUT": words("已外配"),
}  # fmt: skip
MOST_NOTE = 500
# Which item a reminder of the desk belongs to.
SPEAKS_OF = {
    "allergy": "contraindication", "cross": "contraindication", "pregnancy": "contraindication", "in_use": "duplicate", "duplicate": "duplicate",
    "twice": "duplicate", "incompatible": "interaction", "grams": "dose", "quantity": "dose", "many_herbs": "dose", "sex_age": "diagnosis",
    "age": "contraindication", "center": "insurance",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """One item: what the page found of it; `look` when somebody should look twice."""

    code: str
    key: str
    said: Words | str
    look: bool = False


def checks(
    head: Any, lines: Sequence[Any], diagnoses: Sequence[Any], found: Iterable[Reminder], *, pregnancy: str, asked: bool
) -> list[Check]:
    """All items of one sheet with what is known of each; what nobody but a pharmacist can say is left open."""
    remarks: dict[str, list[Words]] = {}
    for one in found:
        remarks.setdefault(SPEAKS_OF.get(one.rule, "interaction"), []).append(one.said)
    facts = _facts(head, lines, diagnoses, pregnancy=pregnancy, asked=asked)
    made = []
    for (code, _word), key in zip(CHECKS.items(), KEYS, strict=True):
        said, look = facts.get(code, ("", False))
        if code in remarks:
            said, look = words("{n} 条提醒", n=len(remarks[code])), True
        made.append(Check(code, key, said, look))
    return made


def _facts(
    head: Any, lines: Sequence[Any], diagnoses: Sequence[Any], *, pregnancy: str, asked: bool
) -> dict[str, tuple[Words | str, bool]]:
    tests = [line.described["name"] for line in lines if line.skin_test]
    special = [line.described["name"] for line in lines if line.described.get("special")]
    own = [line.described["name"] for line in lines if line.self_paid]
    bare = head.kind != "HERB" and [
        line.described["name"] for line in lines if not (line.dose and line.frequency and line.route)
    ]
    allergies = words("已问过敏史") if asked else words("没有问过敏史")
    return {
        "prescriber": (words("有处方权") if head.prescribes else words("没有处方权登记"), not head.prescribes),
        "fields": (words("{names} 没有写全用法", names="、".join(bare)) if bare else words("齐全"), bool(bare)),
        "diagnosis": ("" if diagnoses else words("没有诊断"), not diagnoses),
        "contraindication": (words("妊娠") if pregnancy == "yes" else words("哺乳期") if pregnancy == "lactating" else allergies, pregnancy in {"yes", "lactating"} or not asked),
        "skin_test": (words("{names} 要皮试", names="、".join(tests)) if tests else words("没有要皮试的药"), bool(tests)),
        "special": ("、".join(special) if special or head.tag in {"psychotropic_2", "narcotic"} else words("没有特殊药品"), bool(special)),
        "insurance": (words("{names} 自费", names="、".join(own)) if own else words("没有自费标记"), False),
        "signature": (words("已签名"), False),
    }  # fmt: skip


def problem(result: str, concerns: Sequence[str], note: str) -> Words | None:
    """What is missing before this can be said of a sheet."""
    if result not in BECOMES or any(one not in CHECKS for one in concerns) or len(note) > MOST_NOTE:
        return words("要选一个结果，意见最多 {n} 个字", n=MOST_NOTE)
    if result in {"RETURN", "REFUSE"} and not concerns:
        return words("退回或拒绝要勾出哪一项不合适")
    if result != "PASS" and not note.strip():
        return words("要写审方意见：哪一种药、什么问题、怎样改")
    if result == "PASS" and concerns:
        return words("勾了不合适的项，就不能直接通过；请写明意见，或退回医师")
    return None
