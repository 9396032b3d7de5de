"""Writing articles onto the topics that the line begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Self

from kafka.errors import KafkaError, MessageSizeTooLargeError

from schemas.records import RawArticle
from services.ids import article_id
from services.runtime import clients
from services.runtime.codec import encode
from services.runtime.settings import ConnectionSettings

RAW_TOPIC = "articles.raw"
CHUNK = 500
WAIT_SECONDS = 30.0
CLOSE_SECONDS = 5.0


class StreamError(RuntimeError):
    """Kafka did not do what was asked; the message is for people."""


class ArticleWriter:
    """An open producer for `topic` (its name in topics.yaml); safe to share between threads."""

    def __init__(self, settings: ConnectionSettings, topic: str = RAW_TOPIC) -> None:
        """Connects. StreamError when no broker answers."""
        self._topic = settings.topic_prefix + topic
        try:
            self._producer = clients.producer(settings)
        except KafkaError as error:
            raise StreamError(f"cannot write to {self._topic}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close(timeout=CLOSE_SECONDS)

    def write(self, articles: Iterable[RawArticle]) -> list[str]:
        """Sends each at once, keyed by its id, and waits until the broker has all; their ids in order.

        StreamError when one was not taken: those before it may have been, and come again under the same ids.
        """
        try:
            sent = [self._send(article) for article in articles]
            for _, future in sent:
                future.get(timeout=WAIT_SECONDS)
        except KafkaError as error:
            raise StreamError(f"cannot write to {self._topic}: {error}") from error
        return [key for key, _ in sent]

    def _send(self, article: RawArticle) -> tuple[str, Any]:
        key = article_id(article)
        try:
            return key, self._producer.send(self._topic, value=encode(article), key=key.encode())
        except MessageSizeTooLargeError as error:
            raise StreamError(f"article {key} is larger than {self._topic} takes: {error}") from error


def write_all(writer: ArticleWriter, articles: Iterable[RawArticle], written: Callable[[int], None]) -> int:
    """Writes articles, maybe endlessly many, in chunks; `written` hears the count after each; how many in all.

    `articles` has given exactly the articles of a chunk when `written` is called.
    """
    waiting = iter(articles)
    count = 0
    while ids := writer.write(islice(waiting, CHUNK)):
        count += len(ids)
        written(count)
    return count
