"""The command line. Exit codes: 0 clean, 1 findings, 2 usage, 3 something could not be read, 4 internal error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from bulkhead import __version__

_COMMANDS = ("scan", "fix", "undo", "journal", "paths", "controls", "image", "policy", "watch", "serve", "demo")
CLEAN, FINDINGS, USAGE, INCOMPLETE, INTERNAL = range(5)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["version"]):
        sys.stdout.write(f"bulkhead {__version__}\n")
        return CLEAN
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(overview())
        return CLEAN if words else USAGE
    if words[0] not in _COMMANDS:
        sys.stderr.write(f"bulkhead: no command is called '{words[0]}' (see: bulkhead --help)\n")
        return USAGE
    return _run(_module(words[0]), words[1:])


def entry() -> NoReturn:
    """``main`` as a program of its own.

    What was written is on its way and the stores are closed: the rest goes with the process. Taking it apart object by
    object, as an interpreter does at its end, would cost a tenth of a large scan.
    """
    import os

    # A stream that was closed before us is None.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 (for as long as the process lives)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123 (as above)
    code = INTERNAL
    try:
        code = main()
    except BrokenPipeError:
        code = CLEAN
    except OSError:
        code = INCOMPLETE
    finally:
        # What else went wrong is ours: it is told, and the code is that of no finding.
        if sys.exc_info()[0] is not None:
            with suppress(OSError):
                sys.excepthook(*sys.exc_info())
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                pass
            except OSError:
                code = code or INCOMPLETE
        os._exit(code)


def _module(name: str) -> ModuleType:
    return import_module(f"bulkhead.cli.commands.{name}")


def overview() -> str:
    lines = [
        "Find container security problems, fix them, prove the fix, and take it back.",
        "",
        "usage: bulkhead COMMAND …",
        "",
    ]
    lines += [f"  {name:<10} {_module(name).HELP}" for name in _COMMANDS]
    lines += ["", "bulkhead COMMAND --help tells more. Start with: bulkhead scan .", ""]
    return "\n".join(lines)


def _run(command: ModuleType, words: list[str]) -> int:
    import argparse
    import gc

    from bulkhead.core.errors import BulkheadError, SettingsError, UsageError

    # What a scan makes stays until it ends; looking through all of it again and again would cost a fifth of its time.
    gc.set_threshold(2_000_000, 20, 100)
    helping = not {"-h", "--help"}.isdisjoint(words)
    parser = argparse.ArgumentParser(
        prog=f"bulkhead {command.NAME}",
        description=command.HELP,
        # A formatter is made for every argument; left to itself each looks up the terminal in a heavy way.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=None if helping else 78),
    )
    command.add_arguments(parser)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as exc:
        return CLEAN if not exc.code else USAGE
    try:
        code = int(command.run(arguments))
        sys.stdout.flush()
    except (UsageError, SettingsError) as exc:
        sys.stderr.write(f"bulkhead: {exc}\n")
        return USAGE
    except BulkheadError as exc:
        sys.stderr.write(f"bulkhead: {exc} [{exc.code}]\n")
        return INCOMPLETE
    except BrokenPipeError:
        _silence()
        return CLEAN
    except OSError as exc:
        # Every file of the world is read and written behind a port; what is left is our own output.
        sys.stderr.write(f"bulkhead: {exc.filename or 'the output'}: {exc.strerror or exc}\n")
        if exc.filename is None:
            _silence()
        return INCOMPLETE
    except KeyboardInterrupt:
        sys.stderr.write("bulkhead: interrupted; a change that was begun is taken back by: bulkhead undo --recover\n")
        return INTERNAL
    return code


def _silence() -> None:
    """The reader went away: nothing more can be said on stdout, not even at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
