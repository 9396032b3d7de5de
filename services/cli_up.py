"""`demarche up`: broker, all services and sample articles; events as they come, then a summary."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.records import Alert, CleanArticle, DeadLetter, DiplomaticEvent, RawArticle, Side
from schemas.topics import DEAD_LETTER_MODEL, topics
from services.desk import register
from services.desk.settings import DeskSettings
from services.desk.store import Store
from services.ingest.articles import read_articles
from services.ingest.jsonl import Line, read_lines
from services.normalize.fingerprint import near_copies
from services.runtime.settings import ConnectionSettings, load_settings
from services.runtime.streams import produce_raw, tail
from services.runtime.supervisor import SERVICES, supervise

COLUMNS = (("time", 8), ("source", 13), ("type", 9), ("actor→recip.", 14), ("claim", 11), ("timing", 10))
INDENT = " " * 9
COLOURS = {1: "green", 2: "bold green", 3: "yellow", 4: "bold red"}
"""By PLOVER quad class: words and deeds of cooperation, words and deeds of conflict."""


def sample_articles() -> list[RawArticle]:
    """The stories written for this project."""
    with as_file(files("services.samples").joinpath("stories.jsonl")) as path, path.open("rb") as stream:
        return [line.record for line in read_lines(stream, RawArticle) if line.record is not None]


def run(settings: ConnectionSettings | None, file: str | None, *, once: bool, console: Console) -> int:
    """`up` with the articles of a JSON-lines file, or with the samples; exit code 1 when a line of the file was bad."""
    if file is None:
        return up(settings, sample_articles(), once=once, console=console)
    bad: list[str] = []

    def refused(name: str, line: Line[RawArticle]) -> None:
        bad.append(f"{name} line {line.number}: {line.reason}")

    articles = list(read_articles([file], lambda: datetime.now(UTC), refused))
    for told in bad:
        sys.stderr.write(f"{told}\n")
    return up(settings, articles, once=once, console=console) or int(bool(bad))


def up(settings: ConnectionSettings | None, articles: Sequence[RawArticle], *, once: bool, console: Console) -> int:
    """Run everything; without settings on a broker of its own. `once`: end when all is done, else at Ctrl-C."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demarche-logs-")))
        desk = _desk(None if settings is not None else logs)
        environment = desk_environment(desk)
        if settings is None:
            # A new broker counts its offsets anew: what it has is beside what the archive holds of former ones.
            environment["DEMARCHE_ARCHIVE_BROKERS"] = f"local_{uuid4().hex[:8]}"
        running = stack.enter_context(supervise(settings, log_dir=logs, environment=environment))
        console.print(f"[dim]broker {running.bootstrap}; starting {', '.join(SERVICES)} …", soft_wrap=True)
        running.wait_ready()
        console.print(f"desk       http://127.0.0.1:{desk.desk_port}/", soft_wrap=True, highlight=False)
        if settings is None and not once:
            token = _token(desk)
            console.print(f"[dim]desk token {token} (for writing: subscriptions)", soft_wrap=True, highlight=False)
        if not once:
            for name, url in metrics_urls(logs):
                console.print(f"[dim]{name:10} {url}")
        console.print(header(), soft_wrap=True)
        waiting = list(articles)

        def idle() -> bool:
            """Asked whenever there is no event to show: first send the articles, then see whether all is done."""
            if waiting:
                now = datetime.now(UTC)
                produce_raw(running.settings, [a.model_copy(update={"ingested_at": now}) for a in waiting])
                waiting.clear()
                return False
            running.check()
            return once and running.drained()

        with suppress(KeyboardInterrupt):
            for record in tail(running.settings, "events.diplomatic", from_beginning=False, follow=True, stop=idle):
                event = DiplomaticEvent.model_validate_json(record.value or b"")
                console.print(event_rows(event), soft_wrap=True)
        if settings is None:  # The topics of a broker in use hold more than this run.
            console.print(summary(running.settings))
    return 0


def _desk(folder: Path | None) -> DeskSettings:
    """The desk's settings for this run, on a port that is free now: a service that starts again must keep its address.

    With `folder` its database lives there: a new broker counts its offsets anew, so an old database does not fit it.
    """
    given = load_settings(DeskSettings)
    change: dict[str, object] = {"desk_port": free_port(given.desk_host, given.desk_port)}
    if folder is not None:
        change["desk_database"] = f"sqlite:///{folder}/desk.sqlite"
    return given.model_copy(update=change)


