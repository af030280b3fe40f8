"""Forms of the catalog. Money and numbers are typed as text and forgiven as people type them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from app.facility.catalog import rules
from app.facility.catalog.importer import words
from app.facility.catalog.rules import LONGEST, ProductDraft, plain

NO_CONTROL = Regexp(r"^[^\x00-\x1f]*$", message=_("含有不能保存的字符。"))
ABSENT = ""


def _longest(name: str) -> list[Any]:
    return [Length(max=LONGEST[name], message=_("写得太长。")), NO_CONTROL]


def _price(_form: Any, field: Any) -> None:
    if field.data and rules.price_of(field.data) is None:
        raise ValidationError(_("请写成 12.50 这样的数，不小于 0。"))


def _share(_form: Any, field: Any) -> None:
    if field.data and words.share(field.data) is None:
        raise ValidationError(_("请写成 10% 或 0.1。"))


class ProductForm(FlaskForm):  # type: ignore[misc]
    """Everything a product says."""

    seen_digest = HiddenField()
    code = StringField(_("商品编码"), [*_longest("code")], description=_("留空由系统编号"))
    generic_name = StringField(_("通用名"), [InputRequired(_("请填通用名。")), *_longest("generic_name")])
    trade_name = StringField(_("商品名"), [*_longest("trade_name")])
    spec = StringField(_("规格"), [*_longest("spec")], description=_("如 0.25g×24粒"))
    dosage_form = StringField(_("剂型"), [*_longest("dosage_form")])
    maker = StringField(_("生产企业"), [*_longest("maker")])
    approval_number = StringField(_("批准文号"), [*_longest("approval_number")], description=_("如 国药准字H44021351"))
    national_code = StringField(_("医保编码"), [*_longest("national_code")], description=_("没有则不能医保结算"))
    barcode = StringField(_("条码"), [*_longest("barcode")], description=_("可直接扫码"))
    pack_unit = StringField(_("包装单位"), [InputRequired(_("请填包装单位。")), *_longest("pack_unit")], default="盒")
    base_unit = StringField(_("最小单位"), [InputRequired(_("请填最小单位。")), *_longest("base_unit")], default="盒")
    pack_size = IntegerField(
        _("每包装数量"),
        [InputRequired(_("请填每包装数量。")), NumberRange(1, rules.MOST_PACK_SIZE, _("应是 1 到 1000000 的整数。"))],
        default=1,
    )
    split_allowed = BooleanField(_("可拆零"))
    rx_class = SelectField(_("处方类别"), default="RX")
    storage = SelectField(_("贮藏条件"), default="NORMAL")
    special_class = SelectField(_("特殊管理"), default=ABSENT)
    high_alert = BooleanField(_("高警示"))
    insurance_class = SelectField(_("医保类别"), default=ABSENT)
    selfpay_share = StringField(_("先行自付比例"), [_share], description=_("仅用于估算和标签，结算以中心为准"))
    ceiling_price = StringField(_("支付限价"), [_price])
    trace_required = BooleanField(_("必采追溯码"), default=True)
    volume_purchase = BooleanField(_("集采"))
    expiry_warning_days = IntegerField(
        _("近效期提醒天数"),
        [InputRequired(_("请填天数。")), NumberRange(0, 3650, _("应在 0 到 3650 之间。"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none = (ABSENT, _("无"))
        self.rx_class.choices = [(key, _(word)) for key, word in rules.RX_CLASSES.items()]
        self.storage.choices = [(key, _(word)) for key, word in rules.STORAGES.items()]
        self.special_class.choices = [none, *((key, _(word)) for key, word in rules.SPECIAL_CLASSES.items())]
        self.insurance_class.choices = [none, *((key, _(word)) for key, word in rules.INSURANCE_CLASSES.items())]

    def draft(self) -> ProductDraft:
        """Return what was typed as plain values."""
        typed = {name: getattr(self, name).data for name in rules.FIELDS}
        typed.update({name: value or "" for name, value in typed.items() if value is None})
        for name in ("code", "national_code", "barcode"):
            typed[name] = plain(typed[name]).replace(" ", "")
        typed["barcode"] = typed["barcode"].upper()
        for name in ("national_code", "barcode", "special_class", "insurance_class"):
            typed[name] = typed[name] or None
        typed["selfpay_share"] = words.share(self.selfpay_share.data) if self.selfpay_share.data else None
        typed["ceiling_price"] = _amount(self.ceiling_price.data)
        return ProductDraft(**typed)


class NewProductForm(ProductForm):
    """A new product comes with its first price."""

    pack_price = StringField(_("零售价 元"), [_price], description=_("每包装；留空则定价前不能销售"))
    split_price = StringField(_("拆零价 元"), [_price], description=_("每最小单位；不拆零留空"))

    def prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the prices typed."""
        return _amount(self.pack_price.data), _amount(self.split_price.data)


class PriceForm(FlaskForm):  # type: ignore[misc]
    """Another price from now or from a day on."""

    pack_price = StringField(_("零售价 元"), [InputRequired(_("请填零售价。")), _price])
    split_price = StringField(_("拆零价 元"), [Optional(), _price])
    from_on = StringField(
        _("生效日期"),
        [Optional(), Regexp(r"^\d{4}-\d{2}-\d{2}$", message=_("请写成 2026-12-31。"))],
        description=_("留空为立即生效；否则从当天零点起"),
    )
    reason = StringField(_("调价原因"), [InputRequired(_("请写明原因。")), Length(max=200), NO_CONTROL])

    def prices(self) -> tuple[Decimal, Decimal | None]:
        """Return the prices typed; valid only after validation."""
        return _amount(self.pack_price.data) or Decimal(0), _amount(self.split_price.data)


def _amount(typed: str | None) -> Decimal | None:
    return rules.price_of(typed) if typed and typed.strip() else None
