"""Which files put in templates that are not in reach: of other repositories, or named by an expression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.files.formats.builds import NamedTemplate
from bot.files.formats.finding import is_text, kind_in
from bot.files.formats.source.text import decode
from bot.files.formats.table import format_of

_MOST_FILES = 200
"""That are followed from one."""


@dataclass(frozen=True, slots=True)
class PartlyRead:
    """A file of which a template is not in reach: the first such one, and the files that are, its own first."""

    lacking: NamedTemplate
    paths: tuple[str, ...]


def partly_read(files: Mapping[str, bytes]) -> Mapping[str, PartlyRead]:
    """The files of a repository, by their paths, that put in what none of them holds."""
    found: dict[str, PartlyRead] = {}
    named: dict[str, Sequence[NamedTemplate]] = {}
    for first in sorted(files):
        kind = kind_in(first, files[first])
        templates_of = format_of(kind).templates if kind is not None else None
        if templates_of is None:
            continue
        paths, lacking = [first], list[NamedTemplate]()
        for here in paths:
            if here not in named:
                named[here] = templates_of(here, decode(files[here])) if is_text(files[here]) else ()
            for template in named[here]:
                if template.place is None or template.place not in files:
                    lacking.append(template)
                elif template.place not in paths and len(paths) < _MOST_FILES:
                    paths.append(template.place)
        if lacking:
            found[first] = PartlyRead(lacking[0], tuple(paths))
    return found
