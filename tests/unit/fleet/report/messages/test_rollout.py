from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.notifiers.slack_blocks import notification
from bot.domain.bases.change import Cause, Change
from bot.domain.evidence import Strength
from bot.domain.feeds.advisory import Severity
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.proof import proof_of
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.cves.moves import MovedCve, StillOpen, WhyOpen
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.rollout import Occasion, Pause
from bot.domain.wording.message import Heading
from bot.domain.wording.moves import headline
from bot.fleet.report.messages.rollout import progress_line, rollout_message
from tests.builders import ASPNET, NOON, SDK, change, rebuild, rollout
from tests.slack_limits import HOSTILE, check, texts

# What is said


def test_a_cve_leads_to_its_publisher_and_one_that_concerns_no_image_stands_apart() -> None:
    news = "https://github.com/dotnet/announcements/issues/372"
    spared = change(cves=("CVE-1", "CVE-2"), not_relevant=("CVE-2",), links=(("CVE-1", news),))
    told = texts(rollout_message(rollout(changes=(spared, replace(spared, base=SDK)))))
    assert f"\nFixes <{news}|CVE-1>; not relevant to these images: <https://www.cve.org" in told


def test_a_message_says_in_a_line_what_the_bases_still_have_and_who_can_move_it() -> None:
    severe = MovedCve("CVE-3", Rating.HIGH, (), WhyOpen.NOT_REBUILT)
    still_open = StillOpen((severe, MovedCve("CVE-4", Rating.LOW, (), WhyOpen.NO_FIX)))
    news = replace(rollout(changes=(change(cves=("CVE-1",)),)), still_open=still_open)
    said = "Still open in these bases: 1 HIGH ({}); 1 LOW (no fix yet)"
    told = rollout_message(news)
    check(told)
    assert f"id=CVE-1|CVE-1>\n{said.format('Microsoft has not rebuilt')}\n" in texts(told)
    others = replace(news, changes=(change(Base("mirror.contoso.com", "dotnet/aspnet", "10.0")),))
    assert said.format("base not rebuilt") in texts(rollout_message(others))
    assert "till open" not in texts(rollout_message(replace(news, still_open=None)))


def test_why_it_is_not_known_what_is_still_open_stays_a_line_however_long_it_is() -> None:
    news = replace(rollout(), still_open=StillOpen(None, (f"{HOSTILE}\n{'x' * 5_000}", "another")))
    told = rollout_message(news)
    check(told)
    [line] = [each for each in texts(told).splitlines() if "still open" in each]
    assert len(line) < 500
    assert "<!channel>" not in line


def test_what_one_base_needs_is_not_irrelevant_because_another_does_not() -> None:
    needed = change(SDK, cves=("CVE-1",))
    told = texts(rollout_message(rollout(changes=(change(cves=("CVE-1",), not_relevant=("CVE-1",)), needed))))
    assert "Fixes <https://www.cve.org/CVERecord?id=CVE-1|CVE-1>" in told
    assert "Not relevant" not in told


def test_a_rollout_tells_why_what_and_how_far() -> None:
    told = rollout_message(rollout(changes=(change(cves=("CVE-1", "CVE-2"), severity=Severity.HIGH),)))
    check(told)
    assert told.text == ".NET 10.0.5 fixes 2 CVEs, rated up to HIGH; 1 repository: 1 under way"
    assert "• `aspnet:10.0` .NET 10.0.4 → 10.0.5" in texts(told)
    assert "\nFixes <https://www.cve.org/CVERecord?id=CVE-1|CVE-1>, <https://www.cve.org" in texts(told)
    assert "• <https://host/contoso/shop/pull/12|contoso/shop> pull request #12 open" in texts(told)
    assert "Rollout 3, opened 2026-03-10 12:00 UTC" in texts(told)


