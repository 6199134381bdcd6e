"""What the statements of authors whom an operator heeds take away of what an image holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.packages.cves.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import (
    Counts,
    Excused,
    Gated,
    GateException,
    GateMode,
    GateOutcome,
    GateRule,
    MatchedRule,
    ReportUse,
)
from bot.domain.packages.package import Package
from bot.fleet.verify.gating.judging import Gating, judge_images
from bot.fleet.verify.gating.ports import GateOptions, GateStore, ToldImage
from bot.images.scan_reports import KeptReport, ReportOrigin, ScanReport
from bot.images.scanners.report import Report
from bot.images.vex.statements import Component, Product, VexStatement
from bot.images.vulnerabilities import KeptData, ToldPlatform
from tests.builders import NOON

IMAGE = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
OPTIONS = GateOptions(
    (MatchedRule(("*",), GateRule(counts=Counts.ALL)),),
    statements=(VexStatement(frozenset({"CVE-2026-1"}), (Product(Component("pkg:nuget/Json@12.0.0")),), "fixed"),),
    platforms=frozenset({"linux/amd64"}),
    max_age=timedelta(days=2),
)
JSON_12 = Package("nuget", "Json", "12")


class Told:
    """A store that tells of one image; `before` is of the one before it."""

    def __init__(
        self,
        *found: DetectedVulnerability,
        uncertain: Collection[DetectedVulnerability] = (),
        before: ToldPlatform | None = None,
    ) -> None:
        now = ToldPlatform("linux/amd64", packages=(), found=found, uncertain=tuple(uncertain))
        earlier = (before,) if before is not None else None
        self.data = KeptData({})
        self.image = ToldImage(1, "sha256:a", frozenset({"sha256:a"}), (now,), earlier)

    async def told_images(self, images: Collection[int]) -> Mapping[int, ToldImage]:
        return {1: self.image}

    async def kept_data(self) -> KeptData:
        return self.data


async def judged_by(told: Told, options: GateOptions) -> Gated:
    judged = await judge_images(cast(GateStore, told), [IMAGE], options, NOON, adopts=False)
    gated = judged[1].gated
    assert gated is not None
    return gated


async def said(told: Told, options: GateOptions = OPTIONS) -> GateOutcome:
    return (await judged_by(told, options)).outcome


def held(version: str, url: str | None = None) -> DetectedVulnerability:
    named = f"pkg:nuget/Json@{version}" if url is None else url
    return DetectedVulnerability("CVE-2026-1", "Json", version, "13.0.0", Rating.HIGH, True, named)


def scanned(report: Report) -> KeptReport:
    return KeptReport(ScanReport("sha256:d", ReportOrigin.FILE, "r.json", report), NOON)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([held("12.0.0")], GateOutcome.PASSED),
        ([held("11.0.0")], GateOutcome.BLOCKED),
        ([held("12.0.0"), held("11.0.0")], GateOutcome.BLOCKED),
        ([held("11.0.0"), held("12.0.0")], GateOutcome.BLOCKED),
        ([held("12.0.0"), held("12.0.0", url="")], GateOutcome.PASSED),
    ],
    ids=["that version", "another", "both", "both, the other first", "told twice, once without a package URL"],
)
async def test_a_statement_about_one_version_takes_away_no_other(
    found: list[DetectedVulnerability], outcome: GateOutcome
) -> None:
    assert await said(Told(*found)) is outcome


async def test_what_a_scanner_was_told_to_leave_out_is_told_unless_the_kept_data_finds_it() -> None:
    word = "suppressed in the report: accepted (not reachable)"
    report = Report((), suppressed=(Excused(held("9"), word),), image_digests=frozenset({"sha256:a"}))
    told = Told()
    told.image = replace(told.image, reports=(scanned(report),))
    gated = await judged_by(told, OPTIONS)
    assert (gated.outcome, gated.excused) == (GateOutcome.PASSED, (Excused(held("9"), word),))
    by_data = Told(held("9"))
    by_data.image = replace(by_data.image, reports=(scanned(report),))
    gated = await judged_by(by_data, OPTIONS)
    assert (gated.outcome, gated.excused) == (GateOutcome.BLOCKED, ())


@pytest.mark.parametrize("use", ReportUse)
async def test_what_a_scanner_says_of_the_distribution_is_told_beside_the_answer(use: ReportUse) -> None:
    told = Told()
    told.image = replace(
        told.image, reports=(scanned(Report((), notes=("out of support",), image_digests=frozenset({"sha256:a"}))),)
    )
    rules = (MatchedRule(("*",), GateRule(counts=Counts.ALL), use),)
    gated = await judged_by(told, replace(OPTIONS, rules=rules))
    assert (gated.outcome, gated.notes) == (GateOutcome.PASSED, ("out of support",))
    assert gated.told.endswith("; out of support")


INDEX, ARM, INTEL = (f"sha256:{letter * 64}" for letter in "abc")


@pytest.mark.parametrize(
    ("about", "outcome"),
    [
        ([INDEX], GateOutcome.PASSED),
        ([ARM], GateOutcome.BLOCKED),
        ([f"{INDEX}?arch=arm64"], GateOutcome.BLOCKED),
        ([ARM, INTEL], GateOutcome.PASSED),
        ([f"{INDEX}?arch=arm64", f"{INDEX}?arch=amd64"], GateOutcome.PASSED),
    ],
    ids=["the index", "one platform", "one platform of the index", "both", "both of the index"],
)
@pytest.mark.parametrize("by_scanner", [False, True], ids=["by data", "by a scanner"])
async def test_a_statement_about_one_platform_says_nothing_of_another(
    about: list[str], outcome: GateOutcome, by_scanner: bool
) -> None:
    found = () if by_scanner else (held("9", url=""),)
    platforms = [
        ToldPlatform(platform, packages=(), found=found, digests=frozenset({digest}))
        for platform, digest in (("linux/amd64", INTEL), ("linux/arm64", ARM))
    ]
    report = Report((held("9"),) if by_scanner else (), image_digests=frozenset({INDEX}))
    told = Told()
    told.image = ToldImage(1, INDEX, frozenset({INDEX, ARM, INTEL}), tuple(platforms), reports=(scanned(report),))
    said_of = [
        VexStatement(frozenset({"CVE-2026-1"}), (Product(Component(f"pkg:oci/shop@{each}")),), "fixed")
        for each in about
    ]
    both = frozenset({"linux/amd64", "linux/arm64"})
    assert await said(told, replace(OPTIONS, statements=tuple(said_of), platforms=both)) is outcome


ODD = held("odd")
NEW = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule()),))


async def test_what_cannot_be_told_from_a_version_can_be_accepted_or_excused() -> None:
    told = Told(uncertain=[ODD])
    assert await said(told) is GateOutcome.UNKNOWN
    for until, outcome in ((1, GateOutcome.PASSED), (0, GateOutcome.UNKNOWN)):
        accepted = GateException("CVE-2026-1", ("*",), "looked at", NOON + timedelta(days=until))
        assert await said(told, replace(OPTIONS, exceptions=(accepted,))) is outcome
    of_any = replace(OPTIONS.statements[0], products=(Product(Component("pkg:nuget/Json")),))
    assert await said(told, replace(OPTIONS, statements=(of_any,))) is GateOutcome.PASSED


async def test_what_could_be_told_no_better_of_the_image_before_is_not_new() -> None:
    before = ToldPlatform("linux/amd64", packages=(), uncertain=(ODD,))
    assert await said(Told(uncertain=[ODD], before=before), NEW) is GateOutcome.PASSED
    assert await said(Told(uncertain=[ODD], before=before), OPTIONS) is GateOutcome.UNKNOWN
    assert await said(Told(uncertain=[held("odder")], before=before), NEW) is GateOutcome.UNKNOWN
    had = ToldPlatform("linux/amd64", packages=(), found=(held("11.0.0"),))
    assert await said(Told(uncertain=[ODD], before=had), NEW) is GateOutcome.PASSED


@pytest.mark.parametrize(
    ("before", "options", "outcome"),
    [
        (None, NEW, GateOutcome.UNKNOWN),
        ((JSON_12,), NEW, GateOutcome.PASSED),
        ((JSON_12,), OPTIONS, GateOutcome.UNKNOWN),
        ((replace(JSON_12, version="11"),), NEW, GateOutcome.UNKNOWN),
    ],
    ids=["no image before", "in the image before too", "all counts", "in another version before"],
)
async def test_a_record_that_cannot_be_read_cannot_tell_of_the_packages_that_it_names(
    before: tuple[Package, ...] | None, options: GateOptions, outcome: GateOutcome
) -> None:
    told = Told(before=None if before is None else ToldPlatform("linux/amd64", before))
    told.image = replace(told.image, now=(ToldPlatform("linux/amd64", (JSON_12,)),))
    known: dict[str, Any] = {
        "checked_at": {"NuGet": NOON},
        "considered": {"NuGet": (frozenset({""}), frozenset({"json"}))},
    }
    told.data = KeptData(**known, unread=frozenset({("", "json")}))
    gated = await judged_by(told, options)
    assert gated.outcome is outcome
    if outcome is GateOutcome.UNKNOWN:
        assert gated.told == "CVE data of NuGet about Json cannot be read (`freshness-bot status` says why)"
    told.data = KeptData(**known, unread=frozenset({("", "other"), ("Ubuntu:24.04", "json")}))
    assert await said(told, options) is GateOutcome.PASSED
    told.data = KeptData(**known, illegible=frozenset({"NuGet", "Ubuntu"}))
    gated = await judged_by(told, options)
    assert (gated.outcome, gated.told) == (
        GateOutcome.PASSED,
        "nothing that blocks; some CVE data of NuGet cannot be read, and what it is about is not known "
        "(`freshness-bot status`)",
    )


@pytest.mark.parametrize(
    ("before", "outcome"),
    [("9", GateOutcome.PASSED), ("8", GateOutcome.BLOCKED), (None, GateOutcome.BLOCKED)],
    ids=["that version", "another", "nothing"],
)
async def test_what_a_scanner_finds_in_a_version_that_was_there_before_is_not_new(
    before: str | None, outcome: GateOutcome
) -> None:
    packages = () if before is None else (Package("nuget", "Json", before),)
    told = Told(before=ToldPlatform("linux/amd64", packages))
    reports = (scanned(Report((held("9"),))),)
    told.image = replace(told.image, reports=reports, reports_before=(scanned(Report(())),))
    told.data = KeptData({"NuGet": NOON})
    assert await said(told, NEW) is outcome


async def test_a_statement_about_any_digest_of_an_image_is_about_a_platform_that_has_none_of_its_own() -> None:
    about = VexStatement(frozenset({"CVE-2026-1"}), (Product(Component(f"pkg:oci/shop@{ARM}")),), "fixed")
    told = Told()
    platform = ToldPlatform("linux/amd64", packages=(), found=(held("9", url=""),))
    told.image = ToldImage(1, INDEX, frozenset({INDEX, ARM}), (platform,))
    assert await said(told, replace(OPTIONS, statements=(about,))) is GateOutcome.PASSED


LEFT_OUT = Excused(held("9"), "suppressed in the report: accepted (not reachable)")


@pytest.mark.parametrize(
    ("options", "owed", "is_told"),
    [(NEW, False, False), (OPTIONS, False, True), (NEW, True, True)],
    ids=["only what is new counts", "all counts", "it was let through by a word alone"],
)
async def test_what_a_scanner_was_told_to_leave_out_is_told_where_it_would_be_held_against_the_image(
    options: GateOptions, owed: bool, is_told: bool
) -> None:
    told = Told(before=ToldPlatform("linux/amd64", packages=(), found=(LEFT_OUT.found,)))
    report = Report((), suppressed=(LEFT_OUT,), image_digests=frozenset({"sha256:a"}))
    identities = frozenset({LEFT_OUT.found.identity}) if owed else frozenset()
    told.image = replace(told.image, reports=(scanned(report),), owed=identities)
    assert (await judged_by(told, options)).excused == ((LEFT_OUT,) if is_told else ())


@pytest.mark.parametrize(("has_looked", "outcome"), [(True, GateOutcome.BLOCKED), (False, GateOutcome.PASSED)])
async def test_a_scanner_that_looked_for_nothing_before_makes_nothing_new(
    has_looked: bool, outcome: GateOutcome
) -> None:
    told = Told(before=ToldPlatform("linux/amd64", packages=()))
    reports = (scanned(Report((held("9"),))),)
    told.image = replace(told.image, reports=reports, reports_before=(scanned(Report((), has_looked=has_looked)),))
    assert await said(told, NEW) is outcome


@pytest.mark.parametrize("unknown", [None, ()], ids=["not read", "nothing"])
async def test_what_scanners_find_is_new_where_what_the_image_before_held_is_not_known(
    unknown: tuple[Package, ...] | None,
) -> None:
    told = Told(before=ToldPlatform("linux/amd64", unknown, error="no such blob" if unknown is None else None))
    reports = (scanned(Report((held("9"),))),)
    told.image = replace(told.image, reports=reports, reports_before=(scanned(Report(())),))
    assert await said(told, NEW) is GateOutcome.BLOCKED
    told.data = KeptData({}, unread=frozenset({("", "json")}))
    assert await said(told, NEW) is GateOutcome.BLOCKED


async def test_what_blocks_cannot_be_told_to_be_new_while_the_image_before_is_not_read_yet() -> None:
    told = Told(held("9"), before=ToldPlatform("linux/amd64", packages=None))
    gated = await judged_by(told, NEW)
    assert (gated.outcome, gated.is_pending) == (GateOutcome.UNKNOWN, True)
    assert gated.told == "what the image before holds is not read yet, so it cannot be told what is new"
    assert await said(told, OPTIONS) is GateOutcome.BLOCKED
    assert await said(Told(before=ToldPlatform("linux/amd64", packages=None)), NEW) is GateOutcome.PASSED


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("has_unread", [True, False])
async def test_artifacts_that_are_read_and_not_looked_through_yet_are_waited_for(
    reads: bool, has_unread: bool
) -> None:
    told = Told()
    told.image = replace(told.image, has_unread_artifacts=has_unread)
    gated = await judged_by(told, replace(OPTIONS, reads_artifacts=reads))
    is_awaited = reads and has_unread
    assert gated.is_pending is is_awaited
    assert gated.outcome is (GateOutcome.UNKNOWN if is_awaited else GateOutcome.PASSED)


@pytest.mark.parametrize(
    ("adopts", "is_first", "outcome"),
    [
        (True, True, GateOutcome.PASSED),
        (False, True, GateOutcome.BLOCKED),
        (True, False, GateOutcome.BLOCKED),
    ],
)
async def test_an_image_that_the_gate_sees_first_is_taken_as_it_is_where_it_adopts(
    adopts: bool, is_first: bool, outcome: GateOutcome
) -> None:
    told = Told(held("9"))
    told.image = replace(told.image, is_first=is_first, reports=(scanned(Report((held("8"),))),))
    judged = await judge_images(cast(GateStore, told), [IMAGE], NEW, NOON, adopts=adopts)
    assert judged[1].gated is not None
    assert judged[1].gated.outcome is outcome


async def test_nothing_is_said_of_an_image_of_which_nothing_is_asked_or_told() -> None:
    other = replace(IMAGE, id=2)
    judged = await judge_images(cast(GateStore, Told()), [IMAGE, other], OPTIONS, NOON, adopts=False)
    assert (judged[1].gated is not None, judged[2].facts, judged[2].gated) == (True, None, None)
    nobody = cast(GateStore, None)
    unasked = await judge_images(nobody, [IMAGE], replace(OPTIONS, rules=()), NOON, adopts=False)
    assert unasked[1].gated is None


async def test_of_platforms_that_are_not_read_no_statement_needs_to_speak() -> None:
    about = VexStatement(frozenset({"CVE-2026-1"}), (Product(Component(f"pkg:oci/shop@{INTEL}")),), "fixed")
    platforms = tuple(
        ToldPlatform(platform, packages=(), digests=frozenset({digest}))
        for platform, digest in (("linux/amd64", INTEL), ("linux/arm64", ARM))
    )
    told = Told()
    image = ToldImage(1, INDEX, frozenset({INDEX, ARM, INTEL}), platforms)
    told.image = replace(image, reports=(scanned(Report((held("9"),), image_digests=frozenset({INDEX}))),))
    assert await said(told, replace(OPTIONS, statements=(about,))) is GateOutcome.PASSED
    of_arm = replace(about, products=(Product(Component(f"pkg:oci/shop@{ARM}")),))
    told.image = replace(image, reports=(scanned(Report((held("9"),), image_digests=frozenset({ARM}))),))
    both = frozenset({"linux/amd64", "linux/arm64"})
    assert await said(told, replace(OPTIONS, statements=(of_arm,), platforms=both)) is GateOutcome.PASSED


async def test_a_statement_about_an_image_excuses_what_a_report_finds_though_no_platform_of_it_is_read() -> None:
    about = VexStatement(frozenset({"CVE-2026-1"}), (Product(Component(f"pkg:oci/shop@{INDEX}")),), "fixed")
    enough = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(), ReportUse.ENOUGH),), statements=(about,))
    told = Told()
    for now in ((), (ToldPlatform("windows/amd64"),)):
        image = ToldImage(1, INDEX, frozenset({INDEX}), now)
        told.image = replace(image, reports=(scanned(Report((held("9"),), image_digests=frozenset({INDEX}))),))
        assert await said(told, enough) is GateOutcome.PASSED
        assert await said(told, replace(enough, statements=())) is GateOutcome.BLOCKED


async def test_what_was_accepted_untold_counts_again_once_that_has_ended() -> None:
    before = ToldPlatform("linux/amd64", packages=(), uncertain=(ODD,))
    accepted = GateException("CVE-2026-1", ("*",), "looked at", NOON + timedelta(days=1))
    judged = await judged_by(Told(uncertain=[ODD]), replace(NEW, exceptions=(accepted,)))
    assert [each.why for each in judged.excused] == ["accepted until 2026-03-11: looked at"]
    later = Told(uncertain=[ODD], before=before)
    later.image = replace(later.image, owed=frozenset(each.found.identity for each in judged.excused))
    assert await said(later, NEW) is GateOutcome.UNKNOWN


class Beside:
    """VEX documents beside images; `failure` where the registry does not say. It counts how often it is asked."""

    def __init__(self, *said: VexStatement, failure: Failure | None = None) -> None:
        self.said = said
        self.failure = failure
        self.asked: list[set[str]] = []

    async def signed_statements(
        self, asked: Sequence[tuple[ProducedImage, Collection[str]]]
    ) -> Mapping[int, Sequence[VexStatement] | Failure]:
        self.asked.append({digest for _, digests in asked for digest in digests})
        return {image.id: self.failure or self.said for image, _ in asked}


async def beside_says(told: Told, beside: Beside) -> Gated:
    options = replace(OPTIONS, statements=())
    judged = await judge_images(cast(GateStore, told), [IMAGE], options, NOON, adopts=False, vex=beside)
    gated = judged[1].gated
    assert gated is not None
    return gated


async def test_what_is_signed_beside_an_image_excuses_what_would_hold_it_back() -> None:
    beside = Beside(*OPTIONS.statements)

    gated = await beside_says(Told(held("12.0.0")), beside)

    assert gated.outcome is GateOutcome.PASSED
    assert [each.found.id for each in gated.excused] == ["CVE-2026-1"]
    assert beside.asked == [{"sha256:a"}]


async def test_what_is_signed_beside_an_image_excuses_what_cannot_be_told_from_a_version() -> None:
    of_any = replace(OPTIONS.statements[0], products=(Product(Component("pkg:nuget/Json")),))
    assert (await beside_says(Told(uncertain=[ODD]), Beside(of_any))).outcome is GateOutcome.PASSED

    options = replace(OPTIONS, statements=())
    store = cast(GateStore, Told(uncertain=[ODD]))
    judged = await judge_images(store, [IMAGE], options, NOON, adopts=False, vex=Beside())
    assert judged[1].may_be_excused


async def test_what_is_signed_beside_an_image_excuses_what_nobody_rated() -> None:
    unrated = (replace(held("12.0.0"), severity=Rating.UNKNOWN),)
    report = Report(unrated, image_digests=frozenset({"sha256:a"}), unrated=unrated)
    told = Told()
    told.image = replace(told.image, reports=(scanned(report),))
    rule = MatchedRule(("*",), GateRule(counts=Counts.ALL), ReportUse.REQUIRE)
    options = replace(OPTIONS, rules=(rule,), statements=())

    async def outcome_by(beside: Beside) -> tuple[GateOutcome, bool]:
        judged = await judge_images(cast(GateStore, told), [IMAGE], options, NOON, adopts=False, vex=beside)
        assert judged[1].gated is not None
        return judged[1].gated.outcome, judged[1].may_be_excused

    assert await outcome_by(Beside(*OPTIONS.statements)) == (GateOutcome.PASSED, False)
    assert await outcome_by(Beside()) == (GateOutcome.UNKNOWN, True)


async def test_nothing_is_asked_of_a_registry_where_nothing_would_be_held_back() -> None:
    beside = Beside(*OPTIONS.statements)

    unread = Told(uncertain=[ODD])
    unread.image = replace(unread.image, now=(*unread.image.now, ToldPlatform("linux/arm64", packages=None)))
    old = Told()
    old.image = replace(old.image, now=(ToldPlatform("linux/amd64", packages=(JSON_12,)),))
    assert (await beside_says(Told(), beside)).outcome is GateOutcome.PASSED
    assert (await beside_says(old, beside)).outcome is GateOutcome.UNKNOWN
    pending = replace(OPTIONS, statements=(), platforms=frozenset({"linux/amd64", "linux/arm64"}))
    judged = await judge_images(cast(GateStore, unread), [IMAGE], pending, NOON, adopts=False, vex=beside)
    assert judged[1].gated is not None
    assert judged[1].gated.is_pending
    assert beside.asked == []


async def test_a_registry_is_asked_where_a_version_of_one_platform_tells_nothing() -> None:
    beside = Beside()
    told = Told(uncertain=[ODD])
    told.image = replace(told.image, now=(*told.image.now, ToldPlatform("linux/arm64", packages=())))
    await beside_says(told, beside)
    assert len(beside.asked) == 1


async def test_a_registry_that_does_not_say_excuses_nothing_and_is_asked_again_soon() -> None:
    beside = Beside(failure=Failure(Trouble.UNREACHABLE, "does not answer", where="ghcr.io"))

    gated = await beside_says(Told(held("12.0.0")), beside)

    assert (gated.outcome, gated.is_pending) == (GateOutcome.BLOCKED, True)
    assert any("does not answer" in gap for gap in gated.gaps)
    options = replace(OPTIONS, statements=())
    judged = await judge_images(
        cast(GateStore, Told(held("12.0.0"))), [IMAGE], options, NOON, adopts=False, vex=beside
    )
    assert judged[1].may_be_excused


async def test_a_rebuild_is_looked_at_again_where_a_registry_does_not_say() -> None:
    beside = Beside(failure=Failure(Trouble.UNREACHABLE, "does not answer", where="ghcr.io"))
    store = cast(GateStore, Told(held("12.0.0")))
    gating = Gating(store, replace(OPTIONS, statements=()), ManualClock(NOON), beside)

    with pytest.raises(Failure, match="does not answer"):
        await gating.gated([IMAGE])


async def test_registries_are_asked_about_all_images_at_once_that_would_be_held_back() -> None:
    told = Told(held("12.0.0"))
    images = [replace(IMAGE, id=number) for number in (1, 2, 3)]
    fine = replace(told.image, now=(ToldPlatform("linux/amd64", packages=()),))
    shown = {1: told.image, 2: replace(told.image, digests=frozenset({"sha256:b"})), 3: fine}

    async def told_images(_images: Collection[int]) -> Mapping[int, ToldImage]:
        return shown

    told.told_images = told_images  # type: ignore[method-assign, assignment]
    beside = Beside(*OPTIONS.statements)
    options = replace(OPTIONS, statements=())
    judged = await judge_images(cast(GateStore, told), images, options, NOON, adopts=False, vex=beside)
    assert beside.asked == [{"sha256:a", "sha256:b"}]
    assert GateOutcome.BLOCKED not in {each.gated.outcome for each in judged.values() if each.gated is not None}
    assert len(judged) == 3


async def test_what_somebody_may_still_excuse_beside_the_image_is_said_to_be_so() -> None:
    options = replace(OPTIONS, statements=())
    store = cast(GateStore, Told(held("12.0.0")))
    for beside, may_be in ((Beside(), True), (Beside(*OPTIONS.statements), False), (None, False)):
        judged = await judge_images(store, [IMAGE], options, NOON, adopts=False, vex=beside)
        assert judged[1].may_be_excused is may_be


class Kept(Told):
    """The same store, which keeps what was said of images."""

    def __init__(self, *found: DetectedVulnerability) -> None:
        super().__init__(*found)
        self.kept: list[tuple[int, ToldImage | None, Gated | None]] = []

    async def keep_gated(self, image: int, told: ToldImage | None, gated: Gated | None) -> None:
        self.kept.append((image, told, gated))


async def test_what_a_rebuild_hears_is_kept_and_is_the_worst_of_its_images() -> None:
    kept = Kept(held("9"))
    gating = Gating(cast(GateStore, kept), replace(OPTIONS, wait=timedelta(minutes=5)), ManualClock(NOON))
    gated = await gating.gated([IMAGE, replace(IMAGE, id=2)])
    assert gated is not None
    assert gated.outcome is GateOutcome.BLOCKED
    assert kept.kept == [(1, kept.image, gated)]
    assert gating.wait == timedelta(minutes=5)


async def test_a_rebuild_takes_no_image_as_it_is() -> None:
    kept = Kept(held("9"))
    kept.image = replace(kept.image, is_first=True)
    gated = await Gating(cast(GateStore, kept), NEW, ManualClock(NOON)).gated([IMAGE])
    assert gated is not None
    assert gated.outcome is GateOutcome.BLOCKED


async def test_a_rebuild_goes_on_by_what_is_known_where_a_registry_will_never_say() -> None:
    beside = Beside(failure=Failure(Trouble.DENIED, "refuses", where="ghcr.io"))
    gating = Gating(
        cast(GateStore, Kept(held("12.0.0"))), replace(OPTIONS, statements=()), ManualClock(NOON), beside
    )
    gated = await gating.gated([IMAGE])
    assert gated is not None
    assert gated.outcome is GateOutcome.BLOCKED


async def test_a_gate_that_is_off_asks_nobody_and_says_nothing() -> None:
    off = replace(OPTIONS, rules=(MatchedRule(("*",), GateRule(GateMode.OFF)),))
    gating = Gating(cast(GateStore, None), off, ManualClock(NOON))
    assert await gating.gated([IMAGE]) is None
    assert gating.unseen([IMAGE], "was not seen") is None


def test_of_images_that_were_not_seen_what_is_asked_of_them_cannot_be_told() -> None:
    rules = (
        MatchedRule(("ghcr.io/contoso/other",), GateRule(GateMode.TELL)),
        MatchedRule(("ghcr.io/fabrikam/*", "ghcr.io/contoso/*"), GateRule()),
    )
    gating = Gating(cast(GateStore, None), replace(OPTIONS, rules=rules), ManualClock(NOON))
    for name, mode in (("contoso/other", GateMode.TELL), ("contoso/shop", GateMode.BLOCK), ("x/y", None)):
        named = replace(IMAGE, claim=replace(IMAGE.claim, name=f"ghcr.io/{name}"))
        gated = gating.unseen([named], "was not seen")
        assert (gated and (gated.mode, gated.outcome, gated.gaps)) == (
            mode and (mode, GateOutcome.UNKNOWN, ("was not seen",))
        )
    assert gating.unseen([], "none is known") is None, "no rule is for every image"
    assert Gating(cast(GateStore, None), OPTIONS, ManualClock(NOON)).unseen([], "none is known") is not None


def test_the_gate_is_on_where_any_rule_asks_for_something() -> None:
    off, on = MatchedRule(("a",), GateRule(GateMode.OFF)), MatchedRule(("b",), GateRule())
    assert [GateOptions(rules).is_on for rules in ((), (off,), (off, on))] == [False, False, True]


@pytest.mark.parametrize(("ahead", "outcome"), [(5, GateOutcome.PASSED), (6, GateOutcome.BLOCKED)])
async def test_a_statement_of_a_time_that_is_yet_to_come_takes_nothing_away(
    ahead: int, outcome: GateOutcome
) -> None:
    [statement] = OPTIONS.statements
    later = replace(OPTIONS, statements=(replace(statement, at=NOON + timedelta(minutes=ahead)),))
    assert await said(Told(held("12.0.0")), later) is outcome


async def test_what_is_to_be_said_against_an_excuse_counts_at_once() -> None:
    """A clock that is wrong must not let anything through."""
    [fixed] = OPTIONS.statements
    affected = replace(fixed, status="affected", at=NOON + timedelta(days=1))
    assert await said(Told(held("12.0.0")), replace(OPTIONS, statements=(fixed, affected))) is GateOutcome.BLOCKED


@pytest.mark.parametrize(
    ("use", "outcome"), [(ReportUse.REQUIRE, GateOutcome.UNKNOWN), (ReportUse.ADD, GateOutcome.PASSED)]
)
async def test_a_report_of_a_time_that_was_yet_to_come_tells_not_that_an_image_is_clean(
    use: ReportUse, outcome: GateOutcome
) -> None:
    told = Told()
    made = NOON + timedelta(days=300)
    report = Report((), created_at=made, image_digests=frozenset({"sha256:a"}))
    told.image = replace(told.image, reports=(scanned(report),))
    rules = (MatchedRule(("*",), GateRule(counts=Counts.ALL), use),)
    gated = await judged_by(told, replace(OPTIONS, rules=rules))
    assert gated.outcome is outcome
    assert any("which was yet to come" in gap for gap in gated.gaps) is (use is ReportUse.REQUIRE)
