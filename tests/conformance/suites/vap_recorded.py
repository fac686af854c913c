"""Policies over objects as a real API server judged them: outcome, status code, reason, message, warnings; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.engines.admission.review import User
from bulkhead.engines.vap import Policy, compile_policy, decide
from bulkhead.formats.shapes.kubernetes import without_nulls
from tests.conformance.model import Result
from tests.fakes.policies import ADMIN, Cluster, plural, review_of


def run(folder: Path) -> Result:
    result = Result("vap-recorded")
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text())
        policy = compile_policy(case["policy"])
        for number, row in enumerate(case["results"]):
            result.total += 1
            told = _told(policy, case, row)
            if told == _wanted(row):
                result.passed += 1
            else:
                result.failed.append(f"{path.stem}[{number}]")
    for path in sorted(folder.glob("rejected/*.json")) + sorted(folder.glob("accepted-with-surprise/*.json")):
        case = json.loads(path.read_text())
        result.total += 1
        try:
            compile_policy(case["policy"])
            message = None
        except ParseError as error:
            message = error.message
        if message == case["message"]:
            result.passed += 1
        else:
            result.failed.append(f"{path.parent.name}/{path.stem}")
    return result


def _told(policy: Policy, case: Any, row: Any) -> tuple[Any, ...]:
    space = str(case["namespaceLabels"].get("kubernetes.io/metadata.name", case["policy"]["metadata"]["name"]))
    cluster = Cluster(namespaces={space: _namespace(space, case)}, parameters=case["params"])
    user = ADMIN if row["user"] == "admin" else User(username=row["user"], groups=("system:authenticated",))
    review = review_of(
        _stored(row["object"]),
        old=row.get("oldObject"),
        operation=row["operation"],
        namespace=space,
        user=user,
        dry_run=True,
    )
    judged = decide(policy, case["binding"], review, cluster)
    denied = [item for item in judged.decisions if "Deny" in item.actions]
    warned = [item.warning for item in judged.decisions if "Warn" in item.actions]
    if not denied:
        return True, None, None, warned
    shown = f'{plural(row["object"]["kind"])} "{review.name}" is forbidden: {denied[0].denial}'
    return False, denied[0].reason, shown, warned


def _wanted(row: Any) -> tuple[Any, ...]:
    warnings = [json.loads(text.partition("299 - ")[2]) for text in row["warnings"]]
    return row["allowed"], row["reason"], row["message"], warnings


def _stored(thing: Any) -> Any:
    """As the server hands it on: without nulls, and without a ConfigMap's empty data."""
    found = without_nulls(thing)
    return {name: value for name, value in found.items() if (name, value) != ("data", {})}


def _namespace(name: str, case: Any) -> Any:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": case["namespaceLabels"]}}
