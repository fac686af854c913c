"""Where files of policies are read from."""

from __future__ import annotations

from pathlib import Path

from bulkhead.app.policies.model import Files, PolicyFiles
from bulkhead.core.errors import UsageError
from bulkhead.sources.policies import Folder


def folder(path: str) -> tuple[Files, PolicyFiles]:
    """What reads below a folder (or beside a file), and what is there.

    Raises:
        UsageError: there is no such thing.
    """
    place = Path(path)
    if not place.exists():
        raise UsageError("there is no such file or folder", where=path)
    root, name = (place, ".") if place.is_dir() else (place.parent, place.name)
    files = Folder(root)
    return files, files.read(name)


def whole(path: str) -> PolicyFiles:
    """What is there.

    Raises:
        UsageError: there is no such thing.
    """
    return folder(path)[1]
