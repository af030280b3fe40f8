"""Out-flow prescriptions as a clinic's system sends them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from app.core import clock
from app.national import envelope

NAME, CERTNO, DIAGNOSIS = "欧阳外配", "330226198001019997", "外配高血压"


def drug(number=1, packs=2, **changes):
    told = {
        "rx_detl_sn": str(number), "med_list_codg": f"XC0{number}", "drug_genname": "氨氯地平片", "drug_spec": "5mg×7片", "drug_dosform": "片剂",
        "cnt": str(7 * packs), "min_pac_cnt": "7", "min_pacunt": "盒", "min_prepunt": "片", "sin_dos_dscr": "5mg", "used_frqu_dscr": "每日 1 次",
        "medc_way_dscr": "口服", "prd_days": "7", "memo": "",
    }  # fmt: skip
    return told | changes


def paper(*drugs, days=2, **changes):
    now = clock.now()
    data = {
        "rx_docm_id": str(uuid4()), "rxno": "Y26-1122-0001", "psn_name": NAME, "certno": CERTNO, "gend": "1", "brdy": "1980-01-01", "dept_name": "全科",
        "dr_codg": "D330212000004", "dr_name": "江海明", "phar_codg": "Y330212000003", "phar_name": "赵药师",
        "prsc_time": envelope.wire_time(now - timedelta(minutes=5)), "rx_chk_time": envelope.wire_time(now - timedelta(minutes=1)),
        "vali_end_date": envelope.wire_date(clock.business_date() + timedelta(days=days)),
    }  # fmt: skip
    found = [{"diag_code": "I10.x00x002", "diag_name": DIAGNOSIS}]
    return {"data": data | changes, "diseinfo": found, "rxdetail": list(drugs) or [drug(1), drug(2, packs=1)]}


def issue(clinic, *drugs, **changes):
    """Issue one; returns what the center answered of it."""
    answer = clinic.ask("S010", paper(*drugs, **changes))
    assert answer.accepted, answer.message
    return answer.output["data"]


def fetch(shop, code):
    return shop.ask("S011", {"data": {"rx_trace_code": code}})


def lock(shop, code):
    return shop.ask("S012", {"data": {"rx_trace_code": code}})


def let_go(shop, number, lock_no):
    return shop.ask("S014", {"data": {"rx_no": number, "lock_sn": str(lock_no)}})


def void(clinic, document, why="患者改在本院取药"):
    return clinic.ask("S015", {"data": {"rx_docm_id": document, "memo": why}})


def states(clinic, *documents):
    answer = clinic.ask("S013", {"data": [{"rx_docm_id": document} for document in documents]})
    assert answer.accepted, answer.message
    return {row["rx_docm_id"]: row for row in answer.output["result"]}
