"""Plans, follow-ups and packages as plain values: what they must say, and what clinics commonly begin with."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.errors import Words

SOON = timedelta(days=7)  # Who is expected within a week stands on the list already.
RENEW_WITHIN = timedelta(days=30)
LONGEST_CONTRACT = timedelta(days=3 * 366)
MOST_NOTE = 500
MOST_ITEMS = 12
CODE = re.compile(r"[a-z0-9_]{2,20}")
DIAGNOSIS = re.compile(r"[A-Z][0-9A-Za-z.+]{1,11}")

DUE = {"bp": "量血压", "glucose": "测血糖", "call": "电话随访", "weight": "称体重", "lipids": "查血脂", "foot": "查足背动脉", "breath": "问气促"}  # fmt: skip
KINDS = {"call": "电话", "home": "上门", "desk": "来院"}
OUTCOMES = {"reached": "已随访", "coming": "约好来诊", "missed": "没联系上", "declined": "不愿接受管理", "moved": "已迁出", "died": "已故"}  # fmt: skip
ENDS = frozenset({"declined", "moved", "died"})
LEAVING = {"declined": "不愿接受管理", "moved": "已迁出", "died": "已故", "mistake": "纳入有误", "elsewhere": "转到别处管理"}  # fmt: skip
CONTRACT_ENDS = {"moved": "已迁出", "died": "已故", "wish": "居民要求解约", "elsewhere": "改签别的团队", "mistake": "签约有误"}  # fmt: skip
WHY_CALL = {"followup": "随访或失访提醒", "supply": "长期处方续方", "renewal": "签约续签", "result": "告知结果"}


class Plan(msgspec.Struct, frozen=True):
    """How often people with a disease are seen (病种); `codes` are the beginnings of its diagnoses, without days it is stopped."""

    code: str
    name: str
    codes: tuple[str, ...]
    days: int | None
    due: tuple[str, ...]
    entitlement: str = ""


class Item(msgspec.Struct, frozen=True):
    """What a package promises: a service, and how many times a year."""

    code: str
    name: str
    times: int


class Package(msgspec.Struct, frozen=True):
    """A package of a family doctor's services (服务包): who pays which part of its fee for a year."""

    code: str
    name: str
    fund_fen: int
    public_fen: int
    self_fen: int
    items: tuple[Item, ...]
    offered: bool = True


class FollowUp(msgspec.Struct, frozen=True):
    """What came of asking after somebody (随访): how, with which outcome, what was measured, when they are expected next."""

    kind: str
    outcome: str
    systolic: int | None = None
    diastolic: int | None = None
    glucose_tenths: int | None = None
    next_on: date | None = None
    note: str = ""


# What a clinic may begin with by one button; the intervals are those of the national basic public health service (国家基本公共卫生服务规范).
STARTERS = (
    Plan("hypertension", "高血压", ("I10", "I11", "I12", "I13", "I15"), 90, ("bp", "call"), "M03900"),
    Plan("diabetes", "糖尿病", ("E10", "E11", "E14"), 90, ("glucose", "bp", "foot"), "M01600"),
    Plan("coronary", "冠心病", ("I20", "I25"), 90, ("bp", "lipids", "call")),
    Plan("stroke", "脑卒中恢复期", ("I63", "I69"), 90, ("bp", "call")),
    Plan("copd", "慢性阻塞性肺疾病", ("J44",), 90, ("breath", "call")),
)
STARTER_PACKAGES = (
    Package("basic", "基本服务包", 0, 6000, 0, (Item("followup", "随访", 4), Item("checkup", "健康体检", 1), Item("advice", "用药指导", 2))),
    Package("chronic", "慢病服务包", 6000, 6000, 2000, (Item("followup", "随访", 6), Item("checkup", "健康体检", 1), Item("glucose", "血糖检测", 4), Item("advice", "用药指导", 4))),
)  # fmt: skip


