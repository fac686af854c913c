"""Rego, versions 0 and 1: texts to trees, trees to OPA's plans, plans to Python.

It is pure: what a policy may ask of the world (the time, a network, chance) is given to an evaluation or refused.
"""
