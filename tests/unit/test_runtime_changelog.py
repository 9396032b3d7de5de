from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from schemas.records import EarlierStance
from schemas.state import TrackState
from services.runtime.changelog import BrokenState, Changelog
from services.runtime.codec import encode
from services.runtime.settings import ServiceSettings
from services.stage import StateChange


class Kept:
    """State that only remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.changed: list[StateChange] = []

    def restore(self, partition: int, key: str, value: object) -> None:
        self.told.append(("restore", partition, key, value))

    def forget(self, partition: int) -> None:
        self.told.append(("forget", partition))

    def take_changes(self) -> list[StateChange]:
        changed, self.changed = self.changed, []
        return changed


def record(key: str, quote: str = "no") -> TrackState:
    stance = EarlierStance(peace="oppose", event_id="e", article_id="a", quote=quote, source="s", date=None)
    return TrackState(key=key, dyad="FRA|ITA", actor="FRA", stance=stance)


class OnShelf(Changelog):
    """A changelog whose topic is a dict."""

    shelf: dict[int, list[tuple[str, bytes | None]]]

    def _records(self, partition: int, beat: Callable[[], None]) -> Iterator[tuple[str, bytes | None]]:
        beat()
        yield from self.shelf.get(partition, [])


def made() -> tuple[OnShelf, Kept]:
    state = Kept()
    changelog = OnShelf("track", ServiceSettings(topic_prefix="x."), state)
    changelog.shelf = {0: [("a", encode(record("a"))), ("b", None)], 1: [("c", encode(record("c")))]}
    return changelog, state


def test_partitions_that_come_are_restored_once() -> None:
    changelog, state = made()
    beats: list[int] = []
    assert changelog.follow(7, {0}, lambda: beats.append(1)) == 2
    assert state.told == [("forget", 0), ("restore", 0, "a", record("a")), ("restore", 0, "b", None)]
    assert beats
    assert changelog.follow(7, {0}, lambda: None) == 0
    assert changelog.follow(7, {0, 1}, lambda: None) == 1
    assert ("restore", 1, "c", record("c")) in state.told


def test_partitions_that_go_are_forgotten_and_another_generation_reads_anew() -> None:
    changelog, state = made()
    changelog.follow(7, {0, 1}, lambda: None)
    state.told.clear()
    assert changelog.follow(7, {1}, lambda: None) == 0
    assert state.told == [("forget", 0)]
    assert changelog.follow(8, {1}, lambda: None) == 1, "another may have had it in between"


def test_after_an_abort_changes_are_gone_and_the_state_is_read_anew() -> None:
    changelog, state = made()
    changelog.follow(7, {0}, lambda: None)
    state.changed = [StateChange(0, "a", record("a"))]
    changelog.drop({0})
    assert changelog.outgoing() == []
    assert changelog.follow(7, {0}, lambda: None) == 2


def test_the_last_change_of_a_key_goes_out_to_the_partition_of_its_input() -> None:
    changelog, state = made()
    state.changed = [
        StateChange(2, "a", record("a", "first")),
        StateChange(2, "b", None),
        StateChange(2, "a", record("a", "second")),
        StateChange(1, "a", record("a", "elsewhere")),
    ]
    out = {(o.partition, o.key): o for o in changelog.outgoing()}
    assert {o.topic for o in out.values()} == {"x.track.state"}
    assert out[2, b"a"].value == encode(record("a", "second"))
    assert out[2, b"b"].value is None
    assert out[1, b"a"].value == encode(record("a", "elsewhere"))
    assert len(out) == 3


def test_a_record_that_is_no_state_ends_the_service() -> None:
    changelog, _ = made()
    changelog.shelf[0].append(("story:x", b"{"))
    with pytest.raises(BrokenState, match=r"x\.track\.state 0 'story:x': invalid_json"):
        changelog.follow(7, {0}, lambda: None)


def test_a_service_without_a_changelog_cannot_keep_state() -> None:
    with pytest.raises(ValueError, match="resolve keeps state"):
        Changelog("resolve", ServiceSettings(), Kept())