def plan_problem(plan: Plan) -> Words | None:
    """What keeps a plan from being saved."""
    wrong = {
        words("代码用 2 到 20 个小写字母、数字或下划线"): not CODE.fullmatch(plan.code),
        words("名称要有 1 到 30 个字"): not 1 <= len(plan.name) <= 30,
        words("诊断编码写开头几位，如 I10，最多 20 个"): not 1 <= len(plan.codes) <= 20
        or not all(DIAGNOSIS.fullmatch(one) for one in plan.codes),
        words("间隔要在 7 到 366 天之间"): plan.days is not None and not 7 <= plan.days <= 366,
        words("随访内容要从列表里选"): not set(plan.due) <= DUE.keys(),
        words("门慢门特编码最多 30 个字"): len(plan.entitlement) > 30,
    }
    return next((why for why, holds in wrong.items() if holds), None)


def package_problem(package: Package) -> Words | None:
    """What keeps a package from being saved."""
    shares = (package.fund_fen, package.public_fen, package.self_fen)
    names = [one.name for one in package.items]
    wrong = {
        words("代码用 2 到 20 个小写字母、数字或下划线"): not CODE.fullmatch(package.code),
        words("名称要有 1 到 30 个字"): not 1 <= len(package.name) <= 30,
        words("金额要在 0 到 100000 元之间"): any(not 0 <= share <= 10_000_000 for share in shares),
        words("要写 1 到 {n} 项服务，一行一项，如 随访 4", n=MOST_ITEMS): not 1 <= len(package.items) <= MOST_ITEMS,
        words("每项要有名称（最多 20 个字）和 1 到 366 的次数"): any(
            not 1 <= len(one.name) <= 20 or not 1 <= one.times <= 366 for one in package.items
        ),
        words("同一项只写一行"): len(set(names)) < len(names),
    }
    return next((why for why, holds in wrong.items() if holds), None)


def follow_up_problem(told: FollowUp, today: date) -> Words | None:
    """What keeps a follow-up from being noted."""
    pressure = (told.systolic, told.diastolic)
    wrong = {
        words("方式和结果要各选一项"): told.kind not in KINDS or told.outcome not in OUTCOMES,
        words("血压要写高压和低压，如 138 和 86"): (None in pressure) != (pressure == (None, None))
        or (told.systolic is not None and told.diastolic is not None and not _fits(told.systolic, told.diastolic)),
        words("血糖要在 0.5 到 60 之间，单位 mmol/L"): told.glucose_tenths is not None
        and not 5 <= told.glucose_tenths <= 600,
        words("约好来诊要写哪一天"): told.outcome == "coming" and told.next_on is None,
        words("下次日期要在今天以后的一年内"): told.next_on is not None
        and not today <= told.next_on <= today + timedelta(days=366),
        words("没有联系上，不能写测量结果"): told.outcome == "missed"
        and (told.systolic or told.glucose_tenths) is not None,
        words("备注最多 {n} 个字", n=MOST_NOTE): len(told.note) > MOST_NOTE,
    }
    return next((why for why, holds in wrong.items() if holds), None)


def _fits(systolic: int, diastolic: int) -> bool:
    return 40 <= systolic <= 300 and 20 <= diastolic <= 200 and diastolic < systolic


def beside(row: Any, today: date) -> Iterator[tuple[Words | str, Words | str, bool]]:
    """A person's care in a few rows: what, what is said of it, whether it is late."""
    for one in row.plans or ():
        day = date.fromisoformat(one["next_on"])
        late = day < today
        yield one["plan"], words("应来 {day}，还没来", day=day) if late else words("下次 {day}", day=day), late
    if row.contract:
        place = words("本机构") if row.contract["here"] else row.contract["facility"]
        yield words("家医签约"), words("{place} · 至 {day}", place=place, day=row.contract["until_on"]), False
    if row.pressures:
        yield words("近 {n} 次血压", n=len(row.pressures)), " · ".join(row.pressures), False
    if row.glucose:
        whole, tenth = divmod(row.glucose["tenths"], 10)
        yield words("血糖"), f"{whole}.{tenth} · {row.glucose['day']}", False
