"""What the gate says of an image, whatever told what is inside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.packages.cves.detected import DetectedVulnerability, GatePolicy, Rating, blocking, is_cve
from bot.domain.packages.gate import (
    Counts,
    Excused,
    Gated,
    GatedImage,
    GateException,
    GateMode,
    GateOutcome,
    GateRule,
    ImageVulnerabilities,
    idle,
    is_awaited,
    judge_by_rule,
    worst_gated,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SHOP = "ghcr.io/contoso/shop"
OPENSSL = DetectedVulnerability("CVE-2026-1", "libssl3t64", "3.0.13-5", "3.0.13-6", Rating.HIGH, True)
ZLIB = DetectedVulnerability("CVE-2026-2", "zlib1g", "1.3", "1.4", Rating.CRITICAL, True)
UNFIXED = DetectedVulnerability("CVE-2026-3", "bash", "5.2", "", Rating.HIGH, False)
ALL = GateRule(counts=Counts.ALL)
ACCEPTED = GateException("CVE-2026-1", (SHOP,), "not reachable", NOW + timedelta(days=30))


def judged(
    *found: DetectedVulnerability,
    before: ImageVulnerabilities | None = ImageVulnerabilities(),  # noqa: B008 - frozen
    rule: GateRule = GateRule(),  # noqa: B008 - frozen
    exceptions: tuple[GateException, ...] = (),
    gaps: tuple[str, ...] = (),
    **values: object,
) -> Gated:
    asked = GatedImage(SHOP, ImageVulnerabilities(found, gaps), before)
    return judge_by_rule(replace(asked, **values), rule, exceptions, NOW)  # type: ignore[arg-type]


def test_a_new_high_with_a_fix_blocks_and_is_named() -> None:
    gated = judged(OPENSSL)
    assert gated.outcome is GateOutcome.BLOCKED
    assert gated.holds
    assert gated.told == "CVE-2026-1 (HIGH) in libssl3t64 3.0.13-5, fixed in 3.0.13-6"


def test_what_the_image_before_had_is_not_new_unless_everything_counts() -> None:
    had = ImageVulnerabilities((replace(OPENSSL, severity=Rating.LOW, has_fix=False),))
    assert judged(OPENSSL, before=had).outcome is GateOutcome.PASSED
    assert judged(OPENSSL, before=had, rule=ALL).outcome is GateOutcome.BLOCKED


def test_what_the_image_before_had_by_its_other_name_is_not_new_but_another_with_that_name_beside_it_is() -> None:
    named, github = replace(OPENSSL, aliases=("GHSA-1",)), replace(OPENSSL, id="GHSA-1")
    assert judged(named, before=ImageVulnerabilities((github,))).outcome is GateOutcome.PASSED
    assert judged(github, before=ImageVulnerabilities((named,))).outcome is GateOutcome.PASSED
    assert judged(OPENSSL, named, before=ImageVulnerabilities((github,))).outcome is GateOutcome.PASSED
    other = replace(named, id="CVE-2026-9")
    assert judged(other, before=ImageVulnerabilities((named,))).outcome is GateOutcome.BLOCKED


def test_what_the_image_before_had_as_another_name_of_a_cve_is_not_new() -> None:
    had = replace(OPENSSL, id="CVE-2026-9", aliases=("CVE-2026-1",))
    assert judged(OPENSSL, before=ImageVulnerabilities((had,))).outcome is GateOutcome.PASSED


def test_a_cve_is_one_in_either_case() -> None:
    assert is_cve("cve-2026-1")
    assert not is_cve("GHSA-aaaa-bbbb-cccc")


def test_what_is_fixed_in_no_version_that_is_told_is_said_to_be_fixed_or_not() -> None:
    assert replace(OPENSSL, fixed="").told == "CVE-2026-1 (HIGH) in libssl3t64 3.0.13-5, fixed"
    assert UNFIXED.told == "CVE-2026-3 (HIGH) in bash 5.2, not fixed yet"


def test_two_records_that_share_but_another_name_are_one_unless_both_are_cves() -> None:
    cve = replace(OPENSSL, aliases=("GHSA-1",))
    record = replace(OPENSSL, id="GO-2026-1", aliases=("GHSA-1",))
    for now, before in ((cve, record), (record, cve), (record, replace(record, id="PYSEC-2026-1"))):
        assert judged(now, before=ImageVulnerabilities((before,))).outcome is GateOutcome.PASSED
        elsewhere = ImageVulnerabilities((replace(before, package="zlib1g"),))
        assert judged(now, before=elsewhere).outcome is GateOutcome.BLOCKED


def test_where_no_image_before_is_known_everything_counts_and_that_is_told() -> None:
    gated = judged(OPENSSL, before=None)
    assert gated.outcome is GateOutcome.BLOCKED
    assert "no image before is known" in gated.told
    assert "no image before is known" not in judged(OPENSSL, before=None, rule=ALL).told


def test_what_has_no_fix_is_ignored_and_remembered() -> None:
    gated = judged(UNFIXED)
    assert (gated.outcome, gated.unfixed) == (GateOutcome.PASSED, (UNFIXED,))
    strict = replace(ALL, policy=GatePolicy(ignore_unfixed=False))
    assert judged(UNFIXED, rule=strict).blocking == (UNFIXED,)


def test_what_has_no_fix_is_remembered_only_where_it_is_ignored_for_that_alone() -> None:
    strict = replace(ALL, policy=GatePolicy(ignore_unfixed=False))
    assert judged(UNFIXED, rule=strict).unfixed == ()
    assert judged(replace(UNFIXED, severity=Rating.MEDIUM)).unfixed == ()


def test_what_has_no_fix_and_is_accepted_is_not_shown_again() -> None:
    accepted = replace(ACCEPTED, id=UNFIXED.id)
    assert judged(UNFIXED, exceptions=(accepted,)).unfixed == ()


def test_an_exception_holds_until_its_end_for_what_it_names() -> None:
    assert judged(OPENSSL, exceptions=(ACCEPTED,)).outcome is GateOutcome.PASSED
    for other in (
        replace(ACCEPTED, until=NOW),
        replace(ACCEPTED, match=("ghcr.io/contoso/other",)),
        replace(ACCEPTED, package="openssl"),
        replace(ACCEPTED, id="CVE-2026-11"),
    ):
        assert judged(OPENSSL, exceptions=(other,)).outcome is GateOutcome.BLOCKED
    assert judged(OPENSSL, exceptions=(replace(ACCEPTED, match=("ghcr.io/contoso/*",)),)).excused[0].why == (
        "accepted until 2026-12-27: not reachable"
    )


def test_an_exception_holds_for_images_that_any_of_its_globs_fits() -> None:
    several = replace(ACCEPTED, match=("ghcr.io/contoso/other", "ghcr.io/contoso/shop*"))
    assert judged(OPENSSL, exceptions=(several,)).outcome is GateOutcome.PASSED


def test_an_exception_names_a_vulnerability_in_either_case() -> None:
    github = replace(OPENSSL, id="GHSA-aaaa-bbbb-cccc")
    assert judged(github, exceptions=(replace(ACCEPTED, id="GHSA-AAAA-BBBB-CCCC"),)).excused
    assert judged(OPENSSL, exceptions=(replace(ACCEPTED, id="cve-2026-1"),)).excused


def test_an_exception_that_names_an_advisory_accepts_all_that_goes_by_it() -> None:
    by_advisory = replace(ACCEPTED, id="GHSA-aaaa-bbbb-cccc")
    of_two = replace(OPENSSL, aliases=("GHSA-aaaa-bbbb-cccc", "CVE-2026-9"))
    assert judged(of_two, exceptions=(by_advisory,)).outcome is GateOutcome.PASSED


def test_an_exception_that_has_ended_or_fits_no_image_accepts_nothing_and_it_is_told_why() -> None:
    assert idle(ACCEPTED, [SHOP, "ghcr.io/contoso/other"], NOW) is None
    assert idle(ACCEPTED, ["ghcr.io/contoso/other"], NOW) == "matches no image"
    assert idle(replace(ACCEPTED, until=NOW), [SHOP], NOW) == "ended on 2026-11-27"


def test_an_exception_names_a_vulnerability_by_whichever_of_its_names() -> None:
    by_advisory = replace(ACCEPTED, id="GHSA-AAAA-BBBB-CCCC")
    named = replace(OPENSSL, aliases=("GHSA-aaaa-bbbb-cccc",))
    (excused,) = judged(named, exceptions=(by_advisory,)).excused
    assert excused == Excused(named, ACCEPTED.told)
    assert judged(OPENSSL, exceptions=(by_advisory,)).outcome is GateOutcome.BLOCKED
    advisory = replace(OPENSSL, id="GHSA-aaaa-bbbb-cccc", aliases=("CVE-2026-1",))
    assert judged(advisory, exceptions=(ACCEPTED,)).outcome is GateOutcome.PASSED
    of_two = replace(advisory, aliases=("CVE-2026-1", "CVE-2026-9"))
    assert judged(of_two, exceptions=(ACCEPTED,)).outcome is GateOutcome.BLOCKED


def test_what_nobody_looked_for_in_the_image_before_is_told_and_holds_nothing_back() -> None:
    gated = judged(OPENSSL, ZLIB, unseen_before={OPENSSL.identity, ZLIB.identity})
    assert (gated.outcome, set(gated.unsure)) == (GateOutcome.PASSED, {OPENSSL, ZLIB})
    assert gated.told == (
        "nothing that blocks; whether CVE-2026-2 (CRITICAL) in zlib1g 1.3, fixed in 1.4 and 1 more are new cannot "
        "be told: no such report is about the image before"
    )
    assert judged(OPENSSL, ZLIB, unseen_before={OPENSSL.identity}).blocking == (ZLIB,)


def test_what_nobody_looked_for_before_counts_where_everything_does_and_where_a_word_has_ended() -> None:
    unseen = {OPENSSL.identity}
    assert judged(OPENSSL, unseen_before=unseen, rule=ALL).outcome is GateOutcome.BLOCKED
    assert judged(OPENSSL, unseen_before=unseen, before=None).outcome is GateOutcome.BLOCKED
    assert judged(OPENSSL, unseen_before=unseen, owed=unseen).outcome is GateOutcome.BLOCKED
    assert judged(OPENSSL, unseen_before=unseen, exceptions=(ACCEPTED,)).unsure == ()


def test_what_was_accepted_counts_as_new_again_once_the_exception_has_ended() -> None:
    had = ImageVulnerabilities((OPENSSL,))
    assert judged(OPENSSL, before=had, owed={OPENSSL.identity}).outcome is GateOutcome.BLOCKED


def test_a_vex_statement_takes_away_what_it_speaks_of() -> None:
    asked = GatedImage(SHOP, ImageVulnerabilities((OPENSSL, ZLIB)), None)
    gated = judge_by_rule(asked, ALL, (), NOW, {OPENSSL.identity: "not affected, says Contoso"})
    assert gated.blocking == (ZLIB,)
    assert [each.why for each in gated.excused] == ["not affected, says Contoso"]


def test_a_gap_cannot_be_told_unless_something_blocks_anyway() -> None:
    gated = judged(gaps=("its packages were not read",))
    assert gated.outcome is GateOutcome.UNKNOWN
    assert gated.holds
    assert gated.told == "its packages were not read"
    assert judged(OPENSSL, gaps=("its packages were not read",)).outcome is GateOutcome.BLOCKED


UNRATED = replace(OPENSSL, severity=Rating.UNKNOWN)


def test_what_nobody_rated_cannot_be_told_only_where_it_could_block() -> None:
    now = ImageVulnerabilities((UNRATED,), unrated=(UNRATED,))
    gated = judged(now=now)
    assert (gated.outcome, gated.told) == (GateOutcome.UNKNOWN, "nothing says how severe CVE-2026-1 is")
    unfixed = replace(UNRATED, fixed="", has_fix=False)
    for passing in (
        judged(now=ImageVulnerabilities((unfixed,), unrated=(unfixed,))),
        judged(now=replace(now, vulnerabilities=(UNRATED, replace(OPENSSL, severity=Rating.LOW)))),
        judged(now=now, before=ImageVulnerabilities((UNRATED,))),
        judged(now=now, exceptions=(ACCEPTED,)),
        judged(now=now, unseen_before=[UNRATED.identity]),
    ):
        assert (passing.outcome, passing.gaps) == (GateOutcome.PASSED, ())


def test_where_what_nobody_rated_blocks_it_is_no_gap() -> None:
    strict = GateRule(policy=GatePolicy(frozenset({Rating.UNKNOWN})))
    gated = judged(now=ImageVulnerabilities((UNRATED,), unrated=(UNRATED,)), rule=strict)
    assert (gated.outcome, gated.undecided, gated.gaps) == (GateOutcome.BLOCKED, (), ())


def test_of_many_that_nobody_rated_ten_are_gaps() -> None:
    many = tuple(replace(UNRATED, id=f"CVE-2026-{number}") for number in range(11))
    assert len(judged(now=ImageVulnerabilities(many, unrated=many)).gaps) == 10


def test_what_nobody_rated_is_told_where_a_word_takes_it_away_and_counts_again_without_one() -> None:
    now = ImageVulnerabilities((UNRATED, UNRATED), unrated=(UNRATED, UNRATED))
    accepted = judged(now=now, exceptions=(ACCEPTED,))
    assert accepted.excused == (Excused(UNRATED, ACCEPTED.told),)
    owed = [each.found.identity for each in accepted.excused]
    assert judged(now=now, before=now, owed=owed).outcome is GateOutcome.UNKNOWN
    assert judged(now=now, before=now).excused == ()


def test_telling_holds_nothing_back() -> None:
    assert not judged(OPENSSL, rule=GateRule(GateMode.TELL)).holds


def test_a_handful_is_named_the_most_severe_first() -> None:
    many = [replace(OPENSSL, id=f"CVE-2026-{number}") for number in range(10, 20)]
    told = judged(*many, ZLIB).told
    assert told.startswith("CVE-2026-2 (CRITICAL) in zlib1g")
    assert told.endswith("; and 8 more")
    assert len(told) < 300


def test_three_are_named_without_a_number_of_others() -> None:
    three = [replace(OPENSSL, id=f"CVE-2026-{number}") for number in (1, 2, 3)]
    assert judged(*three).told == "; ".join(each.told for each in three)
    assert judged(*three, ZLIB, replace(ZLIB, id="CVE-2026-3")).told.endswith("; and 2 more")
    assert judged(*three, replace(OPENSSL, id="CVE-2026-4")).told.endswith("; and 1 more")


def test_of_gaps_two_are_named_and_the_rest_counted() -> None:
    assert judged(gaps=("a", "b")).told == "a; b"
    assert judged(gaps=("a", "b", "c")).told == "a; b; and 1 more"


def test_what_passes_tells_how_many_have_no_fix_and_how_many_are_accepted() -> None:
    assert judged().told == "nothing that blocks"
    passed = judged(OPENSSL, UNFIXED, exceptions=(ACCEPTED,))
    assert passed.told == "nothing that blocks, 1 vulnerability without a fix, 1 accepted"


def test_one_of_which_it_cannot_be_told_whether_it_is_new_is_named_alone() -> None:
    assert judged(OPENSSL, unseen_before={OPENSSL.identity}).told == (
        "nothing that blocks; whether CVE-2026-1 (HIGH) in libssl3t64 3.0.13-5, fixed in 3.0.13-6 is new cannot "
        "be told: no such report is about the image before"
    )


def test_an_answer_is_awaited_while_work_is_under_way_or_while_not_to_know_holds_a_rebuild_back() -> None:
    unknown = judged(gaps=("old",))
    told = judged(gaps=("old",), rule=GateRule(GateMode.TELL))
    assert is_awaited(unknown)
    assert not is_awaited(told)
    assert is_awaited(replace(told, is_pending=True))
    assert not is_awaited(judged(OPENSSL))
    assert not is_awaited(replace(judged(), is_pending=True))


def test_what_two_sources_tell_of_one_vulnerability_is_one_with_the_worse_rating_and_any_fix() -> None:
    without = replace(OPENSSL, fixed="", has_fix=False, severity=Rating.CRITICAL)
    mild = replace(OPENSSL, severity=Rating.LOW)
    [found] = judged(without, mild).blocking
    assert (found.severity, found.fixed) == (Rating.CRITICAL, "3.0.13-6")


def test_of_two_sources_that_know_a_fix_or_none_the_first_is_heard() -> None:
    [found] = judged(OPENSSL, replace(OPENSSL, fixed="9")).blocking
    assert found.fixed == OPENSSL.fixed
    [unfixed] = judged(UNFIXED, replace(UNFIXED, installed="9")).unfixed
    assert unfixed.installed == UNFIXED.installed


def test_of_two_sources_any_package_url_is_kept() -> None:
    named = replace(OPENSSL, package_url="pkg:deb/ubuntu/libssl3t64@3.0.13-5")
    for both in ((named, OPENSSL), (OPENSSL, named)):
        [found] = judged(*both).blocking
        assert found.package_url == named.package_url


def test_a_rating_that_counts_is_not_hidden_by_one_that_does_not() -> None:
    low = GateRule(policy=GatePolicy(frozenset({Rating.LOW})))
    [found] = judged(replace(OPENSSL, severity=Rating.LOW), OPENSSL, rule=low).blocking
    assert found.severity is Rating.LOW


def test_of_several_images_the_worst_counts() -> None:
    passed, blocked, unknown = judged(), judged(OPENSSL), judged(gaps=("old",))
    told = judged(OPENSSL, rule=GateRule(GateMode.TELL))
    assert worst_gated([passed, unknown, blocked, told]) is blocked
    assert worst_gated([told, unknown]) is unknown
    assert worst_gated([]) is None


vulnerabilities = st.builds(
    DetectedVulnerability,
    st.sampled_from(["CVE-1", "CVE-2", "CVE-3"]),
    st.sampled_from(["a", "b"]),
    st.just("1"),
    st.sampled_from(["", "2"]),
    st.sampled_from(Rating),
    st.booleans(),
)
some = st.lists(vulnerabilities, max_size=8).map(tuple)
policies = st.builds(GatePolicy, st.frozensets(st.sampled_from(Rating), min_size=1), st.booleans())


@given(some, some, policies)
def test_nothing_new_blocks_that_would_not_block_at_all_and_nothing_is_new_against_itself(
    now: tuple[DetectedVulnerability, ...], before: tuple[DetectedVulnerability, ...], policy: GatePolicy
) -> None:
    new = {each.identity for each in blocking(now, policy, before)}
    every = {each.identity for each in blocking(now, policy)}
    assert new == every - {each.identity for each in before}
    assert blocking(now, policy, now) == ()


@given(some, some, policies, st.sampled_from(Counts))
def test_more_vulnerabilities_never_let_an_image_through(
    first: tuple[DetectedVulnerability, ...],
    more: tuple[DetectedVulnerability, ...],
    policy: GatePolicy,
    counts: Counts,
) -> None:
    rule = GateRule(GateMode.BLOCK, counts, policy)
    if judged(*first, rule=rule).outcome is GateOutcome.BLOCKED:
        assert judged(*first, *more, rule=rule).outcome is GateOutcome.BLOCKED
