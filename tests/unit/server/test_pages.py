"""Every page on an empty and on a hostile store, and the guard around them: who asks, from where, how often."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from bulkhead.app.ports import EntryState, Query, StepState, StoredFinding
from bulkhead.app.proposing import Proposed
from bulkhead.bus.memory import MemoryBus
from bulkhead.core.errors import Conflict, SourceError, StoreError, UsageError
from bulkhead.core.finding import Where
from bulkhead.core.outcome import Severity
from bulkhead.core.plan import Plan, Repair, Step
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.model import Report
from bulkhead.server.events import Event, Recent
from bulkhead.server.metrics import Metrics
from bulkhead.server.scans import World
from bulkhead.server.threads import Threads
from bulkhead.server.tokens import Gate
from bulkhead.server.web.answers import prose
from bulkhead.server.web.application import application
from bulkhead.server.web.hosts import Hosts
from bulkhead.server.web.ports import Health, Office
from tests.catalogue_check import catalogue
from tests.fakes.reports import finding
from tests.fakes.store import MemoryFindings, MemoryJournal
from tests.unit.server.serving import Heard

NOW = "2026-11-27T10:00:00+00:00"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}\u202e\x1b[31m"
# What an operator calls a world is typed by hand.
TARGET = EVIL.replace("\x1b", "")
SECRET = "ghp_" + "a1B2" * 9


class FakePlans:
    def proposed(self, found: StoredFinding) -> Proposed:
        if found.control == "b":
            raise SourceError("it cannot be read", where=EVIL)
        return Proposed(description=EVIL, diff=f"--- a\n+++ b\n+password: {SECRET}\n{EVIL}\n", proposal=EVIL)


class FakeWorlds:
    def __init__(self) -> None:
        self.worlds: Mapping[str, World] = {TARGET: World(TARGET, trouble=EVIL), "/srv": World("/srv", "/srv")}
        self.asked: list[str] = []

    def ask(self, target: str) -> None:
        if target not in self.worlds:
            raise UsageError("no world of the settings is called like that")
        self.asked.append(target)


class Site:
    """The application with what it is given, asked as a client would."""

    def __init__(self, folder: Path, *, metrics_open: bool = False) -> None:
        self.store, self.journal, self.worlds, self.heard = MemoryFindings(), MemoryJournal(), FakeWorlds(), Heard()
        self.gate = Gate(folder)
        self.undone: list[str] = []
        self.fault: Exception | None = None
        recent = Recent(MemoryBus(), lambda: NOW)
        recent._kept.append(
            Event(NOW, "finding.opened", {"fingerprint": "f", "root": EVIL, "control": EVIL, "message": EVIL})
        )
        self.pools = [Threads(name, count=1, waiting=8) for name in ("read", "plan", "change")]
        self.office = Office(
            store=self.store, journal=self.journal, catalogue=catalogue(), tenant="default", plans=FakePlans(), undo=self._undo, changed=lambda: None,
            scans=self.worlds, recent=lambda: recent.events, health=lambda: Health("ready", {"scans": EVIL}), metrics=Metrics(), log=self.heard.log,
            gate=self.gate, hosts=Hosts("127.0.0.1", ("bulkhead.example",)), metrics_open=metrics_open, reads=self.pools[0], plans_pool=self.pools[1],
            changes=self.pools[2], now=lambda: NOW,
        )  # fmt: skip
        self.app = application(self.office)
        self.cookies: dict[str, str] = {}

    def _undo(self, entry: str) -> tuple[str, ...]:
        if self.fault is not None:
            raise self.fault
        self.undone.append(entry)
        return (EVIL,)

    @property
    def token(self) -> str:
        return self.gate.plain.read_text().strip()

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        host: str = "127.0.0.1:8787",
        **headers: str,
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers, text. ``headers`` with underscores for dashes."""
        where, _, query = path.partition("?")
        body = urlencode(form or {}).encode()
        given = {
            "host": host,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **headers,
        }
        if form is not None:
            given["content-type"] = "application/x-www-form-urlencoded"
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": where, "raw_path": where.encode(), "query_string": query.encode(),
            "scheme": "http", "client": ("127.0.0.1", 4242), "server": ("127.0.0.1", 8787),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]  # an awaitable that is a coroutine
        told: dict[str, str] = {}
        for name, value in sent[0]["headers"]:
            text = value.decode("latin-1")
            if name == b"set-cookie":
                key, _, rest = text.partition("=")
                self.cookies[key] = rest.partition(";")[0]
            told[name.decode()] = text
        return sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:]).decode()

    def sign_in(self) -> str:
        """The word of the session's forms."""
        _, _, text = self.ask("GET", "/sign-in")
        word = re.search(r'name="form" value="([^"]+)"', text)
        assert word is not None
        status, _, _ = self.ask("POST", "/sign-in", form={"form": word[1], "token": self.token})
        assert status == 303
        _, _, text = self.ask("GET", "/journal")
        found = re.search(r'name="form" value="([^"]+)"', text)
        assert found is not None
        return found[1]


