"""What sending out refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NotToSendOut(Refusal):
    code = "not_to_send_out"
    sentence = "{number} 不能外配：{why}。请刷新看最新的情况。"


class OutflowPending(Refusal):
    code = "outflow_pending"
    sentence = "{number} 还在与医保中心核对，现在不能{act}。请等几秒再试。"


class OutflowReasonNeeded(Refusal):
    code = "outflow_reason_needed"
    sentence = "作废外配处方要写原因。请写明后再作废。"
    status = 422
