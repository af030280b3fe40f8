"""What the whole clinic refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class NotPractitioner(Refusal):
    code = "not_practitioner"
    sentence = "{name} 在本机构没有执业登记，不能做这件事。请负责人先在「科室医师」里登记。"


class NotEligible(Refusal):
    code = "not_eligible"
    sentence = "{name} {why}。请换有资格的人，或请负责人核对执业登记。"


class PatientIncomplete(Refusal):
    code = "patient_incomplete"
    sentence = "患者没有保存：{why}。请改好再保存。"
    status = 422


class PatientKnown(Refusal):
    code = "patient_known"
    sentence = "这个证件号已经建过档（病历号 {number}）。请直接用那份档案。"


class PatientChanged(Refusal):
    code = "patient_changed"
    sentence = "这份档案刚被别人改过，您的修改没有保存。请刷新后再改。"


class NotMergeable(Refusal):
    code = "not_mergeable"
    sentence = "两份档案没有合并：{why}。"


class VisitMovedOn(Refusal):
    code = "visit_moved_on"
    sentence = "{number} 现在是「{state}」，不能{act}。请刷新看最新的情况。"


class VisitWritten(Refusal):
    code = "visit_written"
    sentence = "{number} 医师已经签过名，不能退号。不做的项目请到「收费」退费。"


class VisitIncomplete(Refusal):
    code = "visit_incomplete"
    sentence = "没有办成：{why}。请改好再试。"
    status = 422


class DraftChanged(Refusal):
    code = "visit_draft_changed"
    sentence = "这份病历在另一个窗口改过，这次没有保存，您写的还在屏幕上。请刷新，在最新的内容上继续。"


class VisitBeingPaid(Refusal):
    code = "visit_being_paid"
    sentence = "{number} 正在收费，不能修改。请等收费结束，或请收费员先取消。"


class SheetPaid(Refusal):
    code = "sheet_paid"
    sentence = "{number} 已经收费，不能修改。请退费后再改，或另开一张。"


class SheetSentOut(Refusal):
    code = "sheet_sent_out"
    sentence = "{number} 已经外配，患者到药店取药。要改或在本院收费，请先在「外配」里作废。"


class AllergiesNotAsked(Refusal):
    code = "allergies_not_asked"
    sentence = "还没有问过敏史。请问过患者，在右侧按「已问过」（Alt+G），再签名。"


class RemindersOpen(Refusal):
    code = "reminders_open"
    sentence = "还有 {n} 条提醒没有处理：{first}请改好，或写明理由，再签名。"
