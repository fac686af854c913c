"""The Pod Security Standards: the project's own fixtures for every version, and the words of a real API server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bulkhead.engines.pss import LATEST, Level, parse_version, violations
from tests.conformance.suites.pod_security import run
from tests.corpora import folder

_SAID = re.compile(r'violates? PodSecurity \\?"([a-z]+):([a-z0-9.]+)\\?": (.*)', re.DOTALL)
_TEMPLATES = {"Pod": (), "CronJob": ("spec", "jobTemplate", "spec", "template")}


def test_every_fixture_is_judged_as_its_folder_says() -> None:
    result = run(folder("policy", "pod-security"))
    assert result.total > 3_000
    assert result.failed == []
    assert result.passed == result.total


def _events() -> Iterator[tuple[Any, str]]:
    for path in sorted((folder("recorded", "kubernetes-1.36") / "audit").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            answer, sent = event.get("responseObject"), event.get("requestObject")
            stored = isinstance(answer, dict) and "spec" in answer and event["responseStatus"].get("code", 500) < 300
            said = (event.get("annotations") or {}).get("pod-security.kubernetes.io/audit-violations", "")
            message = str(event["responseStatus"].get("message", ""))
            for text in (said, message):
                if "PodSecurity" in text:
                    yield (answer if stored else sent), text


def _template(thing: Any) -> Any:
    for part in _TEMPLATES.get(thing["kind"], ("spec", "template")):
        thing = thing[part]
    return thing


def test_violations_are_told_in_the_api_server_s_words() -> None:
    wrong, count = [], 0
    for thing, text in _events():
        match = _SAID.search(text)
        if match is None or not isinstance(thing, dict) or "spec" not in thing:
            continue
        minor = LATEST if match[2] == "latest" else parse_version(match[2])
        assert minor is not None
        found = ", ".join(map(str, violations(_template(thing), Level(match[1]), minor)))
        count += 1
        if found != match[3]:
            wrong.append((found, match[3]))
    assert count > 50
    assert wrong == []


@pytest.mark.parametrize("text", ["1.27", "v1", "v2.0", "v1.027", "v1.99999", "Latest", "", "v1.27\n"])
def test_what_is_no_version_is_told(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize("level", list(Level))
def test_parts_of_another_shape_do_no_harm(level: Level) -> None:
    shapes: list[Any] = [None, 1, "x", [], {}, [None], [1], {"a": 1}]
    for value in shapes:
        for name in ("containers", "securityContext", "volumes", "os", "initContainers"):
            violations({"spec": {name: value}}, level)
            violations(
                {
                    "spec": {
                        "containers": [
                            {"name": "c", name: value, "ports": value, "lifecycle": value, "livenessProbe": value}
                        ]
                    }
                },
                level,
            )
        violations({"metadata": value, "spec": value}, level)
