"""A report in the format asked for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from bulkhead.report.model import Report

FORMATS = ("table", "json", "sarif", "junit", "html", "md", "policyreport", "ocsf", "csv")


def write(report: Report, wanted: str, output: str) -> None:
    """To a file, or to stdout when ``output`` is empty; colours only where a person is watching."""
    if wanted == "table" and not output and sys.stdout.isatty():
        from bulkhead.report import terminal

        sys.stdout.write(terminal.render(report, width=shutil.get_terminal_size((100, 24)).columns))
        return
    made = import_module(f"bulkhead.report.{wanted}").render(report)
    data = made if isinstance(made, bytes) else made.encode()
    if output:
        from pathlib import Path

        Path(output).write_bytes(data)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
        sys.stdout.buffer.flush()


@contextmanager
def working(text: str) -> Iterator[None]:
    """Says on a terminal that something long goes on; silent when nobody is watching."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def talk(text: str) -> None:
    """To the person, never into the data."""
    sys.stderr.write(text + "\n")
