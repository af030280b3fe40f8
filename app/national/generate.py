"""Rewrites `data/fields.json` and `data/codes.json` from a machine-readable copy of the specification.

    python -m app.national.generate <fields.json of the specification> <codes.json of the specification>

The specification's tables give facts only: which field, how long, which form, whether required. Differences of our
edition (浙江) stand in `EDITION` below, not in the data, so that a new copy of the specification keeps them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"

NUMBERS = {"数值型", "数值", "数字", "数字型", "BigDecimal", "整数类型", "整型", "整数型"}
DATES = {"日期型", "日期"}
TIMES = {"日期时间型", "时间类型"}
TEXTS = {"字符型", "字符", "VARCHAR", "大文本", "文本型", "longtext", "Base64字符串", "JSON"}

# (transaction, node, field) -> what our edition says instead of the source's table.
EDITION: dict[tuple[str, str, str], dict[str, Any]] = {
    # A card read at the counter brings a number only; Zhejiang's and Yunnan's samples leave these empty.
    ("1101", "data", "psn_cert_type"): {"required": False},
    ("1101", "data", "certno"): {"required": False},
    ("1101", "data", "psn_name"): {"required": False},
    # Free text elsewhere than in Hunan; the same number is text in the trace node.
    ("2101", "drugdetail", "feedetl_sn"): {"kind": "text"},
    ("2102", "drugdetail", "feedetl_sn"): {"kind": "text"},
    ("2204", "feedetail", "feedetl_sn"): {"kind": "text"},
    ("2301", "feedetail", "feedetl_sn"): {"kind": "text"},
    # A name longer than twenty characters is a name all the same; so are class codes such as 1105.
    ("2101", "druginfo", "psn_name"): {"length": 50},
    ("2102", "druginfo", "psn_name"): {"length": 50},
    ("2101", "druginfo", "psn_type"): {"length": 6},
    ("2102", "druginfo", "psn_type"): {"length": 6},
    ("2101", "druginfo", "certno"): {"length": 50},
    ("2102", "druginfo", "certno"): {"length": 50},
    ("2201", "data", "psn_name"): {"length": 50},
    ("2206", "data", "psn_name"): {"length": 50},
    ("2201", "data", "psn_type"): {"length": 6},
    ("2206", "data", "psn_type"): {"length": 6},
    ("2201", "data", "certno"): {"length": 50},
    ("2206", "data", "certno"): {"length": 50},
    ("2207", "data", "certno"): {"length": 50},
    # An ordinary visit's line has no disease of its own; the visit's stands in 2203.
    ("2204", "feedetail", "dise_codg"): {"required": False},
    # The line audit's table is older than the codes that it carries: national codes of drugs have 23 characters.
    ("3101", "fsi_order_dtos", "hilist_code"): {"length": 50},
    ("3101", "fsi_order_dtos", "hilist_name"): {"length": 200},
    ("3101", "fsi_order_dtos", "hosplist_code"): {"length": 150},
    ("3101", "fsi_order_dtos", "hosplist_name"): {"length": 200},
    ("3101", "fsi_order_dtos", "rxno"): {"length": 30},
    ("3101", "fsi_encounter_dtos", "med_type"): {"length": 6},
    ("3101", "fsi_encounter_dtos", "dr_codg"): {"length": 30},
    ("3101", "fsi_encounter_dtos", "insutype"): {"length": 6},
    ("3101", "fsi_encounter_dtos", "medins_type"): {"length": 6},
}
# (code table, code) -> its name, where the specification's text uses a code that its table leaves out.
EDITION_CODES = {("med_type", "12"): "门诊挂号"}
# Numbers that Zhejiang and others use beside the national one, with the same tables.
ALSO = {"2206A": "2206", "2207A": "2207"}
NODES = {"3202": "data", "3302": "data"}  # Named in the text, not in the table's caption.

# Our own transactions, which no specification has (docs/interface.md). Each field as `field` below writes one.
OWN: dict[str, Any] = {
    "S001": {
        "name": "就诊用药史查询",
        "in": {
            "data": [
                ["psn_no", "人员编号", "text", 30, 0, 1, 0],
                ["mdtrt_id", "就诊ID", "text", 30, 0, 1, 0],
                ["exp_content", "字段扩展", "text", 4000, 0, 0, 0],
            ]
        },
        "out": {
            "mdtrtinfo": [
                ["fixmedins_name", "定点医药机构名称", "text", 200, 0, 1, 0],
                ["own_flag", "本机构标志", "text", 1, 0, 1, 0],
                ["mdtrt_id", "就诊ID", "text", 30, 0, 0, 0],
                ["begntime", "开始时间", "time", 0, 0, 1, 0],
                ["med_type", "医疗类别", "text", 6, 0, 0, 1],
                ["dept_name", "科室名称", "text", 100, 0, 0, 0],
                ["dr_name", "医师姓名", "text", 50, 0, 0, 0],
                ["dise_codg", "病种编码", "text", 30, 0, 0, 0],
                ["dise_name", "病种名称", "text", 500, 0, 0, 0],
                ["diseinfo", "诊断信息", "any", 0, 0, 0, 0],
            ],
            "diseinfo": [
                ["diag_type", "诊断类别", "text", 3, 0, 1, 1],
                ["diag_code", "诊断代码", "text", 20, 0, 1, 0],
                ["diag_name", "诊断名称", "text", 100, 0, 1, 0],
                ["diag_time", "诊断时间", "time", 0, 0, 1, 0],
            ],
            "feedetail": [
                ["fixmedins_name", "定点医药机构名称", "text", 200, 0, 1, 0],
                ["own_flag", "本机构标志", "text", 1, 0, 1, 0],
                ["mdtrt_id", "就诊ID", "text", 30, 0, 0, 0],
                ["setl_time", "结算时间", "time", 0, 0, 1, 0],
                ["med_list_codg", "医疗目录编码", "text", 50, 0, 1, 0],
                ["hilist_name", "医保目录名称", "text", 200, 0, 0, 0],
                ["cnt", "数量", "number", 16, 4, 1, 0],
                ["rxno", "处方号", "text", 30, 0, 0, 0],
                ["sin_dos_dscr", "单次剂量描述", "text", 200, 0, 0, 0],
                ["used_frqu_dscr", "使用频次描述", "text", 200, 0, 0, 0],
                ["medc_way_dscr", "用药途径描述", "text", 200, 0, 0, 0],
                ["prd_days", "周期天数", "number", 4, 0, 0, 0],
                ["supply_until", "用到日期", "date", 0, 0, 0, 0],
            ],
        },
    }
}
# Out-flow prescriptions: what a pharmacy reads of one, and one drug of it.
_CODE = ["rx_trace_code", "取药码", "text", 40, 0, 1, 0]
_DOCUMENT = ["rx_docm_id", "处方单据ID", "text", 36, 0, 1, 0]
_NUMBER = ["rx_no", "外配处方号", "text", 30, 0, 1, 0]
_STATE = ["rx_stas", "处方状态", "text", 20, 0, 1, 0]
_MORE = ["exp_content", "字段扩展", "text", 4000, 0, 0, 0]
_DISEASE = [["diag_code", "诊断代码", "text", 30, 0, 1, 0], ["diag_name", "诊断名称", "text", 200, 0, 1, 0]]
_DRUG = [
    ["rx_detl_sn", "处方明细序号", "number", 4, 0, 1, 0],
    ["med_list_codg", "医疗目录编码", "text", 50, 0, 1, 0],
    ["drug_genname", "药品通用名", "text", 200, 0, 1, 0],
    ["drug_spec", "规格", "text", 200, 0, 0, 0],
    ["drug_dosform", "剂型", "text", 100, 0, 0, 0],
    ["cnt", "数量（最小制剂单位）", "number", 16, 4, 1, 0],
    ["min_pac_cnt", "每包装数量", "number", 9, 0, 1, 0],
    ["min_pacunt", "包装单位", "text", 20, 0, 1, 0],
    ["min_prepunt", "制剂单位", "text", 20, 0, 1, 0],
    ["sin_dos_dscr", "单次剂量描述", "text", 200, 0, 0, 0],
    ["used_frqu_dscr", "使用频次描述", "text", 200, 0, 0, 0],
    ["medc_way_dscr", "用药途径描述", "text", 200, 0, 0, 0],
    ["prd_days", "周期天数", "number", 4, 0, 0, 0],
    ["memo", "备注", "text", 200, 0, 0, 0],
]
_READ: dict[str, Any] = {
    "data": [
        _NUMBER,
        _STATE,
        ["rxno", "开方机构处方号", "text", 30, 0, 1, 0],
        ["psn_name", "患者姓名", "text", 50, 0, 1, 0],
        ["certno", "证件号码", "text", 50, 0, 0, 0],
        ["gend", "性别", "text", 6, 0, 0, 1],
        ["brdy", "出生日期", "date", 0, 0, 0, 0],
        ["fixmedins_name", "开方机构", "text", 200, 0, 1, 0],
        ["dept_name", "科室名称", "text", 100, 0, 0, 0],
        ["dr_name", "医师姓名", "text", 50, 0, 1, 0],
        ["phar_name", "审方药师姓名", "text", 50, 0, 1, 0],
        ["prsc_time", "开方时间", "time", 0, 0, 1, 0],
        ["rx_chk_time", "审方时间", "time", 0, 0, 1, 0],
        ["vali_end_date", "有效至", "date", 0, 0, 1, 0],
        ["lock_flag", "本机构锁定标志", "text", 1, 0, 1, 0],
        ["lock_sn", "锁定序号", "number", 9, 0, 1, 0],
        ["lock_end_date", "锁定至", "date", 0, 0, 0, 0],
    ],
    "diseinfo": _DISEASE,
    "rxdetail": [*_DRUG, ["left_cnt", "未取数量", "number", 16, 4, 1, 0]],
}
_STANDING = [
    _DOCUMENT,
    _NUMBER,
    _STATE,
    ["fixmedins_name", "取药药店", "text", 200, 0, 0, 0],
    ["chg_time", "变动时间", "time", 0, 0, 1, 0],
    ["rxdetail", "已取数量", "any", 0, 0, 0, 0],
]
OWN |= {
    "S002": {
        "name": "就诊费用预估",
        "in": {
            "data": [
                ["psn_no", "人员编号", "text", 30, 0, 1, 0],
                ["mdtrt_id", "就诊ID", "text", 30, 0, 1, 0],
                ["med_type", "医疗类别", "text", 6, 0, 1, 1],
                ["dise_codg", "病种编码", "text", 30, 0, 0, 0],
                ["acct_used_flag", "个人账户使用标志", "text", 3, 0, 1, 1],
                ["medfee_sumamt", "医疗费总额", "number", 16, 2, 1, 0],
                ["exp_content", "字段扩展", "text", 4000, 0, 0, 0],
            ],
            "feedetail": [
                ["feedetl_sn", "费用明细流水号", "text", 30, 0, 1, 0],
                ["med_list_codg", "医疗目录编码", "text", 50, 0, 1, 0],
                ["medins_list_codg", "医药机构目录编码", "text", 150, 0, 1, 0],
                ["det_item_fee_sumamt", "明细项目费用总额", "number", 16, 2, 1, 0],
                ["cnt", "数量", "number", 16, 4, 1, 0],
                ["pric", "单价", "number", 16, 6, 1, 0],
            ],
        },
        "out": {
            "setlinfo": [
                ["medfee_sumamt", "医疗费总额", "number", 16, 2, 1, 0],
                ["fulamt_ownpay_amt", "全自费金额", "number", 16, 2, 1, 0],
                ["overlmt_selfpay", "超限价自费费用", "number", 16, 2, 1, 0],
                ["preselfpay_amt", "先行自付金额", "number", 16, 2, 1, 0],
                ["inscp_scp_amt", "符合政策范围金额", "number", 16, 2, 1, 0],
                ["fund_pay_sumamt", "基金支付总额", "number", 16, 2, 1, 0],
                ["psn_part_amt", "个人负担总金额", "number", 16, 2, 1, 0],
            ]
        },
    },
    "S010": {
        "name": "外配处方上传",
        "in": {
            "data": [
                _DOCUMENT,
                ["rxno", "处方号", "text", 30, 0, 1, 0],
                ["psn_name", "患者姓名", "text", 50, 0, 1, 0],
                ["certno", "证件号码", "text", 50, 0, 0, 0],
                ["gend", "性别", "text", 6, 0, 0, 1],
                ["brdy", "出生日期", "date", 0, 0, 0, 0],
                ["dept_name", "科室名称", "text", 100, 0, 0, 0],
                ["dr_codg", "医师代码", "text", 30, 0, 1, 0],
                ["dr_name", "医师姓名", "text", 50, 0, 1, 0],
                ["phar_codg", "审方药师代码", "text", 30, 0, 1, 0],
                ["phar_name", "审方药师姓名", "text", 50, 0, 1, 0],
                ["prsc_time", "开方时间", "time", 0, 0, 1, 0],
                ["rx_chk_time", "审方时间", "time", 0, 0, 1, 0],
                ["vali_end_date", "有效至", "date", 0, 0, 1, 0],
                _MORE,
            ],
            "diseinfo": _DISEASE,
            "rxdetail": _DRUG,
        },
        "out": {
            "data": [_NUMBER, ["rx_trace_code", "取药码", "text", 16, 0, 1, 0], ["vali_end_date", "有效至", "date", 0, 0, 1, 0], _STATE]
        },
    },
    "S011": {"name": "外配处方查询", "in": {"data": [_CODE, _MORE]}, "out": _READ},
    "S012": {"name": "外配处方锁定", "in": {"data": [_CODE, _MORE]}, "out": _READ},
    "S013": {"name": "外配处方状态查询", "in": {"data": [_DOCUMENT]}, "out": {"result": _STANDING}},
    "S014": {
        "name": "外配处方交还",
        "in": {"data": [_NUMBER, ["lock_sn", "锁定序号", "number", 9, 0, 1, 0], _MORE]},
        "out": {"data": [_NUMBER, _STATE]},
    },
    "S015": {
        "name": "外配处方作废",
        "in": {"data": [_DOCUMENT, ["memo", "原因", "text", 200, 0, 1, 0], _MORE]},
        "out": {"data": _STANDING},
    },
}  # fmt: skip

# Referrals: how one stands, as either of the two institutions reads it.
_REFERRAL_NUMBER = ["refl_no", "转诊单号", "text", 30, 0, 1, 0]
_REFERRED = [
    ["psn_name", "患者姓名", "text", 50, 0, 1, 0],
    ["certno", "证件号码", "text", 50, 0, 0, 0],
    ["tel", "联系电话", "text", 50, 0, 0, 0],
    ["gend", "性别", "text", 6, 0, 0, 1],
    ["dept_name", "科室名称", "text", 100, 0, 0, 0],
    ["dr_name", "医师姓名", "text", 50, 0, 1, 0],
    ["urgt_flag", "加急标志", "text", 1, 0, 0, 0],
    ["refl_rea", "转诊原因", "text", 1000, 0, 1, 0],
    ["cond_dscr", "病情摘要", "text", 1000, 0, 1, 0],
    ["vali_end_date", "有效至", "date", 0, 0, 1, 0],
    ["refl_fixmedins_code", "接收机构编码", "text", 30, 0, 1, 0],
    ["refl_docm_id", "转诊单据ID", "text", 36, 0, 1, 0],
]
_REFERRAL = [
    _REFERRAL_NUMBER,
    ["refl_sn", "转诊序号", "number", 15, 0, 1, 0],
    ["refl_stas", "转诊状态", "text", 20, 0, 1, 0],
    *_REFERRED,
    ["brdy", "出生日期或年份", "text", 10, 0, 0, 0],
    ["fixmedins_code", "转出机构编码", "text", 30, 0, 1, 0],
    ["fixmedins_name", "转出机构", "text", 200, 0, 1, 0],
    ["refl_fixmedins_name", "接收机构", "text", 200, 0, 1, 0],
    ["diseinfo", "诊断信息", "any", 0, 0, 0, 0],
    ["memo", "回复", "text", 1000, 0, 0, 0],
    ["refl_time", "转出时间", "time", 0, 0, 1, 0],
    ["chg_time", "变动时间", "time", 0, 0, 1, 0],
]
OWN |= {
    "S020": {
        "name": "转诊单上传",
        "in": {
            "data": [
                *_REFERRED,
                ["brdy", "出生日期", "date", 0, 0, 0, 0],
                ["dr_codg", "医师代码", "text", 30, 0, 1, 0],
                _MORE,
            ],
            "diseinfo": _DISEASE,
        },
        "out": {"data": _REFERRAL},
    },
    "S021": {
        "name": "转诊单查询",
        "in": {"data": [["drct", "转入或转出", "text", 3, 0, 1, 0], ["before_sn", "此序号之前", "number", 15, 0, 0, 0], _MORE]},
        "out": {"result": _REFERRAL},
    },
    "S022": {
        "name": "转诊单处理",
        "in": {
            "data": [
                _REFERRAL_NUMBER,
                ["act", "处理", "text", 20, 0, 1, 0],
                ["memo", "说明", "text", 1000, 0, 0, 0],
                _MORE,
            ]
        },
        "out": {"data": _REFERRAL},
    },
    "S023": {
        "name": "转诊机构查询",
        "in": {"data": [["fixmedins_name", "机构名称或编码", "text", 50, 0, 0, 0], _MORE]},
        "out": {
            "result": [
                ["fixmedins_code", "机构编码", "text", 30, 0, 1, 0],
                ["fixmedins_name", "机构名称", "text", 200, 0, 1, 0],
                ["same_admdvs_flag", "同一统筹区标志", "text", 1, 0, 1, 0],
            ]
        },
    },
}  # fmt: skip


def kind_of(words: str) -> str:
    """Name the form of a field: text, number, date, time, or any."""
    for kind, names in (("number", NUMBERS), ("date", DATES), ("time", TIMES), ("text", TEXTS)):
        if words in names:
            return kind
    return "any"


def size_of(words: str) -> list[int]:
    """Read a length such as `30`, `16,2` or `（16,2）`; nothing stated gives nothing."""
    return (
        [int(part) for part in re.findall(r"\d+", words.replace("，", ","))][:2]
        if not words.endswith(("M", "K"))
        else []
    )


def field(infno: str, node: str, row: dict[str, str]) -> list[Any]:
    """One field as [code, name, kind, length, decimals, required, has code table]."""
    kind, size = kind_of(row["type"]), size_of(row["len"])
    decimals = size[1] if len(size) == 2 else 0
    told: dict[str, Any] = {
        "kind": kind,
        "length": size[0] if size else 0,
        "decimals": decimals,
        "required": row["req"] in {"Y", "是"},
    }
    told.update(EDITION.get((infno, node, row["code"]), {}))
    return [
        row["code"],
        row["name"],
        told["kind"],
        told["length"],
        told["decimals"],
        int(told["required"]),
        int(row["dict"] == "Y"),
    ]


def transaction(infno: str, source: dict[str, Any]) -> dict[str, Any]:
    """One transaction: its name, its input nodes and its output nodes in the order of the tables."""
    result: dict[str, Any] = {"name": source["name"], "in": {}, "out": {}}
    for table in source["tables"]:
        side = (table.get("dir") or "")[:3].rstrip("-")
        if side not in {"in", "out"} or not table.get("fields"):
            continue
        node = table["node"] or NODES.get(infno, "")
        rows = result[side].setdefault(node, [])
        known = {row[0] for row in rows}
        rows.extend(field(infno, node, row) for row in table["fields"] if row["code"] not in known)
    return result


def code_table(source: dict[str, Any]) -> dict[str, Any]:
    """One code table: its name and value -> name, read from pairs that stand side by side."""
    values: dict[str, str] = {}
    for row in source["values"]:
        for code, name in zip(row[0::2], row[1::2], strict=False):
            if code and name and re.fullmatch(r"[\w.+-]+", code):
                values.setdefault(code, name)
    return {"name": source["name"], "values": values}


def main(fields_path: str, codes_path: str) -> None:
    """Write both data files, one transaction or code table a line."""
    source = json.loads(Path(fields_path).read_text("utf-8"))
    table = {infno: transaction(infno, source["tx"][infno]) for infno in source["order"]}
    table |= {other: table[infno] for other, infno in ALSO.items()} | OWN
    _write("fields.json", dict(sorted(table.items())))
    codes = json.loads(Path(codes_path).read_text("utf-8"))
    tables = {name: code_table(told) for name, told in sorted(codes.items())}
    for (name, code), words in EDITION_CODES.items():
        tables[name]["values"].setdefault(code, words)
    _write("codes.json", tables)


def _write(name: str, table: dict[str, Any]) -> None:
    lines = ",\n".join(
        f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
        for key, value in table.items()
    )
    (DATA / name).write_text("{\n" + lines + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
