"""What taking an out-flow prescription on refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NotACode(Refusal):
    code = "not_a_code"
    sentence = "这不是取药码。请再扫一次取药单上的二维码，或输入 16 位取药码。"
    status = 422


class NothingTaken(Refusal):
    code = "nothing_taken"
    sentence = "没有接方：{why}。请核对要取的药和盒数。"
    status = 422


class NotGivenBack(Refusal):
    code = "not_given_back"
    sentence = "处方 {number} 不能交还：{why}。"
