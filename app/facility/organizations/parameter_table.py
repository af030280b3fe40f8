"""The figures and words a site may set (参数), in one table, and which value holds when. Plain values; no database, no web.

Where the law sets a limit, the bounds here let a site be stricter and never laxer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app.core.money import fen_to_yuan, yuan_to_fen
from app.facility.organizations.errors import NotFound, ParameterOutOfBounds, ParameterUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Kind = Literal["minutes", "hours", "days", "fen", "count", "text", "steps"]
Value = int | str
N_ = str  # Marks a text for the English catalog; it is translated when it is shown.

MOST_DIGITS = 9
FULL_WIDTH = str.maketrans("０１２３４５６７８９－", "0123456789-")


@dataclass(frozen=True)
class Parameter:
    """One figure or word: what it is, what holds until a site says otherwise, and how far a site may go."""

    name: str
    kind: Kind
    default: Value
    least: int  # Of a text: its length.
    most: int
    unit: str
    title: str
    reason: str
    source: str


@dataclass(frozen=True, order=True)
class Step:
    """A value and the moment from which it holds; of two that begin together the later set one holds."""

    begins_at: datetime
    id: int
    value: str


TABLE = (
    Parameter(
        "identification_valid", "minutes", 30, 5, 240, N_("分钟"),
        N_("读卡多久内有效"),
        N_("超过后要重新读卡才能结算：上午读的卡，下午不能再用来付钱。"),
        N_("产品默认（领域说明 2.1）；实名购药见《医疗保障基金使用监督管理条例》第十五条"),
    ),
    Parameter(
        "match_above", "fen", 20_000, 0, 10_000_000, N_("元"),
        N_("超过多少金额须核对人证一致"),
        N_("医保单超过这个金额，结算前须有人看过本人和证件并确认一致。"),
        N_("产品默认（领域说明 2.4）；实名购药见《医疗保障基金使用监督管理条例》第十五条"),
    ),
    Parameter(
        "ask_from", "count", 40, 1, 100, N_("分"),
        N_("身份核验多少分起查证件"),
        N_("达到这个分数，须查验身份证件并写明理由才能结算。"),
        N_("产品默认（领域说明 2.5）"),
    ),
    Parameter(
        "hold_from", "count", 70, 2, 200, N_("分"),
        N_("身份核验多少分起由主管核验"),
        N_("达到这个分数，须由主管核验才能结算。"),
        N_("产品默认（领域说明 2.5）"),
    ),
    Parameter(
        "prescription_days", "days", 3, 0, 3, N_("天"),
        N_("处方开具后还有效几天"),
        N_("处方当日有效，医师可以延长，最长不超过三天；本机构可以更严，不能更宽。"),
        N_("《处方管理办法》第十八条（领域说明 4.2）"),
    ),
    Parameter(
        "prescription_drugs", "count", 5, 1, 5, N_("种"),
        N_("一张处方最多几种药"),
        N_("西药和中成药每张处方不超过五种；本机构可以更严，不能更宽。"),
        N_("《处方管理办法》第六条（领域说明 4.2）"),
    ),
    Parameter(
        "near_expiry_days", "days", 180, 0, 3650, N_("天"),
        N_("离效期多少天起提醒"),
        N_("新建商品先填这个天数，每个商品可以另定；法规没有统一的月数。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "urgent_days", "days", 90, 0, 3650, N_("天"),
        N_("离效期多少天起算紧急"),
        N_("第二道近效期线：到了就该促销、退回或停止进货；过期一律锁住不能卖。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "duty_hours", "hours", 16, 4, 24, N_("小时"),
        N_("药师到岗后最长算在岗多久"),
        N_("忘记登记离岗的人不会一直在岗；药师不在岗时处方药和甲类非处方药停售。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "refund_alone_days", "days", 0, 0, 30, N_("天"),
        N_("售出后几天内一人可以退货"),
        N_("零天就是当日；过后退货要另一位有权限的人复核，医保单退一部分总是要复核。"),
        N_("产品默认（领域说明 1.7）"),
    ),
    Parameter(
        "ephedrine_packs", "count", 2, 0, 2, N_("盒"),
        N_("含麻黄碱类复方制剂最多卖几个最小包装"),
        N_("没有处方时，一次销售和同一购药人在下面的天数内都不超过这个数；本机构可以更严，不能更宽。"),
        N_("《关于加强含麻黄碱类复方制剂管理有关事宜的通知》（国食药监办〔2012〕260号）（领域说明 3.5）"),
    ),
    Parameter(
        "ephedrine_days", "days", 1, 1, 30, N_("天"),
        N_("含麻黄碱类复方制剂按几天累计"),
        N_("同一购药人在本机构所有门店这么多天内买的合在一起算，当天算一天。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "discount_percent", "count", 0, 0, 99, N_("%"),
        N_("收银员自己最多可优惠百分之几"),
        N_("超过的须由另一位负责人或药师在屏幕上输入密码确认；自费和医保同一个价。"),
        N_("产品默认（领域说明 3.2：医保与自费同价）"),
    ),
    Parameter(
        "surrender_after", "minutes", 2, 1, 30, N_("分钟"),
        N_("结果不明等多久可以放弃"),
        N_("等这么久中心仍没有回答，屏幕提示打热线，并可以放弃这一单。"),
        N_("产品默认（领域说明 1.7）"),
    ),
    Parameter(
        "confirm_within", "minutes", 10, 1, 120, N_("分钟"),
        N_("中心迟到的受理多久内还算数"),
        N_("超过后才查到中心已经结算的，向中心冲正：药和人都已不在柜台。"),
        N_("产品默认（领域说明 1.7）"),
    ),
    Parameter(
        "correction_limit_fen", "fen", 20_000, 0, 10_000_000, N_("元"),
        N_("更正多少金额以内一人可以过账"),
        N_("数量、批号、效期、进价的更正超过这个金额，要另一位药师或负责人复核；进价不明或效期改长的，总是要复核。"),
        N_("产品默认（领域说明 3.4）"),
    ),
    Parameter(
        "invoice_difference_fen", "fen", 100, 0, 100_000, N_("元"),
        N_("票货相差多少以内一人可以核对"),
        N_("发票和入库单的差额在这个金额以内当作尾差，写明原因即可；超过的要另一位药师或负责人复核。"),
        N_("产品默认（领域说明 3.4）"),
    ),
    Parameter(
        "check_days", "days", 30, 1, 31, N_("天"),
        N_("陈列和在库药品多少天检查一次"),
        N_("零售企业至少每月检查一次；到期未查的排在养护清单里。"),
        N_("《药品经营质量管理规范》第一百六十五条（领域说明 3.5）"),
    ),
    Parameter(
        "focus_check_days", "days", 15, 1, 31, N_("天"),
        N_("重点品种多少天检查一次"),
        N_("拆零、近效期、冷藏、陈列时间长的药品和饮片，比一般药品查得勤。"),
        N_("《药品经营质量管理规范》第一百六十五条（领域说明 3.5）"),
    ),
    Parameter(
        "display_days", "days", 90, 7, 3650, N_("天"),
        N_("放了多少天算陈列时间长"),
        N_("同一批货在架超过这个天数，列入重点养护。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "split_days", "days", 30, 1, 365, N_("天"),
        N_("拆零后最多放多少天"),
        N_("原包装打开超过这个天数，提示转不合格。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "recall_hours_first", "hours", 24, 1, 24, N_("小时"),
        N_("一级召回多少小时内处理完"),
        N_("从发起或收到起算，到时限还没有上报的召回显示为逾期；可以更严，不能更宽。"),
        N_("《药品召回管理办法》（原局令第29号）第十六条；2022年修订后为1日内，本产品取更严的"),
    ),
    Parameter(
        "recall_hours_second", "hours", 48, 1, 48, N_("小时"),
        N_("二级召回多少小时内处理完"),
        N_("从发起或收到起算，到时限还没有上报的召回显示为逾期；可以更严，不能更宽。"),
        N_("《药品召回管理办法》（原局令第29号）第十六条；2022年修订后为3日内，本产品取更严的"),
    ),
    Parameter(
        "recall_hours_third", "hours", 72, 1, 72, N_("小时"),
        N_("三级召回多少小时内处理完"),
        N_("从发起或收到起算，到时限还没有上报的召回显示为逾期；可以更严，不能更宽。"),
        N_("《药品召回管理办法》（原局令第29号）第十六条；2022年修订后为7日内，本产品取更严的"),
    ),
    Parameter(
        "hotline", "text", "12393", 3, 20, "",
        N_("医保热线"),
        N_("印在小票上，结果不明时请收银员拨打；当地另有号码的，改成当地的。"),
        N_("国家医保服务热线（产品默认）"),
    ),
    Parameter(
        "licence_warning_days", "steps", "90,60,30", 1, 365, N_("天"),
        N_("证照到期前多少天提醒"),
        N_("供应商、商品、机构和人员的证照到期前逐级提醒；过期即停购，不等提醒。"),
        N_("产品默认（领域说明 3.1）"),
    ),
    Parameter(
        "recheck_days", "days", 365, 30, 365, N_("天"),
        N_("首营通过后多少天复审"),
        N_("到期没有复审的供应商和商品停止采购和验收；本机构可以更勤，不能更疏。"),
        N_("产品默认（领域说明 3.1）"),
    ),
    Parameter(
        "herb_tolerance", "count", 3, 0, 10, N_("%"),
        N_("饮片盘点差异在多少以内算称量损耗"),
        N_("中药饮片称量会有损耗，盘点差异不超过账面的这个比例时，原因自动记为称量损耗，仍要审批。"),
        N_("产品默认（领域说明 3.7）"),
    ),
    Parameter(
        "count_full_days", "days", 92, 1, 366, N_("天"),
        N_("全面盘点最多隔多少天"),
        N_("每季度至少全面盘点一次；到期后库存盘点页会提醒。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "count_controlled_days", "days", 1, 1, 31, N_("天"),
        N_("特殊管理药品最多隔多少天盘点"),
        N_("专柜和特殊管理药品每日盘点；没有盘点的，库存盘点页会提醒。"),
        N_("产品默认（领域说明 3.5）"),
    ),
    Parameter(
        "order_days", "days", 7, 1, 7, N_("天"),
        N_("门诊处方一般最多开几天"),
        N_("超过的要写明理由（慢性病、老年病或特殊情况）；本机构可以更严，不能更宽。"),
        N_("《处方管理办法》第十九条（领域说明 4.2）"),
    ),
    Parameter(
        "emergency_days", "days", 3, 1, 3, N_("天"),
        N_("急诊处方一般最多开几天"),
        N_("超过的要写明理由；本机构可以更严，不能更宽。"),
        N_("《处方管理办法》第十九条（领域说明 4.2）"),
    ),
    Parameter(
        "long_notice_days", "days", 28, 7, 28, N_("天"),
        N_("超过几天要按长期处方开"),
        N_("长期处方一般在四周以内；超过的要严格评估，写明理由。"),
        N_("《长期处方管理规范（试行）》（领域说明 4.2）"),
    ),
    Parameter(
        "long_order_days", "days", 84, 28, 84, N_("天"),
        N_("长期处方最多开几天"),
        N_("最长不超过十二周；本机构可以更严，不能更宽。"),
        N_("《长期处方管理规范（试行）》（领域说明 4.2）"),
    ),
    Parameter(
        "herb_doses", "count", 15, 1, 30, N_("剂"),
        N_("饮片一张处方最多几剂"),
        N_("超过的请分次开，便于复诊时调整。"),
        N_("产品默认（领域说明 4.2）"),
    ),
    Parameter(
        "herbs_warned", "count", 20, 5, 60, N_("味"),
        N_("饮片超过几味提醒医师"),
        N_("只提醒，不拦：味数多的方子请再看一遍。"),
        N_("产品默认（领域说明 4.2）"),
    ),
    Parameter(
        "order_valid_days", "days", 0, 0, 3, N_("天"),
        N_("门诊处方开具后还有效几天"),
        N_("处方当日有效；医师延长的，最长不超过三天。"),
        N_("《处方管理办法》第十八条（领域说明 4.2）"),
    ),
    Parameter(
        "center_check_ms", "count", 1000, 200, 5000, N_("毫秒"),
        N_("医生站等医保中心提醒多久"),
        N_("开方时把草稿交中心检查，不耽误书写；过了这个时间只显示本机构的检查，并标明「部分检查」。"),
        N_("产品默认（领域说明 4.1）"),
    ),
)  # fmt: skip
BY_NAME = {parameter.name: parameter for parameter in TABLE}
SCORES = ("ask_from", "hold_from")
MOST_STEPS = 5
_NUMBER_TO_CALL = re.compile(r"[0-9][0-9-]*[0-9]")


def get_parameter(name: str) -> Parameter:
    """One parameter by its name. Raises NotFound."""
    if name not in BY_NAME:
        raise NotFound
    return BY_NAME[name]


def read_typed(parameter: Parameter, typed: str) -> Value:
    """A value as a person types it, full-width digits and blanks allowed. Raises ParameterOutOfBounds, ParameterUnreadable."""
    plain = typed.strip().translate(FULL_WIDTH)
    if parameter.kind == "text":
        if not parameter.least <= len(plain) <= parameter.most or not _NUMBER_TO_CALL.fullmatch(plain):
            raise ParameterUnreadable(least=parameter.least, most=parameter.most)
        return plain
    if parameter.kind == "steps":
        return _steps(parameter, plain)
    number = yuan_to_fen(plain) if parameter.kind == "fen" else _whole(parameter, plain)
    if not parameter.least <= number <= parameter.most:
        raise out_of_bounds(parameter)
    return number


def _steps(parameter: Parameter, plain: str) -> str:
    """Several numbers, largest first: 90,60,30; separated as people do."""
    numbers = {_whole(parameter, each) for each in re.split(r"[\s,，、;；/]+", plain.strip(",，、;；/ "))}
    if len(numbers) > MOST_STEPS or not all(parameter.least <= number <= parameter.most for number in numbers):
        raise out_of_bounds(parameter)
    return ",".join(str(number) for number in sorted(numbers, reverse=True))


def _whole(parameter: Parameter, plain: str) -> int:
    if not (plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS):
        raise out_of_bounds(parameter)
    return int(plain)


def out_of_bounds(parameter: Parameter) -> ParameterOutOfBounds:
    """The refusal that names the bounds as the screen shows figures."""
    return ParameterOutOfBounds(least=figure(parameter, parameter.least), most=figure(parameter, parameter.most))


def figure(parameter: Parameter, value: Value) -> str:
    """A value without its unit: 2000000 fen is 20,000.00."""
    if parameter.kind == "steps" and isinstance(value, str):
        return value.replace(",", " / ")
    if parameter.kind != "fen":
        return str(value)
    whole, _, cents = fen_to_yuan(int(value)).partition(".")
    return f"{int(whole):,}.{cents}"


def stored(parameter: Parameter, text: str) -> Value:
    """A value as the database holds it."""
    return text if parameter.kind in {"text", "steps"} else int(text)


def step_at(steps: Sequence[Step], at: datetime) -> Step | None:
    """The step that holds at a moment; None while the default holds. Steps stand in their order."""
    return next((step for step in reversed(steps) if step.begins_at <= at), None)


def value_at(steps: Mapping[str, Sequence[Step]], name: str, at: datetime) -> Value:
    """What a parameter says at a moment."""
    parameter = BY_NAME[name]
    step = step_at(steps.get(name, ()), at)
    return parameter.default if step is None else stored(parameter, step.value)


def turned_round(steps: Mapping[str, Sequence[Step]], since: datetime) -> bool:
    """Say whether at some moment from `since` on a supervisor would be asked no later than a document."""
    turns = [step.begins_at for name in SCORES for step in steps.get(name, ()) if step.begins_at > since]
    return any(int(value_at(steps, "ask_from", at)) >= int(value_at(steps, "hold_from", at)) for at in (since, *turns))
