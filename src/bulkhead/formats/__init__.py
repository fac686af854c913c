"""Texts into values with spans, and edits back into bytes.

Pure: bytes in, values or bytes out. Never opens a file and never judges what it reads. Each format offers the same
three functions: ``load`` (all documents), ``locate`` (paths to places) and ``apply`` (edits, changing only the bytes
that must change). ``texts`` chooses the format; ``recognise`` says what a document is.
"""
