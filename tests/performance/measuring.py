"""What a command costs: the CPU time and the peak memory of its own process and of those it waited for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

RUNS = 5
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system), peak resident bytes, exit code."""

    cpu: float
    peak: int
    code: int

    @property
    def megabytes(self) -> float:
        return self.peak / 1_000_000

    def __str__(self) -> str:
        return f"{self.cpu:.2f} s CPU, {self.megabytes:.0f} MB"


# Linux counts the memory of the process that forked into the peak of what it became, and pytest is a large one: a
# small process stands between.
_BETWEEN = """
import os, sys
null = os.open(os.devnull, os.O_RDWR)
files = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=files)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


def spent(command: Sequence[str], env: Mapping[str, str]) -> Cost:
    """Run it once, its output thrown away."""
    made = subprocess.run([sys.executable, "-ISc", _BETWEEN, *command], env=env, capture_output=True, check=True)
    cpu, peak, code = made.stdout.split()
    # ru_maxrss is in kibibytes on Linux, in bytes on macOS (getrusage(2)).
    return Cost(float(cpu), int(peak) * (1 if sys.platform == "darwin" else 1024), int(code))


def usual(run: Callable[[], Cost], runs: int = RUNS) -> Cost:
    """The medians of several runs."""
    costs = [run() for _ in range(runs)]
    return Cost(median(cost.cpu for cost in costs), int(median(cost.peak for cost in costs)), costs[-1].code)


def settled(run: Callable[[], Cost], cpu: float, runs: int = RUNS) -> Cost:
    """The medians; on a busy machine the best of two rounds, since what else runs only ever adds to them."""
    best = usual(run, runs)
    for _ in range(_ROUNDS - 1):
        if best.cpu <= cpu:
            break
        again = usual(run, runs)
        best = min(best, again, key=lambda cost: cost.cpu)
    return best
