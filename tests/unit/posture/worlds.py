"""Worlds made from manifests, for tests."""

from __future__ import annotations

from bulkhead.formats import recognise
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


def world(text: str) -> World:
    return World(recognise.recognise("manifests.yaml", text.encode()))


def pod(of: World, name: str, namespace: str | None = None) -> PodView:
    """The pod of the workload with this name."""
    return next(
        view
        for view in of.kubernetes_pods
        if view.resource.ref.name == name and namespace in (None, view.resource.ref.namespace)
    )
