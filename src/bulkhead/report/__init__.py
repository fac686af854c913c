"""Findings into texts: one module per format, each ``render(report)`` giving text or bytes.

Pure: values in, text out. Never decides a verdict, reads a clock or opens a file, and never repeats the value of a
secret that a finding, a diff or a gap may have caught (``mask``).
"""
