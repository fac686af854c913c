"""Names for new objects that no object of the namespace has."""

from __future__ import annotations

from bulkhead.posture.facts import selectors
from bulkhead.posture.world import World


def taken(world: World, kind: str, namespace: str) -> set[str]:
    """The names that objects of the kind have in the namespace already."""
    return {resource.ref.name for place in selectors.places(namespace) for resource in world.within(kind, place)}


def free(name: str, used: set[str]) -> str:
    """The name, or the name with the first number that makes it new; it is then taken."""
    chosen, number = name, 2
    while chosen in used:
        chosen, number = f"{name}-{number}", number + 1
    used.add(chosen)
    return chosen