def desk_environment(desk: DeskSettings) -> dict[str, str]:
    """The variables that tell the service so."""
    return {"DEMARCHE_DESK_PORT": str(desk.desk_port), "DEMARCHE_DESK_DATABASE": desk.desk_database}


def free_port(host: str, wanted: int) -> int:
    """The port that is wanted, or where that is taken another one."""
    for port in (wanted, 0):
        with suppress(OSError), socket.create_server((host, port)) as tried:
            return int(tried.getsockname()[1])
    return wanted


def _token(desk: DeskSettings) -> str:
    store = Store(desk.desk_database)
    try:
        return register.new_token(store, "up")
    finally:
        store.close()


def metrics_urls(log_dir: Path) -> Iterator[tuple[str, str]]:
    """Where each running service shows its metrics, as it said in its log at the start."""
    for log in sorted(log_dir.glob("*.log")):
        port = None
        for line in log.read_text(errors="replace").splitlines():
            with suppress(ValueError):
                port = json.loads(line).get("metrics_port", port)
        if port is not None:
            yield log.stem, f"http://127.0.0.1:{port}/metrics"


def event_rows(event: DiplomaticEvent) -> Text:
    """An event on two lines: its fields under the header's words, then its stance on peace, if any, and its quote."""
    time = event.processed_at.astimezone().strftime("%H:%M:%S") if event.processed_at else "-"
    sides = f"{_codes(event.actors)}→{_codes(event.recipients)}" if event.recipients else _codes(event.actors)
    cells = _cells([time, event.source, event.type, sides, event.claim, event.timing, event.tone])
    row = Text.assemble(*((cell, COLOURS[event.quad] if i == 2 else "") for i, cell in enumerate(cells)))
    row.append(f"\n{INDENT}")
    if event.peace != "none":
        row.append(f"peace: {event.peace}  ", style="magenta")
    return row.append(f"“{' '.join(event.evidence.quote.split())}”", style="dim")


def header() -> Text:
    """The words over the columns."""
    return Text("".join(_cells([*(name for name, _ in COLUMNS), "stance"])), style="bold")


def _cells(words: Sequence[str]) -> list[str]:
    """Words cut and filled to their columns' widths; the last one is free."""
    fitted = [
        (word if len(word) <= width else word[: width - 1] + "…").ljust(width + 1)
        for word, (_, width) in zip(words, COLUMNS, strict=False)
    ]
    return [*fitted, *words[len(COLUMNS) :]]


def _codes(sides: Sequence[Side]) -> str:
    return ",".join(dict.fromkeys(side.code for side in sides))


def summary(settings: ConnectionSettings) -> Table:
    """What is on the topics now: articles, events by type, alerts, dead letters, copies of one story."""
    raw = sum(1 for _ in tail(settings, "articles.raw"))
    clean = [CleanArticle.model_validate_json(r.value or b"") for r in tail(settings, "articles.clean")]
    events = [DiplomaticEvent.model_validate_json(r.value or b"") for r in tail(settings, "events.diplomatic")]
    alerts = [Alert.model_validate_json(r.value or b"") for r in tail(settings, "alerts")]
    letters = [
        DeadLetter.model_validate_json(r.value or b"")
        for name, topic in topics().items()
        if topic.model == DEAD_LETTER_MODEL
        for r in tail(settings, name)
    ]
    copies = near_copies([(article.article_id, article.fingerprint) for article in clean])
    told = {event.article_id for event in events}
    table = Table(title="\nsummary", title_justify="left", title_style="bold", show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("articles", f"{raw} in, {len(clean)} clean, {len(clean) - len(told)} without an event")
    table.add_row("events", _counts(len(events), Counter[str](e.type for e in events)))
    told_as = ", ".join(f"{count} {status}" for status, count in Counter[str](e.status for e in events).most_common())
    table.add_row("stories", f"{len({e.story_id for e in events})}; events {told_as}" if events else "0")
    table.add_row("alerts", _counts(len(alerts), Counter[str](a.subscription for a in alerts)))
    table.add_row("dead letters", _counts(len(letters), Counter(f"{d.stage}: {d.reason}" for d in letters)))
    table.add_row("copies", "\n".join(" = ".join(group) for group in copies) or "none")
    return table


def _counts(total: int, parts: Counter[str]) -> str:
    shown = ", ".join(f"{count} {name}" for name, count in parts.most_common())
    return f"{total}: {shown}" if parts else str(total)
