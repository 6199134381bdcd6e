"""What holds for the findings of every kind of file, whatever its text is."""

from bisect import bisect_left
from collections.abc import Mapping

from hypothesis import strategies as st

from bot.domain.repositories.usage import Findings, Usage


def spans_cover_what_they_claim(text: str, findings: Findings) -> None:
    """Every span holds exactly the part of the reference that it is said to hold, on the line that is told."""
    paths = {usage.path for usage in findings.usages} | {problem.path for problem in findings.problems}
    spans_cover_in_all_files(dict.fromkeys(paths, text), findings)


def spans_cover_in_all_files(texts: Mapping[str, str], findings: Findings) -> None:
    """The same where the usages stand in several files."""
    ends = {path: [at for at, character in enumerate(text) if character == "\n"] for path, text in texts.items()}
    for usage in findings.usages:
        _covers(texts, ends, usage)
        assert 1 <= usage.line <= len(ends[usage.path]) + 1
        if usage.named_at is not None:
            assert usage.named_at.path != usage.path
            assert 1 <= usage.named_at.line <= len(ends[usage.named_at.path]) + 1
    for problem in findings.problems:
        assert 1 <= problem.line <= len(ends[problem.path]) + 1
        assert problem.message
        assert "\n" not in problem.message


def _covers(texts: Mapping[str, str], ends: Mapping[str, list[int]], usage: Usage) -> None:
    text = texts[usage.path]
    reference = usage.reference
    whole = str(reference)
    assert (usage.span is None) == (usage.fixed_because is not None)
    for span, part in (
        (usage.tag_span, reference.tag),
        (usage.digest_span, reference.digest),
        (usage.name_span, reference.name),
    ):
        assert span is None or span.of(text) == part
    for piece in usage.pieces:
        there = texts[piece.path or usage.path]
        assert piece.span.of(there) == whole[piece.at :][: piece.span.end - piece.span.start]
    if usage.span is None:
        return
    if usage.assembled:
        decisive = reference.tag or reference.digest or reference.name
        assert usage.span.of(text) in decisive
        assert usage.span.of(text)
        leading = usage.span.start
    else:
        assert usage.span.of(text) == whole
        exact = usage.tag_span or usage.digest_span or usage.name_span
        assert exact is not None
        leading = exact.start
    assert usage.line == bisect_left(ends[usage.path], leading) + 1


def any_text(*fragments: str) -> st.SearchStrategy[str]:
    """Any text at all, and texts put together from what files of the kind are made of."""
    pieces = st.sampled_from([*fragments, *_COMMON])
    return st.text() | st.lists(pieces, max_size=40).map("".join)


_COMMON = (
    *"\n \t:-[]{},\"'|>&*#?@$\\/\r~!%",
    "\n  ",
    "\n    ",
    "${",
    "{{ ",
    "<<: ",
    "\ufeff",
    "\udcff",
    "\u2028",
    "é",
    "😀",
    "mcr.microsoft.com/dotnet/aspnet:8.0",
    "ubuntu",
    "sha256:" + "0" * 64,
)
