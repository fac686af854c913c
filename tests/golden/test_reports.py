"""Owns tests/golden/report: one file per format of the same small report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bulkhead.report import csv, html, json, junit, md, ocsf, policyreport, sarif, table, terminal
from tests.fakes.reports import small

FORMATS: dict[str, Callable[[], Any]] = {
    "small.json": lambda: json.render(small()),
    "small.sarif": lambda: sarif.render(small()),
    "small.xml": lambda: junit.render(small()),
    "small.html": lambda: html.render(small()),
    "small.md": lambda: md.render(small()),
    "small.policyreport.yaml": lambda: policyreport.render(small()),
    "small.ocsf.jsonl": lambda: ocsf.render(small()),
    "small.csv": lambda: csv.render(small()),
    "small.txt": lambda: table.render(small()),
    "small.narrow.txt": lambda: table.render(small(), width=80),
    "small.terminal.txt": lambda: terminal.render(small(), width=100, colour=True),
}


@pytest.mark.parametrize("name", FORMATS)
def test_report(name: str, golden: Callable[[str, bytes | str], None]) -> None:
    golden(f"report/{name}", FORMATS[name]())
