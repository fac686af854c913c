"""A library of policies with its own tests: controls/ID/policy.yaml and tests.json (a template, changes of fields, an outcome)."""

from __future__ import annotations

import copy
import itertools
import json
import re
from pathlib import Path
from typing import Any

import yaml

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.vap import compile_policy, decide
from tests.conformance.model import Result
from tests.fakes.policies import Cluster, review_of

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def run(folder: Path) -> Result:
    result = Result("vap")
    library = next(path.parent for path in [folder, *folder.rglob("controls")] if path.name == "controls")
    for path in sorted(library.glob("controls/*/tests.json")):
        try:
            policy = compile_policy(_yaml(path.with_name("policy.yaml")))
        except BulkheadError as error:
            result.refused.append(f"{path.parent.name}: {error}")
            result.total += len(json.loads(path.read_text()))
            continue
        for number, case in enumerate(json.loads(path.read_text())):
            if not (library / "test-resources" / case["template"]).exists():
                continue
            result.total += 1
            thing = _changed(_yaml(library / "test-resources" / case["template"]), case.get("field_change_list") or [])
            binding = _binding(library, policy.name, case)
            parameter = _yaml(
                library / "test-resources" / case.get("param_template", "default-control-configuration.yaml")
            )
            judged = decide(policy, binding, review_of(thing), Cluster(parameters=[parameter]))
            denied = any("Deny" in item.actions for item in judged.decisions)
            if denied is (case["expected"] == "fail"):
                result.passed += 1
            else:
                result.failed.append(f"{path.parent.name}[{number}]: {case['name']}")
    return result


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def _binding(library: Path, policy: str, case: Any) -> Any:
    made = _yaml(library / "test-resources" / (case.get("binding_template") or "policy-binding.yaml"))
    made["spec"]["policyName"] = policy
    return made


def _changed(thing: Any, changes: list[str]) -> Any:
    made = copy.deepcopy(thing)
    for change in changes:
        path, _, text = change.partition("=")
        steps: list[str | int] = [int(index) if index else name for index, name in _STEP.findall(path)]
        holder = made
        for step, following in itertools.pairwise(steps):
            holder = _into(holder, step, [] if isinstance(following, int) else {})
        value = yaml.safe_load(text) if text != '""' else ""
        _put(holder, steps[-1], value)
    return made


def _into(holder: Any, step: str | int, empty: Any) -> Any:
    if isinstance(holder, list):
        while len(holder) <= int(step):
            holder.append(copy.deepcopy(empty))
        return holder[int(step)]
    return holder.setdefault(step, empty)


def _put(holder: Any, step: str | int, value: Any) -> None:
    if isinstance(holder, list):
        while len(holder) <= int(step):
            holder.append(None)
        holder[int(step)] = value
    else:
        holder[step] = value
