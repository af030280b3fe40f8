"""What people do with suppliers and papers, and how a line comes into a supplier's account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, personal, trail
from app.core.errors import DocumentChanged, NotFound, Several, words
from app.facility.catalog.pinyin import search_keys
from app.facility.db import hot_action, transaction
from app.facility.stock.suppliers import rules, statements
from app.facility.stock.suppliers.errors import (
    PaperEnded,
    PaperIncomplete,
    SupplierChanged,
    SupplierIncomplete,
    SupplierKnown,
)

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder(decimal_format="string").encode
AUDIT = trail.HOT_STATEMENTS["facility"]
# What an approval was given for; contact and note may change without asking anew.
APPROVED_FOR = ("name", "credit_code", "scope_codes", "scope", "address")
LONGEST = {"code": 20, "name": 100, "scope": 500, "address": 200, "contact": 40, "phone": 30, "bank": 60, "account": 40, "note": 500}  # fmt: skip


@dataclass(frozen=True)
class SupplierDraft:
    """A supplier's file as it is typed; an empty code is given by us."""

    name: str
    credit_code: str
    code: str = ""
    scope_codes: tuple[str, ...] = ()
    scope: str = ""
    address: str = ""
    contact: str = ""
    phone: str = ""
    bank: str = ""
    account: str = ""
    note: str = ""


@dataclass(frozen=True)
class PaperDraft:
    """A paper as it is typed from the original."""

    kind: str
    number: str
    valid_from: date
    valid_until: date | None = None
    scope: str = ""
    scope_codes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Owner:
    """Whose paper it is: supplier, product, facility or staff, and which."""

    kind: str
    id: int


def digest_of(*values: object) -> bytes:
    """The fingerprint by which the same document is known again."""
    return hashlib.sha256(_json(list(values))).digest()


# ---- suppliers -------------------------------------------------------------------------------------------------------


@hot_action
def add_supplier(desk: Desk, entry_id: UUID, draft: SupplierDraft) -> int:
    """Open a supplier's file (供应商建档), waiting for approval; returns its id. The same entry again returns the first.

    Raises SupplierIncomplete, SupplierKnown, DocumentChanged.
    """
    draft = _checked(draft)
    digest = digest_of(draft)
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_SUPPLIER, {**desk.keys, "entry": entry_id}):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return int(known[0].id)
        code = draft.code or hot.run(statements.NEXT_CODE, desk.keys)[0].code
        values = {**desk.keys, **_file(desk, draft, None), "entry": entry_id, "digest": digest, "code": code}
        made = _written(hot, statements.INSERT_SUPPLIER, values, draft, own_code=bool(draft.code))
        hot.run_last(AUDIT, trail.row("supplier.add", f"supplier:{made[0].id}"))
        return int(made[0].id)


@hot_action
def change_supplier(desk: Desk, supplier_id: int, version: int, draft: SupplierDraft) -> bool:
    """Change a supplier's file; what was approved and changed waits for approval anew. Says whether it now waits.

    A phone or an account left empty keeps what is sealed. Raises NotFound, SupplierChanged, SupplierIncomplete, SupplierKnown.
    """
    draft = _checked(draft)
    with transaction(settings=desk.settings) as hot:
        now = _locked(hot, desk, supplier_id, version)
        values = {**desk.keys, **_file(desk, draft, now), "supplier": supplier_id}
        changed = [name for name in APPROVED_FOR if _plain(getattr(now, name)) != _plain(values[name])]
        changed += ["bank"] if draft.account or draft.bank else []
        _written(hot, statements.UPDATE_SUPPLIER, {**values, "anew": bool(changed)}, draft, own_code=True)
        hot.run_last(AUDIT, trail.row("supplier.change", f"supplier:{supplier_id}", changed=changed, was=now.state))
        return bool(changed) and now.state == "approved"


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (list, tuple)) else value


@hot_action
def suspend_supplier(desk: Desk, supplier_id: int, reason: str) -> None:
    """Stop buying from a supplier (暂停往来). Raises SupplierIncomplete without a reason, NotFound."""
    if not 1 <= len(reason.strip()) <= 200:
        raise SupplierIncomplete(why="暂停要写原因，最多 200 字")
    _set_state(desk, supplier_id, "suspended", reason.strip(), ["pending", "approved"])


@hot_action
def resume_supplier(desk: Desk, supplier_id: int) -> None:
    """Take a supplier back; it waits for approval like a new one. Raises NotFound."""
    _set_state(desk, supplier_id, "pending", "", ["suspended"])


