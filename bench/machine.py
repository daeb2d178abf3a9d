"""The machine that figures are of."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from bench.ground import SETTINGS, Ground

_SYNCS = 200
_BLOCK = bytes(8192)
_KAFKA_JAR = re.compile(r"kafka_[0-9.]+-(?P<version>[0-9.]+)\.jar")


def describe(folder: Path) -> dict[str, str]:
    """What the machine is, and how long its disk takes to make a small write durable."""
    memory = psutil.virtual_memory().total / (1 << 30)
    return {
        "Processor": _processor(),
        "Cores": f"{os.cpu_count()}",
        "Memory": f"{memory:.1f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "fsync of 8 KiB": _sync_times(folder),
        "Load before": f"{os.getloadavg()[0]:.1f} processes over the last minute",
        "Python": platform.python_version(),
        "Go": _go(),
    }


def servers(ground: Ground) -> dict[str, str]:
    """The versions of broker and database server."""
    with psycopg.connect(ground.stack.admin_database_url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    found = (_KAFKA_JAR.fullmatch(path.name) for path in ground.stack.kafka.fetch())
    kafka = next((match["version"] for match in found if match), "unknown")
    settings = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
    postgres = row[0] if row else "unknown"
    return {"Kafka": f"{kafka}, one node, {ground.heap} of heap", "PostgreSQL": f"{postgres}, fsync on, {settings}"}


def _processor() -> str:
    names = {value for name, value in _processor_lines() if name == "model name"}
    return ", ".join(sorted(names)) or platform.processor() or platform.machine()


def _processor_lines() -> Iterator[tuple[str, str]]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return
    for line in text.splitlines():
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()


def _sync_times(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fsync"
    times: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(_BLOCK)
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    path.unlink()
    return f"median {statistics.median(times):.2f} ms, 99 of 100 within {statistics.quantiles(times, n=100)[98]:.2f} ms"


def _go() -> str:
    go = shutil.which("go") or "/usr/local/go/bin/go"
    try:
        done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, timeout=60, check=False)
    except OSError:
        return "none"
    return done.stdout.decode().strip().removeprefix("go") or "none"
