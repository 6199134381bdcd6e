from bot.domain.packages.changes import PlatformChanges
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.cves.moves import (
    CvesMoved,
    KnownCves,
    MovedCve,
    StillOpen,
    WhyOpen,
    cves_moved,
    still_open_in_all,
)
from bot.domain.packages.cves.wording import (
    cve_counts,
    cve_lines,
    cve_summary,
    cves_counted,
    cves_in_words,
    still_open_in_words,
)

OLD = "no CVE data of Ubuntu is read"


def has(cve: str, fixed: str = "", package: str = "libc6", severity: Rating = Rating.HIGH) -> DetectedVulnerability:
    return DetectedVulnerability(cve, package, "1.0", fixed, severity, bool(fixed))


def known(*found: DetectedVulnerability) -> KnownCves:
    return KnownCves(found, is_whole=True)


def named(some: tuple[MovedCve, ...] | None) -> list[str] | None:
    return None if some is None else [each.cve for each in some]


def test_what_the_new_image_has_no_more_is_fixed_and_the_rest_is_still_open() -> None:
    moved = cves_moved(known(has("CVE-1"), has("CVE-2")), known(has("CVE-2"), has("CVE-3")))
    assert (named(moved.fixed), named(moved.still_open)) == (["CVE-1"], ["CVE-2", "CVE-3"])


def test_it_is_open_without_a_fix_as_long_as_one_of_its_packages_has_none() -> None:
    after = known(has("CVE-1", "1.1"), has("CVE-1", "", "libc-bin"), has("CVE-2", "1.1"))
    still_open = cves_moved(known(), after).still_open
    assert still_open is not None
    assert [each.why for each in still_open] == [WhyOpen.NO_FIX, WhyOpen.NOT_REBUILT]


def test_of_two_records_of_a_package_the_one_with_a_fix_counts() -> None:
    records = (has("CVE-1"), has("CVE-1", "1.1"))
    for some in (records, reversed(records)):
        [moved] = cves_moved(known(), known(*some)).still_open or ()
        assert (moved.why, [each.fixed_in for each in moved.packages]) == (WhyOpen.NOT_REBUILT, ["1.1"])


def test_the_packages_of_a_cve_are_in_order() -> None:
    [moved] = cves_moved(known(), known(*(has("CVE-1", package=name) for name in "bca"))).still_open or ()
    assert [each.name for each in moved.packages] == ["a", "b", "c"]


def test_a_cve_of_several_images_is_open_for_the_reason_that_somebody_can_mend() -> None:
    whole = known(has("CVE-1", "1.1"))
    reasons = (WhyOpen.NO_FIX, WhyOpen.NOT_IN_IT, WhyOpen.NOT_REBUILT)
    unfixed = cves_moved(known(), known(has("CVE-1")))
    moved = [unfixed, *(cves_moved(known(), whole, why) for why in reasons[1:])]
    for number in range(len(moved)):
        for some in (moved[: number + 1], moved[number::-1]):
            [each] = still_open_in_all(some).cves or ()
            assert each.why is reasons[number]


def test_the_most_severe_come_first_by_the_worst_that_is_said_of_them() -> None:
    low, high = has("CVE-1", severity=Rating.LOW), has("CVE-2", severity=Rating.HIGH)
    critical = has("CVE-3", severity=Rating.CRITICAL)
    moved = cves_moved(known(), known(low, high, critical, has("CVE-3", severity=Rating.LOW)))
    assert named(moved.still_open) == ["CVE-3", "CVE-2", "CVE-1"]
    assert named(cves_moved(known(low, high, critical), known()).fixed) == ["CVE-3", "CVE-2", "CVE-1"]


def test_nothing_found_where_data_is_missing_is_not_known_and_no_none() -> None:
    lacking = KnownCves(gaps=(OLD,), is_whole=True)
    assert cves_moved(lacking, lacking) == CvesMoved(None, None, (OLD,))


