"""What screens and other rooms may read of the catalog. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.errors import NotFound
from app.facility.catalog.house_codes import product_of
from app.facility.catalog.pinyin import folded
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

MOST_WORDS = 6
MOST_TEXT = 60
MOST_FOUND = 50
PAGE = 50

CARD_COLUMNS = """
    p.id, p.code, p.national_code, p.barcode, p.generic_name, p.trade_name, p.spec, p.dosage_form, p.maker, p.approval_number,
    p.pack_unit, p.base_unit, p.pack_size, p.split_allowed, p.rx_class, p.storage, p.special_class, p.high_alert,
    p.insurance_class, p.selfpay_share, p.ceiling_price, p.trace_required, p.volume_purchase, p.expiry_warning_days,
    p.state, p.digest, price.pack_price, price.split_price
"""
# The price in force: the latest whose moment has come. Joined to a product `p`.
PRICE_NOW = """
    left join lateral (
        select pack_price, split_price from product_price
        where tenant_id = p.tenant_id and product_id = p.id and from_at <= now()
        order by from_at desc, id desc limit 1
    ) price on true
"""


@dataclass(frozen=True, slots=True)
class ProductCard:
    """A product as other rooms see it, with its price in force (none: it cannot be sold yet)."""

    id: int
    code: str
    national_code: str | None
    barcode: str | None
    generic_name: str
    trade_name: str
    spec: str
    dosage_form: str
    maker: str
    approval_number: str
    pack_unit: str
    base_unit: str
    pack_size: int
    split_allowed: bool
    rx_class: str
    storage: str
    special_class: str | None
    high_alert: bool
    insurance_class: str | None
    selfpay_share: Decimal | None
    ceiling_price: Decimal | None
    trace_required: bool
    volume_purchase: bool
    expiry_warning_days: int
    state: str
    digest: str
    pack_price: Decimal | None
    split_price: Decimal | None

    @property
    def name(self) -> str:
        """The name as a shelf label has it: 布洛芬缓释胶囊（芬必得）."""
        return (
            f"{self.generic_name}（{self.trade_name}）"
            if self.trade_name and self.trade_name != self.generic_name
            else self.generic_name
        )

    @property
    def is_active(self) -> bool:
        """Say whether it may take part in new acts."""
        return self.state == "active"

    @property
    def needs_pharmacist(self) -> bool:
        """Say whether it is sold only with a pharmacist on duty (DOMAIN 3.5)."""
        return self.rx_class in {"RX", "OTC_A"}

    def fact(self) -> dict[str, str | None]:
        """The product as the facts of the stream name it."""
        return {
            "code": self.code,
            "national": self.national_code,
            "barcode": self.barcode,
            "name": self.generic_name,
            "spec": self.spec,
            "maker": self.maker,
            "approval": self.approval_number,
        }


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One step in the history of a price."""

    id: int
    pack_price: Decimal
    split_price: Decimal | None
    from_at: datetime
    made_at: datetime
    staff_name: str
    reason: str


# Looks into one text of names, codes and sounds. All words must be found; the exact code first, then what begins so.
# A trigram index cannot serve this: LIKE is not leakproof, so under row-level security PostgreSQL reads the tenant's
# rows first. That is a few thousand short rows, well inside the time a typist notices (measured in the tests' bench).
FIND = f"""
    select {CARD_COLUMNS}
    from (
        select q.*,
            case
                when q.code = :code or q.barcode = :code or q.national_code = :code or q.id = cast(:house as bigint) then 0
                when q.initials like :begins or q.generic_name like :begins or q.trade_name like :begins or q.pinyin like :begins then 1
                when q.initials like :within or q.generic_name like :within or q.barcode like :ends then 2
                else 3
            end as rank
        from product q
        where q.state = 'active' and (q.search like all (cast(:words as text[])) or q.id = cast(:house as bigint))
        order by rank, length(q.generic_name), q.pinyin, q.id
        limit :limit
    ) p {PRICE_NOW}
    order by p.rank, length(p.generic_name), p.pinyin, p.id
"""


def find_products(text: str, limit: int = 20) -> list[ProductCard]:
    """Find active products by initials, any part of a name, code, barcode or its end. One statement; nothing typed, nothing found."""
    whole = folded(text.replace("\x00", ""))[:MOST_TEXT]
    words = [f"%{_literal(word)}%" for word in whole.split()[:MOST_WORDS]]
    if not words:
        return []
    first = _literal(whole.split()[0])
    rows = run(
        FIND,
        code=whole.upper(),
        begins=f"{first}%",
        within=f"%{first}%",
        ends=f"%{first}",
        words=words,
        house=product_of(whole),
        limit=max(1, min(limit, MOST_FOUND)),
    )
    return _cards(rows)


def product_by_barcode(barcode: str) -> ProductCard | None:
    """Find the one active product with this barcode: the one on its pack, or the shop's own on a shelf label (店内码)."""
    plain = _code(barcode)
    found = _one("p.state = 'active' and p.barcode = :value", value=plain)
    if found or (house := product_of(plain)) is None:
        return found
    return _one("p.state = 'active' and p.id = :value", value=house)


def own_code(text: str) -> str:
    """What a search is to look for: the product's own code where a shelf label of ours was scanned, else the text itself."""
    house = product_of(text)
    return (house and run("select code from product where id = :id", id=house).scalar()) or text


