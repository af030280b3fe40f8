"""What the registers refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class OwnSplit(Refusal):
    code = "own_split"
    sentence = "这次拆零由您本人分拆销售，须由另一位同事复核。"


class RangeTooLong(Refusal):
    code = "range_too_long"
    sentence = "日期范围最多 {most} 天，且开始不晚于结束。请缩短范围后再查。"
    status = 422


class TooManyRows(Refusal):
    code = "too_many_rows"
    sentence = "这个范围超过 {most} 行，打印和导出放不下。请缩短日期范围后再试。"
    status = 422


class ReasonNeeded(Refusal):
    code = "reason_needed"
    sentence = "查看完整姓名和证件号须写明事由（4 到 100 个字），会记入审计日志。"
    status = 422
