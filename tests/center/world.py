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


def make_shop(app, kind="pharmacy", district="330212", place=(None, None), **agreement):
    code = f"{'P' if kind == 'pharmacy' else 'H'}{district}{_run % 100:02d}{next(_numbers):03d}"
    secret = secrets.token_bytes(16)
    benefit = "pharmacy" if kind == "pharmacy" else "community"
    with app.app_context(), tenancy.acting_as(district="33"):
        register_institution(
            NewInstitution(code, "测试药店", district, kind, benefit, place[0], place[1], **agreement), secret
        )
    return Shop(app.test_client(), code, secret, district)


def make_person(app, sex="1", born="19800101", **facts):
    number = some_certno(sex, born)
    new = NewPerson(
        psn_no=f"3302{_run:06d}{next(_numbers):010d}",
        name="王小明",
        certno=number,
        card=f"N{_run:06d}{next(_numbers):05d}",
        district="330212",
        **facts,
    )
    with app.app_context(), tenancy.acting_as(district="33"):
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
