"""Modules to a plan: names are resolved, bodies put in an order in which every variable is known when it is needed, rules
grouped by their paths, and the groups planned as functions.
"""
