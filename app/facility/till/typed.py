"""How the pages of a till say what was handed over."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_babel import gettext as _

from app.core.errors import WrongInput
from app.core.money import MOST_FEN
from app.facility.till.tenders import Tender

KINDS = {"cash": "cash", "card": "bank", "wechat": "wechat", "alipay": "alipay"}
MOST_TENDERS = 6


def tenders_of(text: str) -> list[Tender]:
    """What was handed over, as the page of a till says it. Raises WrongInput."""
    try:
        given = msgspec.json.decode(text[:2000], type=list[dict[str, Any]])
        found = [Tender(KINDS[row["kind"]], row["amount"]) for row in given]
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as wrong:
        raise WrongInput(what=_("收款"), why=_("金额或方式无法识别")) from wrong
    if len(found) > MOST_TENDERS or any(
        type(tender.amount_fen) is not int or not 0 <= tender.amount_fen < MOST_FEN for tender in found
    ):
        raise WrongInput(what=_("收款"), why=_("金额超出范围"))
    return found
