"""From what a service tells of itself to rates and shares. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

STEPS = ("decode", "tokenize", "infer", "decode_pairs", "encode", "commit")
REST = "poll, records and the rest"


@dataclass(frozen=True)
class Scrape:
    """What /metrics said at a time (Unix seconds): (name, labels) → value."""

    at: float
    values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]

    def total(self, name: str, /, **labels: str) -> float:
        """The sum of the samples of that name that have these labels, whatever others they have."""
        wanted = labels.items()
        return sum(value for (n, has), value in self.values.items() if n == name and wanted <= dict(has).items())

    def step(self, name: str) -> float:
        """Seconds spent in a step since the service started."""
        return self.total("demarche_stage_duration_seconds_sum", stage=name)

    @property
    def consumed(self) -> float:
        """Records committed as read."""
        return self.total("demarche_records_consumed_total")

    @property
    def committed_at(self) -> float:
        """Unix seconds of the last commit; 0 before the first."""
        return self.total("demarche_last_commit_timestamp_seconds")

    @property
    def observations(self) -> float:
        """How many durations and sizes were noted in histograms."""
        return sum(value for (name, _), value in self.values.items() if name.endswith("_count"))


def scrape(text: str, at: float) -> Scrape:
    """Reads the text of /metrics."""
    samples = (s for family in text_string_to_metric_families(text) for s in family.samples)  # type: ignore[no-untyped-call]
    return Scrape(at, {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples})


def pace(scrapes: Sequence[Scrape]) -> float:
    """Records a second between the first commit of records seen and the last one; 0 when there were not two.

    Between commits, not between looks: so it is exact however seldom one looks, while there is always work. What a
    service does before its first commit, such as loading tables, does not count.
    """
    first = next((s for s in scrapes if s.consumed > 0), None)
    if first is None or scrapes[-1].committed_at <= first.committed_at:
        return 0.0
    return (scrapes[-1].consumed - first.consumed) / (scrapes[-1].committed_at - first.committed_at)


def shares(scrapes: Sequence[Scrape], steps: Iterable[str] = STEPS) -> dict[str, float]:
    """Parts of the time between the first and the last look that each step took, and what is left of it.

    The service must have been at work all that time: give only the looks before it was done.
    """
    first, last = scrapes[0], scrapes[-1]
    wall = last.at - first.at
    if wall <= 0:
        return {}
    spent = {name: (last.step(name) - first.step(name)) / wall for name in steps}
    return spent | {REST: 1 - sum(spent.values())}


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not pass (nearest rank); nan without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


@dataclass(frozen=True)
class Load:
    """What an article of the line costs a service, and articles a second of the service alone (None: not known)."""

    service: str
    cpu_seconds: float
    alone: float | None


def next_bottleneck(loads: Sequence[Load], first: str = "classify") -> Load | None:
    """The slowest service besides `first`; None when no rate is known."""
    known = [load for load in loads if load.service != first and load.alone]
    return min(known, key=lambda load: load.alone or math.inf, default=None)