def test_what_is_proved_says_by_what_and_a_build_on_the_old_base_which_line_is_at_fault() -> None:
    """However long the names are: what there is to do comes first."""
    seen = "ghcr.io/contoso/shop:latest stands on aspnet:10.0 of 2026-03-11, current, proved by 5 layers"
    proved = rebuild("a/a", RebuildState.SUCCEEDED, reason=seen, pull_request=1)
    pin = Usage(
        "src/Web/Dockerfile", Kind("dockerfile"), 3, Reference(ASPNET.name, "10.0", "sha256:o"), Role.FINAL_STAGE
    )
    old = Publication(ASPNET, NOON, "sha256:o", "linux/amd64", "sha256:p", NOON)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (old,), 5)
    claim = Claim("contoso.azurecr.io/department/team/a-service-with-a-name", TagRule("latest"), Source.BUILD)
    targets = (Target(ASPNET, "sha256:o", "sha256:n", (1,)),)
    seen_old = proof_of(ProducedImage(1, 1, "b/b", claim), (standing,), targets, {}, (pin,), NOON)
    failed = rebuild("b/b", RebuildState.FAILED, reason=seen_old.text, pull_request=2)
    told = texts(rollout_message(rollout(proved, failed)))
    assert f"pull request #1 succeeded: {seen}" in told
    assert "pull request #2 failed: built on the old base, likely at fault: src/Web/Dockerfile:3 pins" in told


def test_a_rollout_says_when_the_last_of_it_will_have_begun_unless_it_is_paused() -> None:
    waits = replace(rollout(rebuild(state=RebuildState.PLANNED)), opened_by=NOON + timedelta(minutes=61))
    said = "(the last of them will probably begin by 2026-03-10 13:10 UTC"
    assert said in texts(rollout_message(waits))
    paused = replace(waits, pause=Pause(1, 3, NOON, "operator", "looks odd"))
    assert said not in texts(rollout_message(paused))


@pytest.mark.parametrize(
    ("ratings", "worst", "said"),
    [
        ({"CVE-1": Severity.HIGH, "CVE-2": Severity.HIGH, "CVE-3": Severity.LOW}, Severity.HIGH, "3 CVEs, 2 HIGH"),
        ({"CVE-1": Severity.CRITICAL, "CVE-2": Severity.HIGH}, Severity.CRITICAL, "3 CVEs, 1 CRITICAL, 1 HIGH"),
        ({"CVE-1": Severity.MODERATE}, Severity.MODERATE, "3 CVEs, rated up to MEDIUM"),
        ({}, Severity.HIGH, "3 CVEs, rated up to HIGH"),
        ({}, None, "3 CVEs"),
    ],
)
def test_the_headline_counts_what_is_severe(
    ratings: dict[str, Severity], worst: Severity | None, said: str
) -> None:
    fixed = change(cves=("CVE-1", "CVE-2", "CVE-3"), severity=worst, ratings=tuple(ratings.items()))
    assert headline((fixed,)) == f".NET 10.0.5 fixes {said}"


def test_what_is_not_proven_and_what_was_not_seen_is_not_done() -> None:
    told = rollout(
        rebuild("a/a", RebuildState.BUILT),
        rebuild("b/b", RebuildState.MERGED),
        rebuild("c/c", RebuildState.SUCCEEDED),
    )
    assert progress_line(told) == "2 need you (1 merged but not seen to build, 1 built but not proven), 1 done"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((change(cves=("CVE-1",)),), ".NET 10.0.5 fixes 1 CVE"),
        ((change(),), ".NET 10.0.5 is a security release whose CVEs are not listed yet"),
        ((change(cause=Cause.DOTNET_RELEASE),), ".NET 10.0.5 is in the base images"),
        ((change(cause=Cause.OS_UPDATE), change(SDK, Cause.OS_UPDATE)), "Operating system update in 2 base images"),
        ((change(cause=Cause.LAYERS_ONLY),), "1 base image moved under the same tag"),
        ((change(cves=("CVE-1",)), change(SDK, to_version="10.0.201")), ".NET 10.0.5 fixes 1 CVE"),
    ],
)
def test_the_headline_says_what_happened_upstream(changes: tuple[Change, ...], said: str) -> None:
    assert headline(changes) == said


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (Cause.DOTNET_SECURITY, ".NET 10.0.5 fixes 1 CVE; 3 repositories on 2 bases"),
        (Cause.OS_UPDATE, "Operating system update in 1 base image; 3 repositories"),
        (Cause.LAYERS_ONLY, "1 base image moved under the same tag; 3 repositories"),
    ],
)
def test_the_heading_counts_repositories_once_and_bases_unless_the_headline_does(cause: Cause, said: str) -> None:
    aspnet, sdk = (Target(base, "sha256:a", "sha256:b", (1,)) for base in (ASPNET, SDK))
    told = rollout_message(
        rollout(
            rebuild("a/a", targets=(aspnet, sdk)),
            rebuild("a/a", targets=(aspnet,)),
            rebuild("b/b", targets=(aspnet,)),
            rebuild("c/c", targets=(sdk,)),
            changes=(change(cause=cause, cves=("CVE-1",)),),
        )
    )
    assert told.blocks[0] == Heading(said)


