"""The catalogue: read from its files once, kept compiled in the state folder until a file changes."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bulkhead import __version__
from bulkhead.bootstrap import places
from bulkhead.catalogue import index
from bulkhead.catalogue.index import Catalogue
from bulkhead.core.canonical import digest
from bulkhead.core.control import Control, Written
from bulkhead.core.errors import BulkheadError, CatalogueError, SettingsError

_LIMIT = 256 * 1024
_FILES = 20_000


def load(extra: Iterable[Path] = ()) -> Catalogue:
    """The package's controls and those of the user's own folders.

    Raises:
        CatalogueError: a control file is wrong.
    """
    folders = [places.controls(), *extra]
    files = {folder: sorted(_walk(folder)) for folder in folders}
    key = digest(
        [
            __version__,
            sys.version,
            [(path, size, changed) for found in files.values() for path, size, changed in found],
        ]
    )
    try:
        kept = places.own(places.cache()) / f"catalogue-{key[:24]}.msgpack"
    except (OSError, SettingsError):
        return Catalogue(_read(files))
    try:
        return index.decode(kept.read_bytes())
    except (OSError, BulkheadError):
        catalogue = compiled(_read(files))
        _keep(kept, catalogue)
        return catalogue


def _walk(folder: Path) -> list[tuple[str, int, int]]:
    if not folder.is_dir():
        raise CatalogueError("not a folder of controls", where=str(folder))
    found = []
    stack = [str(folder)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                elif entry.name.endswith(".yaml"):
                    status = entry.stat()
                    found.append((entry.path, status.st_size, status.st_mtime_ns))
                    if len(found) > _FILES:
                        raise CatalogueError(f"more than {_FILES} control files", where=str(folder))
    return found


def _read(files: dict[Path, list[tuple[str, int, int]]]) -> list[Written]:
    from bulkhead.catalogue.parse import parse

    controls = []
    for folder, found in files.items():
        for name, size, _ in found:
            path = Path(name)
            if size > _LIMIT:
                raise CatalogueError(f"larger than {_LIMIT} bytes", where=name)
            control_id = ".".join(path.relative_to(folder).with_suffix("").parts)
            controls.append(parse(path.read_bytes(), control_id=control_id, where=name))
    seen: set[str] = set()
    for control in controls:
        if control.id in seen:
            raise CatalogueError("two files have the same id", where=control.id)
        seen.add(control.id)
    return controls


def compiled(controls: Sequence[Control]) -> Catalogue:
    """With the Python of every expression, so that the next run does not parse.

    Raises:
        ExpressionError: an expression does not compile.
    """
    from bulkhead.posture.compiled import compile_check

    programs: dict[str, tuple[str, bytes]] = {}
    for control in controls:
        for check in control.checks:
            try:
                made = compile_check(control, check, {}, {})
            except BulkheadError as exc:
                exc.where = exc.where or control.id
                raise
            for program in (made.program, made.when, made.evidence):
                if program is not None:
                    programs[program.source] = (program.python, marshal.dumps(program.code))
    return Catalogue(controls, programs)


def _keep(path: Path, catalogue: Catalogue) -> None:
    """A cache that cannot be written costs time, nothing else."""
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(index.encode(catalogue))
        temporary.rename(path)
        for old in path.parent.glob("catalogue-*.msgpack"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        temporary.unlink(missing_ok=True)
