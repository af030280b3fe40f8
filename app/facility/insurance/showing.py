"""What of a card holder and of a split stands on a screen: the counter and the clinic's cashier show the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core.money import fen_to_yuan
from app.facility.insurance import identify
from app.facility.organizations import parameters
from app.national import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.tenancy import Desk

BANDS = {"pass": "pass", "ask": "check", "check": "check", "hold": "hold"}


def person_part(desk: Desk, row: Any, total_fen: int) -> dict[str, Any]:
    """The card holder of an identification as the screen may show them: masked, with balances, score and reasons."""
    shown, identity = row.shown, row.identity
    counted = {
        key: shown.get(key) or 0
        for key in ("balance_fen", "mutual_fen", "deductible_used_fen", "fund_used_fen", "cap_fen")
    }
    needs = identify.needs_match(desk, identity, total_fen, row.matched_by, row.override_reason)
    limits = parameters.of(desk.tenant_id)
    hows = {"typed": _("手工输入"), "card": _("社保卡"), "ecert": _("医保码")}
    return {
        **counted, "id": str(row.id), "masked_name": shown["masked_name"], "sex": {"1": _("男"), "2": _("女")}.get(shown["sex"], ""), "age": shown["age"],
        "type_label": _type_label(shown), "place": codes.place(shown.get("place", "")), "status_tone": {"normal": "ok", "arrears": "warn"}.get(shown["status"], "stop"),
        "status_text": shown["status_text"] or _("参保正常"), "read_how": hows[row.read_how], "read_at": row.read_at,
        "deductible_fen": shown.get("deductible_fen"), "entitlements": shown.get("entitlements", []), "score": identify.score_of(identity) if identity else None,
        "band": BANDS[identify.band_of(desk, identity)], "elsewhere": identity.get("elsewhere") or "", "ask_from": limits.count("ask_from"),
        "hold_from": limits.count("hold_from"), "signals": _signals(identity), "needs_match": bool(needs), "matched_text": _("人证一致") if row.matched_by else "",
        "buyer": row.buyer, "agent_masked": shown.get("agent", ""),
    }  # fmt: skip


def _type_label(shown: Mapping[str, Any]) -> str:
    kinds = {"310": _("职工"), "390": _("城乡居民")}
    common = {"11": _("在职"), "12": _("退休人员")}
    person = common.get(shown["psn_type"]) or codes.name("psn_type", shown["psn_type"])
    return f"{kinds.get(shown['insutype'], '')} {person}".strip()


def _signals(identity: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [
        {
            "text": signal.get("text") or signal.get("code"),
            "weight": int(signal.get("weight") or 0),
            "known": bool(signal.get("known", True)),
        }
        for signal in identity.get("signals") or []
    ]
    return sorted(
        (signal for signal in found if signal["weight"] or not signal["known"]),
        key=lambda signal: (not signal["known"], -abs(signal["weight"])),
    )[:12]


def split_part(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Who pays what, and how the fund's part came about."""
    policy = kept.get("policy") or {}
    percent = f"{float(kept.get('ratio') or 0) * 100:g}%"
    how = "  ·  ".join(
        [
            _("符合范围 %(amount)s × %(ratio)s", amount=fen_to_yuan(kept["in_scope_fen"]), ratio=percent),
            _("先行自付 %(amount)s", amount=fen_to_yuan(kept["pre_fen"])),
            _("全自费 %(amount)s", amount=fen_to_yuan(kept["full_fen"])),
            _("超限价 %(amount)s", amount=fen_to_yuan(kept["over_fen"])),
            _("起付 %(amount)s", amount=fen_to_yuan(kept["deductible_fen"])),
            _("账户结余 %(amount)s", amount=fen_to_yuan(kept["balance_after_fen"])),
        ]
    )
    return {
        "total": kept["total_fen"], "full": kept["full_fen"], "over": kept["over_fen"], "pre": kept["pre_fen"], "in_scope": kept["in_scope_fen"],
        "deductible": kept["deductible_fen"], "fund": kept["pooled_fen"], "other_funds": kept["other_funds_fen"], "account": kept["account_fen"],
        "mutual": kept["mutual_fen"], "cash": kept["cash_fen"], "ratio": percent, "policy_name": policy.get("name", ""),
        "balance_after_fen": kept["balance_after_fen"], "how": how,
    }  # fmt: skip
