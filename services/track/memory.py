"""The open stories and last stances of one partition, found by dyad, article and event, and what changed in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import blake2b

from schemas.records import EarlierStance
from schemas.state import TrackState
from services.ids import canonical_url
from services.track.stance import follows
from services.track.story import Member, Story, from_record, ordinal, to_record

ArticleKey = str | int
STORY = "story:"
STANCE = "stance:"


class Memory:
    """State of one partition. `clock` is the latest publication day seen, a proleptic ordinal; no wall clock is read.

    Whatever is put or dropped is noted until `take_changes`.
    """

    def __init__(self) -> None:
        self.clock: int | None = None
        self._swept: int | None = None
        self._stories: dict[str, Story] = {}
        self._by_dyad: dict[str, list[str]] = defaultdict(list)
        # Most articles have one story on a partition: a tuple of one is half the size of a list.
        self._by_article: dict[ArticleKey, tuple[str, ...]] = {}
        self._stances: dict[tuple[str, str], EarlierStance] = {}
        self._changed: dict[str, TrackState | None] = {}

    def __len__(self) -> int:
        return len(self._stories)

    def of_dyad(self, dyad: str) -> Iterator[Story]:
        """Its open stories, in no order that a restored state would keep."""
        return (self._stories[story_id] for story_id in self._by_dyad.get(dyad, ()))

    def of_article(self, article_id: str, url: str | None) -> list[tuple[Story, Member]]:
        """The reports of the article, by its id or its address."""
        return self._reports(article_keys(article_id, url))

    def at_address(self, url: str) -> list[tuple[Story, Member]]:
        """The reports of articles at that address."""
        return self._reports((_address_key(url),))

    def _reports(self, keys: tuple[ArticleKey, ...]) -> list[tuple[Story, Member]]:
        # Sorted, since stories restored from a compacted topic come in another order than they were opened.
        found = sorted({story_id for key in keys for story_id in self._by_article.get(key, ())})
        return [
            (story, member)
            for story in (self._stories[story_id] for story_id in found)
            for member in story.members
            if set(keys) & set(article_keys(member.article_id, member.url))
        ]

    def story(self, story_id: str) -> Story:
        """The open story of that id; KeyError when there is none."""
        return self._stories[story_id]

    def put(self, story: Story) -> None:
        """Keeps a story, in the place of its former self."""
        self._keep(story)
        self._changed[STORY + story.story_id] = TrackState(
            key=STORY + story.story_id, dyad=story.dyad, story=to_record(story)
        )

    def stance(self, dyad: str, actor: str) -> EarlierStance | None:
        """The actor's last stance in the dyad."""
        return self._stances.get((dyad, actor))

    def put_stance(self, dyad: str, actor: str, stance: EarlierStance) -> None:
        """Keeps a stance as the last, unless the one kept is later."""
        last = self._stances.get((dyad, actor))
        if last is None or follows(stance, last):
            self._stances[dyad, actor] = stance
            key = f"{STANCE}{dyad}:{actor}"
            self._changed[key] = TrackState(key=key, dyad=dyad, actor=actor, stance=stance)

    def tick(self, published: date | None, window: int, stance_window: int) -> None:
        """Moves the clock to a publication day, never back, and drops what has left the windows (days)."""
        number = ordinal(published)
        if number is not None and (self.clock is None or number > self.clock):
            self.clock = number
        if self.clock is not None and self._swept != self.clock:
            self._swept = self.clock
            self._sweep(self.clock - window, self.clock - stance_window)

    def restore(self, key: str, value: TrackState | None) -> None:
        """Takes a record of the state's topic; the last one of a key holds, None drops it."""
        if key.startswith(STANCE):
            dyad, actor = key.removeprefix(STANCE).rsplit(":", 1)
            self._stances.pop((dyad, actor), None)
            if value is not None and value.stance is not None:
                self._stances[dyad, actor] = value.stance
        elif value is None or value.story is None:
            self._forget(key.removeprefix(STORY))
        else:
            story = from_record(value.dyad, value.story)
            self._keep(story)
            seen = [n for n in (self.clock, story.touched) if n is not None]
            self.clock = self._swept = max(seen, default=None)

    def take_changes(self) -> dict[str, TrackState | None]:
        """What was put (a record) or dropped (None) since the last call, by key."""
        changed, self._changed = self._changed, {}
        return changed

    def _keep(self, story: Story) -> None:
        former = self._stories.get(story.story_id)
        if former is not None and former.dyad != story.dyad:
            self._forget(former.story_id)  # The same article put through again, now with other sides.
            former = None
        if former is None:
            self._by_dyad[story.dyad].append(story.story_id)
        self._stories[story.story_id] = story
        old = _keys(former.members) if former else {}
        new = _keys(story.members)
        for key in new:
            if key not in old:
                self._by_article[key] = (*self._by_article.get(key, ()), story.story_id)
        for key in old:
            if key not in new:
                self._unlink(key, story.story_id)

    def _forget(self, story_id: str) -> None:
        story = self._stories.pop(story_id, None)
        if story is not None:
            self._by_dyad[story.dyad].remove(story_id)
            if not self._by_dyad[story.dyad]:
                del self._by_dyad[story.dyad]
            for key in _keys(story.members):
                self._unlink(key, story_id)

    def _unlink(self, key: ArticleKey, story_id: str) -> None:
        left = tuple(other for other in self._by_article.get(key, ()) if other != story_id)
        if left:
            self._by_article[key] = left
        else:
            self._by_article.pop(key, None)

    def _sweep(self, oldest: int, oldest_stance: int) -> None:
        gone = [s.story_id for s in self._stories.values() if s.touched is not None and s.touched < oldest]
        for story_id in gone:
            self._forget(story_id)
            self._changed[STORY + story_id] = None
        limit = date.fromordinal(max(1, oldest_stance)).isoformat()
        for dyad, actor in [key for key, s in self._stances.items() if s.date is not None and s.date < limit]:
            del self._stances[dyad, actor]
            self._changed[f"{STANCE}{dyad}:{actor}"] = None


def article_keys(article_id: str, url: str | None) -> tuple[ArticleKey, ...]:
    """Names under which an article is known: its id, and 64 bits of its canonical address."""
    return (article_id, _address_key(url)) if url else (article_id,)


def _address_key(url: str) -> int:
    address = canonical_url(url).encode("utf-8", "backslashreplace")
    return int.from_bytes(blake2b(address, digest_size=8).digest())


def _keys(members: Iterable[Member]) -> dict[ArticleKey, None]:
    return dict.fromkeys(key for m in members for key in article_keys(m.article_id, m.url))
