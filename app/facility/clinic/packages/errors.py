"""What packages refuse."""

from __future__ import annotations

from app.core.errors import Refusal


class PackageIncomplete(Refusal):
    code = "package_incomplete"
    sentence = "套餐没有保存：{why}。请改好再保存。"
    status = 422


class PackageNotFitting(Refusal):
    code = "package_not_fitting"
    sentence = "没有按套餐收费：{name} 的项目不全在选中的单子上，或套餐已停用、已改价。请刷新后重选。"
