"""Structured logs: one JSON object a line on standard error, the libraries' own log lines included."""

from __future__ import annotations

import logging
import sys
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor


def configure(service: str, level: str) -> FilteringBoundLogger:
    """Sets logging up for this process and returns its logger; `level` is a logging level's name."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Not as a structure: that would write the frames' local variables, secrets among them, into the log.
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # The client tells every fetch and heartbeat at INFO.
    logging.getLogger("kafka").setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=False,
    )
    return cast(FilteringBoundLogger, structlog.get_logger("demarche", service=service))


def quiet_clients() -> None:
    """For programs that tell of errors themselves: the Kafka client logs nothing."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
