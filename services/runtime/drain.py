"""Whether the services have done all their work."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import IsolationLevel, KafkaAdminClient, OffsetSpec
from kafka.structs import TopicPartition

from schemas.topics import input_topic, topics
from services.runtime import clients
from services.runtime.settings import ConnectionSettings


def drained(settings: ConnectionSettings, services: Iterable[str]) -> bool:
    """Whether each service's group has committed the end of its input topic.

    Asked along the flow, a service's commit being one with its outputs: once the first is done and nothing new comes
    in, no record can be under way unseen. Raises KafkaError.
    """
    inputs = {service: input_topic(service) for service in services}
    order = list(topics())
    admin = clients.admin(settings)
    try:
        return all(
            lag(admin, settings, service, inputs[service]) == 0
            for service in sorted(inputs, key=lambda s: order.index(inputs[s]))
        )
    finally:
        admin.close()


def lag(admin: KafkaAdminClient, settings: ConnectionSettings, service: str, topic: str) -> int:
    """Offsets of `topic` that the service's group has not committed yet."""
    name, group = settings.topic_prefix + topic, settings.group_prefix + service
    described = admin.describe_topics([name])[0]["partitions"]
    partitions = [TopicPartition(name, p["partition_index"]) for p in described]
    committed = admin.list_group_offsets({group: partitions})[group]
    ends = admin.list_partition_offsets(
        dict.fromkeys(partitions, OffsetSpec.LATEST), isolation_level=IsolationLevel.READ_COMMITTED
    )
    starts = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    done = {tp: max(committed[tp].offset if tp in committed else 0, starts[tp].offset) for tp in partitions}
    return sum(max(0, ends[tp].offset - done[tp]) for tp in partitions)
