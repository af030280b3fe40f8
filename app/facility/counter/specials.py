"""Selling specially controlled drugs: who buys is named, how many is limited, a line of the special book is written.

It runs inside the transaction that settles, before the sale is written, and only when such a drug is in the basket.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec

from app.core import clock, personal
from app.core.errors import Several
from app.facility.counter import baskets
from app.facility.counter import special_rules as rules
from app.facility.counter.errors import BuyerNeeded, BuyerUnreadable, EphedrineLimit, EphedrineLimitReached
from app.facility.db import action, run
from app.facility.organizations import parameters
from app.facility.stock.ledger import as_json
from app.national import certno

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.counter.rules import Basket, Line

MOST_NAME = 50
BUYER = "select sealed, checked_on from buyer_check where tenant_id = %(tenant)s and id = %(buyer)s and facility_id = %(facility)s"
KEEP = "select keep_special_lines(%(lines)s::jsonb, %(person)s::bytea) as bought"
INSERT = """
insert into buyer_check (id, facility_id, staff_id, person_hash, sealed, shown, checked_on, checked_at)
values (:id, :facility, :staff, :hash, :sealed, cast(:shown as jsonb), :today, :at)
"""


@action
def name_buyer(desk: Desk, basket_id: UUID, name: str, number: str) -> None:
    """Register who buys an ephedrine compound, from their identity document (实名登记); holds for this basket, today.

    Name and citizen id are sealed; the basket keeps the masked name. Raises BuyerUnreadable, NotFound, StaleBasket.
    """
    plain, number = name.strip(), certno.normal(number)
    if not plain or len(plain) > MOST_NAME or not plain.isprintable():
        raise BuyerUnreadable(why="没有填姓名，或超过 50 个字")
    if why := certno.why_wrong(number):
        raise BuyerUnreadable(why=why)
    check, shown = uuid4(), {"name": personal.mask_name(plain), "certno": personal.mask_certno(number)}
    run(
        INSERT, id=check, facility=desk.facility_id, staff=desk.staff_id, hash=person_hash(number), today=clock.business_date(), at=clock.now(),
        sealed=personal.seal(str(desk.tenant_id), as_json({"name": plain, "certno": number})), shown=as_json(shown),
    )  # fmt: skip

    def note(basket: Basket) -> None:
        basket.buyer, basket.buyer_shown = str(check), f"{shown['name']} {shown['certno']}"

    baskets.edit(desk, basket_id, None, note, keeps_preview=True)


def person_hash(number: str) -> bytes:
    """The keyed hash by which all purchases of one citizen are found, however they were identified."""
    return personal.lookup(f"citizen {number}")


def keep(hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: Basket) -> None:
    """Check the special drugs of a basket and write them into the special book (专册). An ordinary basket costs nothing.

    Raises NotToMinors, BuyerNeeded, EphedrineLimit. When the person's boxes of the last days pass the limit the database
    raises, and `limit_reached` says so.
    """
    lines = [line for line in basket.lines if line.about.special_class]
    if not lines:
        return
    _check_ages(desk, loaded, lines, keys["today"])
    named = rules.limited(lines)
    if named:
        _check_packs(desk, named)
    buyer, number = _buyer(hot, desk, keys, loaded, basket) if named else (None, "")
    if named and not number:
        raise BuyerNeeded(names=Several(line.about.name for line in named))
    params = {"lines": as_json(_written(desk, keys, lines, buyer)), "person": person_hash(number) if named else None}
    hot.run(KEEP, params)


def limit_reached(desk: Desk, basket: Basket, bought: str) -> EphedrineLimitReached:
    """The refusal of a person who bought as many as anybody may in these days."""
    said = parameters.of(desk.tenant_id)
    wanted = rules.packs_of(rules.limited(basket.lines))
    return EphedrineLimitReached(
        days=said.days("ephedrine_days"), most=said.count("ephedrine_packs"), bought=bought, wanted=f"{wanted.normalize():f}"
    )  # fmt: skip


def _check_packs(desk: Desk, named: Sequence[Line]) -> None:
    most, wanted = parameters.of(desk.tenant_id).count("ephedrine_packs"), rules.packs_of(named)
    if wanted > most:
        raise EphedrineLimit(most=most, wanted=f"{wanted.normalize():f}")


def _written(desk: Desk, keys: dict[str, Any], lines: Sequence[Line], buyer: str | None) -> dict[str, Any]:
    said = parameters.of(desk.tenant_id)
    return {
        "tenant": desk.tenant_id, "facility": desk.facility_id, "document": keys["document"], "at": keys["at"], "today": keys["today"],
        "since": keys["today"] - timedelta(days=said.days("ephedrine_days") - 1), "most": said.count("ephedrine_packs"),
        "packs": f"{rules.packs_of(rules.limited(lines)):f}", "buyer": buyer,
        "lines": [
            {"line_no": line.line_no, "special_class": line.about.special_class, "quantity": line.quantity, "pack_size": line.about.pack_size,
             "prescription_id": line.rx, "named": line.about.special_class == rules.EPHEDRINE and not line.rx}
            for line in lines
        ],
    }  # fmt: skip


def _buyer(hot: Hot, desk: Desk, keys: dict[str, Any], loaded: Any, basket: Basket) -> tuple[str | None, str]:
    """Who stands at the counter: the one whose document was registered, else the agent or the holder of the card."""
    if basket.buyer:
        known = hot.run(BUYER, {**keys, "buyer": UUID(basket.buyer)})
        if known and known[0].checked_on == keys["today"]:
            return basket.buyer, str(_opened(desk, known[0].sealed)["certno"])
    if loaded.identification_id is None:
        return None, ""
    read = _opened(desk, loaded.agent_sealed or loaded.sealed)
    number = certno.normal(str(read.get("certno") or ""))
    return None, number if certno.is_valid(number) else ""


def _check_ages(desk: Desk, loaded: Any, lines: Sequence[Line], today: date) -> None:
    """A prescription's patient must be of age where the paper or the card says how old they are."""
    sealed = {row["id"]: bytes.fromhex(row["patient"]) for row in loaded.prescriptions or []}
    holder = loaded.sealed
    for line in lines:
        patient = _opened(desk, sealed[line.rx]).get("certno") if line.rx in sealed else ""
        number = patient or (_opened(desk, holder)["certno"] if holder else "")
        rules.check_age([line], certno.birth_date(str(number)) if number else None, today)


def _opened(desk: Desk, sealed: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(sealed)))
    return found
