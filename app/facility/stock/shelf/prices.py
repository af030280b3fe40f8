"""The act of changing prices (调价), all products of a paper at once or none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger
from app.facility.stock.shelf import price_rules
from app.facility.stock.shelf.errors import PriceChangeNeedsOwner, PriceChangeNotTaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.shelf.price_rules import NewPrice

LONGEST_REASON = 200
LETTER = "J"
_json = msgspec.json.Encoder(decimal_format="string").encode

KNOWN = "select number, digest from price_change where tenant_id = %(tenant)s and id = %(change)s"
# The products, locked so that of two changes at once the second sees the first; and whether the person may do it alone.
PRODUCTS = """
select p.id, p.generic_name as name, price.pack_price, price.split_price
from product p left join lateral (
    select pack_price, split_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= now()
    order by from_at desc, id desc limit 1
) price on true
where p.tenant_id = %(tenant)s and p.id = any(%(ids)s) and p.state = 'active'
order by p.id
"""
LOCK = "select id from product where tenant_id = %(tenant)s and id = any(%(ids)s) order by id for no key update"
IS_OWNER = """
select 1 from staff_role where tenant_id = %(tenant)s and staff_id = %(who)s and role = 'owner' and ended_at is null
    and valid_from <= %(today)s and (valid_until is null or valid_until >= %(today)s) limit 1
"""
WRITE = """
with rows as (
    select * from jsonb_to_recordset(%(rows)s::jsonb) as r(line_no int, product_id bigint, pack_price numeric, split_price numeric, before_pack numeric, before_split numeric)
), head as (
    insert into price_change (tenant_id, id, facility_id, number, digest, reason, from_at, staff_id, approver_id, made_at, made_on)
    values (%(tenant)s, %(change)s, %(facility)s, %(number)s, %(digest)s, %(reason)s, %(from_at)s, %(staff)s, %(approver)s::bigint, %(at)s, %(today)s)
    returning id
), priced as (
    insert into product_price (tenant_id, product_id, pack_price, split_price, from_at, staff_id, reason, made_at)
    select %(tenant)s, product_id, pack_price, split_price, %(from_at)s, %(staff)s, %(said)s, %(at)s from rows order by line_no
    returning id, product_id
)
insert into price_change_line (tenant_id, change_id, line_no, product_id, price_id, before_pack_price, before_split_price, pack_price, split_price)
select %(tenant)s, head.id, r.line_no, r.product_id, priced.id, r.before_pack, r.before_split, r.pack_price, r.split_price
from rows r join priced on priced.product_id = r.product_id cross join head
returning line_no
"""


@hot_action
def change_prices(
    desk: Desk,
    change_id: UUID,
    prices: Sequence[NewPrice],
    reason: str,
    from_at: datetime | None = None,
    approver_id: int | None = None,
) -> str:
    """Let other prices hold from now or a later moment on, and write the paper (调价单); returns its number.

    All products or none. The owner may do it alone, anybody else with the owner beside them. Sent again it returns its
    number and changes nothing. Raises PriceChangeNotTaken, PriceChangeNeedsOwner, DocumentChanged.
    """
    digest = hashlib.sha256(_json([list(prices), reason, from_at, approver_id])).digest()
    ids = sorted({one.product_id for one in prices})
    keys = {**desk.keys, "change": change_id, "ids": ids}
    with transaction(settings=desk.settings) as hot:
        known = hot.run_all([(KNOWN, keys), (LOCK, keys)])[0]
        if known:
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return str(known[0].number)
        _check(hot, desk, prices, {row.id: row for row in hot.run(PRODUCTS, keys)}, reason, from_at, approver_id)
        return _write(hot, desk, keys, prices, digest, reason, from_at, approver_id)


def _check(
    hot: Hot, desk: Desk, prices: Sequence[NewPrice], products: dict[int, Any], reason: str, from_at: datetime | None, approver_id: int | None
) -> None:  # fmt: skip
    if problems := price_rules.problems_of(prices, products):
        raise PriceChangeNotTaken(problems=Several(problems[:20], between=" "))
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise PriceChangeNotTaken(problems=words("请写调价原因，最多 200 字。"))
    if from_at is not None and from_at < clock.now():
        raise PriceChangeNotTaken(problems=words("生效时间已经过去。要立即生效请留空。"))
    who = [desk.staff_id] if approver_id is None else [approver_id]
    if approver_id == desk.staff_id or not hot.run(
        IS_OWNER, {**desk.keys, "who": who[0], "today": clock.business_date()}
    ):
        raise PriceChangeNeedsOwner


def _write(
    hot: Hot, desk: Desk, keys: dict[str, Any], prices: Sequence[NewPrice], digest: bytes, reason: str, from_at: datetime | None, approver_id: int | None
) -> str:  # fmt: skip
    before = {row.id: row for row in hot.run(PRODUCTS, keys)}
    rows = [
        {"line_no": number, "product_id": one.product_id, "pack_price": one.pack_price, "split_price": one.split_price,
         "before_pack": before[one.product_id].pack_price, "before_split": before[one.product_id].split_price}
        for number, one in enumerate(prices, 1)
    ]  # fmt: skip
    today = clock.business_date()
    number = ledger.number_for(hot, desk, LETTER, today)
    at = clock.now()
    params = {
        **keys, "number": number, "digest": digest, "reason": reason.strip(), "from_at": max(from_at or at, at), "approver": approver_id, "at": at, "today": today,
        "said": f"{number} {reason.strip()}"[:200], "rows": _json(rows).decode(),
    }  # fmt: skip
    try:
        hot.run_last(WRITE, params)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # The same paper arrived twice at once: start again and find it.
    return number
