"""One change of a file's text, by the characters that it takes the place of."""

from dataclasses import dataclass

from bot.domain.repositories.usage import Span


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The characters of `path` at `span` become `text`; an empty span inserts."""

    path: str
    span: Span
    text: str
