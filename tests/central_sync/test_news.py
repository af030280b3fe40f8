"""What the center publishes reaches each facility once, whole and in order; both sides are compared with every question."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from central_sync import chain, cli, contract, news, news_contract, wire
from central_sync.chain import Fact, Head
from central_sync.puller import Puller
from central_sync.transports.http import NoAnswer
from central_sync.wire import Question
from tests.central_sync.world import DISTRICT, make_facility


def notice(**changes):
    return {
        "notice": str(uuid4()), "number": "T2026-1", "published_at": "2026-11-22T02:00:00Z", "issuer": "测试中心",
        "title": "系统维护", "text": "今晚两点维护。", **changes,
    }  # fmt: skip


@pytest.fixture
def institution(center_owner):
    """Makes an institution the center knows; returns its code."""

    def make(code=None, district=DISTRICT):
        code = code or "H" + secrets.token_hex(6).upper()[:11]
        with center_owner.begin() as connection:
            connection.execute(
                text("""insert into institution (code, name, district, kind, benefit_class, secret_sealed, agreement_from, agreement_until)
                     values (:code, '测试药店', :district, 'pharmacy', 'pharmacy', '\\x00', '2020-01-01', '2099-01-01')"""),
                {"code": code, "district": district},
            )
        return code

    return make


def publish(center_owner, codes, *bodies):
    with center_owner.begin() as connection:
        return [news.publish(connection, codes, "notice.published", body) for body in bodies]


def ask(center, code, after=0, digest=None, epoch=1, limit=100):
    question = Question(code, epoch, after, news.beginning(code).hash if digest is None else digest, limit)
    with center.begin() as connection:
        return news.answer(connection, [question])[0]


def test_one_body_is_numbered_and_chained_for_each_institution(center, center_owner, institution):
    codes = [institution() for _ in range(3)]

    first = publish(center_owner, [*codes, "H00000000000"], notice())[0]
    publish(center_owner, codes[:1], notice(title="只给一家"))

    assert first == dict.fromkeys(codes, 1)
    told = ask(center, codes[0])
    assert [item.number for item in told.news] == [1, 2]
    items = [Fact(1, n.number, n.kind, n.version, n.body, n.hash) for n in told.news]
    assert chain.follow(news.stream_name(codes[0]), news.beginning(codes[0]), items).number == 2
    assert [item.number for item in ask(center, codes[1]).news] == [1]


def test_publishing_at_once_leaves_no_gap(center_owner, institution):
    from concurrent.futures import ThreadPoolExecutor

    codes = [institution() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda turn: publish(center_owner, codes[turn % 2 :: 1], notice(title=str(turn))), range(8)))

    with center_owner.connect() as connection:
        for code in codes:
            numbers = connection.scalars(text("select number from news where stream = :s order by number"), {"s": code})
            assert list(numbers) == list(range(1, (8 if codes.index(code) else 4) + 1))


def test_news_is_never_edited_and_never_a_fact(center, center_owner, institution):
    code = institution()
    publish(center_owner, [code], notice())

    with pytest.raises(ProgrammingError), center.begin() as connection:
        connection.execute(text("update news set body = '\\x00' where stream = :s"), {"s": code})
    item = ask(center, code).news[0]
    as_fact = Fact(1, 1, item.kind, item.version, item.body, item.hash)
    with pytest.raises(chain.BrokenChain):
        chain.follow(code, Head(1, 0, chain.genesis(code)), [as_fact])


def test_a_body_outside_the_contract_is_not_published(center_owner, institution):
    code = institution()

    with pytest.raises(contract.OutsideContract):
        publish(center_owner, [code], notice(patient="张三"))
    with pytest.raises(contract.OutsideContract):
        news_contract.read("notice.published", 2, b"{}")


def test_who_asks_is_told_what_follows_and_what_differs(center, center_owner, institution):
    code = institution()
    publish(center_owner, [code], *(notice(title=str(n)) for n in range(5)))
    first = ask(center, code, limit=2).news

    assert [n.number for n in first] == [1, 2]
    assert [n.number for n in ask(center, code, 2, first[-1].hash).news] == [3, 4, 5]
    assert ask(center, code, 2, b"\0" * 32).outcome == "altered"
    assert ask(center, code, 5, b"\0" * 32).outcome == "altered"
    assert ask(center, code, 6, b"\0" * 32).outcome == "rewound"
    assert ask(center, code, 2, first[-1].hash, epoch=2).outcome == "rewound"


def test_the_center_knows_what_was_pulled(center, center_owner, institution):
    code = institution()
    publish(center_owner, [code], notice(), notice())
    last = ask(center, code).news[-1]

    def noted():
        with center.connect() as connection:
            return connection.execute(
                text("select pulled_number, pulled_at is not null as pulled, state from news_head where stream = :s"),
                {"s": code},
            ).one()

    assert tuple(noted()) == (0, False, "running")
    ask(center, code, 2, last.hash)
    assert tuple(noted()) == (2, True, "running")
    ask(center, code, 9, last.hash)
    assert tuple(noted()) == (2, True, "rewound")  # Never more than there is.


def test_an_institution_that_was_told_nothing_yet_is_answered(center, institution):
    code = institution()

    assert ask(center, code).news == []
    assert ask(center, code, 3, b"\0" * 32).outcome == "rewound"


class Near:
    """The center in this process."""

    def __init__(self, center, refuses=(), silent=False):
        self.center, self.refuses, self.silent, self.asked = center, refuses, silent, []

    def ask_round(self, questions):
        self.asked.append(len(questions))
        if self.silent:
            raise NoAnswer("HTTP 503")
        known = [each for each in questions if each.stream not in self.refuses]
        with self.center.begin() as connection:
            told = dict(zip((q.stream for q in known), news.answer(connection, known), strict=True))
        return [told.get(each.stream, wire.Told("refused", 0, [], "unknown")) for each in questions]

    def ask_news(self, question):
        self.asked.append("alone")
        with self.center.begin() as connection:
            return news.answer(connection, [question])[0]


class Taker:
    """Remembers where each stream stands, as the application's tables do."""

    def __init__(self):
        self.taken = []

    def __call__(self, place, items):
        chain.follow(news.stream_name(place.stream), place.head, items)
        self.taken += [(place.stream, item.number) for item in items]
        return len(items)


