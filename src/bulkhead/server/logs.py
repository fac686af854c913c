"""One line for each thing that happens, on standard error: JSON for machines, or text. No secret, no second line."""

from __future__ import annotations

import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

from bulkhead.report.text import cut, one_line

_LONG: Final = 2000
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}

REQUEST: Final[ContextVar[str]] = ContextVar("request", default="")
"""The id of the request that is being answered; it stands in every line that is said meanwhile."""


class Log:
    """Every value is cleaned of control characters, masked, brought into one line and cut. Events are words of ours."""

    def __init__(self, form: str = "json", level: str = "info", out: TextIO | None = None) -> None:
        self._form = form
        self._least = LEVELS[level]
        self._out = out or sys.stderr
        self._lock = threading.Lock()
        self.lost = 0

    def debug(self, event: str, **facts: Any) -> None:
        self._say("debug", event, facts)

    def info(self, event: str, **facts: Any) -> None:
        self._say("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._say("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._say("error", event, facts)

    def _say(self, level: str, event: str, facts: dict[str, Any]) -> None:
        if LEVELS[level] < self._least:
            return
        told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event}
        request = REQUEST.get()
        if request:
            told["request"] = request
        # What is told cannot take the place of what we say ourselves.
        told = {**{name: _safe(value) for name, value in facts.items()}, **told}
        order = ("time", "level", "event", "request")
        line = self._line({name: told[name] for name in (*order, *facts) if name in told})
        try:
            with self._lock:
                self._out.write(line + "\n")
                self._out.flush()
        except (OSError, ValueError):
            # A log that cannot be written must not stop what it tells of; metrics tell the loss.
            self.lost += 1

    def _line(self, told: dict[str, Any]) -> str:
        if self._form == "json":
            return msgspec.json.encode(told).decode()
        head = [str(told.pop(name)) for name in ("time", "level", "event")]
        return " ".join([*head, *(f"{name}={_quoted(value)}" for name, value in told.items())])


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, (int, float, bool)):
        return value
    return cut(one_line(str(value)), _LONG)


def _quoted(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    plain = isinstance(value, str) and value and not any(char in ' "=\\' for char in value)
    return value if plain else text


class Library(logging.Handler):
    """What libraries log, in our own lines. Their request lines are not let through: those may hold a token."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fault = ""
        if record.exc_info and record.exc_info[0]:
            kind, error, trace = record.exc_info
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
            fault = f": {kind.__name__}: {error}{place}"
        say = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        say("library", name=record.name, message=record.getMessage() + fault)


def taken_over(log: Log) -> None:
    """From now on the libraries of this process log through ours."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(Library(log))
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
