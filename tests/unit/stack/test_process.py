"""A child is started, ended and remembered so that nothing outlives us and nothing stale blocks us."""

import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from candor_stack import StackError
from candor_stack.process import Child, Command, end_orphan, run_to_end

PATIENCE = 20
SLEEP = "import signal; print('up', flush=True); signal.pause()"


def python(program: str, stop_signal: signal.Signals = signal.SIGTERM) -> Command:
    return Command([sys.executable, "-c", textwrap.dedent(program)], dict(os.environ), stop_signal=stop_signal)


def wait_gone(pid: int) -> None:
    _, alive = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=PATIENCE)
    assert not alive


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    one = Child("one", tmp_path)
    yield one
    one.kill()


def test_an_unasked_end_is_reported_with_its_last_lines(child: Child) -> None:
    ends: queue.SimpleQueue[Child] = queue.SimpleQueue()
    child.start(python("print('first'); print('last words'); raise SystemExit(7)"), ends.put)
    assert ends.get(timeout=PATIENCE) is child
    assert child.returncode == 7
    assert child.last_lines(1) == "last words"
    assert not child.alive


@pytest.mark.parametrize("end", [Child.stop, Child.kill])
def test_an_asked_end_is_not_reported(child: Child, end: Callable[[Child], None]) -> None:
    ends: queue.SimpleQueue[Child] = queue.SimpleQueue()
    child.start(python(SLEEP), ends.put)
    end(child)
    assert not child.alive
    assert ends.empty()


def test_a_child_that_ignores_the_signal_is_killed(child: Child) -> None:
    child.start(python("import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"))
    child.stop(patience=0.5)
    assert not child.alive


def test_a_kill_takes_the_grandchildren_too(child: Child, tmp_path: Path) -> None:
    pids = tmp_path / "fifo"
    os.mkfifo(pids)
    child.start(
        python(
            f"""
            import signal, subprocess, sys
            grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
            open({str(pids)!r}, "w").write(str(grandchild.pid))
            signal.pause()
            """
        )
    )
    grandchild = int(pids.read_text())
    child.kill()
    wait_gone(grandchild)


def test_a_child_outlives_the_thread_that_asked_for_it(child: Child) -> None:
    thread = threading.Thread(target=child.start, args=(python(SLEEP),))
    thread.start()
    thread.join()
    assert not child.wait(0.3)


def test_a_second_start_while_it_runs_is_refused(child: Child) -> None:
    child.start(python(SLEEP))
    with pytest.raises(StackError, match="already runs"):
        child.start(python(SLEEP))


def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    program = f"""
        import os, signal, sys
        from pathlib import Path
        from candor_stack.process import Child, Command
        child = Child("orphan", Path({str(tmp_path)!r}))
        child.start(Command([sys.executable, "-c", {SLEEP!r}], dict(os.environ)))
        print(child.pid, flush=True)
        signal.pause()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    wait_gone(pid)


def test_what_an_earlier_run_left_is_ended_at_the_next_start(child: Child, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        record = tmp_path / "run" / "one.json"
        record.parent.mkdir()
        record.write_text(json.dumps({"pid": orphan.pid, "started": psutil.Process(orphan.pid).create_time()}))
        child.start(python(SLEEP))
        assert orphan.wait(PATIENCE) is not None


def test_a_stranger_with_a_recorded_process_id_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "one.json"
    record.write_text(json.dumps({"pid": os.getpid(), "started": 1.0}))
    end_orphan(record)
    assert not record.exists()


@pytest.mark.parametrize("text", ["", "{half", "[]", '{"pid": 1}'])
def test_a_spoilt_record_blocks_nothing(tmp_path: Path, text: str) -> None:
    record = tmp_path / "one.json"
    record.write_text(text)
    end_orphan(record)
    assert not record.exists()


def test_a_failing_command_is_reported_with_what_it_said() -> None:
    with pytest.raises(StackError, match=r"status 4:\s+no disk"):
        run_to_end(python("print('no disk'); raise SystemExit(4)"))
