"""Regular expressions that are made when first used: most runs need few of those that stand in the modules they load."""

from __future__ import annotations

import re
from typing import Any, cast


class _Later:
    """Takes the pattern's methods for its own when one is asked for, so that only the first call goes through here."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._given = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        made = re.compile(*self._given)
        for method in ("search", "match", "fullmatch", "sub", "split", "findall", "finditer", "pattern"):
            setattr(self, method, getattr(made, method))
        return getattr(made, name)


def later(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """What ``re.compile`` gives, made at its first use.

    Raises:
        re.error: at its first use, where the pattern is wrong.
    """
    return cast("re.Pattern[str]", _Later(pattern, flags))
