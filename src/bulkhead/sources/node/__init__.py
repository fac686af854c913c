"""The programs and files of Kubernetes on one machine into a Snapshot; nothing is started, no port is asked.

1. Processes that are programs of a control plane or of a node are found by their first word.
2. Their settings in force are their arguments with the files that these name, read as the process itself sees them.
3. Where a program does not run, its static pod says what it would be started with.
4. Policies that the API server reads from files (audit, authentication, authorization, encryption, admission) are resources
   of their own kinds; keys in them are digests. So is the policy by which CRI-O asks for signatures.
5. The files that matter have their owners and modes told (docs/resources.md, NodeFile).

A machine without any of it is a gap: what was not found was not judged.
"""

from bulkhead.sources.node.read import read

__all__ = ["read"]