@pytest.fixture
def site(tmp_path: Path) -> Any:
    made = Site(tmp_path)
    yield made
    for pool in made.pools:
        pool.close()


def filled(site: Site) -> tuple[str, str]:
    """A store in which everything that can be a text is hostile; the fingerprint of a finding and the id of an entry."""
    evil = msgspec.structs.replace(
        finding("container.privileged", name=EVIL, severity=Severity.CRITICAL), message=EVIL, title=EVIL, evidence=f"{EVIL} {SECRET}", element=EVIL,
        where=Where(file=EVIL, line=3, path=EVIL), resource=Ref(source="file", kind=EVIL, name=EVIL, namespace=EVIL, origin=EVIL),
    )  # fmt: skip
    gap = Gap(where=EVIL, code="B200", reason=EVIL, hint=EVIL, hides=("X",))
    site.store.record_run(Report(
        tool_version="0", tenant="default", root=EVIL, started=NOW, finished=NOW, profile=EVIL, findings=(evil, finding("b")), gaps=(gap,), tallies={"container.privileged": {}, "b": {}}, score=50.0,
    ))  # fmt: skip
    step = Step(
        id="s0", channel="file", target=EVIL, limit=1, needs=(EVIL,), before=f"{EVIL}\n".encode(), change=f"token: {SECRET}\n{EVIL}\n".encode(),
        repairs=(Repair(fingerprint="f", control="c", mitigation="m", mode="auto", note=EVIL),), verify=("f",), undo=EVIL,
    )  # fmt: skip
    entry = site.journal.begin(Plan(id="p", tenant="default", root=EVIL, steps=(step,), unfixed=()), actor=EVIL, at=NOW)
    site.journal.mark_step(entry, "s0", StepState.APPLYING)
    site.journal.mark_step(entry, "s0", StepState.APPLIED)
    site.journal.finish(entry, EntryState.APPLIED)
    return evil.fingerprint, entry


PAGES = (
    "/",
    "/findings",
    "/journal",
    "/controls",
    "/controls?text=K4",
    "/controls/container.privileged",
    "/findings?severity=high&state=all&page=9",
)


@pytest.mark.parametrize("path", PAGES)
def test_pages_on_an_empty_store(site: Site, path: str) -> None:
    site.sign_in()
    status, _, text = site.ask("GET", path)
    assert status == 200
    assert "</html>" in text


def test_nothing_hostile_comes_out_as_markup_and_no_secret_comes_out(site: Site) -> None:
    fingerprint, entry = filled(site)
    word = site.sign_in()
    paths = [
        *PAGES,
        f"/findings/{fingerprint}",
        f"/findings/{fingerprint}?repair=1",
        f"/journal/{entry}",
        f"/journal/{entry}/undo",
        "/findings?" + urlencode({"text": EVIL, "control": EVIL, "world": EVIL}),
        "/api/v1/findings",
        "/api/v1/journal",
    ]
    for path in paths:
        status, _, text = site.ask("GET", path)
        assert status == 200, path
        if not path.startswith("/api"):
            assert "<script" not in text, path
            assert "<img" not in text, path
            # What a form sends back is exact; a browser is no terminal.
            assert "\x1b" not in re.sub(r'value="[^"]*"', "", text), path
            assert ">49" not in text, path
        assert SECRET not in text, path
    status, _, text = site.ask("POST", f"/journal/{entry}/undo", form={"form": word})
    assert status == 200
    assert "<script" not in text
    assert site.undone == [entry]


def test_what_cannot_be_planned_or_taken_back_is_said(site: Site) -> None:
    _, entry = filled(site)
    word = site.sign_in()
    other = site.store.search(Query(controls=("b",))).findings[0]
    _, _, text = site.ask("GET", f"/findings/{other.fingerprint}?repair=1")
    assert "cannot be planned now" in text
    site.fault = Conflict("the file is not what was written", where="a.yaml")
    status, _, text = site.ask("POST", f"/journal/{entry}/undo", form={"form": word})
    assert status == 409
    assert "the file is not what was written" in text


def test_a_store_that_fails_is_told_and_not_empty(site: Site) -> None:
    site.sign_in()

    def broken(**_: Any) -> Any:
        raise StoreError("the store failed: disk", where="state.db")

    site.store.last_runs = broken  # type: ignore[method-assign]
    status, _, text = site.ask("GET", "/")
    assert status == 503
    assert "the store failed: disk" in text


# The guard.


