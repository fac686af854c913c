"""The few programs that the hands start: never through a shell, with nothing of our environment, bounded in time and output."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from bulkhead.clients import programs
from bulkhead.core.errors import PlanRefused, SourceError

_SAID = 300
_OUTPUT = 1024 * 1024
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def there(name: str) -> bool:
    return shutil.which(name, path=_PATH) is not None


async def run(words: Sequence[str], *, seconds: float) -> None:
    """Raises SourceError where the program fails or takes longer; PlanRefused where there is none."""
    program = shutil.which(words[0], path=_PATH)
    if program is None:
        raise PlanRefused(f"there is no program '{words[0]}' here")
    ended = await programs.run(
        (program, *words[1:]), variables={"PATH": _PATH, "LANG": "C.UTF-8"}, seconds=seconds, most=_OUTPUT, listen="err"
    )
    if ended.code:
        text = " ".join(ended.said[-_SAID:].decode("utf-8", "replace").split())
        raise SourceError(f"it failed with exit code {ended.code}{': ' + text if text else ''}", where=words[0])
