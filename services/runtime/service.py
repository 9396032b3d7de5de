"""Runs a stage as a process: settings in, exit code out."""

from __future__ import annotations

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from schemas.topics import input_topic
from services.runtime import broker, clients, logs
from services.runtime.changelog import BrokenState
from services.runtime.health import Health, HealthServer
from services.runtime.loop import BreakerTripped, Loop
from services.runtime.metrics import Metrics
from services.runtime.settings import EXIT_BROKEN_SETTING, ServiceSettings
from services.runtime.transactions import Fatal, Fenced, Transactions
from services.runtime.watchdog import Watchdog
from services.runtime.window import Stage
from services.stage import In, Out

EXIT_TROUBLE = 1
EXIT_FENCED = 3
EXIT_BREAKER = 4
LEAVE_MS = 2000


def run_service(stage: Stage[In, Out], settings: ServiceSettings, metrics: Metrics | None = None) -> int:
    """Runs a service until SIGTERM or SIGINT; its exit code: 0 stopped, 1 trouble, 2 broken setting, 3 fenced,
    4 too many rejects, 70 stuck (1 where no Python could run any more). To be called by the main thread."""
    log = logs.configure(stage.name, settings.log_level)
    metrics = metrics or Metrics(stage.name)
    watchdog = Watchdog(settings.stop_deadline)
    watchdog.listen()
    health = Health(settings.max_poll_interval)
    try:
        clients.require_crc32c()
        server = HealthServer(
            health, metrics.registry, settings.metrics_host, settings.metrics_port, settings.metrics_port_file
        )
    except (clients.Crc32cMissing, OSError) as error:
        log.error("cannot start", why=str(error))
        return EXIT_BROKEN_SETTING
    group = settings.group_prefix + stage.name
    client_id = f"{group}.{settings.instance}"
    transactions = consumer = None
    with server:
        log.info("started", metrics_port=server.port, bootstrap=settings.bootstrap)
        try:
            with watchdog.limit("the start", settings.commit_deadline):
                # First of all: this fences and aborts the former process of this instance.
                transactions = Transactions(settings, settings.transactional_id or client_id)
                consumer = _consumer(settings, settings.topic_prefix + input_topic(stage.name), group, client_id)
            Loop(stage, settings, consumer, transactions, metrics, health, watchdog, log).run()
        except Fenced as error:
            log.error("fenced: another process has this transactional id", why=str(error))
            return EXIT_FENCED
        except BrokenState as error:
            log.error("the state cannot be read", why=str(error))
            return EXIT_TROUBLE
        except BreakerTripped as error:
            log.error("breaker tripped", why=str(error))
            return EXIT_BREAKER
        except (Fatal, KafkaError, OSError, MemoryError) as error:
            log.error("ended by trouble", kind=type(error).__name__, why=str(error), exc_info=True)
            return EXIT_TROUBLE
        finally:
            health.ready = False
            with watchdog.limit("the close", settings.commit_deadline):
                if transactions is not None:
                    transactions.close()
                if consumer is not None:
                    consumer.close(autocommit=False, timeout_ms=LEAVE_MS)
        log.info("stopped")
        return 0


def _consumer(settings: ServiceSettings, topic: str, group: str, client_id: str) -> KafkaConsumer:
    admin = clients.admin(settings)
    try:
        if broker.is_local(admin):
            broker.remove_former_members(admin, group, client_id)
    finally:
        admin.close()
    consumer = clients.reader(
        settings,
        group_id=group,
        client_id=client_id,
        max_poll_records=settings.max_poll_records,
        max_poll_interval_ms=int(settings.max_poll_interval * 1000),
        session_timeout_ms=int(settings.session_timeout * 1000),
        heartbeat_interval_ms=int(settings.session_timeout * 1000 / 4),
    )
    consumer.subscribe([topic])
    return consumer
