"""hadolint's own one-line examples: a Dockerfile, a rule, and whether the rule speaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.model import Result
from tests.conformance.suites import hadolint

# The label schema under which the examples of each rule were written.
_LABELS: dict[str, dict[str, Any]] = {
    "DL3049": {"labels": {"foo": "text"}},
    "DL3050": {"labels": {"required": "text"}, "strict": True},
    "DL3051": {"labels": {"emptylabel": "text"}},
    "DL3052": {"labels": {"urllabel": "url"}},
    "DL3053": {"labels": {"datelabel": "rfc3339"}},
    "DL3054": {"labels": {"spdxlabel": "spdx"}},
    "DL3055": {"labels": {"githash": "hash"}},
    "DL3056": {"labels": {"semver": "semver"}},
    "DL3058": {"labels": {"maintainer": "email"}},
}


def run(folder: Path) -> Result:
    """Every example whose rule one of our controls carries."""
    result = Result("posture-hadolint-vectors")
    cases: dict[str, dict[str, tuple[bytes, bool]]] = {}
    for number, case in enumerate(json.loads((folder / "expected.json").read_text())):
        if case["rule"] in hadolint.by_rule():
            cases.setdefault(case["rule"], {})[f"{number}/{case['rule']}"] = (_text(case), case["hit"])
    for rule, texts in sorted(cases.items()):
        parameters = {hadolint.by_rule()[rule].id: _LABELS.get(rule, {})}
        judged = hadolint.lines({name: text for name, (text, _) in texts.items()}, [rule], parameters)
        for name, (_, hit) in texts.items():
            result.total += 1
            if name not in judged:
                result.refused.append(name)
            elif bool(judged[name][rule]) == hit:
                result.passed += 1
            else:
                result.failed.append(name)
    return result


def _text(case: dict[str, Any]) -> bytes:
    text = str(case["dockerfile"]).rstrip("\n")
    if case["onbuild"]:
        # The examples mean their RUN instructions to be triggered from a child image.
        text = "\n".join(f"ONBUILD {line}" if line.startswith("RUN") else line for line in text.splitlines())
    return f"{text}\n".encode()