def test_the_heading_of_a_weekly_rebuild_counts_repositories() -> None:
    told = rollout_message(replace(rollout(), occasion=Occasion.AGE))
    assert told.blocks[0] == Heading("Weekly rebuild of what would grow too old; 1 repository")


def test_progress_counts_what_stands_how_in_the_words_for_people() -> None:
    told = rollout(
        rebuild("a/a", RebuildState.SUCCEEDED),
        rebuild("a/a", RebuildState.OPEN),
        rebuild("b/b", RebuildState.FAILED),
        rebuild("c/c"),
    )
    assert progress_line(told) == "1 needs you (failed), 2 under way, 1 done"


def test_what_needs_a_person_comes_first() -> None:
    told = texts(
        rollout_message(
            rollout(
                rebuild("a/done", RebuildState.SUCCEEDED, reason="merged"),
                rebuild("b/open"),
                rebuild("c/failed", RebuildState.FAILED, reason="refused"),
            )
        )
    )
    assert told.index("c/failed") < told.index("b/open") < told.index("a/done")
    assert "failed: refused" in told


def test_who_is_only_to_be_told_is_told_the_reason() -> None:
    told = rebuild(state=RebuildState.SUCCEEDED, action=Action.NOTIFY, reason="edit it by hand", url=None)
    assert "• contoso/shop: edit it by hand" in texts(rollout_message(rollout(told)))
    assert progress_line(rollout(told, rebuild("contoso/desk"))) == "1 under way, 1 told"


def test_a_repository_that_opted_out_counts_as_skipped() -> None:
    left = rebuild(state=RebuildState.SKIPPED, action=Action.NOTIFY, reason="the repository opted out", url=None)
    assert progress_line(rollout(left)) == "1 skipped"


def test_superseded_rebuilds_are_told_by_those_that_follow_them() -> None:
    assert "old/old" not in texts(rollout_message(rollout(rebuild("old/old", RebuildState.SUPERSEDED), rebuild())))


def test_a_rollout_that_another_goes_on_with_says_so() -> None:
    assert progress_line(rollout(rebuild(state=RebuildState.SUPERSEDED))) == "a later rollout goes on with it"


def test_a_rollout_that_has_ended_says_when() -> None:
    assert "ended 2026-03-10 14:00 UTC" in texts(rollout_message(rollout(ended=NOON + timedelta(hours=2))))


def test_a_large_rollout_names_those_who_are_needed_and_counts_the_others() -> None:
    failed = [rebuild(f"contoso/bad-{number}", RebuildState.FAILED) for number in range(3)]
    unmerged = [rebuild(f"contoso/open-{number}") for number in range(20)]
    done = [rebuild(f"contoso/done-{number}", RebuildState.SUCCEEDED) for number in range(4977)]
    told = rollout_message(rollout(*done, *unmerged, *failed))
    check(told)
    assert told.text.endswith("; 5,000 repositories: 3 need you (failed), 20 under way, 4,977 done")
    lines = texts(told).splitlines()
    assert "*3 need you (failed), 20 under way, 4,977 done*" in lines
    [needed] = [line for line in lines if line.startswith("Failed: ")]
    failures, _, waiting = needed.partition("; to be merged: ")
    assert [name in failures for name in ("bad-0", "bad-1", "bad-2", "more")] == [True, True, True, False]
    assert waiting.endswith("|contoso/open-2> and 17 more")
    assert "freshness-bot rollout show 3 --all lists every repository" in lines[-1]


