"""Files of an export: their forms, their bounds, and what hostile ones do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bulkhead.core.errors import SourceError
from bulkhead.sources.cloud.inventory import Bounds, load

KINDS = ("GkeCluster",)


@pytest.mark.parametrize(
    "data",
    [
        b'[{"a":1},{"b":2}]', b'{"a":1}\n{"b":2}\n', b'{"value":[{"a":1},{"b":2}]}', b'\xef\xbb\xbf[{"a":1},{"b":2}]',
        b"\xff\xfe" + '[{"a":1},{"b":2}]'.encode("utf-16-le"), b'[{"a":1}]\n[{"b":2}]\n{"data":[]}',
    ],
)  # fmt: skip
def test_every_form_that_the_tools_write_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    found = load(str(path), KINDS)
    assert found.items == [{"a": 1}, {"b": 2}]
    assert found.gaps == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON"), (b"\x00\xff\xfe", "no JSON"), (b'{"a":', "no JSON"), (b"[" * 100_000, ""), (b'{"a":' * 100_000, ""),
        (b"\xff\xfe\x00", "broken"), (b"[1, null, {}]", "2 records"), (b'"text"', "1 records"), (b"NaN", "no JSON"),
        (json.dumps([{"a": eval("[" * 80 + "]" * 80)}]).encode(), "nested too deep"),
    ],
)  # fmt: skip
def test_what_is_no_inventory_is_a_gap_that_hides_its_kinds(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    [gap] = load(str(path), KINDS).gaps
    assert reason in gap.reason
    assert gap.hides == KINDS


def test_one_broken_line_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(b'{"a":1}\n{"b":\n{"c":3}\n')
    found = load(str(path), KINDS)
    assert found.items == [{"a": 1}, {"c": 3}]
    assert [(gap.line, gap.code) for gap in found.gaps] == [(2, "B220")]


def test_bounds_end_the_reading_and_are_told(tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "c.json"):
        (tmp_path / name).write_text('[{"a":1},{"a":2}]')
    few = load(str(tmp_path), KINDS, Bounds(files=2, records=3))
    assert len(few.items) == 3
    assert {gap.code for gap in few.gaps} == {"B210"}
    assert len(few.gaps) == 2
    [gap] = load(str(tmp_path / "a.json"), KINDS, Bounds(file=4)).gaps
    assert gap.code == "B210"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    [gap] = load(str(tmp_path), KINDS).gaps
    assert "no plain file" in gap.reason


@pytest.mark.parametrize("name", ["missing", "zero\x00byte"])
def test_no_such_inventory_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError):
        load(f"{tmp_path}/{name}", KINDS)
