"""What people do with products: create, correct, price, stop, resume. Each is one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.core import trail
from app.core.clock import local, now
from app.core.errors import WrongInput
from app.facility.catalog import queries, rules
from app.facility.catalog.errors import BarcodeTaken, CodeTaken, PriceInThePast, ProductChanged, SameProduct, UnitsInUse
from app.facility.catalog.house_codes import product_of
from app.facility.catalog.rules import FIELDS, LABELS, ProductDraft
from app.facility.db import action, run

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from app.facility.catalog.queries import ProductCard

OWN_CODE_PREFIX = "P"
SAME = (
    "generic_name",
    "trade_name",
    "spec",
    "maker",
    "approval_number",
    "pack_size",
    "pack_unit",
    "national_code",
    "barcode",
)

# Everything that is stored of a draft; search keys and digest come from the draft too.
COLUMNS = (*FIELDS, "initials", "pinyin", "search", "digest")
INSERT = f"insert into product ({', '.join(COLUMNS)}) values ({', '.join(f':{name}' for name in COLUMNS)}) returning id"
UPDATE = f"update product set {', '.join(f'{name} = :{name}' for name in COLUMNS)}, changed_at = now() where id = :id"
ADD_PRICE = """
    insert into product_price (product_id, pack_price, split_price, from_at, staff_id, reason)
    values (:product_id, :pack_price, :split_price, coalesce(cast(:from_at as timestamptz), now()), :staff_id, :reason)
"""


@action
def create_product(
    draft: ProductDraft,
    staff_id: int,
    pack_price: Decimal | None = None,
    split_price: Decimal | None = None,
    reason: str = "新建商品",
) -> int:
    """Put a product into the catalog and return its id. An empty own code is numbered by us.

    Raises CodeTaken, BarcodeTaken, WrongInput.
    """
    lock_catalog()
    draft = rules.tidied(draft)
    if not draft.code:
        draft = replace(draft, code=next_code())
    _check(draft)
    _refuse_twins(draft)
    _refuse_same(draft)
    product_id = int(run(INSERT, **stored(draft)).scalar_one())
    if pack_price is not None:
        _add_price(product_id, pack_price, split_price, None, staff_id, reason)
    trail.record("catalog.product.created", f"product/{product_id}", code=draft.code)
    return product_id


@action
def update_product(product_id: int, draft: ProductDraft, seen_digest: str | None = None) -> None:
    """Correct a product. `seen_digest` is what the person saw; when somebody saved since, nothing is changed.

    Raises ProductChanged, UnitsInUse, CodeTaken, BarcodeTaken, WrongInput, NotFound.
    """
    lock_catalog()
    card = queries.get_product(product_id)
    draft = rules.tidied(draft)
    _check(draft)
    if seen_digest is not None and seen_digest != card.digest:
        raise ProductChanged(name=card.name)
    if rules.digest(draft) == card.digest:
        return
    if any(getattr(draft, name) != getattr(card, name) for name in rules.UNITS) and queries.used_products([product_id]):
        raise UnitsInUse(name=card.name, pack_unit=card.pack_unit, pack_size=card.pack_size, base_unit=card.base_unit)
    _refuse_twins(draft, but=product_id, active=card.is_active)
    run(UPDATE, id=product_id, **stored(draft))
    changed = [name for name in FIELDS if getattr(draft, name) != getattr(card, name)]
    trail.record("catalog.product.changed", f"product/{product_id}", fields=changed)


@action
def change_price(
    product_id: int,
    pack_price: Decimal,
    split_price: Decimal | None,
    staff_id: int,
    reason: str,
    from_at: datetime | None = None,
) -> None:
    """Let another price hold from now or a later moment on; the history stays. The same price again changes nothing.

    Raises PriceInThePast, WrongInput, NotFound.
    """
    card = _locked(product_id)
    if from_at is not None and from_at < now():
        raise PriceInThePast(at=f"{local(from_at):%Y-%m-%d %H:%M}")
    if from_at is None and (pack_price, split_price) == (card.pack_price, card.split_price):
        return
    _add_price(product_id, pack_price, split_price, from_at, staff_id, reason)
    trail.record("catalog.price.changed", f"product/{product_id}", pack_price=rules.number_text(pack_price))


@action
def stop_product(product_id: int) -> None:
    """Take a product out of use: it is no longer found, bought or sold; what was recorded stays. Twice is once."""
    if _locked(product_id).is_active:
        run("update product set state = 'stopped', changed_at = now() where id = :id", id=product_id)
        trail.record("catalog.product.stopped", f"product/{product_id}")


@action
def resume_product(product_id: int) -> None:
    """Put a stopped product back into use. Raises BarcodeTaken when its barcode names another product by now."""
    card = _locked(product_id)
    if card.is_active:
        return
    if card.barcode and (other := queries.product_by_barcode(card.barcode)):
        raise BarcodeTaken(barcode=card.barcode, name=other.name)
    run("update product set state = 'active', changed_at = now() where id = :id", id=product_id)
    trail.record("catalog.product.resumed", f"product/{product_id}")


def lock_catalog() -> None:
    """Let one person at a time add to or import into an organization's catalog; readers and sellers never wait."""
    run("select pg_advisory_xact_lock(hashtextextended('catalog:' || current_setting('app.tenant_id', true), 0))")


