"""Why the shelf says no."""

from __future__ import annotations

from app.core.errors import Refusal


class PlaceNotTaken(Refusal):
    """A place or its limits make no sense."""

    code = "place_not_taken"
    sentence = "货位没有保存：{why}。请改正后再提交。"
    status = 422
