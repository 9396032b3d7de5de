"""The desk's database, SQLite and PostgreSQL alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from schemas.records import Alert, DiplomaticEvent, Origin
from services.desk import reading, register
from services.desk.intake import intake
from services.desk.store import Store, StoreTrouble
from services.desk.subscriptions import Filter, matches
from services.desk.views import SubscriptionIn
from services.stage import Input, Reject
from tests.desk_store import new_database, postgres
from tests.unit.test_desk import diplomatic
from tests.unit.test_track import READ_AT

PEACE = "new-peace-talk-statements"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/desk.sqlite"
    return new_database(request.getfixturevalue("server"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    register.begin(opened)
    yield opened
    opened.close()


def feed(store: Store, *events: DiplomaticEvent, first: int = 0, partition: int = 0) -> list[list[Alert]]:
    """Hands a window to the desk; the alerts of each event."""
    places = (Origin(topic="t", partition=partition, offset=first + n) for n in itertools.count())
    outcomes = intake(store)([Input(event, place, READ_AT) for event, place in zip(events, places, strict=False)])
    assert not any(isinstance(o, Reject) for o in outcomes)
    return outcomes  # type: ignore[return-value]


def everything(store: Store) -> list[str]:
    return [item.story_id for item in reading.page(store, Filter(), None, 200).items]


def test_stories_alerts_and_what_is_told_of_them(store: Store) -> None:
    ((alert,), again, plain) = feed(
        store,
        diplomatic(),
        diplomatic(event_id="e1", status="restated", source="Other", fingerprint="f" * 16),
        diplomatic(
            story_id="u", event_id="e2", peace="none", published_at=None, when={"date": None, "granularity": None}
        ),
    )
    assert (alert.subscription, alert.revision, again, plain) == (PEACE, 1, [], [])
    page = reading.page(store, Filter(), None, 200)
    assert [item.story_id for item in page.items] == ["u", "s"]
    assert page.items[0].day is None
    shown = page.items[1]
    assert (shown.status, shown.families, shown.events, shown.day) == ("new", 2, 2, "2024-05-03")
    assert [(mark.subscription, mark.revision) for mark in shown.alerts] == [(PEACE, 1)]
    detail = reading.story(store, "s")
    assert detail is not None
    assert [t.event_id for t in detail.tellings] == ["e1", "e0"]
    assert reading.story(store, "nothing") is None
    ((update,),) = feed(store, diplomatic(event_id="e3", status="changed", peace="support"), first=3)
    assert (update.alert_id, update.revision) == (alert.alert_id, 2)
    assert [a.revision for a, _, _ in reading.alerts(store, PEACE)] == [2]
    assert everything(store) == ["s", "u"]
    assert [(row.dyad, row.stories) for row in reading.dyads(store)] == [("FRA|ITA", 2)]
    dyad = reading.dyad(store, "FRA|ITA")
    assert ([p.story_id for p in dyad.points], dyad.undated) == (["s"], 1)
    assert dyad.points[0].peace == "support"


def test_a_redo_leaves_the_same_rows_and_gives_the_same_alerts(store: Store) -> None:
    window = [diplomatic(), diplomatic(event_id="e1", status="changed"), diplomatic(story_id="u", event_id="e2")]
    first = feed(store, *window)
    before = reading.page(store, Filter(), None, 200)
    assert feed(store, *window) == first
    assert [len(outcome) for outcome in first] == [1, 1, 1]
    after = reading.page(store, Filter(), None, 200)
    assert after.items == before.items
    # The same events elsewhere on the topic: a replay, of which nobody is told again.
    assert feed(store, *window, partition=1) == [[], [], []]
    assert reading.page(store, Filter(), None, 200).items == before.items


def test_pages_and_changes_miss_nothing(store: Store) -> None:
    feed(store, *(diplomatic(story_id=f"s{n}", event_id=f"e{n}") for n in range(7)))
    seen: list[str] = []
    cursor = None
    while True:
        page = reading.page(store, Filter(), cursor, 3)
        seen += [item.story_id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"s{n}" for n in range(6, -1, -1)]
    last = reading.newest(store)
    assert last == page.last_seq
    feed(store, diplomatic(story_id="s2", event_id="e2b", status="changed"), diplomatic(story_id="s9"), first=7)
    changed = reading.since(store, last, 10)
    assert [c.item.story_id for c in changed] == ["s2", "s9"]
    assert [c.item.story_id for c in reading.since(store, changed[0].item.seq, 10)] == ["s9"]


FILTERS: list[dict[str, Any]] = [
    {},
    {"sides": ["USA"]},
    {"sides": ["ITA", "USA"]},
    {"dyads": ["ITA|FRA"]},
    {"types": ["REJECT"], "claim": ["asserted", "denied"]},
    {"tone": ["neutral"]},
    {"peace": ["none", "oppose"]},
    {"timing": ["background"]},
    {"status": ["changed"]},
    {"min_families": 2},
    {"shifted": True},
    {"text": "Envoy TALKS"},
    {"text": "100% of_it"},
    {"text": "\\"},
    {"text": "100"},
]


def test_the_query_takes_what_the_rule_takes(store: Store) -> None:
    evidence = diplomatic().evidence.model_dump()
    usa = [{"code": "USA", "text": "Washington", "resolved_by": "capital"}]
    feed(
        store,
        diplomatic(story_id="a"),
        diplomatic(story_id="b", actors=usa, dyad="ITA|USA", type="AGREE", tone="neutral", peace="none"),
        diplomatic(story_id="c", claim="denied", evidence=evidence | {"sentence": "Génau 100% of_it"}),
        diplomatic(story_id="d", timing="background", evidence=evidence | {"sentence": "some 1000 Xof it \\ so"}),
        diplomatic(story_id="e"),
        diplomatic(story_id="e", event_id="e9", source="Other", fingerprint="f" * 16, status="changed"),
    )
    changes = reading.since(store, 0, 100)
    sizes = set()
    for given in FILTERS:
        wanted = Filter.model_validate(given)
        expected = {c.item.story_id for c in changes if matches(wanted, c.facts)}
        assert everything_of(store, wanted) == expected, given
        sizes.add(len(expected))
    assert len(sizes) > 3


def everything_of(store: Store, wanted: Filter) -> set[str]:
    return {item.story_id for item in reading.page(store, wanted, None, 100).items}


def test_subscriptions_are_kept_and_presets_come_once(url: str) -> None:
    store = Store(url)
    register.begin(store)
    assert len(register.subscriptions(store)) == 4
    made = register.add(store, SubscriptionIn(name="My Own!", filter=Filter(sides=["FRA"])))
    assert made.id == "my-own"
    assert len(made.secret) >= 16
    with pytest.raises(register.Taken):
        register.add(store, SubscriptionIn(name="my own"))
    changed = register.change(store, "my-own", SubscriptionIn(name="Renamed", enabled=False))
    assert changed is not None
    assert (changed.id, changed.name, changed.enabled, changed.filter) == ("my-own", "Renamed", False, Filter())
    assert register.secret_of(store, "my-own") == made.secret
    register.change(store, "my-own", SubscriptionIn(name="Renamed", secret="s" * 16))
    assert register.secret_of(store, "my-own") == "s" * 16
    assert register.change(store, "nobody", SubscriptionIn(name="x")) is None
    feed(store, diplomatic())
    assert reading.alerts(store, PEACE)
    for one in register.subscriptions(store):
        assert register.remove(store, one.id)
    assert not register.remove(store, PEACE)
    assert reading.alerts(store, PEACE) == []
    store.close()
    again = Store(url)
    register.begin(again)
    assert register.subscriptions(again) == []
    assert everything(again) == ["s"]
    again.close()


def test_tokens_are_hashed_and_replaced(store: Store) -> None:
    token = register.new_token(store, "ann")
    assert register.token_is_known(store, token)
    assert not register.token_is_known(store, token[:-1])
    assert not register.token_is_known(store, "")
    with store.transaction() as connection:
        rows = connection.execute(store.tables.tokens.select()).all()
    assert token not in str(rows)
    other = register.new_token(store, "ann")
    assert not register.token_is_known(store, token)
    assert register.token_is_known(store, other)


def test_two_writers_at_once_give_numbers_in_the_order_of_their_commits(store: Store) -> None:
    def write(name: str) -> None:
        for n in range(10):
            feed(store, diplomatic(story_id=f"{name}{n}", event_id=f"{name}{n}"), first=n)

    writers = [Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while any(w.is_alive() for w in writers) or reading.since(store, max(seen, default=0), 1):
        seen += [c.item.seq for c in reading.since(store, max(seen, default=0), 5)]
    assert len(seen) == 20
    assert len(everything(store)) == 20


def test_a_database_that_cannot_be_opened_is_trouble_and_no_record_is_to_blame(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in (f"sqlite:///{tmp_path}/file/x.sqlite", "nonsense", "postgresql+psycopg://127.0.0.1:1/x", "oracle9://x"):
        with pytest.raises(StoreTrouble):
            Store(url)
