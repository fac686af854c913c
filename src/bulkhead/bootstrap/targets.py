"""What a target is: a path, or a live world by its scheme."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DOCKER: Final = "docker://"
KUBERNETES: Final = "kubernetes://"
NODE: Final = "node://"
AWS: Final = "aws://"
GCP: Final = "gcp-inventory:"
AZURE: Final = "azure-inventory:"

SCHEMES: Final = (DOCKER, KUBERNETES, NODE, AWS, GCP, AZURE)
_OF_FILES: Final = (GCP, AZURE)


def is_live(target: str) -> bool:
    """Whether it names anything but a path."""
    return target.startswith(SCHEMES)


def anchored(target: str, folder: Path) -> str:
    """The target with its path, where it has one, taken from ``folder``."""
    for scheme in _OF_FILES:
        if target.startswith(scheme):
            return scheme + str(folder / target.removeprefix(scheme))
    return target if "://" in target else str(folder / target)
