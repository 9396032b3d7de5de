"""Puts the records behind dead letters back on their topic, each once: what was put back stands on the topic `replays`,
written in one transaction with the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.records import Origin, Replay
from services.replay.selection import Return, Selection, read_letter, source_of
from services.runtime.codec import encode
from services.runtime.settings import ConnectionSettings, ServiceSettings
from services.runtime.streams import NoTopic, StreamError, tail, told
from services.runtime.topics import ensure_topics
from services.runtime.transactions import Aborted, Fatal, Fenced, Transactions
from services.runtime.window import ONLY_FOR, Outgoing

DONE_TOPIC = "replays"
CHUNK_RECORDS = 500
CHUNK_BYTES = 8 * 1024 * 1024
Place = tuple[int, int]


@dataclass
class Replayed:
    """What a replay did: records put back, by topic, and dead letters left, by why."""

    replayed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def look(settings: ConnectionSettings, topic: str, selection: Selection, show: Callable[[Return], object]) -> Replayed:
    """What `replay` would do; writes nothing. `show` is called with each record. Raises StreamError."""
    found = Replayed()
    done: set[Place] = set()
    with told(f"cannot look at {topic}"), suppress(NoTopic):
        done = _done(settings, topic)
    for item in _chosen(settings, topic, selection, done, found):
        show(item)
        found.replayed[_source(topic)] += 1
    return found


def replay(settings: ConnectionSettings, topic: str, selection: Selection) -> Replayed:
    """Puts the chosen records back onto the topic they came from, for the stage alone that could not handle them.

    A letter that was replayed is not replayed again, unless the selection says so. Only letters that are there at the
    start are looked at. One replay runs at a time: a second one ends the first. Raises StreamError; what was put back
    by then stays so, and the next replay goes on with the rest.
    """
    done = Replayed()
    with told(f"the replay of {topic} stopped"):
        ensure_topics(settings)
        service = ServiceSettings.model_validate(settings.model_dump())
        # Opened before the marks are read: it ends what a former replay has under way, so that all marks are there.
        with closing(Transactions(service, f"{settings.group_prefix}replay")) as transactions:
            for chunk in _chunks(_chosen(settings, topic, selection, _done(settings, topic), done)):
                _put_back(settings, topic, chunk, transactions)
                done.replayed[_source(topic)] += len(chunk)
    return done


def _put_back(settings: ConnectionSettings, topic: str, chunk: list[Return], transactions: Transactions) -> None:
    target, marks = settings.topic_prefix + _source(topic), settings.topic_prefix + DONE_TOPIC
    now = datetime.now(UTC)
    outgoing: list[Outgoing] = []
    for item in chunk:
        headers = ((ONLY_FOR, item.letter.stage.encode()),)
        # Without a key a record may belong to its partition all the same.
        partition = item.letter.origin.partition if item.key is None else None
        outgoing.append(Outgoing(target, item.key, item.value, partition, headers))
        mark = Replay(topic=topic, letter=item.place, replayed_at=now)
        outgoing.append(Outgoing(marks, topic.encode(), encode(mark)))
    try:
        transactions.commit(outgoing)
    except Fenced as error:
        raise StreamError(f"the replay of {topic} stopped: another one was started") from error
    except (Aborted, Fatal) as error:
        raise StreamError(f"the replay of {topic} stopped: {error}") from error


def _source(topic: str) -> str:
    try:
        return source_of(topic)
    except ValueError as error:
        raise StreamError(str(error)) from error


def _done(settings: ConnectionSettings, topic: str) -> set[Place]:
    """Partition and offset of the letters of `topic` that were replayed."""
    marks = (Replay.model_validate_json(r.value or b"") for r in tail(settings, DONE_TOPIC))
    return {(mark.letter.partition, mark.letter.offset) for mark in marks if mark.topic == topic}


def _chosen(
    settings: ConnectionSettings, topic: str, selection: Selection, done: set[Place], counted: Replayed
) -> Iterator[Return]:
    """The records to put back; the letters that are left are counted."""
    source = _source(topic)
    for record in tail(settings, topic):
        place: Origin = record.origin
        item = read_letter(record.value, place, source, settings.max_produce_bytes * 2)
        why = item if isinstance(item, str) else selection.passes_over(item.letter, place)
        if why is None and not selection.again and (place.partition, place.offset) in done:
            why = "replayed before"
        if why is not None:
            counted.left[why] += 1
        elif not isinstance(item, str):
            yield item


def _chunks(items: Iterator[Return]) -> Iterator[list[Return]]:
    chunk: list[Return] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += len(item.value)
        if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
