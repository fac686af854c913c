"""Programs that say too much, take too long, or leave somebody behind who holds their pipe."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients import programs
from bulkhead.clients.programs import Ended
from bulkhead.core.errors import LimitExceeded, SourceError

HERE = {"PATH": os.environ["PATH"]}


def run(script: str, *, seconds: float = 20.0, **more: Any) -> Ended:
    return asyncio.run(
        programs.run(["sh", "-c", script], variables=HERE, seconds=seconds, **({"most": 100_000} | more))
    )


def test_what_is_said_and_how_it_ends() -> None:
    assert run("echo yes; echo no >&2; exit 3") == Ended(3, b"yes\n")
    assert run("echo yes; echo no >&2", listen="err") == Ended(0, b"no\n")
    assert run('echo "$HOME$USER"') == Ended(0, b"\n")
    assert len(run("head -c 100000 /dev/zero").said) == 100_000


@pytest.mark.parametrize("script", ["head -c 3000000 /dev/zero", "cat /dev/zero", "cat /dev/zero & cat /dev/zero"])
def test_who_says_too_much_is_ended(script: str) -> None:
    for _ in range(10):
        with pytest.raises(LimitExceeded, match="more than 100000 bytes"):
            run(script)


def test_who_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"longer than 0\.3 seconds"):
        run(f"(sleep 1; touch {tmp_path}/late) & sleep 100", seconds=0.3)
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_who_is_left_behind_with_the_pipe_is_not_waited_for() -> None:
    begin = time.monotonic()
    assert run("setsid sleep 30 & echo started") == Ended(0, b"started\n")
    with pytest.raises(SourceError, match="longer"):
        run("setsid sleep 30 & sleep 30", seconds=0.3)
    assert time.monotonic() - begin < 15


def test_what_cannot_be_started_is_told() -> None:
    with pytest.raises(SourceError, match="cannot be started"):
        asyncio.run(programs.run(["/nonexistent"], variables=HERE, seconds=1, most=10))
