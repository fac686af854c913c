"""Carries out file steps: atomic replacement, read back, removal. Decides nothing."""
