"""The hidden line of a pull request, as laws."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause, Change, SecurityRelease, ToldWay
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.marker import LONGEST, MarkedTarget, marked, marker_line, read_marker, without_marker
from bot.domain.rollouts.rebuild import Target

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
DIGESTS = st.integers(0, 2**256 - 1).map(lambda number: f"sha256:{number:064x}")
VERSIONS = st.none() | st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-rc\.[0-9]--[a-z]{1,5})?", fullmatch=True)
CVES = st.lists(st.from_regex(r"CVE-[0-9]{4}-[0-9]{4,7}", fullmatch=True), max_size=20).map(tuple)
BASES = st.builds(
    Base,
    st.sampled_from(["mcr.microsoft.com", "localhost:5000", "registry.example"]),
    st.sampled_from(["dotnet/aspnet", "dotnet/a--b", "golden"]),
    st.sampled_from(["10.0", "10.0-noble", "1.x"]),
)
TIMES = st.datetimes(timezones=st.just(UTC))


@st.composite
def changes(draw: st.DrawFn, base: Base) -> Change:
    cause = draw(st.sampled_from(Cause))
    return Change(
        *(base, draw(TIMES), draw(st.none() | DIGESTS), draw(DIGESTS), cause, cause),
        *(draw(VERSIONS), draw(VERSIONS), draw(CVES), draw(CVES)),
        severity=draw(st.none() | st.sampled_from(Severity)),
    )


@st.composite
def targets(draw: st.DrawFn) -> MarkedTarget:
    base = draw(BASES)
    told = tuple(draw(st.lists(changes(base), max_size=3)))
    return MarkedTarget(base, draw(st.none() | DIGESTS), draw(DIGESTS), told, draw(st.none() | ways(base)))


@st.composite
def ways(draw: st.DrawFn, base: Base) -> ToldWay:
    releases = st.builds(SecurityRelease, TIMES, st.from_regex(r"[0-9]{1,2}\.0\.[0-9]{1,2}", fullmatch=True))
    return ToldWay(draw(changes(base)), tuple(draw(st.lists(releases, max_size=3))))


@given(st.lists(targets(), max_size=8), st.text(max_size=50), st.text(max_size=50))
def test_what_is_written_is_read_again_from_any_body(written: list[MarkedTarget], before: str, after: str) -> None:
    line = marker_line(written)
    told = read_marker(f"{before}\n{line}\n{after}")
    assert told == tuple(written[: len(told)])
    assert told or not written or len(line) == 0


@given(st.lists(targets(), max_size=40))
def test_it_is_one_short_line_that_ends_no_comment_before_its_own(written: list[MarkedTarget]) -> None:
    line = marker_line(written)
    assert len(line.encode()) <= LONGEST
    assert not set("\n<>") & set(line[4:-3])
    assert "--" not in line[4:-3]
    assert without_marker(line) == ""


@given(st.binary(max_size=400))
@example(b"[" * 3000)
@example(b'{"v":1,"targets":' + b"[" * 3500 + b"}")
@example(b'{"v":1,"targets":[{"base":"a:b","to":1}]}')
@example(b'{"v":1,"targets":7}')
@example(b'{"v":1,"targets":[7]}')
@example(b'{"v":1,"targets":["base"]}')
@example(b'{"v":1e999,"targets":{}}')
def test_nothing_that_stands_there_breaks_it(garbage: bytes) -> None:
    text = garbage.decode("utf-8", "replace")
    assert read_marker(text) == ()
    assert read_marker(f"<!-- freshness-bot facts {text} -->") == ()


@given(targets(), st.data())
def test_a_line_that_was_changed_anywhere_says_what_is_well_formed_or_nothing(
    target: MarkedTarget, data: st.DataObject
) -> None:
    line = marker_line([target])
    place = data.draw(st.integers(0, len(line) - 1))
    changed = line[:place] + data.draw(st.characters()) + line[place + 1 :]
    for told in read_marker(changed):
        assert read_marker(marker_line([told])) == (told,)


@pytest.mark.parametrize(
    "said", ['"v":2', '"v":1,"to":"x"', '"v":1,"targets":[{"base":"mcr.microsoft.com/a:1@sha256:00","to":"x"}]']
)
def test_another_version_or_another_shape_says_nothing(said: str) -> None:
    assert read_marker(f"<!-- freshness-bot facts {{{said}}} -->") == ()


def test_it_says_of_each_target_what_its_changes_say() -> None:
    change = Change(
        *(ASPNET, NOON, "sha256:" + "a" * 64, "sha256:" + "b" * 64, Cause.DOTNET_SECURITY, Cause.DOTNET_UNKNOWN),
        *("10.0.4", "10.0.5", ("CVE-2026-21218",)),
        severity=Severity.HIGH,
        detail="not for the line",
    )
    other = replace(change, base=Base("mcr.microsoft.com", "dotnet/sdk", "10.0"))
    [told] = read_marker(
        marker_line(marked([Target(ASPNET, change.from_digest, "sha256:" + "b" * 64, (1,))], [change, other], {}))
    )
    assert told.trailer == f"Freshness-Base: {ASPNET}@sha256:{'b' * 64}"
    assert told.changes == (replace(change, cause_at_detection=change.cause, detail=""),)
    assert told.seen_at == NOON


def test_of_too_many_cves_none_is_said() -> None:
    cves = tuple(f"CVE-2026-{number:05}" for number in range(101))
    change = Change(
        ASPNET, NOON, None, "sha256:" + "b" * 64, Cause.DOTNET_SECURITY, Cause.DOTNET_SECURITY, cves=cves
    )
    assert read_marker(marker_line([MarkedTarget(ASPNET, None, "sha256:" + "b" * 64, (change,))])) == (
        MarkedTarget(ASPNET, None, "sha256:" + "b" * 64),
    )
