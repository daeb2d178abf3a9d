"""Apache's own Kafka image in a container: one KRaft node whose advertised port is chosen before it starts."""

from __future__ import annotations

import socket

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

_CLIENT_PORT = 9092


class KafkaContainer(DockerContainer):
    """The advertised address must be known when the broker starts, so the host port is fixed."""

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self._port = _free_port()
        self.with_bind_ports(_CLIENT_PORT, self._port)
        self.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(120))
        for name, value in self._settings().items():
            self.with_env(f"KAFKA_{name}", value)

    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    def _settings(self) -> dict[str, str]:
        return {
            "NODE_ID": "1",
            "PROCESS_ROLES": "broker,controller",
            "LISTENERS": f"CLIENT://0.0.0.0:{_CLIENT_PORT},INTERNAL://localhost:19092,CONTROLLER://localhost:9093",
            "ADVERTISED_LISTENERS": f"CLIENT://127.0.0.1:{self._port},INTERNAL://localhost:19092",
            "LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "INTER_BROKER_LISTENER_NAME": "INTERNAL",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "MESSAGE_MAX_BYTES": "4194304",
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
