"""The program as a process: its exit code is told whatever becomes of its streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CRASH = "import bulkhead.cli.main as m; m._module = lambda name: 1 // 0; m.sys.argv = ['bulkhead', 'scan']; m.entry()"


def run(*words: str, **streams: int) -> subprocess.CompletedProcess[bytes]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([sys.executable, *words], check=False, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **given)  # type: ignore[call-overload,no-any-return]  # the streams are told by name


def test_a_crash_is_no_finding() -> None:
    done = run("-c", CRASH)
    assert done.returncode == 4
    assert b"ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_a_full_device_is_said_by_the_code(words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        assert run("-m", "bulkhead", *words, stdout=full.fileno()).returncode == 3


def test_a_reader_that_went_away_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert run("-m", "bulkhead", "--help", stdout=writing).returncode == 0
    finally:
        os.close(writing)


def test_streams_that_were_closed_before_us_are_no_failure() -> None:
    closed = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'bulkhead', '--version'])"
    assert run("-c", closed).returncode == 0


def test_the_store_is_closed_when_the_program_ends(tmp_path: Path) -> None:
    """A second connection finds nothing left to recover."""
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "tree").mkdir()
    command = [sys.executable, "-m", "bulkhead", "scan", str(tmp_path / "tree")]
    env = {**os.environ, "BULKHEAD_STATE": str(tmp_path / "state")}
    assert subprocess.run(command, env=env, check=False, capture_output=True).returncode == 0
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"cache", "state.db"}
