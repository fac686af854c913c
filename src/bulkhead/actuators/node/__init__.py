"""Carries out steps of the channel ``node`` on this machine: modes and owners of files, audit rules, the settings of the Docker
daemon, members of its group. It follows no link, and it starts no program but the one that loads audit rules and the one that
restarts the daemon.
"""

from bulkhead.actuators.node.hands import NodeHands

__all__ = ["NodeHands"]
