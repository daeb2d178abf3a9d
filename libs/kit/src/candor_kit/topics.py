"""Which topics a broker has."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient


async def partitions_of(
    bootstrap_servers: str, *, client_id: str, timeout_seconds: float = 15.0
) -> dict[str, list[int]]:
    """Return the partitions of every topic. A consumer knows them only of topics that it is subscribed to.

    Raises:
        aiokafka.errors.KafkaError: the broker does not answer.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap_servers, client_id=client_id, request_timeout_ms=int(timeout_seconds * 1000)
    )
    try:
        await admin.start()
        topics = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: sorted(part["partition"] for part in topic["partitions"]) for topic in topics}
