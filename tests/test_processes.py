"""Results in order; nothing outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midigroove_core.errors import MidigrooveError
from midigroove_core.processes import in_order, run_program


def double(number: int) -> int:
    return 2 * number


def end(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def say_and_wait(path: Path) -> None:
    """Writes this process's id, and that of a program it runs, and waits for ever."""
    path.with_suffix(".worker").write_text(f"{os.getpid()}\n")
    run_program(["sh", "-c", f"echo $$ > '{path}.program'; sleep 600"], timeout_sec=600)


MAIN = """
import signal
import sys
from pathlib import Path
from test_processes import say_and_wait
from midigroove_core.processes import in_order
if __name__ == "__main__":
    # A shell that starts the tests in the background has Ctrl-C ignored; programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    list(in_order(say_and_wait, [Path(sys.argv[1]) / str(n) for n in range(2)], 2))
"""


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds: float = 60.0) -> bool:
    stop = time.monotonic() + seconds
    while not condition() and time.monotonic() < stop:
        time.sleep(0.02)
    return condition()


def test_results_come_in_order() -> None:
    tasks = list(range(7))
    assert list(in_order(double, tasks, 2)) == list(in_order(double, tasks, 1))


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(MidigrooveError, match="worker process was killed"):
        list(in_order(end, list(range(6)), 2))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_and_programs_end_with_their_parent(tmp_path: Path, number: int) -> None:
    script = tmp_path / "main.py"
    script.write_text(MAIN)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])
    }
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env=environment, stderr=subprocess.DEVNULL
    )

    def said() -> list[int]:
        files = [*tmp_path.glob("*.worker"), *tmp_path.glob("*.program")]
        return [int(text) for path in files if (text := path.read_text().strip())]

    try:
        assert wait_for(lambda: len(said()) == 4)
        parent.send_signal(number)
        parent.wait(60)
        assert wait_for(lambda: not any(map(is_running, said())))
    finally:
        parent.kill()
        parent.wait()


def test_a_program_has_a_time_limit() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(["sleep", "600"], timeout_sec=0.2)
    done = run_program([sys.executable, "-c", "print('x; $HOME')"], timeout_sec=60)
    assert (done.returncode, done.stdout) == (0, "x; $HOME\n")
    with pytest.raises(FileNotFoundError):
        run_program(["no-such-program"], timeout_sec=1)
