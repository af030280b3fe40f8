"""What dispensing refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NotToDispense(Refusal):
    code = "not_to_dispense"
    sentence = "{number} 现在是「{state}」，不能{act}。请刷新看最新的情况。"


class NothingToHand(Refusal):
    code = "nothing_to_hand"
    sentence = "没有要发的药。请填发药数量，或看看是不是已经发完。"
    status = 422


class MoreThanLeft(Refusal):
    code = "more_than_left"
    sentence = "{name} 还剩 {left} {unit} 没发，这次写了 {wanted}。请改数量；整盒的药按整盒发。"
    status = 422


class PackClosed(Refusal):
    code = "pack_closed"
    sentence = "{name} 拆零区不够，要先拆一盒。请扫要拆的那一盒，或按「拆一盒」。"


class NothingToOpen(Refusal):
    code = "nothing_to_open"
    sentence = "{name} 没有可拆的整盒：货架上的都被别的单占用，或不在架。请等一等，或联系收费处退费。"


class SameEyes(Refusal):
    code = "same_eyes"
    sentence = "配药和核对须是两个人，其中至少一位是药师。请另一位同事核对。"
    status = 422


class SkinTestMissing(Refusal):
    code = "skin_test_missing"
    sentence = "{name} 要先做皮试，结果阴性才能发。请护士做完皮试，在这里记下结果。"


class SkinTestPositive(Refusal):
    code = "skin_test_positive"
    sentence = "{name} 皮试阳性，不能发、不能用。请告诉医师改方，收费处退费。"


class SkinTestIncomplete(Refusal):
    code = "skin_test_incomplete"
    sentence = "皮试结果没有记下：{why}。"
    status = 422


class Paused(Refusal):
    code = "dispensing_paused"
    sentence = "{number} 已暂停发药：{reason}。请处理完，按「继续」再发。"


class PauseIncomplete(Refusal):
    code = "pause_incomplete"
    sentence = "暂停发药要写原因（最多 200 个字）。"
    status = 422


class CodeNotFor(Refusal):
    code = "code_not_for"
    sentence = "追溯码 …{tail} {why}。"


class LotReasonMissing(Refusal):
    code = "lot_reason_missing"
    sentence = "{name} {lot} 效期更晚，先到期的 {sooner} 还在架。请选为什么发这一批；选「其他」要写明（最多 60 个字）。"
    status = 422


class SubstitutionWaits(Refusal):
    code = "substitution_waits"
    sentence = "{name} 正在等医师同意换成 {maker} 的，先不能发这一行。医师答复后再发；不换了就按「撤回」。"


class NotSubstitutable(Refusal):
    code = "not_substitutable"
    sentence = "{name} 不能换成这一种：{why}。"


class SubstitutionIncomplete(Refusal):
    code = "substitution_incomplete"
    sentence = "没有提出换药：{why}。"
    status = 422


class SubstitutionMovedOn(Refusal):
    code = "substitution_moved_on"
    sentence = "{name} 的换药现在不能答复：{why}。请刷新看最新的情况。"


class NotThePrescriber(Refusal):
    code = "not_the_prescriber"
    sentence = "换药要由开方的医师答复，提出的人不能自己同意。请 {doctor} 答复，或撤回后退费重开。"


class DeclineIncomplete(Refusal):
    code = "decline_incomplete"
    sentence = "不同意要写原因（最多 200 个字），药师好知道怎么办。"
    status = 422


class ExecutionIncomplete(Refusal):
    code = "execution_incomplete"
    sentence = "没有记下：{why}。"
    status = 422


class ReturnIncomplete(Refusal):
    code = "return_incomplete"
    sentence = "没有退药：{why}。"
    status = 422
