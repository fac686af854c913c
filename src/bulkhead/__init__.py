"""Bulkhead finds container security problems, fixes them, and can take back every change it makes."""

__version__ = "0.1.0.dev0"
