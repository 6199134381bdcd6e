"""Security contexts that a chart leaves to its values, begun where these are empty."""

from collections.abc import Sequence as Items

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, check_spliceable
from bot.files.audit.workloads.helm import empty_context
from bot.files.formats.source.nodes import Mapping, Node, Scalar


def context_begun(
    repository: RepositoryTexts, container: Mapping, key: str, value: Items[str], advice: str
) -> Fix | None:
    """Suggests a key for the `{}` of a chart's values that a container's security context is made of.

    None where it is made of no value that is empty.
    """
    entry = empty_context(repository, container)
    if entry is None:
        return None
    try:
        return Fix(advice, suggested=(_begun(repository, *entry, [f"{key}: {value[0]}".rstrip(), *value[1:]]),))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))


def _begun(repository: RepositoryTexts, name: Scalar, old: Node, block_lines: Items[str]) -> Edit:
    path = repository.path_of(name)
    text, lines = repository.text(path), repository.lines(path)
    check_spliceable(text)
    line = lines.at(name.start)
    before = text[lines.start(line) : name.start]
    if before.strip() or name.source is not text or not text.startswith(":", name.end):
        raise NotSpliceable("its key in the values does not stand on a line of its own")
    ending = "\r\n" if "\r\n" in text else "\n"
    padding = f"{before}  "
    block = "".join(f"{padding}{each}{ending}" for each in block_lines)
    end = lines.end(line)
    if isinstance(old, Scalar) and old.end > old.start:
        if old.source is not text or lines.at(old.start) != line or text[name.end + 1 : old.start].strip():
            raise NotSpliceable("its empty value does not stand behind its key alone")
        line_end = text[old.end : end].rstrip()
        return Edit(path, Span(name.end + 1, end), f"{line_end}{ending}{block}")
    if isinstance(old, Scalar):
        return Edit(path, Span(end, end), ("" if text[:end].endswith("\n") else ending) + block)
    if text[old.start : old.start + 2] != "{}":
        raise NotSpliceable("its empty value is written over several lines")
    if lines.at(old.start) == line:
        line_end = text[old.start + 2 : end].rstrip()
        return Edit(path, Span(name.end + 1, end), f"{line_end}{ending}{block}")
    column = old.start - lines.start(lines.at(old.start))
    return Edit(path, Span(old.start, old.start + 2), f"{ending}{' ' * column}".join(block_lines))
