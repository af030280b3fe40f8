"""Tables of the catalog. Row-level security keeps organizations apart; see migration 0003."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.facility.db import Model, OfTenant

Share = sa.Numeric(7, 6)


class Product(OfTenant, Model):
    """A product of the organization (商品): what a barcode, a shelf label and a sale line speak of."""

    __tablename__ = "product"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code", name="product_code_key"),)

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    code: Mapped[str]  # 机构自编码
    generic_name: Mapped[str]  # 通用名
    trade_name: Mapped[str]  # 商品名
    spec: Mapped[str]  # 规格
    dosage_form: Mapped[str]  # 剂型
    maker: Mapped[str]  # 生产企业 / 上市许可持有人
    approval_number: Mapped[str]  # 批准文号
    national_code: Mapped[str | None]  # 国家医保编码
    barcode: Mapped[str | None]
    pack_unit: Mapped[str]  # 包装单位，如 盒
    base_unit: Mapped[str]  # 最小单位，如 片；饮片为 0.01 g
    pack_size: Mapped[int]  # Base units a pack.
    split_allowed: Mapped[bool]  # 可拆零
    rx_class: Mapped[str]  # 处方类别
    storage: Mapped[str]  # 贮藏
    special_class: Mapped[str | None]  # 特殊管理
    high_alert: Mapped[bool]  # 高警示
    insurance_class: Mapped[str | None]  # 甲乙丙, for labels and estimates only.
    selfpay_share: Mapped[Decimal | None] = mapped_column(Share)  # 先行自付比例, likewise.
    ceiling_price: Mapped[Decimal | None]  # 医保支付限价 per pack, likewise.
    trace_required: Mapped[bool]  # 追溯码必采
    volume_purchase: Mapped[bool]  # 集采
    expiry_warning_days: Mapped[int] = mapped_column(sa.Integer)
    initials: Mapped[str]
    pinyin: Mapped[str]
    search: Mapped[str]
    state: Mapped[str]
    digest: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ProductPrice(OfTenant, Model):
    """A retail price from a moment on (价格). Written once, never changed."""

    __tablename__ = "product_price"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"], ["product.tenant_id", "product.id"], name="product_price_product_fkey"
        ),
    )

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    product_id: Mapped[int]
    pack_price: Mapped[Decimal]
    split_price: Mapped[Decimal | None]  # Per base unit, when sold split.
    from_at: Mapped[datetime]
    staff_id: Mapped[int]
    reason: Mapped[str]
    made_at: Mapped[datetime]


class ImportBatch(OfTenant, Model):
    """One catalog file on its way in (目录导入): uploaded, checked, previewed, taken, perhaps undone."""

    __tablename__ = "import_batch"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    digest: Mapped[bytes]
    size_bytes: Mapped[int]
    kind: Mapped[str]
    encoding: Mapped[str]
    sheet: Mapped[str]
    header: Mapped[list[str]] = mapped_column(JSONB)
    header_row: Mapped[int] = mapped_column(sa.Integer)  # 0: the file has no header.
    signature: Mapped[str]
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    row_count: Mapped[int] = mapped_column(sa.Integer)
    checked_count: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str]
    staff_id: Mapped[int]
    created_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[int | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None]


class ImportRow(OfTenant, Model):
    """One row of the file and what was made of it; without raw cells: a product the file no longer names."""

    __tablename__ = "import_row"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["import_batch.tenant_id", "import_batch.id"], name="import_row_batch_fkey"
        ),
    )

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    raw: Mapped[list[str] | None] = mapped_column(JSONB)
    parsed: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    verdict: Mapped[str | None]
    decision: Mapped[str | None]
    code: Mapped[str | None]  # The own code it will have; joins a taken row to its product.
    product_id: Mapped[int | None]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ColumnMapping(OfTenant, Model):
    """What the columns of a header meant last time, remembered for the organization (列对应)."""

    __tablename__ = "column_mapping"

    signature: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    staff_id: Mapped[int]
    saved_at: Mapped[datetime]
