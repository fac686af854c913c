"""A Kubernetes API server as far as our client asks it: stateful, over real HTTP on loopback, in the words of a recorded one.

Paging with tokens that run out, watches with bookmarks, conflicts, dry runs, server-side apply with owners of fields, RBAC by
kind, rollouts that come or do not. ``tests/contract/test_kube_double.py`` holds it to the recordings.
"""

from tests.fakes.kube.double import KubeDouble

__all__ = ["KubeDouble"]
