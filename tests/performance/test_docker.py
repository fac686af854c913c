"""A live engine with the prepared host's containers and thirty that run, read and judged; what is asked and what is held.

Wall time, the best of five: most of it is waiting for the engine. The issue asks it for thirty containers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from tests.integration.engine import docker
from tests.integration.test_docker_world import CONDITIONS, PREFIX, image, judged, prepared, read

__all__ = ["image", "prepared"]
ASKED, HELD = 1.0, 2.0
RUNNING = 30


@pytest.fixture
def running(image: str) -> Iterator[list[str]]:
    names = [f"{PREFIX}runs-{number}" for number in range(RUNNING)]
    try:
        for name in names:
            docker("run", "-d", "--name", name, "--network", "none", image, "/bin/sleep", "1000")
        yield names
    finally:
        docker("rm", "-f", *names)


@pytest.mark.usefixtures("prepared", "running")
def test_containers_are_read_and_judged_in_a_second() -> None:
    spent = []
    for _ in range(5):
        begin = time.monotonic()
        judged(read())
        spent.append(time.monotonic() - begin)
    sys.stdout.write(
        f"\n{len(CONDITIONS)} containers and {RUNNING} that run in {min(spent):.2f} s; asked {ASKED} s for 30, held {HELD} s\n"
    )
    assert min(spent) <= HELD
