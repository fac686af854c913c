"""Programs of others that are asked or told something: never through a shell, bounded in time and in what they say.

A pipe that asyncio opens for a program is waited for together with its end. What the program started may hold that pipe for ever,
and a reader that was stopped in the middle never sees its end: so the pipe is ours here, and the end of the program is waited for alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from bulkhead.core.errors import LimitExceeded, SourceError

_CHUNK: Final = 65536
_LAST_WORDS: Final = 1.0
"""Seconds for what was said before the end; whoever else holds the pipe is not waited for."""
_DYING: Final = 5.0


class Ended(msgspec.Struct, frozen=True):
    """How a program ended, and what it said on the stream that was listened to."""

    code: int
    said: bytes


async def run(
    words: Sequence[str],
    *,
    variables: Mapping[str, str],
    seconds: float,
    most: int,
    listen: Literal["out", "err"] = "out",
) -> Ended:
    """A program's end.

    Args:
        words: the program and its arguments.
        variables: its whole environment.
        seconds: how long it may take.
        most: bytes that it may say.
        listen: to which of its streams; the other goes nowhere.

    Raises:
        SourceError: it cannot be started, or takes too long.
        LimitExceeded: it says more.
    """
    reading, writing = os.pipe()
    quiet = asyncio.subprocess.DEVNULL
    out, err = (writing, quiet) if listen == "out" else (quiet, writing)
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=quiet, stdout=out, stderr=err, env=dict(variables), start_new_session=True
        )
    except (OSError, ValueError) as error:
        os.close(reading)
        raise SourceError(f"it cannot be started: {error}", where=words[0]) from error
    finally:
        os.close(writing)
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
    )
    said = bytearray()
    listening = asyncio.ensure_future(_listen(reader, said, most))
    ending = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait((listening, ending), return_when=asyncio.FIRST_COMPLETED)
            if len(said) <= most:
                await ending
        await asyncio.wait((listening,), timeout=_LAST_WORDS)
        if len(said) > most:
            raise LimitExceeded(f"it says more than {most} bytes", where=words[0])
        return Ended(ending.result(), bytes(said))
    except TimeoutError as error:
        raise SourceError(f"it took longer than {seconds:g} seconds", where=words[0]) from error
    finally:
        listening.cancel()
        pipe.close()
        if process.returncode is None:
            # With whatever it started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.wait((ending,), timeout=_DYING)
        ending.cancel()


async def _listen(reader: asyncio.StreamReader, said: bytearray, most: int) -> None:
    while len(said) <= most and (chunk := await reader.read(_CHUNK)):
        said += chunk
