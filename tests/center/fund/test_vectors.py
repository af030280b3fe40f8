"""Adjudication to the fen: the sixteen worked cases, Ningbo's three segments, and the invariants for any document."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.center.fund.policy import Basis, Kind, Policy, Segment, read_segment
from app.center.fund.rules import (
    PAYERS,
    Accounts,
    Counters,
    Line,
    adjudicate,
    allocate_to_lines,
    part,
    split_line,
)

CASES = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))


def fen(yuan):
    return int(Decimal(yuan) * 100)


def ratio(text):
    return int(Decimal(text) * 10_000)


def policy_of(told):
    return Policy(
        1,
        "v2",
        "示例",
        (
            Segment(Kind.SELF, limit_fen=fen(told["ded"])),
            Segment(Kind.SHARED, "hifp", ratio(told["ratio"]), fen(told["cap"])),
            Segment(Kind.OVERCAP, "hifob", ratio(told["lg_ratio"]), fen(told["lg_cap"])),
        ),
    )


def aids_of(case):
    options = case["options"]
    if options.get("civil"):
        yield Segment(Kind.AID, "cvlserv", ratio(case["policy"]["cv"]), basis=Basis.COPAY)
    if aid := options.get("aid"):
        yield Segment(Kind.AID, "maf", ratio(aid["ratio"]), fen(aid["cap"]))


def lines_of(case):
    return [
        Line(
            Decimal(line["price"]),
            Decimal(line["qty"]),
            line["cls"],
            ratio(line["selfpay_prop"]),
            Decimal(line["limit"]) if line["limit"] else None,
            case["options"].get("pool", True),
        )
        for line in case["lines"]
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_worked_case(case):
    state, options, expected = case["state"], case["options"], case["expect"]
    counters = Counters(fen(state["ded_used"]), 0, 0, {"hifp": fen(state["fund_used"])})
    accounts = Accounts(fen(options.get("acct", "0")), 0, fen(options.get("mulaid", "0")))

    split = adjudicate(lines_of(case), policy_of(case["policy"]), counters, accounts, aids=list(aids_of(case)))

    found = {
        "med": split.total_fen,
        "full": split.full_fen,
        "over": split.over_fen,
        "pre": split.pre_fen,
        "inscp": split.inscope_fen,
        "ded": split.deductible_fen,
        "hifp": split.funds["hifp"],
        "over_cap_base": split.over_cap_fen,
        "hifob": split.funds["hifob"],
        "cv": split.funds["cvlserv"],
        "maf": split.funds["maf"],
        "fund": split.fund_fen,
        "psn": split.person_fen,
        "acct": split.own_fen,
        "mulaid": split.mutual_fen,
        "cash": split.cash_fen,
    }
    assert found == {name: fen(amount) for name, amount in expected.items()}
    lines = [
        {
            "amount": line.amount_fen,
            "full": line.full_fen,
            "over": line.over_fen,
            "pre": line.pre_fen,
            "inscp": line.inscope_fen,
        }
        for line in split.lines
    ]
    assert lines == [
        {name: fen(value) for name, value in told.items() if name != "name"} for told in case["line_split"]
    ]


def test_there_are_sixteen_cases():
    assert len(CASES) == 16


def test_three_segments_of_ningbo_spend_this_years_account_before_the_deductible():
    policy = Policy(
        1,
        "n",
        "宁波",
        (
            Segment(Kind.ACCOUNT),
            Segment(Kind.SELF, limit_fen=40000),
            Segment(Kind.SHARED, "hifp", 8000, 1_000_000),
        ),
    )

    split = adjudicate([Line(Decimal(860), Decimal(1), "A")], policy, Counters(), Accounts(31000, 12000))

    assert split.account_segment_fen == 31000
    assert (split.deductible_fen, split.shared_fen, split.fund_fen, split.copay_fen) == (40000, 15000, 12000, 3000)
    assert (split.current_fen, split.prior_fen, split.cash_fen) == (31000, 12000, 31000)


def test_ratios_by_the_years_accumulated_cost():
    policy = Policy(
        1,
        "b",
        "分档",
        (
            Segment(Kind.SELF, limit_fen=0),
            Segment(Kind.SHARED, "hifp", 5000, 100_000, upto_fen=20000),
            Segment(Kind.SHARED, "hifp", 8000, 100_000),
        ),
    )

    split = adjudicate([Line(Decimal(300), Decimal(1), "A")], policy, Counters(inscope_fen=10000), Accounts())

    assert split.fund_fen == 5000 + 16000
    assert split.copay_fen == 9000


def test_an_aid_has_its_own_deductible_and_the_switch_takes_in_the_policys():
    policy = Policy(1, "a", "x", (Segment(Kind.SELF, limit_fen=10000), Segment(Kind.SHARED, "hifp", 5000, 10**8)))
    line = [Line(Decimal(300), Decimal(1), "A")]
    with_deductible = Segment(Kind.AID, "hifmi", 6000, deductible_fen=15000)
    civil = Segment(Kind.AID, "cvlserv", 5000, basis=Basis.COPAY_AND_DEDUCTIBLE)

    assert adjudicate(line, policy, Counters(), Accounts(), aids=[with_deductible]).funds["hifmi"] == 3000
    assert (
        adjudicate(line, policy, Counters(aid_burden_fen=12000), Accounts(), aids=[with_deductible]).funds["hifmi"]
        == 10200
    )
    assert adjudicate(line, policy, Counters(), Accounts(), aids=[civil]).funds["cvlserv"] == 10000


def test_no_account_is_touched_when_the_payer_declines_it():
    policy = Policy(1, "a", "x", ())
    line = [Line(Decimal(10), Decimal(1), "A")]

    declined = adjudicate(line, policy, Counters(), Accounts(500, 200, 300), use_own=False, use_mutual=False)
    own = adjudicate(line, policy, Counters(), Accounts(500, 200, 300), use_mutual=False)

    assert (declined.own_fen, declined.mutual_fen, declined.cash_fen) == (0, 0, 1000)
    assert (own.own_fen, own.mutual_fen, own.cash_fen) == (700, 0, 300)


def test_split_packs_differ_by_fen_and_are_not_mended():
    def pack(n):
        return split_line(Line(Decimal("2.083333"), Decimal(n), "A")).amount_fen

    assert (pack(7), pack(5), pack(4)) == (1458, 1042, 833)


def test_segments_survive_their_json():
    segment = Segment(Kind.AID, "maf", 7000, 500_000, basis=Basis.COPAY, deductible_fen=3)

    assert read_segment(segment.as_json()) == segment


money = st.decimals(0, 5000, places=2)
lines_strategy = st.lists(
    st.builds(
        Line,
        price=st.decimals(0, 2000, places=6),
        quantity=st.decimals(Decimal("0.0001"), 99, places=4),
        grade=st.sampled_from("ABC"),
        selfpay=st.integers(0, 10_000),
        ceiling=st.none() | st.decimals(0, 1500, places=6),
        pooled=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
ratios = st.integers(0, 10_000)
fens = st.integers(0, 3_000_000)
segments_strategy = st.tuples(
    st.booleans(),
    fens,
    st.lists(st.tuples(ratios, st.none() | fens), min_size=0, max_size=3),
    fens,
    st.booleans(),
    ratios,
    fens,
)
aids_strategy = st.lists(
    st.builds(
        Segment,
        st.just(Kind.AID),
        st.sampled_from(("cvlserv", "hifes", "hifmi", "maf", "oth")),
        ratios,
        st.none() | fens,
        st.none(),
        st.sampled_from(Basis),
        st.integers(0, 50_000),
    ),
    max_size=3,
)


def build(told):
    account_first, deductible, shared, cap, has_over, over_ratio, over_cap = told
    segments = [Segment(Kind.ACCOUNT)] if account_first else []
    segments.append(Segment(Kind.SELF, limit_fen=deductible))
    segments += [Segment(Kind.SHARED, "hifp", share, cap, upto_fen=upto) for share, upto in shared]
    if has_over:
        segments.append(Segment(Kind.OVERCAP, "hifob", over_ratio, over_cap))
    return Policy(1, "x", "x", tuple(segments))


@settings(max_examples=400, deadline=None)
@given(
    lines_strategy,
    segments_strategy,
    aids_strategy,
    st.builds(Counters, fens, fens, fens, st.dictionaries(st.sampled_from(PAYERS), fens)),
    st.builds(Accounts, fens, fens, fens),
    st.booleans(),
    st.booleans(),
)
def test_the_invariants_hold_for_any_document(lines, told, aids, counters, accounts, use_own, use_mutual):
    policy = build(told)

    split = adjudicate(lines, policy, counters, accounts, use_own=use_own, use_mutual=use_mutual, aids=aids)

    assert split.total_fen == split.full_fen + split.over_fen + split.pre_fen + split.inscope_fen
    assert split.fund_fen == sum(split.funds.values())
    assert split.total_fen == split.fund_fen + split.person_fen
    assert split.person_fen == split.own_fen + split.mutual_fen + split.cash_fen
    assert split.inscope_fen == (
        split.unpooled_fen + split.account_segment_fen + split.deductible_fen + split.shared_fen + split.over_cap_fen
    )
    assert split.shared_fen == split.funds["hifp"] + split.copay_fen
    numbers = [value for name in split.__dataclass_fields__ if isinstance(value := getattr(split, name), int)]
    assert min([*numbers, *split.funds.values()]) >= 0
    assert split.fund_fen <= split.inscope_fen - split.unpooled_fen - split.account_segment_fen
    assert split.current_fen <= accounts.current_fen
    assert split.prior_fen <= accounts.prior_fen
    assert split.mutual_fen <= accounts.mutual_fen
    assert use_own or split.own_fen == 0
    assert use_mutual or split.mutual_fen == 0
    for segment in policy.segments + tuple(aids):
        if segment.limit_fen is not None and segment.payer and len([a for a in aids if a.payer == segment.payer]) < 2:
            used = counters.paid_fen.get(segment.payer, 0)
            assert split.funds[segment.payer] <= max(0, segment.limit_fen - used)
    for line in split.lines:
        parts = (line.full_fen, line.over_fen, line.pre_fen, line.inscope_fen)
        assert sum(parts) == line.amount_fen
        assert min(parts) >= 0
    shares = allocate_to_lines(lines, split)
    assert sum(fund for fund, _ in shares) == split.fund_fen
    assert sum(deductible for _, deductible in shares) == split.deductible_fen
    for line, (fund, deductible) in zip(split.lines, shares, strict=True):
        assert 0 <= fund <= line.inscope_fen
        assert 0 <= deductible <= line.inscope_fen


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_part_is_rounded_half_up(amount, share):
    exact = Decimal(amount) * share / 10_000

    assert abs(part(amount, share) - exact) <= Decimal("0.5")
    assert part(5, 5000) == 3
