"""An outside verifier on a large log, before and after people in it are erased.

The verifier is Tessera's `fsck`. It exits 0 whatever it finds, so its last line is what is read.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from candor.rights.v1 import facts_pb2, model_pb2
from candor_generation.domain import note
from candor_kit import envelope
from candor_stack.ports import LOOPBACK
from confluent_kafka import Producer

from bench.figure import BenchError, Figure
from bench.ground import Ground
from bench.intake import identifier, subject
from bench.plan import Plan

NAME = "generation.audit.fsck"
_SHARE = 100
_WORKERS = 4
_TOLD = 200
_PATIENCE_SECONDS = 3600
_TOPIC = "candor.rights.v1"
_ANSWERED = "SELECT count(*) FROM kit_task"
_OUTSTANDING = "SELECT count(*) FROM addition WHERE first_index IS NULL"
_LEFT = "SELECT count(*) FROM record WHERE subject = ANY(%s)"
_PASSED = "Successfully fsck'd"


@dataclass(frozen=True)
class Report:
    """What fsck said: whether all held, its last line, and how long it took in seconds."""

    passed: bool
    last_line: str
    seconds: float


def measure(ground: Ground, plan: Plan, fsck: Path) -> Figure:
    """Check the log, erase one subject in a hundred, check again: the whole log, and the old root on the new tiles.

    Args:
        ground: with the writer running, and a log.
        plan: how many subjects there are.
        fsck: the verifier.

    Raises:
        BenchError: a check did not end as it must.
    """
    log = f"http://{ground.http}/log/generation/{ground.period()}"
    key = plan.folder / "log.vkey"
    key.write_bytes(_get(f"{log}/vkey").strip())
    before = _get(f"{log}/checkpoint")
    old = _checkpoint(before)
    first = _must(_check(fsck, log, key), "the log before erasing", passes=True)
    erased, records = _erase(ground, plan)
    new = _checkpoint(_get(f"{log}/checkpoint"))
    second = _must(_check(fsck, log, key), "the log after erasing", passes=True)
    with _mirror(log, before, broken="") as url:
        _must(_check(fsck, url, key), "the old checkpoint on the tiles after erasing", passes=True)
    # That the verifier would have noticed is part of the proof.
    with _mirror(log, before, broken="/tile/entries/000") as url:
        control = _must(_check(fsck, url, key), "a log with one byte changed", passes=False)
    return Figure(
        NAME,
        old.size,
        "entries",
        f"Tessera's fsck over HTTP on {old.size:,} entries; then {erased:,} of {plan.subjects:,} subjects were erased"
        f" ({records:,} records, {new.size - old.size:,} leaves that say so); then fsck again on the log as it is, and"
        " on the tiles as they are under the checkpoint from before: the same root. With one byte of a bundle changed"
        " on the way it fails.",
        "processors: the log is served by the Python process that writes it",
        details={
            "root_before": note.to_base64(old.root),
            "same_root_after": True,
            "subjects_erased": erased,
            "records_erased": records,
            "size_after": new.size,
            "fsck_before_s": round(first.seconds, 1),
            "fsck_after_s": round(second.seconds, 1),
            "said": first.last_line,
            "said_of_a_changed_byte": control.last_line,
        },
    )


def _check(fsck: Path, url: str, key: Path) -> Report:
    started = time.monotonic()
    argv = [str(fsck), f"--storage_url={url}/", f"--public_key={key}", "--ui=false", f"--N={_WORKERS}"]
    done = subprocess.run(argv, capture_output=True, timeout=_PATIENCE_SECONDS, check=False)
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [""]
    # What stands before the bracket is time, process and place. A failure shows the bytes, too, on lines without one.
    said = [line.split("] ", 1)[1] for line in lines if "] " in line] or lines
    return Report(_PASSED in lines[-1], said[-1][:_TOLD], time.monotonic() - started)


def _must(report: Report, what: str, *, passes: bool) -> Report:
    if report.passed is not passes:
        raise BenchError(f"fsck of {what}: {report.last_line}")
    return report


def _erase(ground: Ground, plan: Plan) -> tuple[int, int]:
    """Ask for it as the rights service does; wait until every task is answered and the log holds what says so."""
    names = [subject(number) for number in range(0, plan.subjects, _SHARE)]
    records = _held(ground, names)
    producer = Producer({"bootstrap.servers": ground.bootstrap_servers, "partitioner": "murmur2_random"})
    now = datetime.now(UTC)
    answered = ground.count(_ANSWERED) + len(names)
    for name in names:
        task, request = (identifier(int(now.timestamp() * 1000)) for _ in range(2))
        fact = facts_pb2.TaskAsked(
            task_id=task, request_id=request, holder_id="generation", right=model_pb2.RIGHT_DELETION, subject=name,
            attempt=1,
        )  # fmt: skip
        fact.requested_at.FromDatetime(now)
        headers = envelope.headers_of(
            identifier=task, message_type=fact.DESCRIPTOR.full_name, source="candor.rights", at=now
        )
        producer.produce(_TOPIC, key=request, value=fact.SerializeToString(), headers=list(headers))
        producer.poll(0)
    if producer.flush(30):
        raise BenchError("the broker did not take the requests to erase")
    ground.wait(lambda: ground.count(_ANSWERED) >= answered, lambda: ground.count(_ANSWERED), "the erasures")
    ground.wait(lambda: ground.count(_OUTSTANDING) == 0, lambda: ground.count(_OUTSTANDING), "their leaves")
    if left := _held(ground, names):
        raise BenchError(f"{left} records of erased subjects are left")
    return len(names), records


def _held(ground: Ground, names: list[str]) -> int:
    return ground.count(_LEFT, names)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own process
        return bytes(answer.read())


def _checkpoint(signed: bytes) -> note.Checkpoint:
    return note.parse_checkpoint(note.parse_note(signed.decode()).text)


@contextlib.contextmanager
def _mirror(log: str, checkpoint: bytes, *, broken: str) -> Iterator[str]:
    """A server of the log as it is under a checkpoint of before; one byte of `broken`, if any, is another."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                content = checkpoint if self.path.endswith("/checkpoint") else _get(log + self.path)
                status = 200
            except urllib.error.HTTPError as error:
                content, status = b"", error.code
            if broken and self.path == broken:
                content = content[:100] + bytes([content[100] ^ 1]) + content[101:]
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
