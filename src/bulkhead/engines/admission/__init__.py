"""What every dialect of policy asks of a request to change a cluster: the review itself, and whether a rule is about it.

Pure. The wire forms are ``admission.k8s.io/v1`` and ``v1beta1``.
"""
