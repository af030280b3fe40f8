"""What is said to the center of a draft (3101, S002), what it answers, and what is said of its warnings (3103). Plain values."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.facility.clinic.desk.limits import days_of
from app.facility.clinic.desk.rules import MEDICINES, Content, Line, Sheet, amount_fen, price_of, units_of
from app.facility.insurance.messages import NOT_IN_CATALOG
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from app.facility.catalog.queries import ProductCard
    from app.national.envelope import Institution

NOBODY = "-"  # The center knows who it is by the registration; no name travels with a draft.
CLINIC, NO_LEVEL, OUTPATIENT, ONLINE, NOW = "D2", "11", "1", "2", "1"
LIST_TYPES = {"HERB": "13"}
CHARGE_TYPES = {"HERB": "10"}
GRADES = {"A": "01", "B": "02", "C": "03", "甲": "01", "乙": "02", "丙": "03"}
PREGNANT = {"": "0", "no": "1", "yes": "3", "lactating": "4"}
TITLES = {"主任医师": "231", "副主任医师": "232", "主治医师": "233", "医士": "235"}
FIRM = "1"  # sev_deg: a plain violation.
GONE_ON, CHANGED = "1", "2"
BEFORE = "1"  # warn_type 事前
MOST_ASKED = 200


class Place(msgspec.Struct, frozen=True):
    """A line the center is asked about: where it stands, and by which id an answer finds it again whatever the sheet's version."""

    sheet: int
    line: int
    rx_id: str
    days: int | None
    quantity: int


class Finding(msgspec.Struct, frozen=True):
    """One warning of the center (违规提醒): rule, this patient's fact, and the line as it stood when it was asked about."""

    jr_id: str
    rule_id: str
    rule_name: str
    text: str
    firm: bool
    rx_id: str
    days: int | None = None
    quantity: int = 0


def places(content: Content, cards: Mapping[int, ProductCard]) -> list[Place]:
    """The lines with a national code, each with an id that stays: the product, and which of its lines it is."""
    found: list[Place] = []
    seen: dict[int, int] = {}
    for number, at, sheet, line in _medicines(content):
        card = cards.get(line.product_id)
        seen[line.product_id] = seen.get(line.product_id, 0) + 1
        if card is not None and card.national_code:
            days = sheet.doses if sheet.kind == "HERB" else days_of(line, card)
            found.append(Place(number, at, f"{line.product_id}.{seen[line.product_id]}", days, line.quantity))
    return found[:MOST_ASKED]


def digest(content: Content, cards: Mapping[int, ProductCard]) -> str:
    """The same for the same question: what only changes the record needs no new look."""
    lines = [(line.product_id, line.quantity, line.split) for sheet in content.sheets for line in sheet.lines]
    return (
        f"{zlib.crc32(msgspec.json.encode([places(content, cards), lines, [one.code for one in content.diagnoses]])):x}"
    )


def _medicines(content: Content) -> Iterator[tuple[int, int, Sheet, Line]]:
    for number, sheet in enumerate(content.sheets):
        for at, line in enumerate(sheet.lines if sheet.kind in MEDICINES else ()):
            yield number, at, sheet, line


def draft(
    visit: Any,
    psn_no: str,
    doctor: Any,
    here: Institution,
    content: Content,
    cards: Mapping[int, ProductCard],
    asked: Sequence[Place],
    today: date,
) -> dict[str, Any]:
    """The input of 3101: codes, amounts and days of the lines; of the person the number, sex and birth day that the message needs."""
    day = today.isoformat()
    orders = [_order(visit, doctor, content.sheets[one.sheet], one, cards, day) for one in asked]
    total = sum(amounts.fen_of(row["sumamt"]) for row in orders)
    main = next((one for one in content.diagnoses if one.kind == "WESTERN"), None)
    encounter = {
        "mdtrt_id": visit.mdtrt_id, "medins_id": here.code, "medins_name": here.name, "medins_admdvs": here.admdvs, "medins_type": CLINIC,
        "medins_lv": NO_LEVEL, "adm_date": day, "dscg_date": day, "dscg_main_dise_codg": main.code[:20] if main else NOBODY,
        "dscg_main_dise_name": main.name[:50] if main else NOBODY, "fsi_diagnose_dtos": _diagnoses(content, day), "dr_codg": _code(doctor),
        "adm_dept_codg": doctor.department_code[:20], "adm_dept_name": doctor.department[:50], "dscg_dept_codg": doctor.department_code[:20],
        "dscg_dept_name": doctor.department[:50], "med_mdtrt_type": OUTPATIENT, "med_type": visit.med_type, "fsi_order_dtos": orders,
        "matn_stas": PREGNANT[content.record.pregnancy], "medfee_sumamt": amounts.yuan_of(total), "ownpay_amt": "0", "selfpay_amt": "0", "setl_totlnum": "0",
        "insutype": visit.insutype or "310", "reim_flag": ONLINE, "out_setl_flag": "0",
    }  # fmt: skip
    patient = {
        "patn_id": psn_no, "patn_name": NOBODY, "gend": visit.sex, "brdy": (visit.born_on or today).isoformat(), "poolarea": here.admdvs,
        "curr_mdtrt_id": visit.mdtrt_id, "fsi_encounter_dtos": [encounter],
    }  # fmt: skip
    return {"data": {"patient_dtos": [patient], "trig_scen": "1"}}


