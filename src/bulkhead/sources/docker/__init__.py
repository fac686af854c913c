"""A live Docker engine into a Snapshot, in API calls and in reads of this machine's files; never by running a program
inside a container.

1. ``/info`` and ``/version`` say what the engine is; without them there is no snapshot.
2. Containers, images, networks, volumes and Swarm are read, each with a gap of its own where it is refused. A container that
   ends while it is read is gone, not a gap.
3. Each image is joined with its containers. Its files are read only where that is asked for: the engine has to hand out the
   whole image for it.
4. What only the machine knows is read from its files, where the engine runs on it: the daemon's settings in force, owners and
   modes, what processes listen on, who may use the socket. Where the engine is somewhere else, that is a gap.

The shapes are in docs/resources.md.
"""

from bulkhead.sources.docker.layers import Layers
from bulkhead.sources.docker.read import read

__all__ = ["Layers", "read"]
