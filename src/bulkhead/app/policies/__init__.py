"""Policies of other tools as their users have them: loaded, held against objects, tested with the suites that came with them, asked.

What is not known in a policy is a refusal that is told, and makes the whole incomplete; it is never left out in silence.
"""
