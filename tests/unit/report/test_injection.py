"""What a hostile manifest puts into names, messages and diffs stays text in every format, and secrets stay out."""

from __future__ import annotations

import csv as reader
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
import yaml

from bulkhead.core.finding import Waiver
from bulkhead.core.resource import Gap
from bulkhead.report import csv, html, json, junit, md, ocsf, policyreport, sarif, table, terminal
from bulkhead.report.csv import guarded
from bulkhead.report.mask import mask, mask_source
from bulkhead.report.md import escaped
from bulkhead.report.model import FileChange, Fix, Report
from bulkhead.report.text import clean
from tests.fakes.reports import finding, small

EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;\x1b[2J\x00\r\n=cmd|' /C calc'!A0\ud800`` |x| "
    "![a](http://evil.example/x) @everyone \u202e{{7*7}}{%x%} ---\n- a: b"
)
# Put together here so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow" + "A" * 60 + "\n-----END RSA " + "PRIVATE KEY-----"
PLAIN = "hunter2hunter2"


def hostile() -> Report:
    base = small()
    waiver = Waiver(reason=EVIL, owner=EVIL, expires=EVIL, origin=EVIL)
    shown = finding(message=EVIL, evidence=EVIL, name=EVIL, namespace=EVIL, file=EVIL, element=EVIL, kind=EVIL)
    covered = finding(message=EVIL, name="other" + EVIL, waiver=waiver)
    fix = Fix(description=EVIL, diff="+" + EVIL + "\n```\n<script>", changes=())
    return msgspec.structs.replace(
        base,
        findings=(shown, covered),
        gaps=(Gap(where=EVIL, code="B220", reason=EVIL, hint=EVIL, hides=(EVIL,)),),
        notes=(EVIL,),
        root=EVIL,
        tenant=EVIL,
        profile=EVIL,
        fixes={shown.fingerprint: (fix,)},
    )


def leaking() -> Report:
    base = small()
    text = f"saw {AWS} and {GITHUB} and {KEY} at postgres://ada:{PLAIN}@db/x"
    first = finding(message=text, evidence=text)
    diff = f"-ENV DB_PASSWORD={PLAIN}\n+ARG X\n env:\n - name: API_TOKEN\n   value: {PLAIN}\n {KEY}\n"
    change = FileChange(
        path="a", start_line=1, start_column=1, end_line=1, end_column=1, start_byte=0, end_byte=0,
        inserted_text=f"password: {PLAIN}\n",
    )  # fmt: skip
    gap = Gap(where="x", code="B220", reason=text, hint=text)
    return msgspec.structs.replace(
        base,
        findings=(first,),
        gaps=(gap,),
        notes=(text,),
        fixes={first.fingerprint: (Fix(description=text, diff=diff, changes=(change,)),)},
    )


RENDERERS: dict[str, Callable[[Report], bytes | str]] = {
    "json": json.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "html": html.render,
    "md": md.render,
    "policyreport": policyreport.render,
    "ocsf": ocsf.render,
    "csv": csv.render,
    "table": table.render,
    "terminal": terminal.render,
}


def text_of(name: str, report: Report) -> str:
    data = RENDERERS[name](report)
    return data.decode() if isinstance(data, bytes) else str(data)


@pytest.mark.parametrize("name", RENDERERS)
def test_no_format_repeats_a_secret(name: str) -> None:
    out = text_of(name, leaking())
    for secret in (AWS, GITHUB, "MIIEow", PLAIN):
        assert secret not in out


@pytest.mark.parametrize("name", RENDERERS)
def test_no_format_passes_control_characters_on(name: str) -> None:
    out = text_of(name, hostile())
    if name == "terminal":
        out = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e\ud800]", out)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        for key, value in attrs:
            if key in {"src", "onerror", "onload"} or (key == "href" and not (value or "").startswith("#")):
                self.outside.append(f"{tag} {key}")


def test_html_has_no_script_and_loads_nothing() -> None:
    tags = _Tags()
    out = html.render(hostile())
    tags.feed(out)
    assert not tags.seen & {"script", "img", "iframe", "link", "object"}
    assert tags.outside == []
    assert "49" not in re.findall(r"<dd><code>[^<]*</code>", out)


def test_html_says_everything_a_manager_asks() -> None:
    out = html.render(small())
    for word in (
        "Not readable: 2",
        "goes away in March",
        "Network policies",
        "runAsNonRoot: true",
        "shop",
        "prefers-color-scheme",
        "@media print",
    ):
        assert word in out


def test_one_change_for_many_findings_is_shown_once() -> None:
    many = tuple(finding(name=f"web-{at}") for at in range(40))
    fix = Fix(description="d", diff="--- a\n+++ b\n@@ -1 +1 @@\n-only once\n+x\n")
    report = msgspec.structs.replace(small(), findings=many, fixes={item.fingerprint: (fix,) for item in many})
    assert [html.render(report).count("only once"), md.render(report).count("only once")] == [1, 1]


def test_junit_is_xml() -> None:
    root = ET.fromstring(junit.render(hostile()))
    assert [root.get("failures"), root.get("errors")] == ["1", "1"]


def test_policyreport_is_yaml() -> None:
    documents = list(yaml.safe_load_all(policyreport.render(hostile())))
    assert [document["kind"] for document in documents] == ["ClusterPolicyReport", "PolicyReport", "PolicyReport"]


def test_csv_keeps_its_columns_and_has_no_formula() -> None:
    rows = list(reader.reader(io.StringIO(csv.render(hostile()))))
    assert {len(csv.COLUMNS)} == {len(row) for row in rows}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "|"))]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "|x", "＝1", "\x00=1"])
def test_formulas_are_guarded(cell: str) -> None:
    assert guarded(cell).startswith("'")


def test_plain_cells_are_left_alone() -> None:
    assert guarded("web=1") == "web=1"


def test_markdown_keeps_markup_as_text() -> None:
    out = md.render(hostile())
    outside = re.sub(r"(?ms)^(`{3,})diff.*?^\1$|(?<!`)(`+)(?!`).*?(?<!`)\2(?!`)", "", out)
    assert not re.search(r"(?<!\\)<(script|img)", outside)
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)@everyone", outside)


def test_markdown_escapes_links_and_tags() -> None:
    assert escaped("[a](http://x) <b>") == r"\[a\]\(http&#58;//x\) \<b\>"


def test_table_is_one_line_per_finding() -> None:
    report = msgspec.structs.replace(hostile(), gaps=(), notes=())
    assert table.render(report).count("\n") == 4


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_table_keeps_to_its_width(width: int) -> None:
    report = msgspec.structs.replace(small(), findings=(finding(name="界" * 40, message="界" * 200),))
    lines = table.render(report, width=width).splitlines()[:-1]
    assert all(table.columns(line) <= width for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "secretKeyRef is missing",
        "automountServiceAccountToken: true",
        "secretName: db-credentials",
        "password: ${DB_PASSWORD}",
        "password_file: /run/secrets/db",
        "tokenExpirationSeconds: 3600",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:",
        "imagePullSecrets:\n  - name: regcred",
    ],
)
def test_references_to_secrets_stay_readable(text: str) -> None:
    assert text == mask_source(text)


def test_prose_is_masked_by_format_only() -> None:
    assert mask("token: mounted") == "token: mounted"


def test_clean_keeps_letters_of_all_people() -> None:
    text = "Grüße, 世界, עולם 🚢\n"
    assert text == clean(text)
