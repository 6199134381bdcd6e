"""`os-release`: which distribution an image is (os-release(5))."""

import re

from bot.domain.packages.package import Distribution
from bot.images.packages.reading import lines

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE = re.compile(
    r"\s*(?:export[ \t]+)?(?P<name>ID|VERSION_ID)="
    r"(?P<value>(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^\s'\"\\;&|<>()])*)"
    r"\s*(?:;\s*)?(?:(?<=[\s;])#.*)?",
    re.ASCII | re.DOTALL,
)
"""An assignment as a shell has it: its value is put together of what is in quotes and what is not."""
_PIECE = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<escaped>.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r"\\([\"$`\\])")
_VALUE = re.compile(r"[A-Za-z0-9._+:~-]{0,64}", re.ASCII)


def read_os_release(data: bytes) -> Distribution | None:
    """Reads a distribution; None where none is named.

    Lines of another form are passed over, as its readers must.
    """
    values: dict[str, str] = {}
    for line in lines(data.removeprefix(_BYTE_ORDER_MARK)):
        match = _LINE.fullmatch(line)
        value = _PIECE.sub(_plain, match["value"]) if match else ""
        if match and _VALUE.fullmatch(value):
            values[match["name"]] = value
    return Distribution(values["ID"], values.get("VERSION_ID", "")) if values.get("ID") else None


def _plain(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _ESCAPED_IN_QUOTES.sub(r"\1", piece["double"])
    return piece["escaped"] or piece["single"] or ""
