from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.feeds.advisory import Evidence, Severity
from bot.domain.reference import Base
from bot.fleet.assess.own_base import InheritedChanges, as_base_update, brought_anew
from tests.builders import change

GOLDEN = Base("ghcr.io", "contoso/golden-aspnet", "latest")
AT = change().at
BELOW = change(
    cves=("CVE-2026-1", "CVE-2026-2"),
    severity=Severity.HIGH,
    detail=".NET 10.0.4 → 10.0.5 fixes 2 CVEs (worst: HIGH)",
)


def seen(*diff_ids: str) -> Observation:
    return Observation(
        AT, GOLDEN, f"sha256:{len(diff_ids)}", platforms=(PlatformImage("linux/amd64", "d", diff_ids=diff_ids),)
    )


OLD, NEW = seen("sha256:1"), seen("sha256:1", "sha256:2")
MOVED = change(GOLDEN, Cause.OS_UPDATE, cves=(), severity=None)


def brought(*below: Change) -> Change:
    moves = tuple(Move(number, each) for number, each in enumerate(below, 1))
    return as_base_update(MOVED, OLD, NEW, InheritedChanges(moves, is_proved=True))


def test_cause_cves_and_severity_of_what_is_below_travel_up_to_whoever_stands_on_it() -> None:
    found = brought(BELOW)
    assert (found.cause, found.causes, found.brings) == (Cause.BASE_UPDATE, (Cause.DOTNET_SECURITY,), (1,))
    assert (found.cves, found.severity) == (BELOW.cves, Severity.HIGH)
    assert found.detail == "rebuilt on aspnet:10.0 (.NET 10.0.4 → 10.0.5 fixes 2 CVEs (worst: HIGH))"
    assert found.evidence[-1].locator.startswith("proved by the layers of both")


def test_what_several_bases_bring_is_counted_over_all_of_them() -> None:
    other = replace(BELOW, base=replace(BELOW.base, tag="9.0"), cves=("CVE-2026-2", "CVE-2026-3"), detail="moved")
    assert brought(BELOW, other).detail == (
        f"rebuilt on aspnet:10.0 ({BELOW.detail}) and aspnet:9.0 (moved), 3 CVEs in all"
    )
    bare = replace(other, cves=())
    assert brought(replace(BELOW, cves=(), detail="moved"), bare).detail.endswith("aspnet:9.0 (moved)")
    third = replace(other, base=replace(BELOW.base, tag="9.0-noble"))
    assert brought(BELOW, other, third).detail.endswith("aspnet:9.0 (moved) and others, 3 CVEs in all")


def test_what_is_brought_over_several_own_bases_keeps_the_cause_at_the_root() -> None:
    assert brought(brought(BELOW)).causes == (Cause.DOTNET_SECURITY,)


def test_a_rebuild_that_brings_nothing_is_still_news() -> None:
    found = brought()
    assert (found.cause, found.causes, found.root_causes) == (Cause.BASE_UPDATE, (), (Cause.BASE_UPDATE,))
    assert found.detail == "rebuilt; what it stands on did not move"


def test_a_rebuild_with_the_layers_that_it_had_sets_nothing_off() -> None:
    again = replace(OLD, digest="sha256:other", at=AT + timedelta(hours=1))
    found = as_base_update(MOVED, OLD, again, InheritedChanges())
    assert (found.cause, found.cause.needs_rebuild) == (Cause.INDEX_ONLY, False)


@pytest.mark.parametrize("cause", [Cause.WITHDRAWN, Cause.RETURNED, Cause.INDEX_ONLY])
def test_what_asks_for_no_rebuild_stays_what_it_is(cause: Cause) -> None:
    assert as_base_update(replace(MOVED, cause=cause), OLD, NEW, InheritedChanges()).cause is cause


def test_a_feed_that_catches_up_explains_what_was_brought_before() -> None:
    unknown = replace(BELOW, cause=Cause.DOTNET_UNKNOWN, cves=(), severity=None)
    before = brought(unknown)
    after = brought_anew(before, [BELOW])
    assert after is not None
    assert (after.causes, after.cves, after.severity) == ((Cause.DOTNET_SECURITY,), BELOW.cves, Severity.HIGH)
    assert brought_anew(after, [BELOW]) is None


def test_a_rebuild_on_an_older_dotnet_stays_a_rollback() -> None:
    back = replace(MOVED, cause=Cause.ROLLBACK, reopens=("CVE-2026-1",))
    found = as_base_update(back, OLD, NEW, InheritedChanges((Move(1, BELOW),)))
    assert (found.cause, found.reopens, found.brings) == (Cause.ROLLBACK, ("CVE-2026-1",), ())


def test_what_is_below_and_was_taken_back_is_not_brought() -> None:
    back = replace(BELOW, cause=Cause.ROLLBACK, cves=(), severity=None, reopens=BELOW.cves)
    found = brought(BELOW, back)
    assert (found.causes, found.cves, found.severity, found.brings) == ((), (), None, (1, 2))


def test_what_a_rebuild_without_news_left_is_told() -> None:
    again = replace(OLD, digest="sha256:other", at=AT + timedelta(hours=1))
    found = as_base_update(MOVED, OLD, again, InheritedChanges())
    assert found.detail == "rebuilt with the layers that it had; what stands on it lacks nothing"
    assert found.cause_at_detection is Cause.INDEX_ONLY


def test_what_only_came_before_a_rebuild_is_evidence_as_such() -> None:
    bare = replace(BELOW, detail="")
    found = as_base_update(MOVED, OLD, NEW, InheritedChanges((Move(1, bare),)))
    assert found.evidence[-1] == Evidence(
        str(BELOW.base), "it moved before this was rebuilt: dotnet-security", BELOW.at
    )
    assert found.cause_at_detection is Cause.BASE_UPDATE
    assert found.detail == "rebuilt on aspnet:10.0 (dotnet-security)"


def test_what_needs_no_rebuild_below_is_no_cause_of_one() -> None:
    assert brought(replace(BELOW, cause=Cause.INDEX_ONLY)).causes == ()


def test_a_cve_concerns_who_stands_on_it_where_one_of_those_below_is_concerned() -> None:
    spared = replace(BELOW, not_relevant=BELOW.cves, links=(("CVE-2026-1", "https://a.example/1"),))
    assert brought(spared).not_relevant == BELOW.cves
    assert brought(spared).links == spared.links
    concerned = replace(BELOW, base=replace(BELOW.base, tag="9.0"), cves=("CVE-2026-1",))
    assert brought(spared, concerned).not_relevant == ("CVE-2026-2",)


@pytest.mark.parametrize(
    "news", [{"not_relevant": BELOW.cves}, {"severity": Severity.CRITICAL}, {"cves": ("CVE-2026-1",)}]
)
def test_any_of_what_is_known_better_is_told_anew(news: dict[str, Any]) -> None:
    found = brought_anew(brought(BELOW), [replace(BELOW, **news)])
    assert found is not None


def test_of_what_nobody_knows_any_more_nothing_is_told_anew() -> None:
    assert brought_anew(brought(BELOW), []) is None
