"""Our command with a state and a bytecode cache of its own, warmed by one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.performance.measuring import Cost, spent

Command = Callable[..., Callable[[], Cost]]


@pytest.fixture(scope="session")
def bulkhead(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """``bulkhead("scan", "x")`` gives a function that runs that once; the first, cold run is done already."""
    state = tmp_path_factory.mktemp("state", numbered=True)
    state.chmod(0o700)
    bytecode = tmp_path_factory.mktemp("bytecode")
    # An installed package has its bytecode; a checkout has it after the first run, where the variable lets it.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"BULKHEAD_STATE": str(state), "PYTHONPYCACHEPREFIX": str(bytecode)}
    program = str(Path(sys.executable).with_name("bulkhead"))

    def command(*words: str) -> Callable[[], Cost]:
        run = partial(spent, [program, *words], env)
        run()
        return run

    return command


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
