"""What must hold after a crash schedule. Pure: records that were read in, what is wrong with them out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.topics import topics
from tests.crash.reader import Place, Seen, Snapshot

Trace = Callable[[dict[str, Any]], Hashable]


@dataclass(frozen=True)
class Stage:
    """A stage's topics, and how to tell from a record which input it is or comes from. `many`: an input may have any
    number of outputs, told apart by their event_id; else it has one. `ends`: on how many partitions an end stands
    behind them."""

    service: str
    source: str
    target: str
    of_input: Trace
    of_output: Trace
    many: bool = False
    ends: int = 0


def _own(record: dict[str, Any]) -> Hashable:
    return record.get("ingested_at")


def _articles(record: dict[str, Any]) -> Hashable:
    return record["article"]["ingested_at"] if "article" in record else None


def _event(record: dict[str, Any]) -> Hashable:
    return (record["ingested_at"], record["event_id"]) if "event_id" in record else None


PARTITIONS = topics()["events.resolved"].partitions
STAGES = (
    Stage("normalize", "articles.raw", "articles.clean", _own, _own),
    Stage("classify", "articles.clean", "events.extracted", _own, _articles),
    Stage("resolve", "events.extracted", "events.resolved", _articles, _own, many=True, ends=PARTITIONS),
    Stage("track", "events.resolved", "events.diplomatic", _event, _event),
)


def _is_end(record: Mapping[str, Any] | None) -> bool:
    """Whether it is the end of an article's events, which every partition of events.resolved has once a version."""
    return record is not None and record.get("kind") == "article_end"


@dataclass
class Findings:
    """What is wrong, each a line for people."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    blamed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Every finding with its kind."""
        return [f"{kind}: {line}" for kind, lines in vars(self).items() for line in lines]

    def add(self, other: Findings) -> None:
        """Takes over another's findings."""
        for kind, lines in vars(other).items():
            getattr(self, kind).extend(lines)


def told(records: Iterable[Seen]) -> list[Seen]:
    """Without withdrawals, which follow from other versions of an article and so from the order of arrival."""
    return [r for r in records if r.value is not None and r.value.get("status") != "withdrawn"]


def events_by_article(records: Iterable[Seen]) -> dict[Hashable, Counter[str]]:
    """By article version its event ids, each as often as it was written."""
    found: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for record in told(records):
        assert record.value is not None
        if not _is_end(record.value):
            found[_own(record.value)][record.value["event_id"]] += 1
    return found


def check_stage(
    stage: Stage,
    records: Mapping[str, Sequence[Seen]],
    expected: Mapping[Hashable, Counter[str]],
    snapshots: Sequence[Snapshot],
) -> Findings:
    """Every input offset has its one outcome, in order, and none was committed before it was written.

    `records` has those of source, target and source.dlq; `expected` the event ids of an undisturbed run.
    """
    findings = Findings()
    outputs: dict[Hashable, list[Seen]] = defaultdict(list)
    for out in told(records[stage.target]):
        assert out.value is not None
        outputs[stage.of_output(out.value)].append(out)
    outputs.pop(None, None)  # Bad records that the stream itself has on this topic.
    letters: dict[tuple[int, int], list[Seen]] = defaultdict(list)
    for letter in records[f"{stage.source}.dlq"]:
        assert letter.value is not None
        if letter.value["stage"] == stage.service:
            letters[letter.value["origin"]["partition"], letter.value["origin"]["offset"]].append(letter)

    sources: dict[Hashable, Seen] = {}
    for record in records[stage.source]:
        place = f"{stage.service} {record.partition}@{record.offset}"
        if _is_end(record.value):
            dead = letters.pop((record.partition, record.offset), [])
            findings.blamed += [f"{place}: {d.value and d.value['reason']}" for d in dead]
            continue
        trace = stage.of_input(record.value) if record.value is not None else None
        dead = letters.pop((record.partition, record.offset), [])
        made = outputs.get(trace, []) if trace is not None else []
        if trace is None or dead:
            _count(findings, place, len(dead) + len(made), 1)
            if trace is not None:
                findings.blamed.append(f"{place}: {[d.value and d.value['reason'] for d in dead]}")
        elif stage.many:
            due = expected.get(trace, Counter()) + Counter(f"end on {n}" for n in range(stage.ends))
            _compare(findings, place, Counter(_id(o) for o in made), due)
        else:
            _count(findings, place, len(made), 1)
        if trace is not None:
            sources[trace] = record
        findings.ahead.extend(_ahead(stage, record, [*made, *dead], snapshots))
    findings.foreign += [f"{stage.service}: {trace}" for trace in outputs.keys() - sources.keys()]
    findings.foreign += [f"{stage.service}: a dead letter of {place}" for place in letters]
    findings.disordered += _disorder(stage, records[stage.target], sources)
    return findings


def _id(record: Seen) -> str:
    return f"end on {record.partition}" if _is_end(record.value) else str((record.value or {})["event_id"])


def _count(findings: Findings, place: str, have: int, due: int) -> None:
    if have < due:
        findings.lost.append(f"{place}: no outcome")
    elif have > due:
        findings.doubled.append(f"{place}: {have} outcomes")


def _compare(findings: Findings, place: str, have: Counter[str], due: Counter[str]) -> None:
    findings.lost += [f"{place}: event {name}" for name in (due - have)]
    findings.doubled += [f"{place}: event {name}" for name in (have - due)]


def _ahead(stage: Stage, record: Seen, outcomes: Sequence[Seen], snapshots: Sequence[Snapshot]) -> list[str]:
    """Snapshots in which the input was committed and an outcome of it did not yet stand in its log."""
    found = []
    for number, snapshot in enumerate(snapshots):
        if record.offset < snapshot.committed.get((stage.service, record.partition), 0):
            for out in outcomes:
                place: Place = (out.topic, out.partition)
                if out.offset >= snapshot.ends[place]:
                    where = f"{record.partition}@{record.offset}"
                    found.append(f"{stage.service} {where} at look {number}: {place}@{out.offset} was not there")
    return found


def _disorder(stage: Stage, written: Sequence[Seen], sources: Mapping[Hashable, Seen]) -> list[str]:
    """Outputs of one key in another order than their inputs of one partition, or events behind their end."""
    found, latest, ended = [], {}, set()
    for out in told(written):
        assert out.value is not None
        source = sources.get(stage.of_output(out.value))
        if source is None:
            continue
        version = (out.partition, stage.of_output(out.value))
        if _is_end(out.value):
            ended.add(version)
        elif version in ended:
            found.append(f"{stage.service} {out.key!r}: {out.partition}@{out.offset} comes behind its article's end")
        chain = (out.partition, out.key, source.partition)
        if source.offset < latest.get(chain, -1):
            found.append(f"{stage.service} {out.key!r}: {out.partition}@{out.offset} comes late")
        latest[chain] = max(source.offset, latest.get(chain, -1))
    return found


def check_events(records: Iterable[Seen], expected: Mapping[Hashable, Counter[str]]) -> Findings:
    """The set and count of event ids is that of an undisturbed run over the same articles."""
    findings = Findings()
    found = events_by_article(records)
    for mark, ids in expected.items():
        _compare(findings, f"events of {mark}", found.pop(mark, Counter()), ids)
    findings.foreign += [f"events of {mark}, which was not sent" for mark in found]
    return findings
