"""Expressions as GitHub's workflows and Azure Pipelines write them into their texts: `${{ … }}`.

A text of many that are never closed is read in time in proportion to its length: none goes beyond the next opening.
"""

import re

INSIDE = r"(?P<inside>(?:[^$}]++|\$(?!\{\{)|\}(?!\}))*+)"
"""What stands between the braces."""
EXPRESSION = re.compile(rf"\$\{{\{{{INSIDE}\}}\}}")


def as_variables(text: str) -> str:
    """The text with a variable of a shell, which nothing sets, in place of each expression and as long as that."""
    return EXPRESSION.sub(lambda match: f"${{{'_' * (len(match[0]) - 3)}}}", text)
