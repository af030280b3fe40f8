"""What care refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class CareIncomplete(Refusal):
    code = "care_incomplete"
    sentence = "没有保存：{why}。请改好再试。"
    status = 422


class EnrolledAlready(Refusal):
    code = "enrolled_already"
    sentence = "这位患者已经在「{plan}」管理中，没有再纳入一次。请看患者的慢病页。"


class ContractOverlaps(Refusal):
    code = "contract_overlaps"
    sentence = "这位居民 {begins} 至 {ends} 已有签约，日期不能重叠。请改签约日期，或先结束那一份。"


class ContractOver(Refusal):
    code = "contract_over"
    sentence = "这份签约在 {day} 没有生效，不能记履约。请核对日期。"


class AlreadyEnded(Refusal):
    code = "care_already_ended"
    sentence = "已经在 {day} 结束了，没有再改。请刷新看最新的情况。"


class PaperNotTheirs(Refusal):
    code = "paper_not_theirs"
    sentence = "选的凭据不是这位居民在签约期内的就诊、随访或治疗，或已记过这一项。请重新选一份。"


class PhoneUnknown(Refusal):
    code = "phone_unknown"
    sentence = "档案里没有电话。请在患者档案里补上，或用别的办法联系。"


class ReasonNotNamed(Refusal):
    code = "care_reason_not_named"
    sentence = "要选一项打开电话的用途，会记入日志。"
    status = 422
