"""What a browser sends: bounded, and with the session's word in it."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bulkhead.server.tokens import same

_BYTES: Final = 16 * 1024
_FIELDS: Final = 20
_SECONDS: Final = 10.0


async def posted(request: Request, word: str) -> dict[str, str]:
    """The fields of a form whose ``form`` is this word.

    Raises:
        HTTPException: it is too large or too slow, or does not carry the word.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms are taken here.")
    data = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > _BYTES:
                    raise HTTPException(413, "The form is too large.")
    except TimeoutError as error:
        raise HTTPException(408, "The form takes too long.") from error
    try:
        fields = dict(parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    if not same(fields.get("form", ""), word):
        raise HTTPException(403, "The form is not of this session. Open the page again and send it once more.")
    return fields


async def acted(request: Request) -> dict[str, str]:
    """The fields of a form of somebody who is signed in. A token alone reads: what changes something needs a session.

    Raises:
        HTTPException: nobody is signed in, or see ``posted``.
    """
    session = request.state.session
    if session is None:
        raise HTTPException(403, "This takes a browser that is signed in.")
    return await posted(request, session.form)