def test_what_was_found_is_told_although_more_may_be() -> None:
    moved = cves_moved(
        KnownCves((has("CVE-1"),), gaps=(OLD,), is_whole=True),
        KnownCves((has("CVE-2"),), gaps=(OLD,), is_whole=True),
    )
    assert (named(moved.fixed), named(moved.still_open), moved.gaps) == (["CVE-1"], ["CVE-2"], (OLD,))


def test_nothing_counts_as_fixed_in_an_image_that_was_not_read_as_a_whole() -> None:
    after = KnownCves(gaps=("not all of it can be read",))
    assert cves_moved(known(has("CVE-1")), after).fixed is None


def test_nothing_counts_as_fixed_where_the_new_version_cannot_be_compared() -> None:
    doubt = "whether libc6 x has CVE-1 cannot be told from its version"
    after = KnownCves((), frozenset({"CVE-1"}), (doubt,), is_whole=True)
    assert cves_moved(known(has("CVE-1")), after) == CvesMoved(None, None, (doubt,))


def test_nothing_counts_as_fixed_in_another_distribution_of_which_not_all_is_known() -> None:
    before = KnownCves((has("CVE-1"),), is_whole=True, release="Debian:12")
    lacking = KnownCves(gaps=(OLD,), is_whole=True, release="Ubuntu:24.04")
    assert cves_moved(before, lacking) == CvesMoved(None, None, (OLD,))
    assert named(cves_moved(before, KnownCves(is_whole=True, release="Ubuntu:24.04")).fixed) == ["CVE-1"]


def test_what_is_still_open_is_known_without_the_image_before() -> None:
    moved = cves_moved(KnownCves(gaps=("it is not kept any more",)), known(has("CVE-1")))
    assert (moved.fixed, named(moved.still_open)) == (None, ["CVE-1"])


def test_nothing_of_either_is_said_as_such() -> None:
    nothing = cves_moved(known(), known())
    assert cve_summary(nothing) == cve_counts(nothing) == "none fixed; none still open"


def test_where_its_release_fixes_cves_that_no_advisory_places_yet_it_is_not_said_that_none_are() -> None:
    alike = [PlatformChanges("linux/amd64", (), cves=cves_moved(known(), known(has("CVE-2"))))]
    assert cves_in_words(alike, some_told=True) == "no other fixed; 1 still open, no fix yet: CVE-2 (HIGH)"
    assert cves_counted(alike, some_told=True) == "no other fixed; 1 still open (1 HIGH): no fix yet"


def test_a_line_names_the_worst_and_counts_why_they_are_open() -> None:
    after = known(*(has(f"CVE-{number}", "1.1" if number > 3 else "") for number in range(2, 7)))
    assert cve_summary(cves_moved(known(has("CVE-1")), after)) == (
        "1 fixed: CVE-1 (HIGH); 5 still open, 2 no fix yet, 3 base not rebuilt: CVE-2 (HIGH), CVE-3 (HIGH), "
        "CVE-4 (HIGH) and 2 more"
    )


def test_above_a_list_they_are_counted_by_severity() -> None:
    after = known(has("CVE-2"), has("CVE-3", "1.1", severity=Rating.LOW), has("CVE-4", severity=Rating.UNKNOWN))
    moved = cves_moved(known(has("CVE-1")), after)
    assert cve_counts(moved) == cves_counted([PlatformChanges("linux/amd64", (), cves=moved)])
    assert cve_counts(moved) == (
        "1 fixed (1 HIGH); 3 still open (1 HIGH, 1 LOW, 1 not rated): 2 no fix yet, 1 base not rebuilt"
    )


def test_a_line_says_why_it_is_not_known() -> None:
    lacking = KnownCves(gaps=(OLD, "another"), is_whole=True)
    assert cve_summary(cves_moved(lacking, lacking)) == (
        f"which were fixed and which are still open is not known: {OLD}, and 1 other reason"
    )
    gone = cves_moved(KnownCves((has("CVE-1"),), gaps=(OLD,), is_whole=True), KnownCves(gaps=(OLD,), is_whole=True))
    assert cve_summary(gone) == f"1 fixed: CVE-1 (HIGH); what is still open is not known: {OLD}"
    assert cve_counts(gone) == "1 fixed (1 HIGH); what is still open is not known"
    some = KnownCves((has("CVE-2"),), gaps=(OLD,), is_whole=True)
    assert cve_summary(cves_moved(some, some)) == (
        f"what was fixed is not known; 1 still open, no fix yet: CVE-2 (HIGH); not all is known: {OLD}"
    )