@pytest.mark.parametrize("size", range(1, 12))
def test_a_fleet_of_any_size_fits_eight_lines(size: int) -> None:
    fleet = [rebuild(f"contoso/shop-{number}") for number in range(size)]
    moved = (change(cves=("CVE-1",)), change(SDK))
    assert len(texts(rollout_message(rollout(*fleet, changes=moved))).splitlines()) <= 8


def test_a_fleet_of_5000_fits_eight_lines_and_3000_characters() -> None:
    bases = [Base("mcr.microsoft.com", "dotnet/aspnet", f"{number}.0-noble-chiseled-extra") for number in range(60)]
    moved = tuple(change(base, cves=tuple(f"CVE-2026-{10000 + cve}" for cve in range(30))) for base in bases)
    fleet = [rebuild(f"an-organization/a-service-with-a-long-name-{number:04}") for number in range(5000)]
    paused = Pause(1, 3, NOON, "the bot", "3 of 12 rebuilds of wave canary have failed")
    aside = {"canary": 3, "most": 20}
    still_open = StillOpen((MovedCve("CVE-3", Rating.HIGH, (), WhyOpen.NOT_REBUILT),))
    news = replace(rollout(*fleet, changes=moved), pause=paused, set_aside=aside, still_open=still_open)
    told = rollout_message(news)
    assert len(texts(told).splitlines()) <= 8
    assert len(texts(told)) <= 3000


@pytest.mark.parametrize("state", [RebuildState.FAILED, RebuildState.OPEN])
def test_names_of_any_length_fit_whole_and_those_that_do_not_are_counted(state: RebuildState) -> None:
    fleet = [
        rebuild(name := f"{'o' * 39}/{'r' * 96}{number:04}", state, url=f"https://github.com/{name}/pull/{number}")
        for number in range(50)
    ]
    moved = change(cves=tuple(f"CVE-2026-{10000 + cve}" for cve in range(30)))
    message = rollout_message(rollout(*fleet, changes=(moved,))).with_page("https://freshness.example/rollouts/3")
    told = texts(message)
    assert len(told) <= 3000
    [line] = [line for line in told.splitlines() if line.startswith(("Failed: ", "To be merged: "))]
    shown = line.count("<https://")
    assert shown == 3
    assert line.count("|") == line.count(">") == shown
    assert line.endswith(f" and {50 - shown} more")


# Whatever comes from outside


def test_nothing_from_outside_mentions_or_links() -> None:
    told = rollout_message(
        rollout(
            rebuild(HOSTILE, RebuildState.FAILED, reason=HOSTILE, workflow=HOSTILE, action=Action.DISPATCH),
            changes=(change(detail=HOSTILE, to_version=HOSTILE),),
        )
    )
    for place in (notification(told), texts(told, but=Heading)):
        assert "<!" not in place
        assert "<https://evil" not in place
    check(told)


def test_an_address_cannot_change_what_is_shown_of_it() -> None:
    told = texts(rollout_message(rollout(rebuild(url="https://host/x|contoso/other>"))))
    assert "<https://host/x%7Ccontoso/other%3E|contoso/shop>" in told


wild = st.text(st.characters(codec="utf-8"), max_size=4000) | st.sampled_from(["&" * 3000, "<" * 3000, HOSTILE])


@given(
    st.lists(
        st.builds(rebuild, wild.filter(bool), st.sampled_from(RebuildState), reason=wild, url=st.none() | wild),
        min_size=1,
        max_size=6,
    ),
    st.lists(
        st.builds(change, st.sampled_from([ASPNET, SDK]), st.sampled_from(Cause), detail=wild, to_version=wild),
        min_size=1,
        max_size=14,
    ),
)
def test_slack_takes_every_rollout(rebuilds: list[Rebuild], changes: list[Change]) -> None:
    told = rollout_message(
        rollout(*(replace(item, repository=item.repository[:140]) for item in rebuilds), changes=tuple(changes))
    )
    check(told)


# The same words


def test_the_same_state_has_the_same_fingerprint() -> None:
    assert rollout_message(rollout()).fingerprint == rollout_message(rollout()).fingerprint


def test_other_words_have_another_fingerprint() -> None:
    assert (
        rollout_message(rollout()).fingerprint
        != rollout_message(rollout(rebuild(state=RebuildState.FAILED))).fingerprint
    )
