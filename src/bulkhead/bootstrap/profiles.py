"""Profiles: named selections of controls."""

from __future__ import annotations

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control
from bulkhead.core.errors import UsageError


def select(catalogue: Catalogue, names: tuple[str, ...], profile: str) -> list[Control]:
    """The controls named, or those of a profile: ``all``, a practice (``K4``), or a framework (``pss``, ``cis-kubernetes-1.12``).

    Raises:
        UsageError: there is no such control or profile.
    """
    if names:
        found = {control.id: control for name in names for control in catalogue.named(name)}
        return list(found.values())
    if profile == "all":
        return list(catalogue.controls)
    chosen = [
        control
        for control in catalogue.controls
        if profile.upper() in control.practices or profile.lower() in control.maps_to
    ]
    if not chosen:
        raise UsageError(f"no profile is called '{profile}'", hint="see: bulkhead controls profiles")
    return chosen


def names(catalogue: Catalogue) -> dict[str, int]:
    """Every profile with the number of its controls."""
    counts = {"all": len(catalogue.controls)}
    for control in catalogue.controls:
        for name in (*control.maps_to, *control.practices):
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
