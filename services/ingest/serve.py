"""The push service as a process: HTTP in, Kafka out, metrics and health beside it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Sequence

import uvicorn
from kafka.errors import KafkaError

from schemas.records import RawArticle
from services.ingest.push import Unwritten, Write, application
from services.ingest.settings import IngestSettings
from services.ingest.tokens import Tokens
from services.runtime import clients, logs
from services.runtime.health import Health, HealthServer
from services.runtime.metrics import Metrics
from services.runtime.settings import EXIT_BROKEN_SETTING
from services.runtime.topics import ensure_topics
from services.runtime.writer import RAW_TOPIC, ArticleWriter, StreamError

EXIT_TROUBLE = 1
BACKLOG = 512
GRACE_SECONDS = 5
FOR_EVER = float("inf")


def serve(settings: IngestSettings) -> int:
    """Serves until SIGTERM or SIGINT; its exit code: 0 stopped, 1 trouble, 2 broken setting."""
    log = logs.configure("ingest", settings.log_level)
    metrics, health = Metrics("ingest"), Health(FOR_EVER)
    try:
        clients.require_crc32c()
        tokens = Tokens(settings.ingest_state)
        family = socket.AF_INET6 if ":" in settings.ingest_host else socket.AF_INET
        bound = socket.create_server((settings.ingest_host, settings.ingest_port), family=family, backlog=BACKLOG)
        health_server = HealthServer(
            health, metrics.registry, settings.metrics_host, settings.metrics_port, settings.metrics_port_file
        )
    except (clients.Crc32cMissing, OSError) as error:
        log.error("cannot start", why=str(error))
        return EXIT_BROKEN_SETTING
    port = bound.getsockname()[1]
    with bound, health_server:
        try:
            ensure_topics(settings)
            writer = ArticleWriter(settings, RAW_TOPIC)
        except (KafkaError, StreamError) as error:
            log.error("ended by trouble", kind=type(error).__name__, why=str(error))
            return EXIT_TROUBLE
        with writer:
            app = application(settings, tokens.known, _counted(writer, metrics, settings.topic_prefix + RAW_TOPIC))
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GRACE_SECONDS,
                # Addresses for the rate limit come from the connection, not from what a header says.
                proxy_headers=False,
            )
            log.info("started", metrics_port=health_server.port, push=f"http://{settings.ingest_host}:{port}/articles")
            health.ready = True
            # When it has stopped, uvicorn raises the signal that stopped it once more.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda _number, _frame: None)
            uvicorn.Server(config).run([bound])
            health.ready = False
        tokens.close()
    log.info("stopped")
    return 0


def _counted(writer: ArticleWriter, metrics: Metrics, topic: str) -> Write:
    """Writes, and tells the metrics when all is written."""

    def write(articles: Sequence[RawArticle]) -> list[str]:
        try:
            ids = writer.write(articles)
        except StreamError as error:
            raise Unwritten(str(error)) from error
        metrics.produced(topic, len(ids))
        return ids

    return write