def test_platforms_are_named_where_they_differ() -> None:
    one, other = cves_moved(known(), known()), cves_moved(known(), known(has("CVE-2")))
    alike = [PlatformChanges(name, (), cves=one) for name in ("linux/amd64", "linux/arm64")]
    assert cves_in_words(alike) == cve_summary(one)
    assert cves_in_words([alike[0], PlatformChanges("linux/arm", (), cves=other)]) == (
        f"linux/amd64: {cve_summary(one)}; linux/arm: {cve_summary(other)}"
    )
    assert cves_in_words([PlatformChanges("linux/amd64", ())]) == ""


def test_of_many_things_that_are_not_known_a_few_have_a_line() -> None:
    lacking = KnownCves(gaps=tuple(f"gap {number}" for number in range(9)))
    [(_, lines)] = cve_lines([PlatformChanges("linux/amd64", (), cves=cves_moved(lacking, lacking))])
    assert lines == (*(f"not known: gap {number}" for number in range(5)), "not known: 4 others")


def test_each_cve_has_a_line_with_its_package_and_the_version_that_fixes_it() -> None:
    moved = cves_moved(known(has("CVE-1")), known(has("CVE-2", "1.1"), has("CVE-3")), WhyOpen.NOT_IN_IT)
    assert cve_lines([PlatformChanges("linux/amd64", (), cves=moved)]) == (
        (
            "linux/amd64",
            (
                "CVE-1 (HIGH) in libc6 1.0: fixed",
                "CVE-2 (HIGH) in libc6 1.0: fixed in 1.1, fix not in this digest",
                "CVE-3 (HIGH) in libc6 1.0: no fix yet",
            ),
        ),
    )


def opened(*found: DetectedVulnerability, why: WhyOpen = WhyOpen.NOT_REBUILT, gap: str = "") -> CvesMoved:
    return cves_moved(known(), KnownCves(found, gaps=(gap,) if gap else (), is_whole=True), why)


def test_of_several_images_a_cve_counts_once_at_its_worst_and_for_what_can_be_mended() -> None:
    first = opened(has("CVE-1", severity=Rating.LOW), has("CVE-2", "1.1"), why=WhyOpen.NOT_IN_IT)
    second = opened(has("CVE-1", "1.1"), has("CVE-2", "1.1"), has("CVE-3", severity=Rating.UNKNOWN))
    found = still_open_in_all((first, second))
    assert [(each.cve, each.severity, each.why) for each in found.cves or ()] == [
        ("CVE-1", Rating.HIGH, WhyOpen.NOT_REBUILT),
        ("CVE-2", Rating.HIGH, WhyOpen.NOT_REBUILT),
        ("CVE-3", Rating.UNKNOWN, WhyOpen.NO_FIX),
    ]
    assert still_open_in_words(found, "Microsoft has not rebuilt") == (
        "Still open in these bases: 2 HIGH (Microsoft has not rebuilt); 1 not rated (no fix yet)"
    )


def test_of_several_images_none_is_open_only_where_that_is_known_of_each() -> None:
    assert (
        still_open_in_words(still_open_in_all((opened(), opened()))) == "No known CVE is still open in these bases"
    )
    unknown = still_open_in_all((opened(), opened(gap=OLD)))
    assert unknown == StillOpen(None, (OLD,))
    assert still_open_in_words(unknown) == f"Which CVEs are still open in these bases is not known: {OLD}"
    some = still_open_in_all((opened(has("CVE-1")), opened(gap=OLD)))
    assert still_open_in_words(some) == "Still open in these bases: 1 HIGH (no fix yet); not all is known"
