"""Creates demarche's topics on a broker as topics.yaml lays them out."""

from __future__ import annotations

from kafka.errors import TopicAlreadyExistsError

from schemas.topics import Topic, topics
from services.runtime import clients
from services.runtime.settings import ConnectionSettings

BROKER_DEFAULT = -1
HOUR_MS = 3_600_000


def configs(topic: Topic, settings: ConnectionSettings) -> dict[str, str]:
    """The topic's configuration as Kafka's names and strings."""
    return {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(topic.retention_hours * HOUR_MS or -1),
        "max.message.bytes": str(settings.max_produce_bytes + 1024),
    }


def ensure_topics(settings: ConnectionSettings) -> list[str]:
    """Creates the topics that are missing and waits until they have leaders; the names of those created.

    Topics that exist are left as they are. The replication factor is the broker's default. Raises KafkaError.
    """
    admin = clients.admin(settings)
    try:
        there = set(admin.list_topics())
        wanted = {settings.topic_prefix + name: topic for name, topic in topics().items()}
        missing = [name for name in wanted if name not in there]
        new = {
            name: {
                "num_partitions": wanted[name].partitions,
                "replication_factor": BROKER_DEFAULT,
                "configs": configs(wanted[name], settings),
            }
            for name in missing
        }
        if new:
            try:
                admin.create_topics(new, wait_for_metadata=True)
            except TopicAlreadyExistsError:  # Somebody was faster with one of them.
                admin.wait_for_topics(missing)
        return missing
    finally:
        admin.close()
