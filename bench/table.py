"""The figures of all benchmarks as Markdown tables and as a picture. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.chart import Bars, Lines, Panel, Stack

Figures = Mapping[str, Any]
"""What one benchmark wrote."""


def markdown(found: Mapping[str, Figures]) -> str:
    """One document with a section for each benchmark that has figures; `found` is by the benchmark's name."""
    sections = {
        "stage": ("The classify service and the bare encoder", _stage),
        "peers": ("Other ways to run the encoder", _peers),
        "line": ("The whole line", _line),
        "scale": ("Cores and lengths", _scale),
        "track": ("State of track", _track),
        "footprint": ("Memory and start", _footprint),
        "desk_readers": ("Readers of the desk's stream", _desk_readers),
    }
    out = ["# Figures", "", "Written by `make bench`. Ratios are of things run in turn in one run.", ""]
    for name, (title, tables) in sections.items():
        if name in found:
            out += [f"## {title}", "", _machine(found[name]), "", *tables(found[name]), ""]
    return "\n".join(out).rstrip() + "\n"


def panels(found: Mapping[str, Figures]) -> list[Panel]:
    """What of the figures is drawn."""
    out: list[Panel] = []
    if stage := found.get("stage"):
        ratio = {"bare int8 encoder": 1.0, "classify service, exactly once": stage["ratio"]}
        out.append(Bars("Classify service to bare encoder, sentences a second", ratio, goal=0.9))
        out.append(Stack("Time of the classify service by step", stage["shares"]))
    if peers := found.get("peers"):
        values = {row["way"]: row.get("missing", row.get("to_first_peer")) for row in peers["rows"]}
        out.append(Bars("Sentences a second, as multiples of the transformers pipeline", values, "×", goal=6))
    if line := found.get("line"):
        alone = {row["service"]: row["alone_to_line"] or "too little work to tell" for row in line["loads"]}
        out.append(Bars("Highest rate of each service alone, to the rate of the whole line", alone, "×", goal=1))
        late = {
            f"{topic}, {row['share']:.0%} of the rate": row[topic]["p95"]
            for topic in ("events.diplomatic", "alerts")
            for row in line["paced"]
            if row[topic]["records"]
        }
        out.append(Bars("From due to seen: p95 in seconds", late, " s", goal=1))
    if scale := found.get("scale"):
        cores = {row["setup"]: row["to_one"] for row in scale["processes"]}
        out.append(Bars("Classify on two cores, articles a second to those on one", cores, "×", goal=1.8))
        long = [(row["words"], row["ms_per_word"]) for row in scale["by_length"]]
        out.append(Lines("Milliseconds per word by the length of an article", "words", {"all stages": long}))
    if track := found.get("track"):
        lines: dict[str, list[tuple[float, float]]] = {}
        for row in track["rows"]:
            name = "one report a story" if row["reports_at_most"] == 1 else f"up to {row['reports_at_most']} reports"
            lines.setdefault(name, []).append((row["stories"], row["median_us_per_event"]))
        out.append(Lines("Microseconds of track per event (median) by open stories", "open stories", lines))
    if footprint := found.get("footprint"):
        peak = {row["service"]: row["peak_mb"] for row in footprint["services"]}
        out.append(Bars("Peak resident memory after work", peak, " MB", goal=600))
        ready = {row["service"]: row["ready_s"] for row in footprint["services"]}
        out.append(Bars("From start to ready", ready, " s", goal=8))
    return out


def _rows(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join('–' if cell is None else str(cell) for cell in line)} |" for line in lines]


def _machine(figures: Figures) -> str:
    machine = figures.get("machine")
    if machine is None:
        return "Of a machine that was not noted."
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}, "
        f"{machine['busy_before']:.0%} busy with other work before."
    )


def _stage(found: Figures) -> list[str]:
    rates = _rows(
        ("", "sentences/s", "to bare"),
        [
            ("bare int8 encoder", found["bare_sentences_per_s"], 1),
            ("classify service, exactly once, all heads", found["service_sentences_per_s"], found["ratio"]),
        ],
    )
    steps = _rows(("step", "share of the time"), [(name, f"{share:.1%}") for name, share in found["shares"].items()])
    return [*rates, "", *steps, "", f"Noting the metrics takes {found['metrics_share']:.2%} of the time."]


def _peers(found: Figures) -> list[str]:
    cells = [
        (row["way"], row["missing"], None, None)
        if "missing" in row
        else (row["way"], row["sentences_per_s"], row["to_bare"], row["to_first_peer"])
        for row in found["rows"]
    ]
    return _rows(("way", "sentences/s", "to bare", "to the transformers pipeline"), cells)


def _line(found: Figures) -> list[str]:
    loads = _cells(found["loads"], ("service", "cpu_ms_per_article", "alone_articles_per_s", "alone_to_line"))
    loads.append(["(broker)", found["broker_cpu_ms_per_article"], None, None])
    late = [
        (
            f"{row['share']:.0%}",
            topic,
            row["articles_per_s"],
            *(row[topic][k] for k in ("records", "p50", "p95", "p99")),
        )
        for row in found["paced"]
        for topic in ("events.diplomatic", "alerts")
    ]
    return [
        f"{found['articles_per_s']} articles/s of {found['sentences_each']} sentences at full speed. The next "
        f"bottleneck after classify is {found['next_bottleneck']}: alone it does {found['headroom']} times that.",
        "",
        *_rows(("service", "CPU ms per article", "alone, articles/s", "to the line's rate"), loads),
        "",
        *_rows(("of the rate", "seen on", "articles/s", "records", "p50 s", "p95 s", "p99 s"), late),
    ]


def _scale(found: Figures) -> list[str]:
    setups = [(row["setup"], row["articles_per_s"], row["to_one"]) for row in found["processes"]]
    names = ("words", "normalize_ms", "classify_ms", "resolve_ms", "ms_per_word")
    return [
        *_rows(("classify", "articles/s", "to one core"), setups),
        "",
        *_rows(
            ("words", "normalize ms", "classify ms", "resolve ms", "ms per word"), _cells(found["by_length"], names)
        ),
    ]


def _track(found: Figures) -> list[str]:
    names = (
        "stories", "reports_each", "median_us_per_event", "p99_us_per_event", "bytes_per_story", "restored_per_s",
    )  # fmt: skip
    head = ("open stories", "reports of each", "median µs per event", "p99 µs", "bytes per story", "restored/s")
    return _rows(head, _cells(found["rows"], names))


def _footprint(found: Figures) -> list[str]:
    names = ("service", "ready_s", "idle_mb", "peak_mb")
    return [
        *_rows(("service", "start to ready, s", "MB when ready", "peak MB"), _cells(found["services"], names)),
        "",
        f"classify without cached graphs is ready after {found['classify_first_ready_s']} s.",
    ]


def _desk_readers(found: Figures) -> list[str]:
    names = ("readers", "stories_per_second", "lost", "p50_seconds", "p99_seconds")
    rows = [[round(cell, 3) if isinstance(cell, float) else cell for cell in row] for row in _cells([found], names)]
    return _rows(("readers", "stories/s", "lost", "p50 s", "p99 s"), rows)


def _cells(rows: Sequence[Figures], names: Sequence[str]) -> list[list[object]]:
    return [[row[name] for name in names] for row in rows]
