"""What keeping refuses."""

from __future__ import annotations

from app.core.errors import Refusal


class PaperNotTaken(Refusal):
    """A paper has problems; nothing of it was written."""

    code = "stock_paper_not_taken"
    sentence = "单据没有保存，请改正后再提交：{problems}"
    status = 422


class SecondPersonNeeded(Refusal):
    """Who asked cannot decide."""

    code = "stock_paper_own"
    sentence = "{number} 是您自己提交的，要由另一位有权限的同事复核。"


class HolderReleases(Refusal):
    """Who put goods into quarantine does not let them out again (经手人与解除人分开)."""

    code = "holder_releases"
    sentence = "{number} 里有您自己转待处理的货，不能由您解除。请另一位药师或负责人复核。"


class AlreadyDecided(Refusal):
    """The paper was decided or withdrawn before."""

    code = "stock_paper_decided"
    sentence = "{number} 已经由别人处理过了，没有再改动。请刷新页面查看结果。"


class NotYours(Refusal):
    """Only who asked takes a paper back."""

    code = "stock_paper_not_yours"
    sentence = "{number} 不是您提交的，不能由您撤回。不同意请由复核人填写原因退回。"


class DecisionNeedsNote(Refusal):
    """A refusal says why."""

    code = "decision_needs_note"
    sentence = "退回单据要写原因，请填写后再提交。"
    status = 422


class OpenedPack(Refusal):
    """An opened pack does not go back among the whole ones."""

    code = "opened_pack"
    sentence = "{name} {lot} 有已拆开或零头的货，不能放进整盒的库区。请放回拆零区，或转不合格。"


class NotTheirGoods(Refusal):
    """Goods go back to who brought them; else what is owed would stay as it was (退供应商)."""

    code = "not_their_goods"
    sentence = "没有过账：{name} {lot} 是{brought}送来的，不能退给「{supplier}」，应付也扣不对。请把供应商改成送货的那一家；已提交复核的请退回重开。"
    status = 422


class DrawerNotReady(Refusal):
    """The drawer is not the right one, or was not cleaned for a new lot."""

    code = "drawer_not_ready"
    sentence = "没有装斗：{why}。"
    status = 422


class DrawerKnown(Refusal):
    """A drawer of this name is there already."""

    code = "drawer_known"
    sentence = "已经有叫「{name}」的药斗。请换一个名字，或修改原来的药斗。"


class StockHasChanged(Refusal):
    """A lot's goods or its facts are no longer as the correction found them."""

    code = "correction_outdated"
    sentence = "提交以后 {name} {lot} 又有变动，改前的内容已经对不上。请退回这张更正单，核对实物后重新提交。"


class LotTaken(Refusal):
    """The corrected lot exists already under other rules."""

    code = "corrected_lot_held"
    sentence = "{name} {lot} 已锁定或已召回，更正会让这批货脱离锁定。请先处理锁定，再更正。"


class CheckNotTaken(Refusal):
    """A display check has problems."""

    code = "keeping_check_not_taken"
    sentence = "养护记录没有保存：{why}。"
    status = 422


class ReadingNotTaken(Refusal):
    """A reading of temperature or humidity cannot be right, or its place is closed."""

    code = "reading_not_taken"
    sentence = "温湿度没有保存：{why}。"
    status = 422


class PlaceNotTaken(Refusal):
    """A place's name or limits are not right."""

    code = "climate_place_not_taken"
    sentence = "测温点没有保存：{why}。"
    status = 422
