"""Items put into YAML lists, or taken out, with every other byte as it was.

`NotSpliceable` is raised where that could mean something else than it seems.
"""

from collections.abc import Sequence as Items

from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts, first_scalar
from bot.files.audit.splicing.keys import ANCHORS, NotSpliceable, check_spliceable, edits_of, with_key
from bot.files.formats.source.nodes import Mapping, Scalar, ScalarStyle, Sequence
from bot.files.formats.source.text import Lines


def item_after(repository: RepositoryTexts, item: Mapping, item_lines: Items[str]) -> Edit:
    """Puts lines behind an item of a list. They are as they would stand at the left margin, dash first."""
    path, text, lines = _file_of(repository, item)
    line, column = _dash(text, lines, item)
    return _insert_lines(path, text, _end_of_item(lines, line, column), column, item_lines)


def item_before(repository: RepositoryTexts, item: Mapping, item_lines: Items[str]) -> Edit:
    """Puts lines in front of an item of a list, as `item_after` does behind it."""
    path, text, lines = _file_of(repository, item)
    line, column = _dash(text, lines, item)
    return _insert_lines(path, text, lines.start(line), column, item_lines)


def with_items(repository: RepositoryTexts, holder: Mapping, key: str, item_lines: Items[str]) -> tuple[Edit, ...]:
    """Puts items in front of those under a key, with the key where there is none."""
    value = holder.get(key)
    if isinstance(value, Sequence) and value.items:
        return (item_before(repository, _first_item(value), item_lines),)
    if value is not None:
        raise NotSpliceable(f"its {key} are no list of several lines")
    return edits_of(with_key(repository, holder, key, ["", *(f"  {line}" for line in item_lines)], ""))


def word_after(repository: RepositoryTexts, items: Sequence, word: str) -> Edit:
    """Puts a word behind the last one of a list of words, whether that stands in brackets or line by line."""
    last = items.items[-1] if items.items else None
    path = repository.path_of(last) if last is not None else ""
    text = repository.text(path)
    if (
        not isinstance(last, Scalar)
        or last.source is not text
        or last.style in {ScalarStyle.LITERAL, ScalarStyle.FOLDED}
    ):
        raise NotSpliceable("its list ends in no plain word")
    check_spliceable(text)
    lines = repository.lines(path)
    line = lines.at(last.start)
    before = text[lines.start(line) : last.start]
    if before.strip() != "-":
        return Edit(path, Span(last.end, last.end), f", {word}")
    return _insert_lines(path, text, lines.end(line), before.index("-"), [f"- {word}"])


def entry_removed(repository: RepositoryTexts, holder: Mapping, key: str) -> Edit:
    """Takes a key with all that is indented below it out of a mapping that keeps others."""
    path, text, lines = _file_of(repository, holder)
    name, value = holder.own[key]
    line = lines.at(name.start)
    before = text[lines.start(line) : name.start]
    if before.strip() or len(holder.own) < 2 or name.source is not text:
        raise NotSpliceable(f"{key} does not stand on lines of its own")
    last = value.items[-1] if isinstance(value, Sequence) and value.items else None
    following = lines.of(line + 1) if line < len(lines) else ""
    if not following.startswith(f"{before}-"):
        return Edit(path, Span(lines.start(line), _end_of_item(lines, line, len(before))), "")
    if not isinstance(last, Mapping | Scalar):
        raise NotSpliceable(f"{key} does not stand on lines of its own")
    line_of_last, column = _dash(text, lines, last)
    return Edit(path, Span(lines.start(line), _end_of_item(lines, line_of_last, column)), "")


def item_removed(repository: RepositoryTexts, item: Mapping | Scalar) -> Edit:
    """Takes an item out of a list that keeps others."""
    path, text, lines = _file_of(repository, item)
    line, column = _dash(text, lines, item)
    return Edit(path, Span(lines.start(line), _end_of_item(lines, line, column)), "")


def key_removed(repository: RepositoryTexts, holder: Mapping, key: str) -> Edit:
    """Takes a key with a list below it out of a mapping that keeps others."""
    path, text, lines = _file_of(repository, holder)
    name, items = holder.own[key]
    line = lines.at(name.start)
    before = text[lines.start(line) : name.start]
    if before.strip() or len(holder.own) < 2 or not isinstance(items, Sequence):
        raise NotSpliceable(f"its {key} does not stand on lines of its own")
    line_of_first, column = _dash(text, lines, _first_item(items))
    if line_of_first <= line or column < len(before):
        raise NotSpliceable(f"its {key} is no list of several lines")
    last = items.items[-1]
    if not isinstance(last, Mapping):
        raise NotSpliceable(f"its {key} is no list of several lines")
    line_of_last, column = _dash(text, lines, last)
    return Edit(path, Span(lines.start(line), _end_of_item(lines, line_of_last, column)), "")


def _first_item(items: Sequence) -> Mapping:
    """The first item of a list. Raises `NotSpliceable` where it is no mapping."""
    first = items.items[0] if items.items else None
    if not isinstance(first, Mapping):
        raise NotSpliceable("its list has no first item with keys of its own")
    return first


def _file_of(repository: RepositoryTexts, item: Mapping | Scalar) -> tuple[str, str, Lines]:
    if isinstance(item, Mapping) and item.merged:
        raise NotSpliceable(ANCHORS)
    path, first = repository.path_of(item), first_scalar(item)
    text = repository.text(path) if path else ""
    if first is None or first.source is not text:
        raise NotSpliceable("it is put together from several files")
    check_spliceable(text)
    return path, text, repository.lines(path)


def _dash(text: str, lines: Lines, item: Mapping | Scalar) -> tuple[int, int]:
    """The line and the column of the dash before an item, which may stand alone on a line above it."""
    first = first_scalar(item)
    line = lines.at(first.start if first is not None else item.start)
    before = text[lines.start(line) : first.start if first is not None else item.start]
    while not before.partition("#")[0].strip() and line > 1:
        line -= 1
        before = lines.of(line).partition("#")[0]
    if before.strip() != "-":
        raise NotSpliceable("the items of its list do not stand on lines of their own")
    return line, before.index("-")


def _end_of_item(lines: Lines, line: int, column: int) -> int:
    """Where the last line ends that is indented more than the item's dash; blank lines behind it do not count."""
    last = line
    for number in range(line + 1, len(lines) + 1):
        line_text = lines.of(number)
        bare = line_text.strip()
        if not bare:
            continue
        if len(line_text) - len(line_text.lstrip(" ")) <= column:
            break
        last = number
    return lines.end(last)


def _insert_lines(path: str, text: str, offset: int, column: int, new_lines: Items[str]) -> Edit:
    ending = "\r\n" if "\r\n" in text else "\n"
    missing = "" if offset == 0 or text[:offset].endswith("\n") else ending
    padding = " " * column
    return Edit(path, Span(offset, offset), missing + "".join(f"{padding}{line}{ending}" for line in new_lines))
