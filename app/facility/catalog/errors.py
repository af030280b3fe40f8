"""What the catalog refuses, and what to do then."""

from __future__ import annotations

from flask import has_request_context
from flask_babel import gettext

from app.core.errors import Refusal


class Explained(Refusal):
    """A refusal whose facts are words of ours too, so that they are translated with the sentence."""

    @property
    def message(self) -> str:
        """The sentence in the language of whoever asks."""
        if not has_request_context():
            return self.sentence.format(**self.facts)
        facts = {
            name: gettext(fact) if isinstance(fact, str) and name != "file" else fact
            for name, fact in self.facts.items()
        }
        return str(gettext(self.sentence)).format(**facts)


class CodeTaken(Refusal):
    """Another product already has this own code."""

    code = "code_taken"
    sentence = "商品编码 {code} 已经用于「{name}」，同一编码只能对应一个商品。请换一个编码，或打开那个商品修改。"


class BarcodeTaken(Refusal):
    """Another product on sale already has this barcode."""

    code = "barcode_taken"
    sentence = "条码 {barcode} 已经用于「{name}」，扫码时无法分辨。请核对包装上的条码，或先停用那个商品。"


class SameProduct(Refusal):
    """Everything that tells products apart is the same as on one that is there."""

    code = "same_product"
    sentence = (
        "目录里已有完全相同的「{name}」（编码 {code}），没有再建一个。请打开它修改，或写明不同的规格、厂家或条码。"
    )


class ProductStopped(Refusal):
    """A stopped product takes no part in new acts."""

    code = "product_stopped"
    sentence = "「{name}」已停用。需要继续使用时，请先在商品页恢复。"


class UnitsInUse(Refusal):
    """Units cannot change while stock or sales count in them."""

    code = "units_in_use"
    sentence = "「{name}」已有库存或单据按 1{pack_unit}={pack_size}{base_unit} 记账，不能再改换算。请停用它，按新换算另建一个商品。"


class ProductChanged(Refusal):
    """Somebody saved the product after this form was opened."""

    code = "product_changed"
    sentence = "「{name}」刚刚被别人改过，本次没有保存。请重新打开商品页，核对后再改。"


class PriceInThePast(Refusal):
    """A price cannot begin before what was already sold."""

    code = "price_in_the_past"
    sentence = "生效时间 {at} 已经过去，售出的单据不能改价。请把生效时间改为现在或以后。"


class FileUnreadable(Explained):
    """The file cannot be read as a table."""

    code = "file_unreadable"
    sentence = "文件「{file}」读不出表格：{why}。没有保存任何内容。请另存为 .xlsx 或 UTF-8 的 .csv 后再上传。"
    status = 422


class FileTooLarge(Refusal):
    """The file passes a limit."""

    code = "file_too_large"
    sentence = "文件「{file}」{what}，超过上限 {most}。没有保存任何内容。请分成几个文件，逐个上传。"
    status = 422


class ColumnsMissing(Explained):
    """Without a name column nothing can be imported."""

    code = "columns_missing"
    sentence = "还没有指定哪一列是「{field}」，无法检查。请在列对应里选出这一列。"
    status = 422


class ColumnsTwice(Explained):
    """Two columns were given the same meaning."""

    code = "columns_twice"
    sentence = "「{field}」指定了两列（{columns}），不知道用哪一列。请把其中一列改为不导入。"
    status = 422


class NotPreviewed(Explained):
    """The step does not fit the state of the import."""

    code = "import_state"
    sentence = "这次导入现在是「{state}」，不能做这一步。请刷新页面，按页面上的下一步继续。"


class RowsUndecided(Refusal):
    """Rows with errors or shared national codes wait for a decision."""

    code = "rows_undecided"
    sentence = "还有 {errors} 行有错误、{duplicates} 行医保编码重复没有决定。请先选择处理方式，再导入。"


class NothingToTake(Refusal):
    """The import would change nothing."""

    code = "nothing_to_take"
    sentence = "没有可以导入的行：文件与现有目录相同，或全部被跳过。请检查文件或处理方式。"


class PreviewStale(Refusal):
    """The catalog changed after the preview was made."""

    code = "preview_stale"
    sentence = "预览之后目录又有改动（{what}），为避免覆盖，本次没有导入。请重新检查后再导入。"


class ImportInUse(Refusal):
    """What the import brought has been used, so it stays."""

    code = "import_in_use"
    sentence = "不能撤销：这次导入的「{names}」等 {count} 个商品已有库存或单据。可以逐个停用或修改。"


class ChangedSinceImport(Refusal):
    """Somebody changed products of the import since."""

    code = "changed_since_import"
    sentence = "不能撤销：「{names}」等 {count} 个商品在导入后又改过。请逐个修改，或再导入一份正确的文件。"
