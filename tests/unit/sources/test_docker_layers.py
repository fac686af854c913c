"""Files of images in an engine: read once, kept, joined with containers; what cannot be read is a gap and never a pass."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bulkhead.clients.docker import DockerClient, Limits
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.docker import Layers, read
from bulkhead.store.kept import KeptFacts
from tests.catalogue_check import catalogue
from tests.fakes.engine import container, engine, served
from tests.fakes.images import Built, folder, item, sha256, tar

NOW = datetime(2026, 6, 1, tzinfo=UTC)
QUICK = Limits(answer=1_000_000, call_seconds=0.5, connect_seconds=0.5)
TOKEN = "ghp_" + "c0ffee" * 6
BUILT = Built((tar(folder("app"), item("app/su", b"1", mode=0o4755), item("app/deploy", f"T={TOKEN}\n".encode())),))
ID = sha256(BUILT.config_bytes)


def answers(archive: Any, *containers: dict[str, Any]) -> dict[str, Any]:
    inspected = {
        "Id": ID,
        "RepoTags": ["shop:1"],
        "Created": "2026-01-01T00:00:00Z",
        "Os": "linux",
        "Config": {"User": "1000"},
        "Size": 9,
    }
    return engine(*containers) | {
        "/images/json": [{"Id": ID, "RepoTags": ["shop:1"]}],
        f"/images/{ID}/json": inspected,
        f"/images/{ID}/history": [{"CreatedBy": "x", "Size": 9}],
        f"/images/{ID}/get": archive,
    }


def looked(place: Path, given: Mapping[str, Any], *, size: int = 10_000_000) -> Snapshot:
    scratch = place / "scratch"
    scratch.mkdir(exist_ok=True)

    async def run() -> Snapshot:
        async with served(place, given) as socket, DockerClient(socket, limits=QUICK) as client:
            layers = Layers(client, KeptFacts(place / "kept", "1"), folder=scratch, size=size)
            return await read(client, socket, machine=None, now=NOW, layers=layers)

    found = asyncio.run(run())
    assert list(scratch.iterdir()) == []
    return found


def image(found: Snapshot) -> Any:
    [one] = [one for one in found.resources if one.ref.kind == "Image"]
    return one.data


def outcome(found: Snapshot, control: str) -> list[Outcome]:
    request = Request(catalogue(), catalogue().named(control), keep_passes=True)
    return [finding.outcome for finding in evaluate(found, request).findings]


def test_files_of_an_image_are_judged(tmp_path: Path) -> None:
    found = looked(tmp_path, answers((200, BUILT.saved_bytes())))
    assert outcome(found, "image.secrets") == [Outcome.FAIL]
    assert outcome(found, "image.setuid") == [Outcome.FAIL]
    assert image(found)["reference"] == "shop:1"
    assert TOKEN not in repr(found)


def test_an_image_is_handed_out_once(tmp_path: Path) -> None:
    first = looked(tmp_path, answers((200, BUILT.saved_bytes())))
    again = looked(tmp_path, answers((500, b"{}")))
    assert image(again)["files"] == image(first)["files"]
    assert TOKEN not in "".join(path.read_text() for path in (tmp_path / "kept").iterdir())


@pytest.mark.parametrize(
    "archive",
    [(403, b'{"message":"forbidden"}'), (500, b"oops"), (200, b""), (200, b"no tar" * 200), 2.0, (200, BUILT.saved_bytes()[:3000])],
    ids=["forbidden", "failed", "empty", "garbage", "slow", "cut"],
)  # fmt: skip
def test_files_that_cannot_be_read_are_a_gap_and_an_error(tmp_path: Path, archive: Any) -> None:
    found = looked(tmp_path, answers(archive))
    assert any("Image" in gap.hides for gap in found.gaps)
    assert outcome(found, "image.secrets") == [Outcome.ERROR]
    assert outcome(found, "docker.image.user") == [Outcome.PASS]
    assert not (tmp_path / "kept").exists()


def test_an_image_that_is_too_large_is_a_gap(tmp_path: Path) -> None:
    found = looked(tmp_path, answers((200, BUILT.saved_bytes())), size=1000)
    assert any("more than 1000 bytes" in gap.reason for gap in found.gaps)
    assert outcome(found, "image.secrets") == [Outcome.ERROR]


def test_an_image_that_vanishes_is_gone(tmp_path: Path) -> None:
    found = looked(tmp_path, answers((404, b'{"message":"no such image"}')))
    assert not [one for one in found.resources if one.ref.kind == "Image"]


def test_an_image_names_its_containers_and_so_do_findings_about_it(tmp_path: Path) -> None:
    running, stopped = {**container("web"), "Image": ID}, {**container("old"), "Image": ID}
    stopped["State"] = {"Status": "exited", "Running": False}
    found = looked(tmp_path, answers((200, BUILT.saved_bytes()), running, stopped))
    assert [(user["name"], user["running"]) for user in image(found)["used_by"]] == [("web", True), ("old", False)]
    findings = evaluate(found, Request(catalogue(), catalogue().named("image.secrets"))).findings
    assert findings[0].evidence.endswith("used by web, old")
    alone = looked(tmp_path, answers((200, BUILT.saved_bytes())))
    assert (
        evaluate(alone, Request(catalogue(), catalogue().named("image.secrets")))
        .findings[0]
        .evidence.endswith("used by no container")
    )


def test_facts_of_another_version_and_broken_ones_are_not_used(tmp_path: Path) -> None:
    kept = KeptFacts(tmp_path / "kept", "1")
    kept.put("a", {"files": 1})
    assert kept.get("a") == {"files": 1}
    assert KeptFacts(tmp_path / "kept", "2").get("a") is None
    for path in (tmp_path / "kept").iterdir():
        path.write_text("{")
    assert kept.get("a") is None
    assert json.dumps(kept.get("nothing")) == "null"
