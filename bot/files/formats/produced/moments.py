"""Dates as docker/metadata-action writes them, in the tokens of Moment.js, as ours.

Source: https://momentjs.com/docs/#/displaying/format/. A token that strftime has no letter for leaves all open.
"""

import re

_TOKEN = re.compile(
    r"(?P<quoted>\[[^\[\]]*\])|\\?(?P<token>[Hh]mm(?:ss)?|Mo|M{1,4}|Do|DDDo|D{1,4}|do|d{1,4}|w[ow]?|W[oW]?|Qo?"
    r"|N{1,5}|Y{1,6}|y{1,4}|gg(?:ggg?)?|GG(?:GGG?)?|[eEaAxX]|h{1,2}|H{1,2}|k{1,2}|m{1,2}|s{1,2}|S{1,9}|z{1,2}|Z{1,2}"
    r"|LTS|LT|L{1,4}|l{1,4})|(?P<text>.)",
    re.DOTALL,
)
_LETTERS = {
    "YYYY": "%Y",
    "YY": "%y",
    "GGGG": "%G",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "DD": "%d",
    "DDDD": "%j",
    "ddd": "%a",
    "dddd": "%A",
    "E": "%u",
    "WW": "%V",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "A": "%p",
    "SSSSSS": "%f",
}
_PLAIN = re.compile(r"[\w.-]*")


def date_part(form: str) -> str:
    """`{date:%Y%m%d}` for `YYYYMMDD`; `*` for a format with a part that has no name of ours."""
    parts = [_part(match) for match in _TOKEN.finditer(form)]
    known_parts = [part for part in parts if part is not None]
    return "{date:" + "".join(known_parts) + "}" if known_parts and len(known_parts) == len(parts) else "*"


def _part(match: re.Match[str]) -> str | None:
    if match["token"] is not None:
        return _LETTERS.get(match["token"])
    text = match["quoted"][1:-1] if match["quoted"] is not None else match["text"]
    return text if _PLAIN.fullmatch(text) else None
