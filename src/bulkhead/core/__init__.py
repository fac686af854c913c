"""Frozen types that more than one room speaks: resources, controls, findings, plans, errors.

Imports nothing of ours and knows no vendor. A type moves here only when a second room needs it.
"""
