"""Budgets of single parts, in CPU time of this process; the best of three, since what else runs only ever adds to it.

As in ``test_scan``: what is asked, and what is held on any machine that runs the tests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bulkhead.core.errors import ParseError
from bulkhead.formats.dockerfile import parse
from bulkhead.posture.attack import analyse, graph
from bulkhead.report import json
from bulkhead.store.sqlite.state import open_state
from tests.corpora import folder
from tests.fakes.reports import large
from tests.unit.posture.test_attack import large_cluster


def best(work: Callable[[], object], asked: float, held: float) -> None:
    spent = []
    for _ in range(3):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    sys.stdout.write(f"\n{min(spent):.2f} s CPU; asked {asked} s, held {held} s\n")
    assert min(spent) <= held


def test_thirty_thousand_findings_as_json() -> None:
    report = large(30_000)
    best(lambda: json.render(report), asked=0.3, held=1.0)


def test_thirty_thousand_findings_into_the_store(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    report = large(30_000)
    best(lambda: state.findings.record_run(report), asked=1.0, held=3.0)
    state.close()


def test_paths_and_the_cut_of_25_000_pods() -> None:
    worlds = iter([large_cluster(25_000) for _ in range(3)])
    best(lambda: analyse.analyse(graph.build(next(worlds))), asked=3.0, held=9.0)


def test_162_dockerfiles_parsed() -> None:
    texts = [
        path.read_bytes() for path in sorted(folder("supply", "dockerfile-hadolint", "dockerfiles").iterdir())[:162]
    ]

    def work() -> None:
        for text in texts:
            try:
                parse(text)
            except ParseError:
                continue

    best(work, asked=0.3, held=0.9)
