"""One line for each event, whatever stands in it; and no secret."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from bulkhead.server.logs import REQUEST, Library, Log
from tests.unit.server.serving import Heard

EVIL = 'a\nb\r\n{"level":"error"}\u2028c\x85d\x1b[2J\x00\udcff "e" = \\'
TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_value_makes_a_second_line(form: str) -> None:
    heard = Heard(form)
    heard.log.info("scanned", world=EVIL, number=3, yes=True, nothing=None)
    text = heard.out.getvalue()
    assert text.count("\n") == 1
    assert len(text.splitlines()) == 1
    assert text.endswith("\n")
    assert "\x1b" not in text
    if form == "json":
        line = json.loads(text)
        assert (line["level"], line["event"], line["number"], line["yes"], line["nothing"]) == (
            "info", "scanned", 3, True, None,
        )  # fmt: skip
    else:
        assert ' info scanned world="a b {' in text
        assert "number=3" in text


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_masked_and_long_values_cut(form: str) -> None:
    heard = Heard(form)
    heard.log.error("failed", reason=f"it said {TOKEN} at postgres://ada:hunter2hunter2@db/x", long="x" * 10_000)
    assert TOKEN not in heard.out.getvalue()
    assert "hunter2" not in heard.out.getvalue()
    assert len(heard.out.getvalue()) < 3000


def test_a_value_does_not_take_the_place_of_what_we_say() -> None:
    heard = Heard()
    facts: dict[str, Any] = {"level": "debug", "time": "never", "request": "mine"}
    heard.log._say("error", "failed", facts)
    (line,) = heard.lines
    assert line["level"] == "error"
    assert line["time"] != "never"


def test_levels_and_requests() -> None:
    heard = Heard(level="warning")
    heard.log.info("quiet")
    heard.log.debug("quieter")
    token = REQUEST.set("abc")
    heard.log.warning("told")
    REQUEST.reset(token)
    heard.log.error("told too")
    assert [(line["event"], line.get("request")) for line in heard.lines] == [("told", "abc"), ("told too", None)]


def test_a_log_that_cannot_be_written_is_counted() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left on device")

    log = Log("json", "info", Full())
    log.info("told")
    assert log.lost == 1


def test_what_libraries_say_is_one_of_our_lines() -> None:
    heard = Heard()
    record = logging.getLogger("x").makeRecord("uvicorn.error", logging.ERROR, "f", 1, "oh %s", ("no\nno",), None)
    Library(heard.log).emit(record)
    try:
        raise ValueError(f"the token is {TOKEN}")
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
    Library(heard.log).emit(logging.getLogger("x").makeRecord("x", logging.WARNING, "f", 1, "failed", (), told))
    first, second = heard.lines
    assert (first["level"], first["event"], first["name"], first["message"]) == ("error", "library", "uvicorn.error", "oh no no")  # fmt: skip
    assert second["level"] == "warning"
    assert "ValueError" in second["message"]
    assert "test_logs.py:" in second["message"]
    assert TOKEN not in second["message"]
