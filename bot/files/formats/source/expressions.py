"""Expressions as GitHub's workflows and Azure Pipelines write them into their texts: `${{ … }}`.

A text of many that are never closed is read in time in proportion to its length: none goes beyond the next opening.
"""

import re

INSIDE = r"(?P<inside>(?:[^$}]++|\$(?!\{\{)|\}(?!\}))*+)"
"""What stands between the braces."""
EXPRESSION = re.compile(rf"\$\{{\{{{INSIDE}\}}\}}")
