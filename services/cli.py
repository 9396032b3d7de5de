"""The `demarche` command: arguments, exit codes and which verb does what."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from services import PIPELINE_VERSION, cli_archive, cli_ingest_options, cli_offline
from services.classify.model import ModelError, load_model
from services.classify.pairs import classify_pairs
from services.classify.settings import ClassifySettings
from services.classify.transform import Classifier
from services.ingest.files import opened
from services.replay.selection import Selection, moment, places
from services.runtime.settings import EXIT_BROKEN_SETTING, ConnectionSettings, load_settings

EXIT_TROUBLE = 1
EXIT_INTERRUPTED = 130
LONGEST_NAME = 80
T = TypeVar("T")
C = TypeVar("C", bound=ConnectionSettings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; its exit code: 0 all well, 1 a bad line or trouble, 2 a wrong call or setting, 130 Ctrl-C."""
    args = parser().parse_args(arguments)
    try:
        code = _run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing to say, and nowhere to say it.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _trouble(error)


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = argparse.ArgumentParser(prog="demarche", description="News articles in, diplomatic events out.")
    top.add_argument("--version", action="version", version=f"demarche {PIPELINE_VERSION}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    verb = verbs.add_parser("extract", help="articles (JSON lines) to events, without a broker")
    verb.add_argument("file", metavar="ARTICLES.jsonl", help="file, or - for standard input")
    verb.add_argument("--format", choices=("full", "flat"), default="full", help="whole events, or flat rows")
    _model_options(verb)

    verb = verbs.add_parser("classify", help="sentences with two sides given (JSON lines) to event types")
    verb.add_argument("file", metavar="PAIRS.jsonl", help="file, or - for standard input")
    _model_options(verb)

    verb = verbs.add_parser("actors", help="names and descriptions (JSON lines) to countries, sectors, offices")
    verb.add_argument("file", metavar="NAMES.jsonl", help="file, or - for standard input")

    verb = verbs.add_parser("up", help="broker, all services and sample articles; events as they come")
    verb.add_argument("--once", action="store_true", help="end when all articles are done")
    verb.add_argument("--articles", metavar="FILE", help="articles (JSON lines) instead of the samples")
    _broker_option(verb)

    verb = verbs.add_parser("ingest", help="articles of files, folders or standard input to articles.raw")
    cli_ingest_options.add_options(verb)
    _broker_option(verb)

    verb = verbs.add_parser("tail", help="print the records of a topic")
    verb.add_argument("topic", metavar="TOPIC")
    verb.add_argument("-f", "--follow", action="store_true", help="wait for more")
    verb.add_argument("--new", action="store_true", help="only what comes from now on; waits for it")
    _broker_option(verb)

    verb = verbs.add_parser("replay", help="put the records behind dead letters back on their topic")
    verb.add_argument("topic", metavar="TOPIC.dlq")
    verb.add_argument("--reason", help="only dead letters of this reason")
    verb.add_argument("--since", type=_told(moment), metavar="TIME", help="only those written at this time or later")
    verb.add_argument("--until", type=_told(moment), metavar="TIME", help="only those written before this time")
    verb.add_argument(
        "--offset", type=_told(places), action="append", default=[], metavar="PARTITION:OFFSET[-LAST]",
        help="only those at these offsets of TOPIC.dlq; may be given more than once",
    )  # fmt: skip
    verb.add_argument("--again", action="store_true", help="also those that were put back before")
    verb.add_argument("--dry-run", action="store_true", help="show which would go; change nothing")
    _broker_option(verb)

    cli_archive.add_verbs(verbs)

    verb = verbs.add_parser("feedback", help="analysts' corrections, from the topic feedback")
    export = verb.add_subparsers(dest="does", required=True, metavar="export").add_parser(
        "export", help="as data to evaluate or to train with"
    )
    export.add_argument("--format", choices=("jsonl", "gold", "training"), default="jsonl")
    export.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")
    _broker_option(export)

    verb = verbs.add_parser("token", help="a new token for writing to the desk; printed once, kept as a hash")
    verb.add_argument("name", metavar="NAME", type=_name, help="who it is for; replaces the name's former token")
    verb.add_argument("--ingest", action="store_true", help="for pushing articles instead")

    verb = verbs.add_parser("serve-ingest", help="take articles over HTTP: POST /articles, to articles.raw")
    _broker_option(verb)

    verb = verbs.add_parser("topics", help="the topic table; with --bootstrap, make what the broker lacks")
    _broker_option(verb)
    return top


def _model_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--model", type=Path, metavar="FOLDER", help="model folder (DEMARCHE_MODEL)")
    verb.add_argument("--backend", choices=("auto", "onnx", "torch"), help="what runs it (DEMARCHE_BACKEND)")
    verb.add_argument("--threads", type=_positive, metavar="N", help="CPU threads (DEMARCHE_THREADS)")


def _told(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read`, its ValueError told to the caller in its own words."""

    def told(words: str) -> T:
        try:
            return read(words)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return told


def _positive(words: str) -> int:
    number = int(words)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _name(words: str) -> str:
    if not words.isprintable() or not 0 < len(words) <= LONGEST_NAME:
        raise argparse.ArgumentTypeError(f"must have 1 to {LONGEST_NAME} printable characters")
    return words


def _broker_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--bootstrap", metavar="HOST:PORT", help="Kafka brokers (DEMARCHE_BOOTSTRAP)")


def _run(args: argparse.Namespace) -> int:
    if args.verb in ("extract", "classify", "actors"):
        return _offline(args)
    if args.verb in cli_archive.VERBS:
        return cli_archive.run(args)
    if args.verb == "token":
        return _token(args.name, ingest=args.ingest)
    return _on_broker(args)


def _token(name: str, *, ingest: bool) -> int:
    if ingest:
        from services.ingest.settings import IngestSettings
        from services.ingest.tokens import Tokens

        tokens = Tokens(load_settings(IngestSettings).ingest_state)
        sys.stdout.write(f"{tokens.new(name)}\n")
        tokens.close()
        return 0
    from services.desk import register
    from services.desk.settings import DeskSettings
    from services.desk.store import Store

    store = Store(load_settings(DeskSettings).desk_database)
    try:
        sys.stdout.write(f"{register.new_token(store, name)}\n")
    finally:
        store.close()
    return 0


def _offline(args: argparse.Namespace) -> int:
    with opened(args.file) as stream:
        reader = cli_offline.Reader(stream, sys.stderr)
        if args.verb == "actors":
            return cli_offline.code_actors(reader, sys.stdout)
        return _with_model(args, reader)


def _with_model(args: argparse.Namespace, reader: cli_offline.Reader) -> int:
    settings = load_settings(ClassifySettings)
    given = {name: value for name in ("model", "backend", "threads") if (value := getattr(args, name)) is not None}
    settings = settings.model_copy(update=given)
    try:
        model = load_model(settings.model, settings.backend, settings.threads)
    except ModelError as error:
        sys.stderr.write(f"demarche: {error}\n")
        return EXIT_BROKEN_SETTING
    if args.verb == "classify":
        return cli_offline.classify_pairs(reader, sys.stdout, lambda questions: classify_pairs(model, questions))
    return cli_offline.extract(reader, sys.stdout, args.format, Classifier(model, settings.batch_tokens).classify)


def _on_broker(args: argparse.Namespace) -> int:
    # The Kafka client takes half a second to import; the offline verbs do without.
    from services import cli_ingest, cli_topics, cli_up
    from services.ingest.settings import IngestSettings
    from services.runtime.broker import BrokerError
    from services.runtime.streams import StreamError
    from services.runtime.supervisor import SupervisorError

    settings = _connection(ConnectionSettings, args.bootstrap)
    console = Console()
    try:
        if args.verb == "up":
            return cli_up.run(settings if args.bootstrap else None, args.articles, once=args.once, console=console)
        if args.verb == "ingest":
            return cli_ingest.run(args, _connection(IngestSettings, args.bootstrap), sys.stderr)
        if args.verb == "serve-ingest":
            from services.ingest.serve import serve

            return serve(_connection(IngestSettings, args.bootstrap))
        if args.verb == "tail":
            return cli_topics.follow(settings, args.topic, on=args.follow, new=args.new)
        if args.verb == "feedback":
            from services import cli_feedback

            return cli_feedback.run(args, settings)
        if args.verb == "replay":
            chosen = Selection(args.reason, args.since, args.until, tuple(args.offset), args.again)
            return cli_topics.replay(settings, args.topic, chosen, dry_run=args.dry_run, out=sys.stdout)
        return cli_topics.show_topics(settings if args.bootstrap else None, sys.stdout)
    except (BrokerError, StreamError, SupervisorError) as error:
        return _trouble(error)
    except Exception as error:
        if any(kind.__module__ == "kafka.errors" for kind in type(error).__mro__):
            return _trouble(error)
        raise


def _connection(kind: type[C], bootstrap: str | None) -> C:
    settings = load_settings(kind)
    return settings.model_copy(update={"bootstrap": bootstrap}) if bootstrap else settings


def _trouble(error: Exception) -> int:
    sys.stderr.write(f"demarche: {error}\n")
    return EXIT_TROUBLE


if __name__ == "__main__":
    sys.exit(main())
