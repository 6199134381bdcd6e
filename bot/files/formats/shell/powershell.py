"""What PowerShell writes otherwise than bash: its variables, `$env:`, and the parameters of a script."""

import re
from collections import Counter
from collections.abc import Iterator

_SET = re.compile(r"\$(?P<name>[A-Za-z_]\w*)[ \t]*[-+*/]?=(?!=)")
_TEXT = re.compile(
    r"^[ \t]*\$(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(?P<quote>[\"'])(?P<value>[^\"'$`\r\n]*)(?P=quote)[ \t]*(?:;[ \t]*)?\r?$",
    re.MULTILINE,
)
_ENVIRONMENT = re.compile(
    r"^[ \t]*\$(?i:env):(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(?:'(?P<single>[^'\r\n]*)'|\"(?P<double>[^\"$`\r\n]*)\"|(?P<bare>[^\s$`()\"';]+))?",
    re.MULTILINE,
)
_VARIABLE = re.compile(r"(\$\{?)(?i:env):(?=[A-Za-z_])")
_BEFORE_NAME = re.compile(r"^env:", re.IGNORECASE)
_BASH_ENV = re.compile(r"(?:^|[\s;])env=", re.MULTILINE)
"""A variable of bash called `env`, so that `$env:1` is that and a colon."""
_PARAMETERS = re.compile(r"^[ \t]*param\s*\(", re.MULTILINE | re.IGNORECASE)
_DEFAULT = re.compile(
    r"\$(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?P<quote>[\"'])(?P<value>[^\"'$`\r\n]*)(?P=quote)[ \t]*(?=[,)#\r\n])"
)
_BEFORE_PARAMETERS = re.compile(
    r"(?:\s|<\#(?:[^\#]|\#(?!>))*+\#>|\#[^\n]*+|\[[^\]\n]*+\]|using[ \t][^\n]*+)*+", re.IGNORECASE
)
_QUOTED_OR_BRACKET = re.compile(
    r"\"(?:`.|[^\"`])*(?:\"|\Z)|'[^']*(?:'|\Z)|<\#(?:[^\#]|\#(?!>))*(?:\#>|\Z)|\#[^\n]*|[()]", re.DOTALL
)
"""What is never closed goes on to the end, so that a text is gone through once."""

Span = tuple[int, int]


def environment(text: str) -> Iterator[tuple[str, Span | None, int]]:
    """What `$env:NAME = …` sets: the name, where its text stands, and the offset of the statement.

    None for one that is no text that is written out, or is set several times.
    """
    assignments = list(_ENVIRONMENT.finditer(text)) if ":" in text else []
    times = Counter(assignment["name"] for assignment in assignments)
    for assignment in assignments:
        group = next((name for name in ("single", "double", "bare") if assignment[name] is not None), None)
        is_known = group is not None and times[assignment["name"]] == 1
        yield assignment["name"], assignment.span(group or 0) if is_known else None, assignment.start()


def texts(text: str) -> Iterator[tuple[str, Span]]:
    """Where the text of `$name = "text"` stands, where nothing else sets it, and the default of a parameter."""
    times = Counter(assignment["name"] for assignment in _SET.finditer(text)) if "$" in text else {}
    if not times:
        return
    for assignment in (*_DEFAULT.finditer(text, *_parameters(text)), *_TEXT.finditer(text)):
        if times.get(assignment["name"]) == 1:
            yield assignment["name"], assignment.span("value")


def bare_name(name: str) -> str:
    """A variable's name without the `env:` before it."""
    return _BEFORE_NAME.sub("", name)


def as_bash(text: str) -> str:
    """The text with `$env:NAME` written as a variable of bash that is as long."""
    return _VARIABLE.sub(r"\1env_", text) if ":" in text and not _BASH_ENV.search(text) else text


def without_parameters(text: str) -> str:
    """The text with blanks in the place of PowerShell's parameters, and of what stands before those of a script."""
    begin, end = _parameters(text)
    if "$" not in text[begin:end]:
        return text
    begin = text.rindex("\n", 0, begin) + 1 if "\n" in text[:begin] else 0
    if _BEFORE_PARAMETERS.fullmatch(text, 0, begin):
        begin = 0
    return text[:begin] + "".join(each if each in "\r\n" else " " for each in text[begin:end]) + text[end:]


def _parameters(text: str) -> tuple[int, int]:
    """Where the parameters of a PowerShell script stand, with the brackets around them; nowhere if it has none."""
    opening = _PARAMETERS.search(text)
    if opening is None:
        return 0, 0
    depth = 0
    for token in _QUOTED_OR_BRACKET.finditer(text, opening.end() - 1):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth == 0:
            return opening.end() - 1, token.end()
    return 0, 0
