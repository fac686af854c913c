"""Carries out steps of the channel ``kubernetes``: fields of an object patched, an object made; each rehearsed by the server
itself (``dryRun=All``), guarded by the version that it was read at, waited for until it is rolled out, and put back.
"""

from bulkhead.actuators.kube.hands import KubeHands

__all__ = ["KubeHands"]
