"""Records that a service writes beside its loop: of work that it does in its own time, such as webhook calls."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.records import Versioned
from schemas.topics import input_topic, topics
from services.runtime import clients
from services.runtime.codec import encode, key_of
from services.runtime.settings import ConnectionSettings

FLUSH_SECONDS = 30.0
CLOSE_SECONDS = 2.0


class LetterTrouble(OSError):
    """The broker did not take the records; some may be written all the same."""


def dead_letters_of(service: str) -> str:
    """The topic for dead letters of a service's input; ValueError when there is none."""
    name = topics()[input_topic(service)].dead_letters
    if name is None:
        raise ValueError(f"{input_topic(service)} has no topic for dead letters")
    return name


class LetterBox:
    """Writes to one topic, named as in topics.yaml. Used by one thread, and closed when that is done."""

    def __init__(self, topic: str, settings: ConnectionSettings) -> None:
        self._topic, self._key, self._settings = settings.topic_prefix + topic, topics()[topic].key, settings
        self._producer: KafkaProducer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def write(self, letters: Sequence[Versioned]) -> None:
        """Returns when the broker has them all. LetterTrouble: write them again later."""
        try:
            # Not opened before there is something to tell: most desks never have anything.
            self._producer = self._producer or clients.producer(self._settings)
            sent = [
                self._producer.send(self._topic, encode(letter), key=key_of(letter, self._key)) for letter in letters
            ]
            self._producer.flush(timeout=FLUSH_SECONDS)
            failed = next((one.exception for one in sent if not one.succeeded()), None)
        except KafkaError as error:
            failed = error
        if failed is not None:
            self._drop()
            raise LetterTrouble(f"not written to {self._topic}: {failed}")

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=CLOSE_SECONDS)