def _diagnoses(content: Content, day: str) -> list[dict[str, str]]:
    told = [
        {
            "dise_id": str(n), "inout_dise_type": "1", "maindise_flag": "1" if n == 1 else "0", "dias_srt_no": str(n), "dise_codg": one.code[:30],
            "dise_name": one.name, "dise_date": day,
        }
        for n, one in enumerate(content.diagnoses, 1)
    ]  # fmt: skip
    empty = {"dise_id": "1", "inout_dise_type": "1", "maindise_flag": "1", "dias_srt_no": "1", "dise_codg": NOBODY, "dise_name": NOBODY, "dise_date": day}  # fmt: skip
    return told or [empty]


def _order(
    visit: Any, doctor: Any, sheet: Sheet, place: Place, cards: Mapping[int, ProductCard], day: str
) -> dict[str, Any]:
    line = sheet.lines[place.line]
    card = cards[line.product_id]
    price = amounts.yuan_of(round((price_of(card, split=line.split) or Decimal(0)) * 100))
    return {
        "rx_id": place.rx_id, "rxno": visit.number, "long_drord_flag": "1" if sheet.long_term else "0", "hilist_type": LIST_TYPES.get(sheet.kind, "11"),
        "chrg_type": CHARGE_TYPES.get(sheet.kind, "09"), "drord_bhvr": "1", "hilist_code": card.national_code, "hilist_name": card.generic_name[:200],
        "hilist_lv": GRADES.get(card.insurance_class or "", "03"), "hilist_pric": price, "hosplist_code": card.code, "hosplist_name": card.generic_name[:200],
        "cnt": f"{min(units_of(line, card), Decimal(9999)):.2f}", "pric": price, "sumamt": amounts.yuan_of(amount_fen(line, card)), "ownpay_amt": "0",
        "selfpay_amt": "0", "spec": card.spec[:100] or NOBODY, "spec_unt": (card.base_unit if line.split else card.pack_unit)[:20],
        "drord_begn_date": day, "drord_dept_codg": doctor.department_code[:30], "drord_dept_name": doctor.department[:50], "drord_dr_codg": _code(doctor),
        "drord_dr_name": doctor.name[:30], "drord_dr_profttl": TITLES.get(doctor.title, "234"), "curr_drord_flag": NOW,
        "extend_order_map": {"o_prdDays": str(place.days)} if place.days else {},
    }  # fmt: skip


def _code(doctor: Any) -> str:
    return str(doctor.national_code or doctor.staff_id)[:30]


def read_warnings(output: Mapping[str, Any], asked: Sequence[Place]) -> list[Finding]:
    """The center's answer, each warning at the line it speaks of; what speaks of no line of ours stands at the first."""
    lines = {one.rx_id: one for one in asked}
    found = []
    for row in output.get("result") or []:
        details = row.get("judge_result_detail_dtos") or [{}]
        place = lines.get(str(details[0].get("rx_id") or ""), asked[0])
        found.append(
            Finding(
                str(row["jr_id"])[:50], str(row["rule_id"])[:50], str(row["rule_name"])[:200], str(row["vola_cont"])[:500], str(row.get("sev_deg")) == FIRM,
                place.rx_id, place.days, place.quantity,
            )
        )  # fmt: skip
    return found


def feedback(told: Sequence[Any]) -> dict[str, Any]:
    """The input of 3103: what was done with each warning, and why when the doctor went on."""
    warns = [{"warn_rslt_id": row.jr_id, "dspo_way": row.way, "dspo_way_rea": row.reason} for row in told]
    return {"data": {"warn_type": BEFORE, "warns": warns}}


def costs(content: Content, cards: Mapping[int, ProductCard], paid: Collection[UUID]) -> list[dict[str, Any]]:
    """What each line comes to, as a bill will say it (2204); without the sheets that are paid and lines without price or quantity."""
    lines = [
        (line, cards[line.product_id])
        for sheet in content.sheets
        for line in sheet.lines
        if sheet.id not in paid and line.product_id in cards and line.quantity > 0
    ]
    priced = [(line, card, price_of(card, split=line.split)) for line, card in lines]
    return [
        {
            "feedetl_sn": str(n), "med_list_codg": NOT_IN_CATALOG if line.self_paid else card.national_code or NOT_IN_CATALOG,
            "medins_list_codg": card.code, "det_item_fee_sumamt": amounts.yuan_of(amount_fen(line, card)), "cnt": f"{units_of(line, card):.4f}",
            "pric": f"{price:.6f}",
        }
        for n, (line, card, price) in enumerate(priced, 1) if price is not None
    ]  # fmt: skip


def estimate(visit: Any, psn_no: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The input of S002; the account is used, as the cashier begins with it."""
    total = sum(amounts.fen_of(row["det_item_fee_sumamt"]) for row in lines)
    data = {
        "psn_no": psn_no, "mdtrt_id": visit.mdtrt_id, "med_type": visit.med_type, "dise_codg": visit.dise_code or NOBODY, "acct_used_flag": "1",
        "medfee_sumamt": amounts.yuan_of(total),
    }  # fmt: skip
    return {"data": data, "feedetail": list(lines)}
