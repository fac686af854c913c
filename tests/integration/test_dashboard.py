"""The dashboard in a real browser: every page and action, over TLS, in light and dark, looked at by axe.

``BULKHEAD_SCREENSHOTS`` names a folder that gets a picture of every page.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.integration.engine import missing
from tests.unit.server.serving import certificate

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent / "bulkhead"


@dataclass
class Served:
    url: str
    state: Path
    shop: Path
    process: subprocess.Popen[bytes]

    @property
    def token(self) -> str:
        return (self.state / "serve.token").read_text().strip()

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [str(BIN), *words],
            env=self.environment(),
            capture_output=True,
            check=False,
            timeout=120,
            cwd=self.shop.parent,
        )
        return done.stdout.decode() + done.stderr.decode()

    def environment(self) -> dict[str, str]:
        return {**os.environ, "BULKHEAD_STATE": str(self.state)}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("served")
    shop, state = place / "shop", place / "state"
    shutil.copytree(ROOT / "examples" / "shop", shop)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pair, key = certificate(place)
    made = Served(f"https://localhost:{port}", state, shop, None)  # type: ignore[arg-type]  # started below
    made.run("scan", str(shop))
    made.run("fix", str(shop), "--apply")
    made.run("scan", str(shop))
    environment = {
        **made.environment(), "BULKHEAD_SERVE_ADDRESS": f"127.0.0.1:{port}", "BULKHEAD_SERVE_TLS_CERTIFICATE": str(pair),
        "BULKHEAD_SERVE_TLS_KEY": str(key), "BULKHEAD_SERVE_EVERY": "0", "BULKHEAD_SERVE_WORLDS": str(shop),
    }  # fmt: skip
    with (place / "log").open("wb") as log:
        made.process = subprocess.Popen([str(BIN), "serve"], env=environment, stderr=log, stdout=log, cwd=place)
    try:
        trusting = ssl.create_default_context(cafile=str(pair))
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{made.url}/readyz", context=trusting, timeout=2) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert made.process.poll() is None, (place / "log").read_text()
                assert time.monotonic() < end, (place / "log").read_text()
                time.sleep(0.1)
        yield made
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(20) == 0, (place / "log").read_text()
        lines = (place / "log").read_text()
        assert made.token not in lines
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or missing("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield made
        made.close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(
        base_url=served.url,
        ignore_https_errors=True,
        color_scheme=request.param,
        viewport={"width": 1280, "height": 800},
        java_script_enabled=True,
    )
    made = context.new_page()
    faults: list[str] = []
    made.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    made.scheme = request.param  # type: ignore[attr-defined]
    yield made
    # A page that is refused says so in the console; nothing else may be there (a blocked style, a script).
    assert [fault for fault in faults if "status of" not in fault] == []
    context.close()


def sign_in(page: Page, served: Served) -> None:
    page.goto("/sign-in")
    page.get_by_label("Token").fill(served.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def looked_at(page: Page, name: str) -> None:
    """No violation of weight, and a picture where one is wanted. axe's own script runs outside of the page's policy."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    found: dict[str, Any] = Axe().run(page).response
    grave = [
        (item["id"], item["nodes"][0]["html"][:200], item["nodes"][0].get("failureSummary", "")[:300])
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]
    assert grave == [], name
    cdp.send("Page.setBypassCSP", {"enabled": False})
    folder = os.environ.get("BULKHEAD_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}-{page.scheme}.png", full_page=False)  # type: ignore[attr-defined]


def test_who_is_not_signed_in_sees_the_form_and_nothing_else(page: Page, served: Served) -> None:
    for path in ("/", "/findings", "/journal", "/controls"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    looked_at(page, "sign-in")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")


def test_overview_and_a_scan_when_asked(page: Page, served: Served) -> None:
    sign_in(page, served)
    expect(page.get_by_role("link", name=str(served.shop))).to_be_visible()
    expect(page.get_by_text("1 place", exact=True)).to_be_visible()
    page.get_by_text("1 place", exact=True).click()
    page.get_by_role("button", name=re.compile("^Scan .* now$")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    for _ in range(50):
        page.reload()
        if page.get_by_text("scan.finished").count():
            break
        time.sleep(0.2)
    expect(page.get_by_text("scan.finished").first).to_be_visible()
    looked_at(page, "overview")


def test_findings_are_filtered_and_one_is_looked_into(page: Page, served: Served) -> None:
    sign_in(page, served)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Findings").click()
    total = page.get_by_role("status").inner_text()
    looked_at(page, "findings")
    page.get_by_label("Severity").select_option("high")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("status").inner_text() != total
    expect(page.locator("tbody .badge.low")).to_have_count(0)
    page.get_by_label("Text").fill("no such words anywhere")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_have_text("0 findings")
    page.goto("/findings?control=container.memory-limit")
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Why it matters")).to_be_visible()
    page.get_by_role("link", name="Plan the repair and show it").click()
    expect(page.locator(".diff .plus").first).to_be_visible()
    looked_at(page, "finding")


def test_pages_of_a_long_list(page: Page, served: Served) -> None:
    sign_in(page, served)
    page.goto("/findings?state=all")
    first = page.locator("tbody a").first.get_attribute("href")
    page.get_by_role("link", name="Next").click()
    assert page.locator("tbody a").first.get_attribute("href") != first
    page.get_by_role("link", name="Previous").click()
    assert page.locator("tbody a").first.get_attribute("href") == first


def test_controls_are_found_by_any_name(page: Page, served: Served) -> None:
    sign_in(page, served)
    page.get_by_role("link", name="Controls").click()
    looked_at(page, "controls")
    page.get_by_label("Id, alias, practice or words").fill("CKV_K8S_16")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Containers do not run privileged").click()
    expect(page.get_by_role("heading", name="How it is attacked")).to_be_visible()
    looked_at(page, "control")


def test_a_change_is_looked_at_and_taken_back(page: Page, served: Served) -> None:
    served.run("fix", str(served.shop), "--apply")
    sign_in(page, served)
    page.get_by_role("link", name="Journal").click()
    looked_at(page, "journal")
    row = page.locator("tr", has=page.locator(".state-applied")).first
    row.get_by_role("link").click()
    expect(page.locator(".diff .plus").first).to_be_visible()
    looked_at(page, "entry")
    page.get_by_role("link", name="Take it back …").click()
    looked_at(page, "undo")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Taken back")
    looked_at_without_reload(page, "undone")
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_text("undone").first).to_be_visible()


def looked_at_without_reload(page: Page, name: str) -> None:
    folder = os.environ.get("BULKHEAD_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}-{page.scheme}.png")  # type: ignore[attr-defined]


def test_what_is_not_there_is_said(page: Page, served: Served) -> None:
    sign_in(page, served)
    for path in ("/nothing", "/findings/" + "0" * 32, "/journal/none", "/controls/none"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("Not Found")
    looked_at(page, "not-found")


def test_signed_out_is_out(page: Page, served: Served) -> None:
    sign_in(page, served)
    page.get_by_role("button", name="Sign out").click()
    page.goto("/findings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_keyboard_reaches_the_page_first(page: Page, served: Served) -> None:
    sign_in(page, served)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_small_screen_shows_the_same(browser: Browser, served: Served) -> None:
    context = browser.new_context(base_url=served.url, ignore_https_errors=True, viewport={"width": 390, "height": 800})
    page = context.new_page()
    sign_in(page, served)
    page.goto("/findings")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    folder = os.environ.get("BULKHEAD_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/findings-small.png")
    context.close()
