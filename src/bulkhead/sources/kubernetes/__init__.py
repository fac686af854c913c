"""A live Kubernetes or OpenShift cluster into a Snapshot, by reading its API; nothing is written, nothing is started.

1. ``/version`` and discovery say what the cluster is; without them there is no snapshot.
2. Every kind that the controls read is listed; one that is refused is a gap that hides just that kind.
3. Values of Secrets never enter: a keyed digest takes their place, made anew for every reading.
4. A pod that is what its controller's template says is left out: the template is judged. One that differs is judged itself.
5. Static pods of a control plane become components; kubelets tell their settings in force through ``configz``.
6. Whose control plane it is (a cloud's, OpenShift's, one's own) is told by what is there, and what nobody may see of it is a note.

The shapes are in docs/resources.md.
"""

from bulkhead.sources.kubernetes.read import read

__all__ = ["read"]
