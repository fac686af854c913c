"""A report in the format asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from bulkhead.report.model import Report

FORMATS = ("table", "json", "sarif", "junit", "html", "md", "policyreport", "ocsf", "csv")


def write(report: Report, wanted: str, output: str) -> None:
    """To a file, or to stdout when ``output`` is empty; colours only where a person is watching."""
    if wanted == "table" and not output and sys.stdout.isatty():
        import shutil

        from bulkhead.report import terminal

        sys.stdout.write(terminal.render(report, width=shutil.get_terminal_size((100, 24)).columns))
        return
    pieces = _pieces(report, wanted)
    if output:
        from pathlib import Path

        with Path(output).open("wb") as file:
            file.writelines(pieces)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()


def _pieces(report: Report, wanted: str) -> Iterable[bytes]:
    """The report in bytes that end with a line end; piece by piece where the format can be told so."""
    module = import_module(f"bulkhead.report.{wanted}")
    if hasattr(module, "chunks"):
        pieces: Iterable[bytes] = module.chunks(report)
        return pieces
    made = module.render(report)
    data = made if isinstance(made, bytes) else made.encode()
    return (data if data.endswith(b"\n") else data + b"\n",)


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Says on a terminal that something long goes on; silent when nobody is watching.

    Gives what tells more of it: beside the text on a terminal, as lines elsewhere.
    """
    if not sys.stderr.isatty():
        yield talk
        return
    from rich.console import Console
    from rich.markup import escape

    from bulkhead.report.text import clean

    with Console(stderr=True).status(text) as status:
        yield lambda more: status.update(escape(f"{text}: {clean(more)}"))


def talk(text: str) -> None:
    """To the person, never into the data."""
    from bulkhead.report.text import clean

    sys.stderr.write(clean(text) + "\n")


def diff(text: str) -> None:
    """To stdout; a terminal gets no control characters out of a file or its name."""
    from bulkhead.report.text import clean

    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


def masked(value: Any) -> Any:
    """JSON-shaped data whose texts tell no credential."""
    from bulkhead.report.mask import mask_source

    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return mask_source(value) if isinstance(value, str) else value


def json(value: object) -> None:
    """One line to stdout; a lone surrogate, which UTF-8 cannot carry, is written as its escape."""
    import msgspec

    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        from json import dumps

        data = dumps(msgspec.to_builtins(value)).encode()
    sys.stdout.buffer.write(data + b"\n")