def test_who_is_not_signed_in(site: Site) -> None:
    assert site.ask("GET", "/")[0] == 303
    status, headers, _ = site.ask("GET", "/findings")
    assert (status, headers["location"]) == (303, "/sign-in?next=/findings")
    assert site.ask("GET", "/api/v1/overview")[0] == 401
    assert site.ask("GET", "/metrics")[0] == 401
    assert site.ask("POST", "/scan", form={"world": "/srv"})[0] == 303
    assert site.worlds.asked == []
    assert site.ask("GET", "/healthz")[2] == '{"status":"ok"}'
    assert "jobs" not in site.ask("GET", "/readyz")[2]


def test_a_token_reads_and_changes_nothing(site: Site) -> None:
    bearer: dict[str, Any] = {"authorization": f"Bearer {site.token}"}
    for path in ("/api/v1/overview", "/api/v1/findings", "/api/v1/controls", "/metrics", "/"):
        assert site.ask("GET", path, **bearer)[0] == 200
    assert site.ask("POST", "/scan", form={"world": "/srv"}, **bearer)[0] == 403
    assert site.ask("GET", "/api/v1/overview", authorization="Bearer wrong")[0] == 401


def test_wrong_tokens_run_out(site: Site) -> None:
    for _ in range(10):
        assert site.ask("GET", "/metrics", authorization="Bearer wrong")[0] == 401
    assert site.ask("GET", "/metrics", authorization="Bearer wrong")[0] == 429
    assert site.ask("GET", "/metrics", authorization=f"Bearer {site.token}")[0] == 429
    assert "wrong" not in {value for line in site.heard.lines for value in line.values() if value == "wrong"}


def test_a_form_needs_its_word_and_its_own_origin(site: Site) -> None:
    word = site.sign_in()
    assert site.ask("POST", "/scan", form={"world": "/srv"})[0] == 403
    assert site.ask("POST", "/scan", form={"world": "/srv", "form": "x" * 32})[0] == 403
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ):
        assert site.ask("POST", "/scan", form={"world": "/srv", "form": word}, **headers)[0] == 403
    assert site.worlds.asked == []
    status, headers, _ = site.ask(
        "POST",
        "/scan",
        form={"world": "/srv", "form": word},
        origin="http://127.0.0.1:8787",
        sec_fetch_site="same-origin",
    )
    assert (status, headers["location"]) == (303, "/")
    assert site.worlds.asked == ["/srv"]
    assert site.ask("POST", "/scan", form={"world": "/other", "form": word})[0] == 404


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:1", True),
        ("localhost", True),
        ("bulkhead.example", True),
        ("evil.example", False),
        ("", False),
        ("127.0.0.1.evil.example", False),
        ("169.254.169.254", False),
    ],
)
def test_only_our_own_names_are_served(site: Site, host: str, known: bool) -> None:
    assert (site.ask("GET", "/sign-in", host=host)[0] == 200) is known


def test_headers_of_every_answer(site: Site) -> None:
    for path in ("/sign-in", "/nothing", "/healthz", "/style.css"):
        _, headers, _ = site.ask("GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
    _, headers, _ = site.ask("GET", "/sign-in")
    assert headers["cache-control"] == "no-store"
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]


def test_after_signing_in_it_goes_on_to_a_page_of_ours_only(site: Site) -> None:
    _, _, text = site.ask("GET", "/sign-in?next=//evil.example/x")
    word = re.search(r'name="form" value="([^"]+)"', text)
    assert word is not None
    status, headers, _ = site.ask(
        "POST", "/sign-in", form={"form": word[1], "token": site.token, "next": "//evil.example"}
    )
    assert (status, headers["location"]) == (303, "/")


def test_metrics_may_be_open_on_loopback(tmp_path: Path) -> None:
    site = Site(tmp_path, metrics_open=True)
    filled(site)
    status, _, text = site.ask("GET", "/metrics")
    assert status == 200
    assert 'bulkhead_findings{severity="critical"} 1.0' in text
    assert "bulkhead_gaps 1.0" in text
    assert "script" not in text
    for pool in site.pools:
        pool.close()


@pytest.mark.parametrize(
    "path",
    [
        "/findings/../../etc/passwd",
        "/controls/..%2f..%2fetc",
        "/style.css/../x",
        "/journal/%00",
        "/findings?page=-1",
        "/findings?page=99999999999999",
        "/controls?text=" + "x" * 5000,
    ],
)
def test_odd_paths_are_answered(site: Site, path: str) -> None:
    site.sign_in()
    assert site.ask("GET", path)[0] in (200, 404)


def test_code_in_a_text_is_code_and_everything_else_of_it_is_escaped() -> None:
    assert str(prose("run `a < b` <b>now</b> `")) == "run <code>a &lt; b</code> &lt;b&gt;now&lt;/b&gt; `"
