"""Score the identity of stories: `python -m training.stories` prints pairwise precision and recall.

training/checks/stories.jsonl holds groups of reports of one event, written for this project, several wordings each, and
beside each group others that are easily taken for it: same two sides, same week. Days and places are what
services/resolve reads out of the words; sides and types are given, so that the figures tell of the identity alone.
Weights, threshold and the table of terms were set on the even-numbered cases; of the odd ones only the figures were
looked at. One person wrote both halves and the table, so the wires' own wordings may fare worse.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from schemas.codebook import CAMEO, PLOVER_INTENSITY, QUAD
from schemas.records import Evidence, ModelInfo, Origin, ResolvedEvent, Side
from services.normalize.fingerprint import simhash
from services.resolve.dates import date_event
from services.resolve.places import place_event
from services.stage import Input, Reject
from services.track.transform import Tracker

STORIES = Path(__file__).parent / "checks" / "stories.jsonl"
READ_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Report:
    """One wording: the event, and the case and group it belongs to."""

    case: int
    group: int
    event: ResolvedEvent


@dataclass(frozen=True)
class Score:
    """Pairs of reports that are of one group and were put into one story (`hits`), put together and to be together."""

    hits: int
    together: int
    wanted: int

    @property
    def precision(self) -> float:
        """Of the pairs put together those of one group."""
        return self.hits / self.together if self.together else 0.0

    @property
    def recall(self) -> float:
        """Of the pairs of one group those put together."""
        return self.hits / self.wanted if self.wanted else 0.0


def read_reports(path: Path = STORIES) -> list[Report]:
    """All reports as events, in the order of their publication; of one day in the order of the file."""
    groups = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    reports = [
        Report(group["case"], group["group"], _event(group, number, report))
        for group in groups
        for number, report in enumerate(group["reports"])
    ]
    return sorted(reports, key=lambda r: r.event.published_at or date.min)


def assign(reports: Sequence[Report]) -> list[str]:
    """The story that track gives each report."""
    tracker = Tracker()
    stories = []
    for offset, report in enumerate(reports):
        [outcome] = tracker.track([Input(report.event, Origin(topic="t", partition=0, offset=offset), READ_AT)])
        if isinstance(outcome, Reject):
            raise ValueError(outcome.detail)
        stories.append(outcome[0].story_id)
    return stories


def score(reports: Sequence[Report], stories: Sequence[str]) -> Score:
    """Over all pairs of reports."""
    hits = together = wanted = 0
    for (one, first), (other, second) in combinations(zip(reports, stories, strict=True), 2):
        hits += first == second and one.group == other.group
        together += first == second
        wanted += one.group == other.group
    return Score(hits, together, wanted)


def halves(reports: Sequence[Report]) -> dict[str, list[Report]]:
    """The cases on which the weights were set, and those held out."""
    return {
        "set on": [r for r in reports if r.case % 2 == 0],
        "held out": [r for r in reports if r.case % 2],
    }


def _event(group: dict[str, Any], number: int, report: dict[str, Any]) -> ResolvedEvent:
    text, kind = report["text"], report["type"]
    published = date.fromisoformat(report["published"])
    actor, recipient = _side(group, "actor", text), _side(group, "recipient", text)
    name = f"group-{group['group']}-{number}"
    return ResolvedEvent(
        event_id=name,
        article_id=name,
        dyad="|".join(sorted((actor.code, recipient.code))),
        type=kind,
        actors=[actor],
        recipients=[recipient],
        claim=report["claim"],
        timing="new",
        tone="neutral",
        peace="none",
        when=date_event(text, 0, len(text), published, ahead=report["claim"] == "planned"),
        where=place_event(text),
        attribution=[],
        evidence=Evidence(quote=text, start=0, end=len(text), sentence=text, sentence_start=0, part="body"),
        cameo=CAMEO[kind][0],
        quad=QUAD[kind],
        goldstein=CAMEO[kind][1],
        plover_intensity=PLOVER_INTENSITY[kind],
        score=1.0,
        model=ModelInfo(name="none", version="0", sha256="0"),
        pipeline_version="0",
        source=f"Outlet {number}",
        url=None,
        title="",
        language="en",
        fingerprint=simhash(text),
        published_at=published,
        published_at_reason=None,
    )


def _side(group: dict[str, Any], role: str, text: str) -> Side:
    """The side with those of its words that the report has, as a reader of sides would mark them."""
    code = group[role]
    words = [word for word in group["sides"][code] if re.search(rf"\b{re.escape(word)}", text)]
    return Side(code=code, text=" ".join(words), resolved_by="given")


def _misses(reports: Sequence[Report], stories: Sequence[str]) -> Iterable[str]:
    for (one, first), (other, second) in combinations(zip(reports, stories, strict=True), 2):
        if (first == second) != (one.group == other.group):
            kind = "wrongly one story" if first == second else "wrongly two stories"
            yield f"{kind}:\n  {one.event.evidence.quote}\n  {other.event.evidence.quote}"


def main() -> int:
    """Print the figures; with --misses also every pair that went wrong."""
    everything = read_reports()
    for name, reports in {**halves(everything), "all": everything}.items():
        stories = assign(reports)
        found = score(reports, stories)
        groups = len({r.group for r in reports})
        print(
            f"{name:9} {groups} groups, {len(reports)} reports: "
            f"pairwise precision {found.precision:.3f}, recall {found.recall:.3f}"
        )
        if "--misses" in sys.argv[1:] and name != "all":
            print(*_misses(reports, stories), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
