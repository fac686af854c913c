"""Kubernetes' own policies: ValidatingAdmissionPolicy with its bindings and parameters (admissionregistration.k8s.io/v1).

1. A policy is compiled once: every expression, with the names that its place allows; what the API server would refuse is refused.
2. A request is matched by the policy's constraints, then by the binding's, then by the conditions.
3. The parameters of the binding are looked up; for each of them the validations are evaluated, variables when first needed.
4. What is not true is a failure with its message and reason. What cannot be evaluated is one too, unless the policy says Ignore.

Pure: namespaces, parameters and rights are asked through ports.
"""

from bulkhead.engines.vap.binding import check_binding
from bulkhead.engines.vap.decide import Decision, decide
from bulkhead.engines.vap.policy import Policy, compile_policy
from bulkhead.engines.vap.world import Answer, Attributes, World

__all__ = ["Answer", "Attributes", "Decision", "Policy", "World", "check_binding", "compile_policy", "decide"]
