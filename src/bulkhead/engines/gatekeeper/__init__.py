"""Gatekeeper: templates and constraints, mutators, expansion, and the suites of gator (templates.gatekeeper.sh and its kin).

1. A template is compiled once, from Rego or from CEL; what Gatekeeper would refuse in it is refused, and what it would not know too.
2. A constraint is held against its template's schema; its match and its actions are made ready.
3. A request is matched by each constraint; those that it matches are asked, each gives its violations.
4. What cannot be matched or evaluated is a violation that says so, never none.

Pure: namespaces, the inventory and external data are asked through ports; it stands over the engines of Rego and CEL.
"""

from bulkhead.engines.gatekeeper.constraint import Constraint, compile_constraint
from bulkhead.engines.gatekeeper.judge import judge
from bulkhead.engines.gatekeeper.model import Request, Violation, World
from bulkhead.engines.gatekeeper.template import Template, compile_template

__all__ = [
    "Constraint", "Request", "Template", "Violation", "World", "compile_constraint", "compile_template", "judge",
]  # fmt: skip
