"""`demarche ingest`: articles of files, folders and standard input onto the line, with progress and resume."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import BinaryIO, Self, TextIO

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.records import RawArticle
from services.ingest.articles import Files
from services.ingest.feeds import NoFeed, read_opml
from services.ingest.files import STANDARD_INPUT, expand, form_of
from services.ingest.jsonl import Line
from services.ingest.looks import Looked, Looker
from services.ingest.memory import FeedMemory
from services.ingest.pages import Pages
from services.ingest.politeness import Politeness
from services.ingest.poll import poll
from services.ingest.progress import Progress
from services.ingest.settings import IngestSettings
from services.ingest.sitemap_looks import SitemapLooker
from services.ingest.sitemaps import read_list
from services.runtime.topics import ensure_topics
from services.runtime.writer import RAW_TOPIC, ArticleWriter, write_all

EXIT_TROUBLE = 1
EXIT_WRONG_CALL = 2


def run(args: argparse.Namespace, settings: IngestSettings, err: TextIO) -> int:
    """One call of the verb; exit code 1 when a line was bad, 2 for a call without a source."""
    if sum(map(bool, (args.files, args.feeds, args.sitemaps))) != 1:
        err.write("demarche: name either files, folders or -, or --feeds LIST.opml, or --sitemaps LIST.txt\n")
        return EXIT_WRONG_CALL
    return ingest_files(args, settings, err) if args.files else ingest_lists(args, settings, err)


def ingest_lists(args: argparse.Namespace, settings: IngestSettings, err: TextIO) -> int:
    """The feeds or sitemaps of a list to articles.raw; with --once exit code 1 when one could not be read."""
    kind, name = ("sitemaps", args.sitemaps) if args.sitemaps else ("feeds", args.feeds)
    try:
        content = Path(name).read_bytes()
        listed = read_list(content) if args.sitemaps else read_opml(content)
    except NoFeed as error:
        err.write(f"demarche: {name}: {error}\n")
        return EXIT_TROUBLE
    ensure_topics(settings)
    looks: list[Looked] = []

    def told(looked: Looked) -> None:
        if args.once:
            looks.append(looked)
        for line in looked_lines(looked):
            err.write(f"{line}\n")
        err.flush()

    stop = Event()
    with ExitStack() as stack:
        line = f"{settings.bootstrap} {settings.topic_prefix}{RAW_TOPIC}"
        memory = FeedMemory(settings.ingest_state, line, settings.ingest_remember_days)
        stack.callback(memory.close)
        writer = stack.enter_context(ArticleWriter(settings, RAW_TOPIC))
        politeness = Politeness(settings.ingest_host_seconds, stop)
        pages = Pages(settings.bounds, politeness)
        looker: Looker | SitemapLooker
        if args.sitemaps:
            looker = SitemapLooker(settings, memory, writer.write, politeness, pages)
        else:
            looker = Looker(settings, memory, writer.write, politeness, pages if args.pages else None)
        poll(listed, looker.look, memory, told, stop, once=args.once)
    failed = sum(bool(looked.trouble) for looked in looks)
    count = sum(looked.written for looked in looks)
    err.write(f"{count} articles written to {RAW_TOPIC} from {len(listed)} {kind}, {failed} of them not read\n")
    return EXIT_TROUBLE if failed else 0


def looked_lines(looked: Looked) -> list[str]:
    """What a person wants to read of a look: nothing when it brought nothing."""
    lines = [f"{looked.feed.url}: {why}" for why in (looked.trouble, *looked.refused) if why]
    if looked.foreign:
        lines.append(f"{looked.feed.url}: {looked.foreign} left out, in languages that are not read")
    return [f"{looked.feed.url}: {looked.written} new", *lines] if looked.written else lines


def ingest_files(args: argparse.Namespace, settings: IngestSettings, err: TextIO) -> int:
    """Files, folders and standard input to their topic; a call that was interrupted goes on behind what was written."""
    names = expand(args.files)
    bad = 0
    with ExitStack() as stack:
        bar = stack.enter_context(_Bar(names, err))

        def refused(name: str, line: Line[RawArticle]) -> None:
            nonlocal bad
            bad += 1
            unit = "record" if (args.form or form_of(name)) == "warc" else "line"
            bar.tell(f"{name} {unit} {line.number}: {line.reason}")

        # The client refuses a record that passes the limit with its framing.
        most = settings.max_produce_bytes * 99 // 100
        files = Files(names, refused, form=args.form, columns=dict(args.column), most_bytes=most)
        ensure_topics(settings)
        memory = None
        if any(name != STANDARD_INPUT for name in names):
            run_on = (settings.bootstrap, settings.topic_prefix + RAW_TOPIC, names)
            memory = stack.enter_context(Progress(settings.ingest_state, *run_on))
            if args.again:
                memory.forget()
            if memory.began:
                bar.tell("going on where an earlier call was interrupted; --again begins anew")
        writer = stack.enter_context(ArticleWriter(settings, RAW_TOPIC))

        def written(count: int) -> None:
            bar.move(count)
            if memory is not None:
                memory.keep({name: place for name, place in files.places.items() if name != STANDARD_INPUT})

        begin = memory.place if memory is not None else None
        count = write_all(writer, files.articles(lambda: datetime.now(UTC), begin, bar.watch), written)
        if memory is not None:
            memory.forget()
    err.write(f"{count} articles written to {RAW_TOPIC}, {bad} lines refused\n")
    return EXIT_TROUBLE if bad else 0


class _Bar:
    """A progress bar over the bytes of all files, on a terminal only; other lines go above it."""

    def __init__(self, names: Sequence[str], err: TextIO) -> None:
        console = Console(file=err)
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = rich.progress.Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._sizes = {name: os.path.getsize(name) for name in names if name != STANDARD_INPUT}
        # Of standard input nobody knows the length.
        total = None if STANDARD_INPUT in names else sum(self._sizes.values())
        self._task = self._bar.add_task("", total=total)
        self._before = 0
        self._name: str | None = None
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, line: str) -> None:
        """Prints a line."""
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def watch(self, name: str, stream: BinaryIO) -> None:
        """Hears of the file that is read from now on."""
        if self._name is not None:
            self._before += self._sizes.get(self._name, 0)
        self._name, self._stream = name, stream

    def move(self, count: int) -> None:
        """Shows how many articles were written."""
        here = self._sizes.get(self._name or "", 0)
        if self._stream is not None and not self._stream.closed:
            here = min(here, self._stream.tell()) if here else 0
        self._bar.update(self._task, completed=self._before + here, description=f"{count} articles")
