"""The variables of an `.env` file.

Format: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax. A
value that takes its text from other variables counts as not known.
"""

import re
from collections.abc import Mapping

from bot.domain.repositories.usage import Findings
from bot.files.formats.source.spanned import Spanned

MOST_VARIABLES = 2_000
_LINE = re.compile(
    r"^\ufeff?[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*"
    r"(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\n]*)\""
    r"|(?P<plain>(?:[^ \t\r\n]+(?:[ \t]+(?![ \t\#])[^ \t\r\n]+)*)?))"
    r"(?:[ \t]+\#[^\n]*)?[ \t]*\r?$",
    re.MULTILINE,
)


def find(path: str, text: str) -> Findings:
    """Finds nothing: what a variable is for, the file that uses it tells."""
    return Findings()


def variables(text: str) -> Mapping[str, Spanned]:
    """The last value of each name that is written out, with its places."""
    values: dict[str, Spanned] = {}
    for line in _LINE.finditer(text):
        if len(values) >= MOST_VARIABLES:
            break
        group = next(name for name in ("single", "double", "plain") if line[name] is not None)
        start, end = line.span(group)
        value = text[start:end]
        if group == "single" or not ("$" in value or "\\" in value):
            values[line["name"]] = Spanned(value, range(start, end))
        else:
            values.pop(line["name"], None)
    return values
