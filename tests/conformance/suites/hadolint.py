"""Real Dockerfiles, and what hadolint's default configuration says about each.

A case is one file and one rule that one of our controls carries as an alias: it passes when we report that control
on exactly the lines on which hadolint reports the rule. Rules that no control carries (ShellCheck's) are not ours and
are left out; so are those that hadolint's default configuration switches off, and files that hadolint could not parse
(its own DL1000), of which it says nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bulkhead.catalogue.index import Catalogue
from bulkhead.catalogue.parse import parse
from bulkhead.core.control import Control
from bulkhead.core.errors import BulkheadError
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Resource, Snapshot, Text
from bulkhead.formats import dockerfile
from bulkhead.posture.evaluate import Request, evaluate
from tests.conformance.model import Result

_CONTROLS = Path(__file__).resolve().parents[3] / "src" / "bulkhead" / "catalogue" / "controls" / "dockerfile"
_RULE = re.compile(r"DL\d{4}$")
_OFF = frozenset({"DL1001", "DL3057"})
_PRAGMA = re.compile(r"hadolint\s+(global\s+)?ignore\s*=\s*((?:(?:DL|SC)\d+\s*,?\s*)+)(?:#.*)?$")


@lru_cache(maxsize=1)
def by_rule() -> Mapping[str, Control]:
    """The control that carries each of hadolint's rules."""
    found: dict[str, Control] = {}
    for path in sorted(_CONTROLS.glob("*.yaml")):
        control = parse(path.read_bytes(), control_id=f"dockerfile.{path.stem}")
        for alias in control.aliases:
            if _RULE.match(alias):
                assert alias not in found, f"{alias} is carried by two controls"
                found[alias] = control
    return found


def run(folder: Path) -> Result:
    """Every file of the folder that hadolint's results know."""
    expected: dict[str, list[dict[str, Any]]] = json.loads((folder / "expected.json").read_text())["results"]
    result = Result("posture-hadolint")
    rules = sorted(set(by_rule()) - _OFF)
    texts = {}
    for identity, findings in sorted(expected.items()):
        path = folder / "dockerfiles" / f"{identity}.Dockerfile"
        if path.exists() and not any(finding["code"] == "DL1000" for finding in findings):
            texts[identity] = path.read_bytes()
    judged = lines(texts, rules)
    for identity in texts:
        result.total += len(rules)
        ours = judged.get(identity)
        if ours is None:
            result.refused += [f"{identity}/{rule}" for rule in rules]
            continue
        for rule in rules:
            theirs = {finding["line"] for finding in expected[identity] if finding["code"] == rule}
            if theirs == ours[rule]:
                result.passed += 1
            else:
                result.failed.append(f"{identity}/{rule}")
    return result


def lines(
    texts: Mapping[str, bytes], rules: Sequence[str], parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, set[int]]]:
    """For each text that can be read, the lines on which we report each rule's control.

    What the text's own comments suppress is left out, as hadolint leaves it out.
    """
    controls = list({by_rule()[rule].id: by_rule()[rule] for rule in rules}.values())
    resources, found = [], {}
    for name, data in texts.items():
        try:
            model = dockerfile.parse(data)
        except BulkheadError:
            continue
        text = Text(name, "dockerfile", data)
        resources.append(Resource(Ref(source="file", kind="Dockerfile", name=name, origin=name), model, text))
        found[name] = {control.id: set[int]() for control in controls}
    request = Request(catalogue=Catalogue(controls), controls=controls, parameters=parameters or {})
    for finding in evaluate(Snapshot(tuple(resources)), request).findings:
        if finding.outcome in (Outcome.FAIL, Outcome.WARN):
            found[finding.resource.name][finding.control].add(finding.where.line)
    judged = {}
    for resource in resources:
        everywhere, at = _suppressed(resource.data)
        ours = found[resource.ref.name]
        judged[resource.ref.name] = {
            rule: set() if rule in everywhere else {n for n in ours[by_rule()[rule].id] if rule not in at.get(n, ())}
            for rule in rules
        }
    return judged


def _suppressed(model: dict[str, Any]) -> tuple[set[str], dict[int, set[str]]]:
    everywhere: set[str] = set()
    at: dict[int, set[str]] = {}
    for comment in model["comments"]:
        match = _PRAGMA.match(comment["text"])
        if match:
            names = set(re.findall(r"(?:DL|SC)\d+", match[2]))
            if match[1]:
                everywhere |= names
            else:
                at.setdefault(comment["line"] + 1, set()).update(names)
    return everywhere, at
