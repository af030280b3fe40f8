"""What can be wrong with a row, in words: what, why, what now. Errors stop a row, warnings ask, notes tell what was understood."""

from __future__ import annotations

from typing import Any, Final

ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"

# code: (level, title for the summary, sentence of the row)
TEXTS: dict[str, tuple[str, str, str]] = {
    "name_missing": (ERROR, "没有名称", "没有通用名，无法建商品。请在文件里补上，或跳过这一行。"),
    "formula_error": (
        ERROR,
        "公式没有值",
        "「{field}」是公式或公式错误（{value}），没有可用的值。请在表格里改成数值后再上传。",
    ),
    "price_unreadable": (ERROR, "价格读不出", "「{field}」写的是「{value}」，不是价格。请改成 12.50 这样的数。"),
    "price_negative": (ERROR, "价格为负", "「{field}」是 {value}，不能小于 0。请改正。"),
    "price_missing": (WARNING, "没有零售价", "没有零售价。可以导入，但定价之前不能销售。"),
    "barcode_scientific": (
        ERROR,
        "条码被改成科学计数",
        "条码「{value}」被表格软件改成了科学计数法，末尾数字已丢失。请把该列设为文本后重新填写。",
    ),
    "barcode_wrong": (ERROR, "条码格式不对", "条码「{value}」不是 6 到 30 位数字或大写字母。请对照包装改正，或清空。"),
    "barcode_check": (WARNING, "条码校验位不符", "条码 {value} 的校验位不符，可能录错一位。请对照包装核对。"),
    "barcode_twice": (ERROR, "条码重复", "条码 {value} 与第 {rows} 行相同，扫码时无法分辨。请改正，或跳过其中一行。"),
    "barcode_taken": (
        ERROR,
        "条码已被占用",
        "条码 {value} 已经用于目录中的「{name}」（{other}）。请改正，或先停用那个商品。",
    ),
    "national_code_missing": (WARNING, "没有医保编码", "没有医保编码。可以导入和自费销售，但不能医保结算。"),
    "national_code_odd": (
        WARNING,
        "医保编码位数特殊",
        "医保编码「{value}」有 {length} 位；国家编码西药 23 位、中成药 20 位。请核对。",
    ),
    "national_code_shared": (
        WARNING,
        "医保编码重复",
        "医保编码 {value} 也在第 {rows} 行：可能是两种包装或厂家，也可能是重复。请决定都保留，还是只取一行。",
    ),
    "code_twice": (ERROR, "商品编码重复", "商品编码 {value} 与第 {rows} 行相同。请改正，或跳过其中一行。"),
    "row_twice": (
        ERROR,
        "整行重复",
        "名称、规格、厂家与第 {rows} 行相同，又没有编码可以分辨。请改正，或跳过其中一行。",
    ),
    "units_in_use": (
        ERROR,
        "换算已在使用",
        "「{name}」已有库存按 {before} 记账，不能改成 {after}。请另用一个商品编码，或跳过这一行。",
    ),
    "field_wrong": (ERROR, "内容不合规定", "「{field}」写的是「{value}」，{why}。请改正。"),
    "number_unreadable": (ERROR, "数字读不出", "「{field}」写的是「{value}」，应是整数。请改正。"),
    "class_cleaned": (NOTE, "医保类别已规范", "医保类别「{value}」读作 {result}，先行自付 {share}。"),
    "class_unknown": (WARNING, "医保类别认不出", "医保类别「{value}」认不出，先留空；结算以医保中心返回为准。"),
    "mark_unread": (
        WARNING,
        "名称里没有医保标记",
        "名称「{value}」里没有读出医保类别，先留空；结算以医保中心返回为准。",
    ),
    "share_unreadable": (WARNING, "自付比例读不出", "自付比例「{value}」读不出，先留空；结算以医保中心返回为准。"),
    "word_unknown": (WARNING, "用词认不出", "「{field}」的「{value}」认不出，按「{result}」处理。请在导入后核对。"),
    "rx_guessed": (NOTE, "处方类别为推断", "文件没有写处方类别，按{basis}推断为「{result}」。"),
    "pack_from_spec": (NOTE, "换算取自规格", "按规格「{value}」读出 1{unit}={size}{base}。"),
    "pack_unknown": (NOTE, "规格未写包装数量", "规格「{value}」没有写每{unit}多少，先按整{unit}管理，不可拆零。"),
    "unit_missing": (NOTE, "没有单位", "没有包装单位，按「盒」处理。"),
    "name_split": (NOTE, "名称已拆分", "名称「{value}」拆成通用名「{name}」、商品名「{brand}」、规格「{spec}」。"),
    "spaces_removed": (NOTE, "去掉多余空格", "「{field}」首尾或中间的多余空格已去掉。"),
    "stopped_again": (NOTE, "恢复已停用商品", "「{name}」在目录里是停用，导入后恢复使用。"),
}


def problem(code: str, **facts: Any) -> dict[str, Any]:
    """Return a problem as it is stored with its row."""
    assert code in TEXTS
    return {"code": code, **facts}


def level(stored: dict[str, Any]) -> str:
    """Return how bad a stored problem is."""
    return TEXTS[stored["code"]][0]


def has_error(stored: list[dict[str, Any]]) -> bool:
    """Say whether a row cannot be taken."""
    return any(level(one) == ERROR for one in stored)
