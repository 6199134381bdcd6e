"""What edits change is told without comparing all of a text."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.onboarding import Proposal, ProposedCommit, unified_diff
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.diffs import diff_of_edits
from bot.files.audit.splicing.keys import with_edits
from bot.files.formats.source.text import Lines, encode
from tests.growth import LINEAR, growth

PATH = "compose.yaml"
line_numbers = st.sets(st.integers(0, 119), max_size=6)
endings = st.sampled_from(["\n", "\r\n"])


def text_of(count: int, ending: str, *, is_ended: bool) -> str:
    text = "".join(f"line {number}{ending}" for number in range(count))
    return text if is_ended else text.removesuffix(ending)


@given(st.integers(1, 120), line_numbers, line_numbers, endings, st.booleans())
def test_the_diff_of_edits_is_that_of_the_texts(
    count: int, replaced: set[int], inserted: set[int], ending: str, is_ended: bool
) -> None:
    text = text_of(count, ending, is_ended=is_ended)
    lines = Lines(text)
    edits = [
        Edit(PATH, Span(lines.start(number + 1) + 5, lines.start(number + 1) + 6), f"new {number} ")
        for number in replaced
        if number < count
    ]
    edits += [
        Edit(PATH, Span(lines.start(number + 1), lines.start(number + 1)), f"put in {number}{ending}")
        for number in inserted
        if number < count
    ]
    before = encode(text)
    whole = "".join(unified_diff(PATH, before, with_edits({PATH: before}, edits)[PATH]))
    assert diff_of_edits(PATH, text, lines, edits) == whole


def test_bytes_that_are_no_text_are_replaced() -> None:
    text = "a\udcff\nb\n"
    diff = diff_of_edits(PATH, text, Lines(text), [Edit(PATH, Span(3, 4), "c")])
    assert diff.splitlines()[2:] == ["@@ -1,2 +1,2 @@", " a\ufffd", "-b", "+c"]


def test_the_diffs_of_many_edits_of_a_text_take_time_in_proportion() -> None:
    def told(size: int) -> None:
        text = text_of(size, "\n", is_ended=True)
        lines = Lines(text)
        for number in range(1, size + 1):
            place = lines.start(number)
            diff_of_edits(PATH, text, lines, [Edit(PATH, Span(place, place), "new ")])

    assert growth(told, 200) < LINEAR


def test_lines_that_stand_often_in_a_long_file_are_not_told_as_moved() -> None:
    lines = [line for _ in range(100) for line in ("- name: a\n", "  uses: a/b@v1\n", "  if: c\n")]
    before = "".join(lines).encode()
    after = "".join([*lines[:150], "- run: d\n", *lines[150:]]).encode()
    told = unified_diff(PATH, before, after).splitlines()
    assert told[2] == "@@ -148,6 +148,7 @@"
    assert [line for line in told[3:] if line[0] != " "] == ["+- run: d"]
    short = "".join([*lines[:3], "- run: d\n", *lines[3:6]]).encode()
    marks = {
        Proposal((ProposedCommit("sbom", "", "", (), {PATH: new}),), (), {PATH: old}).mark
        for old, new in ((before, after), ("".join(lines[:6]).encode(), short))
    }
    assert len(marks) == 1