def _set_state(desk: Desk, supplier_id: int, state: str, reason: str, before: list[str]) -> None:
    keys = {**desk.keys, "supplier": supplier_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        now = hot.run(statements.LOCK_SUPPLIER, keys)
        if not now:
            raise NotFound
        if hot.run(statements.SET_STATE, {**keys, "state": state, "reason": reason, "before": before}):
            hot.run_last(AUDIT, trail.row(f"supplier.{state}", f"supplier:{supplier_id}"))


def _locked(hot: Hot, desk: Desk, supplier_id: int, version: int) -> Any:
    found = hot.run(statements.LOCK_SUPPLIER, {**desk.keys, "supplier": supplier_id})
    if not found:
        raise NotFound
    if found[0].version != version:
        raise SupplierChanged(name=found[0].name)
    return found[0]


def _checked(draft: SupplierDraft) -> SupplierDraft:
    """The draft in the form in which it is kept. Raises SupplierIncomplete."""
    values = {name: getattr(draft, name).replace("\x00", "").strip() for name in LONGEST}
    credit = draft.credit_code.replace(" ", "").upper()
    if not values["name"]:
        raise SupplierIncomplete(why="没有填名称")
    if long := [rules.LABELS[name] for name, most in LONGEST.items() if len(values[name]) > most]:
        raise SupplierIncomplete(why=words("{fields}太长", fields=Several(long)))
    if not rules.is_credit_code(credit):
        raise SupplierIncomplete(why="统一社会信用代码不对：不是 18 位，或与末位校验码对不上，请照营业执照逐位核对")
    if values["code"] and not all(each.isascii() and (each.isalnum() or each in "-_") for each in values["code"]):
        raise SupplierIncomplete(why="编码只能用字母、数字和短横")
    if values["account"] and not values["account"].replace(" ", "").replace("-", "").isalnum():
        raise SupplierIncomplete(why="银行账号只能是数字或字母")
    codes = tuple(sorted(set(draft.scope_codes) & rules.SCOPES.keys()))
    return SupplierDraft(**values, credit_code=credit, scope_codes=codes)


def _file(desk: Desk, draft: SupplierDraft, now: Any) -> dict[str, Any]:
    """The columns of a file; what is sealed stays when nothing new was typed."""
    keys = search_keys(draft.name, "", [draft.code or (now.code if now else ""), draft.credit_code])
    contact = _opened(desk, now and now.contact_sealed) | _given(name=draft.contact, phone=draft.phone)
    bank = _opened(desk, now and now.bank_sealed) | _given(bank=draft.bank, account=draft.account)
    shown = f"{personal.mask_name(contact.get('name', ''))} {personal.mask_phone(contact.get('phone', ''))}".strip()
    last = personal.mask_card(bank["account"]) if "account" in bank else ""
    return {
        "name": draft.name, "credit_code": draft.credit_code, "scope_codes": list(draft.scope_codes), "scope": draft.scope, "address": draft.address, "note": draft.note,
        "contact_sealed": _sealed(desk, contact), "contact_shown": shown, "bank_sealed": _sealed(desk, bank), "bank_shown": f"{bank.get('bank', '')} {last}".strip(),
        "pinyin": keys.pinyin[:200], "search": keys.search, "at": clock.now(),
    }  # fmt: skip


def _given(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _opened(desk: Desk, sealed: bytes | None) -> dict[str, str]:
    """What is sealed of a contact or an account; one part of it may be typed anew and the other stays."""
    return msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(sealed)), type=dict) if sealed else {}


def _sealed(desk: Desk, values: dict[str, str]) -> bytes | None:
    return personal.seal(str(desk.tenant_id), _json(values)) if values else None


def _written(hot: Hot, statement: str, values: dict[str, Any], draft: SupplierDraft, *, own_code: bool) -> Any:
    try:
        return hot.run(statement, values)
    except pg.UniqueViolation as twin:
        if twin.diag.constraint_name == "supplier_entry_key" or not (own_code or _is_credit(twin)):
            raise pg.SerializationFailure from twin  # Two at once: start again and find it, or take the next code.
        raise SupplierKnown(name=draft.credit_code if _is_credit(twin) else draft.code) from twin


def _is_credit(twin: pg.UniqueViolation) -> bool:
    return twin.diag.constraint_name == "supplier_credit_code_key"


# ---- papers ----------------------------------------------------------------------------------------------------------


