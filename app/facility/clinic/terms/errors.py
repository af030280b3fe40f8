"""What the lists of terms refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class TermsUnreadable(Refusal):
    """The file is no list of diagnoses; nothing was loaded."""

    code = "TERMS_UNREADABLE"
    sentence = "诊断目录没有导入：{why}。请提供“编码到名称”的 JSON，或含编码、名称两列的 CSV、Excel 文件。"
    status = 422


class UnknownDiagnosis(Refusal):
    """A code that the list does not hold, or no longer."""

    code = "UNKNOWN_DIAGNOSIS"
    sentence = "诊断编码 {codes} 不在现行目录里，可能已停用。请重新检索后选择。"
    status = 422