def product_by_national_code(national_code: str) -> list[ProductCard]:
    """Find the products with this national code, active first: two packagings may share one."""
    sql = f"select {CARD_COLUMNS} from product p {PRICE_NOW} where p.national_code = :value order by p.state, p.id limit {MOST_FOUND}"
    return _cards(run(sql, value=_code(national_code)))


def product_by_code(code: str) -> ProductCard | None:
    """Find the product with this own code, stopped ones too."""
    return _one("p.code = :value", value=code.replace("\x00", "").strip())


def get_product(product_id: int) -> ProductCard:
    """Return one product. Raises NotFound."""
    found = _one("p.id = :value", value=product_id) if 0 < product_id < 2**63 else None
    if found is None:
        raise NotFound
    return found


def get_products(ids: Iterable[int]) -> dict[int, ProductCard]:
    """Return products by id in one statement; unknown ids are missing."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    sql = f"select {CARD_COLUMNS} from product p {PRICE_NOW} where p.id = any(cast(:ids as bigint[]))"
    return {card.id: card for card in _cards(run(sql, ids=wanted))}


def current_price(product_id: int, at: datetime | None = None) -> tuple[Decimal, Decimal | None] | None:
    """Return (pack price, split price) in force now or at a moment; None when none was set."""
    row = run(
        """
        select pack_price, split_price from product_price
        where product_id = :product_id and from_at <= coalesce(cast(:at as timestamptz), now())
        order by from_at desc, id desc limit 1
        """,
        product_id=product_id,
        at=at,
    ).one_or_none()
    return (row.pack_price, row.split_price) if row else None


def price_history(product_id: int, limit: int = 100) -> list[PriceLine]:
    """List the prices of a product, latest first."""
    rows = run(
        """
        select r.id, r.pack_price, r.split_price, r.from_at, r.made_at, s.name as staff_name, r.reason
        from product_price r join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        where r.product_id = :product_id order by r.from_at desc, r.id desc limit :limit
        """,
        product_id=product_id,
        limit=limit,
    )
    return [PriceLine(**row._mapping) for row in rows]  # noqa: SLF001 - the public name of a row's mapping


def list_products(
    text: str = "", rx_class: str = "", state: str = "active", after: str = ""
) -> tuple[list[ProductCard], str]:
    """List one page of products by pinyin; returns the page and where the next begins ("" at the end)."""
    words = [f"%{_literal(word)}%" for word in folded(text.replace("\x00", ""))[:MOST_TEXT].split()[:MOST_WORDS]]
    place = _place(after)
    sql = f"""
        select {CARD_COLUMNS}, p.pinyin
        from (
            select * from product q
            where (:state = '' or q.state = :state) and (:rx_class = '' or q.rx_class = :rx_class)
              and q.search like all (cast(:words as text[])) and (q.pinyin, q.id) > (:pinyin, :id)
            order by q.pinyin, q.id limit {PAGE + 1}
        ) p {PRICE_NOW}
        order by p.pinyin, p.id
    """
    rows = run(sql, state=state, rx_class=rx_class, words=words, pinyin=place[0], id=place[1]).all()
    following = f"{rows[PAGE - 1].pinyin}~{rows[PAGE - 1].id}" if len(rows) > PAGE else ""
    return _cards(row[:-1] for row in rows[:PAGE]), following


def count_products() -> dict[str, int]:
    """Count active products by prescription class; the key "" holds all of them, "stopped" the stopped."""
    rows = run("select rx_class, state, count(*) as many from product group by rx_class, state").all()
    counts = {row.rx_class: row.many for row in rows if row.state == "active"}
    counts[""] = sum(counts.values())
    counts["stopped"] = sum(row.many for row in rows if row.state == "stopped")
    return counts


# Every foreign key that points at a product, except the catalog's own: no room has to sign up, none is forgotten.
USERS = """
    select k.conrelid::regclass::text as table_name, own.attname as column_name
    from pg_constraint k
    join lateral unnest(k.conkey, k.confkey) as pair (mine, theirs) on true
    join pg_attribute own on own.attrelid = k.conrelid and own.attnum = pair.mine
    join pg_attribute theirs on theirs.attrelid = k.confrelid and theirs.attnum = pair.theirs and theirs.attname = 'id'
    where k.contype = 'f' and k.conparentid = 0 and k.confrelid = 'product'::regclass and k.conrelid <> 'product_price'::regclass
      and has_table_privilege(k.conrelid, 'select')
    order by 1, 2
"""


def used_products(ids: Collection[int]) -> set[int]:
    """Return those of the products that stock, a sale or any other room's record refers to."""
    if not ids:
        return set()
    users = run(USERS).all()
    if not users:
        return set()
    asks = " or ".join(f"exists (select from {row.table_name} u where u.{row.column_name} = i.id)" for row in users)
    rows = run(f"select i.id from unnest(cast(:ids as bigint[])) as i (id) where {asks}", ids=sorted(ids))
    return {row.id for row in rows}


def _one(where: str, **params: Any) -> ProductCard | None:
    cards = _cards(run(f"select {CARD_COLUMNS} from product p {PRICE_NOW} where {where} limit 1", **params))
    return cards[0] if cards else None


def _cards(rows: Iterable[Sequence[Any]]) -> list[ProductCard]:
    return [ProductCard(*row) for row in rows]


def _literal(text: str) -> str:
    """Take the meaning from what LIKE would read as a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _code(text: str) -> str:
    return folded(text.replace("\x00", "")).upper()[:MOST_TEXT]


def _place(after: str) -> tuple[str, int]:
    pinyin, _, number = after.replace("\x00", "").rpartition("~")
    return (pinyin, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else ("", 0)
