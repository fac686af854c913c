"""Whatever a name or a message holds, every format stays well formed and says the same."""

from __future__ import annotations

import csv as reader
import io
import xml.etree.ElementTree as ET

import msgspec
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.core.finding import Waiver
from bulkhead.core.resource import Gap
from bulkhead.report import csv, html, json, junit, md, ocsf, policyreport, sarif, table, terminal
from bulkhead.report.model import Fix, Report
from bulkhead.report.text import clean
from tests.fakes.reports import finding, small

TEXT = st.text(st.characters(codec=None), max_size=40)


def report_of(text: str, waived: bool) -> Report:
    waiver = Waiver(reason=text, owner=text, origin=text, expires=text) if waived else None
    one = finding(message=text, evidence=text, name=text, namespace=text, file=text, element=text, waiver=waiver)
    return msgspec.structs.replace(
        small(),
        findings=(one,),
        gaps=(Gap(where=text, code="B200", reason=text, hint=text, hides=(text,)),),
        notes=(text,),
        fixes={one.fingerprint: (Fix(description=text, diff=text),)},
    )


@settings(max_examples=60, deadline=None)
@given(TEXT, st.booleans())
def test_any_text(text: str, waived: bool) -> None:
    report = report_of(text, waived)
    expected = clean(text)
    decoded = msgspec.json.decode(json.render(report))
    assert decoded["findings"][0]["element"] == expected
    run = msgspec.json.decode(sarif.render(report))["runs"][0]
    assert len(run["results"]) == 1
    assert len([msgspec.json.decode(line) for line in ocsf.render(report).splitlines()]) == 2
    ET.fromstring(junit.render(report))
    documents = list(yaml.load_all(policyreport.render(report), yaml.CSafeLoader))
    (result,) = (result for document in documents for result in document["results"] if result["policy"] != "gap")
    assert result["properties"].get("element", "") == expected
    rows = list(reader.reader(io.StringIO(csv.render(report), newline="")))
    assert [len(row) for row in rows] == [len(csv.COLUMNS)] * 3
    assert rows[1][csv.COLUMNS.index("element")] == csv.guarded(expected)
    for render in (html.render, md.render, table.render, terminal.render):
        render(report).encode()
