"""Texts into values with spans, and edits back into bytes.

Pure: bytes in, values or bytes out. Never opens a file and never judges what it reads.
"""