def next_code() -> str:
    """Return the next own code of ours, P000001 and on. Call with the catalog locked."""
    highest = run(
        "select coalesce(max(substr(code, 2)::bigint), 0) from product where code ~ '^P[0-9]{6,12}$'",
    ).scalar_one()
    return f"{OWN_CODE_PREFIX}{int(highest) + 1:06d}"


def stored(draft: ProductDraft) -> dict[str, Any]:
    """Return the columns that hold a draft."""
    keys = rules.keys(draft)
    values = {name: getattr(draft, name) for name in FIELDS}
    return {
        **values,
        "initials": keys.initials,
        "pinyin": keys.pinyin,
        "search": keys.search,
        "digest": rules.digest(draft),
    }


def draft_of(card: ProductCard) -> ProductDraft:
    """Return what a product says as a draft to change."""
    return ProductDraft(**{name: getattr(card, name) for name in FIELDS})


def _check(draft: ProductDraft) -> None:
    for field, why in rules.wrongs(draft):
        raise WrongInput(what=LABELS[field], why=why)


def _refuse_twins(draft: ProductDraft, but: int = 0, *, active: bool = True) -> None:
    twin = run(
        "select id, generic_name from product where code = :code and id <> :but", code=draft.code, but=but
    ).one_or_none()
    if twin:
        raise CodeTaken(code=draft.code, name=twin.generic_name)
    if not draft.barcode or not active:
        return
    twin = run(
        "select id, generic_name from product where (barcode = :barcode or id = cast(:house as bigint)) and state = 'active' and id <> :but limit 1",
        barcode=draft.barcode,
        house=product_of(draft.barcode),
        but=but,
    ).one_or_none()
    if twin:
        raise BarcodeTaken(barcode=draft.barcode, name=twin.generic_name)


def _refuse_same(draft: ProductDraft) -> None:
    """A form sent twice without an own code must not make two products."""
    same = run(
        """
        select code, generic_name from product
        where state = 'active' and generic_name = :generic_name and trade_name = :trade_name and spec = :spec and maker = :maker
          and approval_number = :approval_number and pack_size = :pack_size and pack_unit = :pack_unit
          and national_code is not distinct from :national_code and barcode is not distinct from :barcode
        limit 1
        """,
        **{name: getattr(draft, name) for name in SAME},
    ).one_or_none()
    if same:
        raise SameProduct(code=same.code, name=same.generic_name)


def _locked(product_id: int) -> ProductCard:
    run("select from product where id = :id for no key update", id=product_id)
    return queries.get_product(product_id)


def _add_price(
    product_id: int,
    pack_price: Decimal,
    split_price: Decimal | None,
    from_at: datetime | None,
    staff_id: int,
    reason: str,
) -> None:
    for field, price in (("pack_price", pack_price), ("split_price", split_price)):
        if price is not None and not 0 <= price <= rules.MOST_PRICE:
            raise WrongInput(what=LABELS[field], why="应在 0 到 9999999 之间")
    written = rules.tidy(reason)[:200]
    if not written:
        raise WrongInput(what="调价原因", why="请写明原因，例如 进价上涨")
    run(
        ADD_PRICE,
        product_id=product_id,
        pack_price=pack_price,
        split_price=split_price,
        from_at=from_at,
        staff_id=staff_id,
        reason=written,
    )
