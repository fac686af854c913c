"""Findings into reversible plans: choose, edit, limit, verify.

Pure: a plan is data with the bytes before and after. Never executes one.
"""
