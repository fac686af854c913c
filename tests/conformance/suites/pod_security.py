"""The Pod Security Standards' own fixtures: LEVEL/VERSION/pass|fail/NAME.yaml, each one pod."""

from __future__ import annotations

from pathlib import Path

import yaml

from bulkhead.engines.pss import Level, parse_version, violations
from tests.conformance.model import Result


def run(folder: Path) -> Result:
    result = Result("pod-security")
    for path in sorted(folder.rglob("*.yaml")):
        level, version, outcome, _ = path.parts[-4:]
        minor = parse_version(version)
        if outcome not in ("pass", "fail") or level not in set(Level) or minor is None:
            continue
        result.total += 1
        found = violations(yaml.load(path.read_text(), Loader=yaml.CSafeLoader), Level(level), minor)
        if bool(found) is (outcome == "fail"):
            result.passed += 1
        else:
            result.failed.append(f"{level}/{version}/{outcome}/{path.name}")
    return result
