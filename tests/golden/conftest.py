"""``--update`` writes what the code says now into the golden files; never in CI, where nobody would read the change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew; refused when CI=true")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update", default=False) and os.environ.get("CI") == "true":
        raise pytest.UsageError("--update is refused when CI=true: golden files are reviewed by a person")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes | str], None]:
    """Compares with ``tests/golden/<name>``, byte for byte."""

    def check(name: str, actual: bytes | str) -> None:
        data = actual.encode() if isinstance(actual, str) else actual
        path = FOLDER / name
        if request.config.getoption("--update", default=False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.is_file(), f"{name} is missing; run pytest tests/golden --update and read what it wrote"
        assert data == path.read_bytes(), f"{name} differs; run pytest tests/golden --update and read the change"

    return check