@pytest.fixture
def autocommit(relay_engine):
    return relay_engine.execution_options(isolation_level="AUTOCOMMIT")


def of(taken, code):
    return [number for stream, number in taken if stream == code]


def test_many_streams_are_asked_for_in_one_round(owner, center, center_owner, autocommit, institution):
    facilities = [make_facility(owner) for _ in range(3)]
    codes = [institution(facility.stream) for facility in facilities]
    publish(center_owner, codes, notice(), notice())
    near, taker = Near(center), Taker()

    seen = Puller(autocommit, near, taker).look()

    assert all(of(taker.taken, code) == [1, 2] for code in codes)
    assert seen.items >= 6
    assert near.asked[0] >= 3
    with owner.connect() as connection:
        states = connection.execute(
            text("select state, pulled_at is not null from news_head where stream = any(:s)"), {"s": codes}
        )
        assert [tuple(row) for row in states] == [("running", True)] * 3


def test_a_stream_with_much_news_comes_again_until_it_has_all(
    owner, center, center_owner, autocommit, institution, monkeypatch
):
    monkeypatch.setattr(news, "NEWS_FACTS", 2)
    code = institution(make_facility(owner).stream)
    publish(center_owner, [code], *(notice(title=str(n)) for n in range(5)))
    taker = Taker()

    Puller(autocommit, Near(center), taker).look()

    assert of(taker.taken, code) == [1, 2, 3, 4, 5]


def test_what_does_not_fit_the_round_is_asked_for_alone(
    owner, center, center_owner, autocommit, institution, monkeypatch
):
    monkeypatch.setattr(news, "BATCH_BYTES", 1500)
    codes = sorted(institution(make_facility(owner).stream) for _ in range(2))
    publish(center_owner, codes, notice(text="长" * 1000))
    near, taker = Near(center), Taker()

    Puller(autocommit, near, taker).look()

    assert [of(taker.taken, code) for code in codes] == [[1], [1]]
    assert "alone" in near.asked


def test_a_silent_center_and_an_unknown_institution_stop_nobody_else(
    owner, center, center_owner, autocommit, institution
):
    known, stranger = institution(make_facility(owner).stream), make_facility(owner).stream
    publish(center_owner, [known], notice())
    taker = Taker()

    silent = Puller(autocommit, Near(center, silent=True), taker).look()
    seen = Puller(autocommit, Near(center, refuses={stranger}), taker).look()

    assert (silent.items, silent.note) == (0, "HTTP 503")
    assert of(taker.taken, known) == [1]
    assert seen.unheard >= 1
    with owner.connect() as connection:
        assert connection.scalar(text("select state from news_head where stream = :s"), {"s": stranger}) == "refused"


def test_a_center_that_was_rewound_is_told_loudly(owner, center, center_owner, autocommit, institution):
    facility = make_facility(owner)
    code = institution(facility.stream)
    publish(center_owner, [code], notice())
    with owner.begin() as connection:
        connection.execute(
            text("insert into news_head (tenant_id, facility_id, stream, number, hash) values (:t, :f, :s, 4, :h)"),
            {"t": facility.tenant_id, "f": facility.facility_id, "s": code, "h": b"\1" * 32},
        )
    taker = Taker()

    seen = Puller(autocommit, Near(center), taker).look()

    assert seen.stopped >= 1
    assert of(taker.taken, code) == []
    with owner.connect() as connection:
        row = connection.execute(text("select state, note from news_head where stream = :s"), {"s": code}).one()
    assert row.state == "rewound"
    assert "4" in row.note


def test_status_and_verify_name_an_altered_item(center_owner, bridge_urls, institution, capsys):
    code = institution()
    publish(center_owner, [code], notice(), notice())
    url = bridge_urls["center"]["owner"].replace("+psycopg", "")

    assert cli.main(["status", "center", "--stream", code, "--database", url]) == 0
    assert f"news/{code}\t1\t2\trunning" in capsys.readouterr().out
    assert cli.main(["verify", "center", "--stream", code, "--database", url]) == 0
    with center_owner.begin() as connection:
        connection.execute(text("update news set body = '{}' where stream = :s and number = 1"), {"s": code})
    assert cli.main(["verify", "center", "--stream", code, "--database", url]) == 1
    assert "altered\tepoch 1 fact 1" in capsys.readouterr().out


def test_an_officer_reaches_no_institution_outside_the_district(engines, institution):
    near, far = institution(district="330212"), institution(district="330282")
    officer = engines["center", "app"]

    with officer.begin() as connection:
        connection.execute(text("select set_config('app.district', '330212', true)"))
        reached = news.publish(connection, [near, far], "notice.published", notice())

    assert reached == {near: 1}


def test_no_position_can_be_forged_past_the_limits():
    for after, epoch in ((-1, 1), (2**62, 1), (0, 0)):
        with pytest.raises(ValueError, match="position"):
            wire.read_question(wire.encode(Question("H", epoch, after, b"")))
