"""A small world for the center's tests: institutions, persons and drugs made through actions, and a signed way to ask."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field
from decimal import Decimal

from app.center.fund.publishing import publish_demo_policies
from app.center.registry.actions import (
    NewInstitution,
    NewItem,
    NewPerson,
    enrol_persons,
    publish_items,
    register_institution,
)
from app.core import clock, tenancy
from app.national import amounts, certno, envelope
from app.national.signing import profile_c
from tests.factories.people import make_code

_numbers = itertools.count(1)
_run = secrets.randbelow(10**6)


def some_certno(sex="1", born="19800101"):
    number = f"330226{born}{next(_numbers) % 50:02d}{1 if sex == '1' else 2}"
    while (made := number + certno.check_digit(number)) in _made:
        area = 340000 + secrets.randbelow(9999)
        number = f"{area}{born}{secrets.randbelow(50):02d}{1 if sex == '1' else 2}"
    _made.add(made)
    return made


_made: set[str] = set()


@dataclass
class Shop:
    """An institution that asks over HTTP with its own secret."""

    client: object
    code: str
    secret: bytes
    district: str = "330212"
    sequence: itertools.count = field(default_factory=lambda: itertools.count(1))

    def msgid(self):
        return envelope.message_id(self.code, clock.now(), next(self.sequence))

    def compose(self, infno, given, msgid=None):
        here = envelope.Institution(self.code, "测试药店", self.district)
        return envelope.compose(
            infno, msgid or self.msgid(), clock.now(), here, envelope.Operator("007", "李敏"), given
        )

    def send(self, infno, body, secret=None, code=None):
        headers = profile_c.sign(code or self.code, secret or self.secret, body, clock.now())
        return self.client.post(f"/national/{infno}", data=body, headers=headers, content_type="application/json")

    def ask(self, infno, given, msgid=None):
        response = self.send(infno, self.compose(infno, given, msgid))
        assert response.status_code == 200, response.get_data(as_text=True)
        return envelope.parse_answer(response.get_data())


def make_shop(app, kind="pharmacy", district="330212", place=(None, None), name="测试药店", **agreement):
    code = make_code("P" if kind == "pharmacy" else "H", district)
    secret = secrets.token_bytes(16)
    benefit = "pharmacy" if kind == "pharmacy" else "community"
    with app.app_context(), tenancy.acting_as(district="33"):
        register_institution(
            NewInstitution(code, name, district, kind, benefit, place[0], place[1], **agreement), secret
        )
    return Shop(app.test_client(), code, secret, district)


def make_person(app, sex="1", born="19800101", district="330212", **facts):
    number = some_certno(sex, born)
    new = NewPerson(
        psn_no=f"3302{_run:06d}{next(_numbers):010d}",
        name="王小明",
        certno=number,
        card=f"N{_run:06d}{next(_numbers):05d}",
        district=district,
        **facts,
    )
    with app.app_context(), tenancy.acting_as(district=district[:2]):
        enrol_persons([new])
    return new


def make_item(app, grade="A", **facts):
    code = f"X{_run:06d}{next(_numbers):08d}"
    with app.app_context(), tenancy.acting_as(district="33"):
        publish_items([NewItem(code, "测试药品", grade, **facts)])
    return code


def make_policies(app):
    with app.app_context(), tenancy.acting_as(district="33"):
        publish_demo_policies()


def line(code, price="100.00", quantity="1", rx="RX1", codes=(), number="1", split=False):
    amount = amounts.yuan_of(int((Decimal(price) * Decimal(quantity) * 100).quantize(Decimal(1), "ROUND_HALF_UP")))
    made = {
        "feedetl_sn": number,
        "rxno": rx,
        "rx_circ_flag": "1" if rx else "0",
        "fee_ocur_time": "2026-01-05 10:00:00",
        "med_list_codg": code,
        "medins_list_codg": "P1",
        "det_item_fee_sumamt": amount,
        "cnt": quantity,
        "pric": price,
    }
    if codes:
        flag = "1" if split else "0"
        made["durg_trac_info"] = [{"feedetl_sn": number, "drug_trac_codg": c, "trdn_flag": flag} for c in codes]
    return made


def purchase(person, lines, account="1", med_type="41", cert=None, disease="", **extra):
    kind, number = cert or ("02", person.certno)
    total = sum(amounts.fen_of(row["det_item_fee_sumamt"]) for row in lines)
    return {
        "druginfo": {
            "psn_no": person.psn_no,
            "mdtrt_cert_type": kind,
            "mdtrt_cert_no": number,
            "psn_cert_type": "01",
            "certno": person.certno,
            "psn_type": person.psn_type,
            "psn_name": person.name,
            "begntime": "2026-01-05 10:00:00",
            "medfee_sumamt": amounts.yuan_of(total),
            "insutype": person.insutype,
            "acct_used_flag": account,
            "med_type": med_type,
            "dise_codg": disease,
            "exp_content": envelope.extension_text({"credential": "card", "operator_terminal": "T1", **extra}),
        },
        "drugdetail": lines,
    }


def shares(answer):
    """What was paid by (fund, own, mutual, cash), in fen."""
    paid = amounts.shares_of(answer.output["setlinfo"])
    return paid.fund_fen, paid.account_fen, paid.mutual_fen, paid.cash_fen


def fresh_code():
    return f"8{secrets.randbelow(10**19):019d}"


# ---- visits ------------------------------------------------------------------------------------------------------


def registration(person, number=None, **changes):
    return {
        "data": {
            "psn_no": person.psn_no,
            "insutype": person.insutype,
            "begntime": "2026-01-05 10:00:00",
            "mdtrt_cert_type": "02",
            "mdtrt_cert_no": person.certno,
            "psn_cert_type": "01",
            "certno": person.certno,
            "psn_type": person.psn_type,
            "psn_name": person.name,
            "ipt_otp_no": number or f"M{next(_numbers):06d}",
            "atddr_no": "D330200000001",
            "dr_name": "郑医师",
            "dept_code": "03",
            "dept_name": "内科",
            "caty": "A03",
            "exp_content": envelope.extension_text({"credential": "card"}),
        }
        | changes
    }


def register_visit(clinic, person, **changes):
    answer = clinic.ask("2201", registration(person, **changes))
    assert answer.accepted, answer.message
    return answer.output["data"]["mdtrt_id"]


def diagnosis(code="J06.900", name="急性上呼吸道感染", position=1, valid=True):
    return {
        "diag_type": "1",
        "diag_srt_no": position,
        "diag_code": code,
        "diag_name": name,
        "diag_dept": "内科",
        "dise_dor_no": "D330200000001",
        "dise_dor_name": "郑医师",
        "diag_time": "2026-01-05 10:20:00",
        "vali_flag": "1" if valid else "0",
    }


def description(person, mdtrt_id, diagnoses=None, med_type="11", disease="-", **changes):
    info = {
        "mdtrt_id": mdtrt_id,
        "psn_no": person.psn_no,
        "med_type": med_type,
        "begntime": "2026-01-05 10:10:00",
        "main_cond_dscr": "发热两天",
        "dise_codg": disease,
        "dise_name": "-",
    }
    return {"mdtrtinfo": info | changes, "diseinfo": [diagnosis()] if diagnoses is None else diagnoses}


def charge(person, mdtrt_id, code, price="100.00", quantity="1", number="1", batch="B1", **changes):
    row = line(code, price, quantity, rx="", number=number)
    return row | {
        "mdtrt_id": mdtrt_id,
        "psn_no": person.psn_no,
        "chrg_bchno": batch,
        "rx_circ_flag": "0",
        "bilg_dept_codg": "03",
        "bilg_dept_name": "内科",
        "bilg_dr_codg": "D330200000001",
        "bilg_dr_name": "郑医师",
        "hosp_appr_flag": "0",
        **changes,
    }


def bill(person, mdtrt_id, lines, batch="B1", account="1", med_type="11", cert=None, parts=None, **extra):
    """What 2206 and 2207 ask; with `parts` (the setlinfo of 2206) as 2207 sends them back."""
    kind, number = cert or ("02", person.certno)
    total = sum(amounts.fen_of(row["det_item_fee_sumamt"]) for row in lines)
    data = {
        "psn_no": person.psn_no,
        "mdtrt_cert_type": kind,
        "mdtrt_cert_no": number,
        "psn_cert_type": "01",
        "certno": person.certno,
        "psn_type": person.psn_type,
        "psn_name": person.name,
        "med_type": med_type,
        "medfee_sumamt": amounts.yuan_of(total),
        "psn_setlway": "01",
        "mdtrt_id": mdtrt_id,
        "chrg_bchno": batch,
        "acct_used_flag": account,
        "insutype": person.insutype,
        "exp_content": envelope.extension_text({"credential": "card", "operator_terminal": "T1", **extra}),
    }
    names = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    return {"data": data | {name: parts[name] for name in names if parts}}


def open_visit(clinic, person, lines, batch="B1", **described):
    """A visit registered, described and charged; `lines` are (code, price, quantity). Returns its id and the rows sent."""
    mdtrt_id = register_visit(clinic, person)
    assert clinic.ask("2203", description(person, mdtrt_id, **described)).accepted
    return mdtrt_id, upload(clinic, person, mdtrt_id, lines, batch)


def upload(clinic, person, mdtrt_id, lines, batch="B1", first=1):
    rows = [
        charge(person, mdtrt_id, code, price, quantity, str(number), batch)
        for number, (code, price, quantity) in enumerate(lines, start=first)
    ]
    answer = clinic.ask("2204", {"feedetail": rows})
    assert answer.accepted, answer.message
    return rows


def settle_visit(clinic, person, mdtrt_id, rows, batch="B1", msgid=None, **asked):
    """2206, then 2207 with its four amounts; returns the answer of 2207."""
    trial = clinic.ask("2206", bill(person, mdtrt_id, rows, batch, **asked))
    assert trial.accepted, trial.message
    return clinic.ask("2207", bill(person, mdtrt_id, rows, batch, parts=trial.output["setlinfo"], **asked), msgid)


# ---- reminders ---------------------------------------------------------------------------------------------------


def order(code, days=None, number="1", name="阿莫西林胶囊", amount="30.00", current="1"):
    return {
        "rx_id": number, "rxno": "RX1", "long_drord_flag": "0", "hilist_type": "11", "chrg_type": "09", "drord_bhvr": "1",
        "hilist_code": code, "hilist_name": name, "hilist_lv": "01", "hilist_pric": "30.00", "hosplist_code": "P1",
        "hosplist_name": name, "cnt": "1", "pric": "30.00", "sumamt": amount, "ownpay_amt": "0", "selfpay_amt": "0",
        "spec": "0.25g*24", "spec_unt": "盒", "drord_begn_date": "2026-01-05", "drord_dept_codg": "03", "drord_dept_name": "内科",
        "drord_dr_codg": "D330200000001", "drord_dr_name": "郑医师", "drord_dr_profttl": "234", "curr_drord_flag": current,
        "extend_order_map": {} if days is None else {"o_prdDays": str(days)},
    }  # fmt: skip


def draft(person, mdtrt_id, orders, med_type="11", gend="1", brdy="1980-01-01"):
    encounter = {
        "mdtrt_id": mdtrt_id, "medins_id": "H1", "medins_name": "诊所", "medins_admdvs": "330212", "medins_type": "A", "medins_lv": "1",
        "adm_date": "2026-01-05", "dscg_date": "2026-01-05", "dscg_main_dise_codg": "J06.900", "dscg_main_dise_name": "感冒",
        "fsi_diagnose_dtos": [{
            "dise_id": "1", "inout_dise_type": "1", "maindise_flag": "1", "dias_srt_no": "1", "dise_codg": "J06.900",
            "dise_name": "感冒", "dise_date": "2026-01-05",
        }],
        "dr_codg": "D330200000001", "adm_dept_codg": "03", "adm_dept_name": "内科", "dscg_dept_codg": "03", "dscg_dept_name": "内科",
        "med_mdtrt_type": "1", "med_type": med_type, "fsi_order_dtos": orders, "matn_stas": "0", "medfee_sumamt": "30.00",
        "ownpay_amt": "0", "selfpay_amt": "0", "setl_totlnum": "0", "insutype": "310", "reim_flag": "2", "out_setl_flag": "0",
    }  # fmt: skip
    patient = {
        "patn_id": person.psn_no, "patn_name": person.name, "gend": gend, "brdy": brdy, "poolarea": "330212", "curr_mdtrt_id": mdtrt_id,
        "fsi_encounter_dtos": [encounter],
    }  # fmt: skip
    return {"data": {"patient_dtos": [patient], "trig_scen": "1"}}