@hot_action
def add_paper(desk: Desk, licence_id: UUID, owner: Owner, draft: PaperDraft, replaces: UUID | None = None) -> None:
    """Enter a paper from its original (登记证照); with `replaces` the old one ends in the same act (换证).

    The same paper again changes nothing. Raises PaperIncomplete, PaperEnded, NotFound, DocumentChanged.
    """
    draft = _checked_paper(owner, draft)
    digest = digest_of(owner, draft, replaces)
    keys = {**desk.keys, "licence": licence_id, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_PAPER, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        if replaces:
            _end(hot, {**keys, "licence": replaces, "why": "换证"})
        columns: dict[str, int | None] = {f"{kind}_id": None for kind in ("supplier", "product", "facility", "person")}
        columns[f"{'person' if owner.kind == 'staff' else owner.kind}_id"] = owner.id
        values = {
            **keys, **columns, "digest": digest, "owner_kind": owner.kind, "kind": draft.kind, "number": draft.number, "scope": draft.scope,
            "scope_codes": list(draft.scope_codes), "valid_from": draft.valid_from, "valid_until": draft.valid_until, "note": draft.note,
        }  # fmt: skip
        _insert_paper(hot, values)
        said = trail.row(
            "licence.add",
            f"{owner.kind}:{owner.id}",
            kind=draft.kind,
            number=draft.number,
            replaces=str(replaces or ""),
        )
        hot.run_last(AUDIT, said)


def _insert_paper(hot: Hot, values: dict[str, Any]) -> None:
    try:
        hot.run(statements.INSERT_PAPER, values)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin
    except pg.ForeignKeyViolation as nobody:
        raise NotFound from nobody


@hot_action
def end_paper(desk: Desk, licence_id: UUID, why: str) -> None:
    """Take a paper out of use without a new one (停用证照). Raises PaperIncomplete, PaperEnded, NotFound."""
    if not 1 <= len(why.strip()) <= 200:
        raise PaperIncomplete(why="停用证照要写原因，最多 200 字")
    keys = {**desk.keys, "licence": licence_id, "at": clock.now(), "why": why.strip()}
    with transaction(settings=desk.settings) as hot:
        ended = _end(hot, keys)
        hot.run_last(AUDIT, trail.row("licence.end", f"licence:{licence_id}", kind=ended.kind, number=ended.number))


def _end(hot: Hot, keys: dict[str, Any]) -> Any:
    if ended := hot.run(statements.END_PAPER, keys):
        return ended[0]
    if hot.run(statements.PAPER, keys):
        raise PaperEnded
    raise NotFound


def _checked_paper(owner: Owner, draft: PaperDraft) -> PaperDraft:
    number, scope, note = (text.replace("\x00", "").strip() for text in (draft.number, draft.scope, draft.note))
    if draft.kind not in rules.kinds_of(owner.kind):
        raise PaperIncomplete(why="没有选证照类别")
    if not 1 <= len(number) <= 60:
        raise PaperIncomplete(why="证号要有 1 到 60 个字")
    if len(scope) > 500 or len(note) > 200:
        raise PaperIncomplete(why="范围最多 500 字，备注最多 200 字")
    if draft.valid_until and draft.valid_until < draft.valid_from:
        raise PaperIncomplete(why="有效期止早于有效期起")
    codes = tuple(sorted(set(draft.scope_codes) & rules.SCOPES.keys()))
    return PaperDraft(draft.kind, number, draft.valid_from, draft.valid_until, scope, codes, note)


# ---- what is owed ------------------------------------------------------------------------------------------------------


def note_owed(
    hot: Hot, desk: Desk, supplier_id: int, document: UUID, kind: str, amount_fen: int, at: datetime, number: str,
    *, reason: str = "", approver_id: int | None = None,
) -> int:  # fmt: skip
    """Add a line to a supplier's account inside the caller's transaction (应付往来); returns the new balance.

    A receipt is positive, a return and a payment negative. It locks the account until the transaction ends; call it before
    stock is posted. A supplier of somebody else is NotFound; the same document and kind twice is a lost race.
    """
    keys = {
        **desk.keys, "supplier": supplier_id, "document": document, "kind": kind, "amount": amount_fen, "at": at, "number": number[:60],
        "reason": reason, "approver": approver_id, "today": clock.business_date(),
    }  # fmt: skip
    try:
        return int(hot.run(statements.OWE, keys)[0].balance_fen)
    except pg.ForeignKeyViolation as nobody:
        raise NotFound from nobody
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin
