"""One number from 0 to 100: the severity-weighted share of what passed.

For every control that judged something, ``share = pass / (pass + warn + fail + error)``. The score is the mean of the
shares, each weighted by the control's severity (critical 10, high 6, medium 3, low 1, info 0). So one control over ten
thousand resources weighs no more than one over ten, an error is not a pass, and a waived failure stays a failure.
Skipped and manual answers are not counted. The score is rounded down to a tenth: 100 means that everything passed.
Where something could not be read it is at most 99.9, and 0 when nothing at all was judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bulkhead.core.outcome import Outcome, Severity

WEIGHTS: Mapping[Severity, int] = {
    Severity.CRITICAL: 10,
    Severity.HIGH: 6,
    Severity.MEDIUM: 3,
    Severity.LOW: 1,
    Severity.INFO: 0,
}
_JUDGED = (Outcome.PASS, Outcome.WARN, Outcome.FAIL, Outcome.ERROR)


def score(tallies: Mapping[str, Mapping[str, int]], severities: Mapping[str, Severity], *, gaps: int = 0) -> float:
    """The score of a run.

    Args:
        tallies: control id to outcome to count.
        severities: of the controls; a control that is not named counts as medium.
        gaps: how many things could not be read.
    """
    total = earned = 0.0
    for control, counts in tallies.items():
        judged = sum(counts.get(outcome, 0) for outcome in _JUDGED)
        if judged:
            weight = WEIGHTS[severities.get(control, Severity.MEDIUM)]
            total += weight
            earned += weight * counts.get(Outcome.PASS, 0) / judged
    if not total:
        return 0.0 if gaps else 100.0
    # The epsilon keeps a sum such as 0.1 + 0.2 from losing a tenth to binary fractions.
    value = math.floor(earned / total * 1000 + 1e-9) / 10
    return min(value, 99.9) if gaps else value
