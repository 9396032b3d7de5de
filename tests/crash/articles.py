"""The stream of a crash test: articles that come in several versions, and records that nobody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.records import RawArticle
from services.runtime.codec import encode

FIRST = datetime(2024, 5, 9, tzinfo=UTC)
DIFFERENT = 60
"""Articles by what they say; the stream repeats them."""
IDS = 20
BAD_EVERY = 12
BAD_TOPICS = ("articles.raw", "articles.clean", "events.extracted", "events.resolved")
BAD_VALUE = b'{"text": "never ends'
PEOPLE = ("Foreign Minister Ana Duarte", "President Tomas Berg", "Prime Minister Leila Haddad", "Envoy Piet Visser")
PAIRS = (
    ("France", "Algeria"),
    ("Japan", "Peru"),
    ("Kenya", "Somalia"),
    ("Greece", "Turkey"),
    ("Chile", "Bolivia"),
    ("India", "Nepal"),
    ("Egypt", "Sudan"),
    ("Poland", "Belarus"),
)
SENTENCES = (
    "{who} of {one} met the delegation of {two} on Tuesday.",
    "{one} accused {two} of shelling a village near the border.",
    "{two} rejected a proposal of {one} for a ceasefire.",
    "{one} imposed sanctions on {two}.",
    "{one} signed an agreement on water with {two}.",
)


def mark(place: int) -> str:
    """The `ingested_at` of that place as it stands in records; every stage hands it on, so it tells places apart."""
    return f"{FIRST + timedelta(seconds=place):%Y-%m-%dT%H:%M:%SZ}"


def article(place: int) -> RawArticle:
    """The article of that place in the stream: every IDS places another version of the same one."""
    number = place % DIFFERENT
    one, two = PAIRS[number * 3 % len(PAIRS)]
    told = [SENTENCES[(number + n) % len(SENTENCES)] for n in range(1 + number % 3)]
    text = " ".join(sentence.format(who=PEOPLE[number % len(PEOPLE)], one=one, two=two) for sentence in told)
    return RawArticle(
        article_id=f"story-{number % IDS}",
        title="",
        text=f"{text} The market in the old town opened at {1 + number % 11} o'clock.",
        published_at="2024-05-09",
        source="Example Wire",
        url=f"https://wire.example/story-{number % IDS}",
        ingested_at=FIRST + timedelta(seconds=place),
    )


def records(place: int) -> list[tuple[str, bytes, bytes]]:
    """What the stream has at that place: topic, key, value of the article, and of bad records now and then."""
    made = article(place)
    good = ("articles.raw", made.article_id.encode(), encode(made))
    bad = [(topic, f"bad-{place}".encode(), BAD_VALUE) for topic in BAD_TOPICS if place % BAD_EVERY == BAD_EVERY - 1]
    return [good, *bad]
