"""What the day's end refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class DaysTooMany(Refusal):
    """The range ends before it begins, or is longer than a year."""

    code = "clinic_days_too_many"
    sentence = "日期范围要从早到晚，最多 {most} 天；请改小再看。"


class LogTooLong(Refusal):
    """More visits than a print or a file holds."""

    code = "clinic_log_too_long"
    sentence = "这段日期有 {most} 次以上就诊，一次给不完；请把日期改小，分几次打印或导出。"
