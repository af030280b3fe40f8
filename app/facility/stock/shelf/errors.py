"""Why the shelf says no."""

from __future__ import annotations

from app.core.errors import Refusal


class PlaceNotTaken(Refusal):
    """A place or its limits make no sense."""

    code = "place_not_taken"
    sentence = "货位没有保存：{why}。请改正后再提交。"
    status = 422


class PriceChangeNotTaken(Refusal):
    """A price change cannot be taken; all problems at once, nothing was changed."""

    code = "price_change_not_taken"
    sentence = "没有调价：{problems}"
    status = 422


class PriceChangeNeedsOwner(Refusal):
    """Only the owner changes prices alone; anybody else needs the owner beside them."""

    code = "price_change_needs_owner"
    sentence = "调价要负责人同意。请负责人在这里输入自己的工号和密码，或请负责人自己调价。"
    status = 422


class LabelsNotPrinted(Refusal):
    """Labels that make no sense are not printed."""

    code = "labels_not_printed"
    sentence = "标签没有打印：{why}。"
    status = 422
