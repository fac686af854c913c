"""Carries out steps of the channel ``docker``: updates a running container, moves it between networks, makes it anew from its
record, updates a swarm. It decides nothing, and it removes nothing that somebody else made.

A container that is made anew is the old one's heir: the same name, image, settings but for the change, volumes and networks. The
old container is stopped, renamed and kept; an undo, or an heir that does not come up, starts it again with its id and its files.
"""

from bulkhead.actuators.docker.hands import DockerHands

__all__ = ["DockerHands"]
