"""What holds for the findings of every kind of file, whatever its text is."""

from bot.domain.usage import Findings, Usage


def spans_cover_what_they_claim(text: str, findings: Findings) -> None:
    """Every span holds exactly the part of the reference that it is said to hold, on the line that is told."""
    lines = text.count("\n") + 1
    for usage in findings.usages:
        _covers(text, usage)
        assert 1 <= usage.line <= lines
    for problem in findings.problems:
        assert 1 <= problem.line <= lines
        assert problem.message
        assert "\n" not in problem.message


def _covers(text: str, usage: Usage) -> None:
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
        assert piece.span.of(text) == whole[piece.at :][: piece.span.end - piece.span.start]
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
    assert usage.line == text.count("\n", 0, leading) + 1
