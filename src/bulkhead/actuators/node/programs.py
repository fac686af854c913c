"""The few programs that the hands start: never through a shell, with nothing of our environment, bounded in time and output."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Sequence

from bulkhead.core.errors import PlanRefused, SourceError

_SAID = 300
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def there(name: str) -> bool:
    return shutil.which(name, path=_PATH) is not None


async def run(words: Sequence[str], *, seconds: float) -> None:
    """Raises SourceError where the program fails or takes longer; PlanRefused where there is none."""
    program = shutil.which(words[0], path=_PATH)
    if program is None:
        raise PlanRefused(f"there is no program '{words[0]}' here")
    process = await asyncio.create_subprocess_exec(
        program, *words[1:], stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, env={"PATH": _PATH, "LANG": "C.UTF-8"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            _, said = await process.communicate()
    except TimeoutError as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise SourceError(f"it took longer than {seconds:g} seconds", where=words[0]) from error
    if process.returncode:
        text = " ".join(said[-_SAID:].decode("utf-8", "replace").split())
        raise SourceError(f"it failed with exit code {process.returncode}{': ' + text if text else ''}", where=words[0])
