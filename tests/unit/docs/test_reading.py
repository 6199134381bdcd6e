"""The documents stay as short as they are, and their sentences such that they are read once."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).parents[3]
TEXTS = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
}
DERIVED = {page for page, text in TEXTS.items() if "This page is written by `make" in text}
WRITTEN = {page: text for page, text in TEXTS.items() if page not in DERIVED}
MOST_WORDS = 35_000
"""Of all pages in docs/."""
MOST_WRITTEN = 24_700
"""Of those that no program writes."""
MOST_OF_CHANGES = 4_500
LONGEST_MEAN = 20.5
"""Words to a sentence on any one page, and fewer over all."""
MEAN = 15.3
LONGEST = 45
"""Words in one sentence of docs/."""

_FENCED = re.compile(r"(?ms)^ *(```|~~~)[^\n]*\n.*?^ *\1[`~]*$")
_ITEM = re.compile(r" *(?:- |\d+\. )")


def words(text: str) -> int:
    """How many words stand outside of blocks of code; a name of the code is one."""
    return sum(1 for word in _FENCED.sub("", text).split() if re.search(r"\w", word))


def sentences(text: str) -> Iterator[str]:
    """The sentences of paragraphs and of items of lists; tables and headings have none."""
    part: list[str] = []
    for line in [*_FENCED.sub("", text).splitlines(), ""]:
        is_prose = bool(line.strip()) and not line.lstrip().startswith(("|", "#", "<!--", "!["))
        if (not is_prose or _ITEM.match(line)) and part:
            yield from _split(" ".join(part))
            part = []
        if is_prose:
            part.append(line.strip())


def _split(text: str) -> Iterator[str]:
    plain = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "Code", text))
    yield from (each for each in re.split(r"(?<=[.!?])\s+(?=[A-Z\[*(])", plain) if words(each))


def test_all_of_docs_has_no_more_words_than_it_had() -> None:
    assert sum(words(text) for page, text in TEXTS.items() if page.startswith("docs/")) <= MOST_WORDS


def test_what_people_write_in_docs_has_no_more_words_than_it_had() -> None:
    assert sum(words(text) for page, text in WRITTEN.items() if page.startswith("docs/")) <= MOST_WRITTEN


def test_the_changes_stay_readable_before_an_upgrade() -> None:
    unreleased, _, _ = TEXTS["CHANGELOG.md"].partition("## Unreleased")[2].partition("\n## ")
    assert words(unreleased) <= MOST_OF_CHANGES


@pytest.mark.parametrize("page", WRITTEN)
def test_sentences_of_a_page_are_short(page: str) -> None:
    lengths = [words(each) for each in sentences(WRITTEN[page])]
    assert mean(lengths) <= LONGEST_MEAN, max(sentences(WRITTEN[page]), key=words)


@pytest.mark.parametrize("page", [page for page in WRITTEN if page.startswith("docs/")])
def test_no_sentence_of_a_page_has_to_be_read_twice(page: str) -> None:
    assert [each for each in sentences(WRITTEN[page]) if words(each) > LONGEST] == []


def test_sentences_are_short_everywhere() -> None:
    assert mean(words(each) for text in WRITTEN.values() for each in sentences(text)) <= MEAN
