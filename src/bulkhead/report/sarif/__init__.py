"""SARIF 2.1.0 (OASIS, errata 01): results with rules, taxonomies, suppressions, regions and fixes.

Section numbers in this folder are the standard's.
"""

from bulkhead.report.sarif.log import render

__all__ = ["render"]
