"""What scanners left behind in ended runs, read once for each rebuild."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.domain.builder.runs import Artifact
from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.domain.host import Host
from bot.domain.repositories.repository import Identity
from bot.fleet.verify.reports.tick import ArtifactOptions, EndedRuns, Gathered, tick
from bot.images.scan_reports import ReportOrigin, ScanReport
from bot.reconcile.loop import Loop
from sandbox.github.actions.artifacts import packed
from tests.builders import NOON
from tests.fakes.queue import FakeQueue

SHOP = Identity("contoso/shop", "R_1")
INDEX = f"sha256:{'a' * 64}"
FOREVER = timedelta(days=30)
OPTIONS = ArtifactOptions(("trivy*",))


def trivy(index: str = INDEX) -> bytes:
    found = {"VulnerabilityID": "CVE-2026-1", "PkgName": "app", "InstalledVersion": "1", "Severity": "HIGH"}
    results = [{"Target": "image", "Class": "lang-pkgs", "Vulnerabilities": [found]}]
    named = {"RepoDigests": [f"ghcr.io/contoso/shop@{index}"]}
    return json.dumps({"SchemaVersion": 2, "Results": results, "Metadata": named}).encode()


@dataclass
class Left:
    """Artifacts of one run each, by name, with their archives; a failure in place of one is met."""

    archives: dict[str, bytes | Failure] = field(default_factory=dict)
    listing: Failure | None = None
    expired: frozenset[str] = frozenset()
    ended: datetime | None = None
    asked: list[str] = field(default_factory=list)

    async def ended_at(self, repository: Identity, run: int) -> datetime | None:
        self.asked.append(f"look at {run}")
        return self.ended

    async def artifacts_of(self, repository: Identity, run: int) -> Sequence[Artifact]:
        self.asked.append(f"list {run}")
        if self.listing is not None:
            raise self.listing
        return [
            Artifact(number, name.partition(" ")[0], 100, name in self.expired)
            for number, name in enumerate(self.archives, 1)
        ]

    async def fetched(self, repository: Identity, artifact: Artifact, most: int) -> bytes:
        self.asked.append(f"fetch {artifact.name}")
        found = list(self.archives.values())[artifact.id - 1]
        if isinstance(found, Failure):
            raise found
        return found


class Kept:
    """A store with one rebuild whose runs have ended."""

    def __init__(self, *runs: int) -> None:
        self.ended: FakeQueue[EndedRuns] = FakeQueue()
        self.ended.add(EndedRuns(1, SHOP, 7, runs or (30,)), NOON)
        self.scans: list[ScanReport] = []
        self.settled: list[Gathered] = []
        self.refused: list[str] = []

    async def make_due(self) -> None: ...

    async def keep(self, scan: ScanReport) -> None:
        self.scans.append(scan)

    async def settle_artifacts(self, item: EndedRuns, gathered: Gathered) -> None:
        self.settled.append(gathered)
        self.ended.settle(item.id, NOON + FOREVER)

    async def refuse_artifacts(self, item: EndedRuns, why: str, now: datetime) -> None:
        self.refused.append(why)
        self.ended.settle(item.id, NOON + FOREVER)


async def gathered(store: Kept, left: Left, options: ArtifactOptions = OPTIONS) -> Gathered:
    return await tick(store, left, options, Loop(ManualClock(NOON)))


async def test_reports_in_artifacts_of_that_name_are_kept_for_the_image_that_they_name() -> None:
    store, left = Kept(), Left({"trivy-shop": packed({"report.json": trivy()}), "coverage": b"no zip"})
    assert await gathered(store, left) == Gathered(1)
    [scan] = store.scans
    assert (scan.origin, scan.repository, scan.report.image_digests) == (ReportOrigin.ARTIFACT, 7, {INDEX})
    assert scan.place == "contoso/shop run 30, trivy-shop/report.json"
    assert left.asked == ["list 30", "fetch trivy-shop"]


async def test_nothing_is_asked_for_without_a_name() -> None:
    store, left = Kept(), Left({"trivy": b""})
    assert await gathered(store, left, ArtifactOptions()) == Gathered()
    assert left.asked == []


async def test_every_run_of_a_monorepo_is_looked_through() -> None:
    store, left = Kept(30, 31), Left({"trivy": packed({"a.json": trivy(), "b.json": trivy(f"sha256:{'b' * 64}")})})
    assert await gathered(store, left) == Gathered(4)


async def test_of_artifacts_of_one_name_the_last_is_read_and_of_too_many_the_newest() -> None:
    again = {"trivy first": b"", "trivy second": packed({"a.json": trivy()})}
    store = Kept()
    assert await gathered(store, Left(dict(again))) == Gathered(1)
    many = Left({f"trivy-{number}": packed({"a.json": trivy()}) for number in range(4)})
    store = Kept()
    await gathered(store, many, ArtifactOptions(("trivy*",), most=2))
    assert store.settled == [
        Gathered(2, ("contoso/shop run 30: 4 artifacts have such names, and the newest 2 are read",)),
    ]
    assert many.asked[1:] == ["fetch trivy-2", "fetch trivy-3"]


async def test_what_cannot_be_read_is_told_and_keeps_no_other_from_being_kept() -> None:
    gone = Failure(Trouble.MISSING, "Artifact has expired", status=410)
    store = Kept()
    left = Left(
        {
            "trivy-gone": gone,
            "trivy-no-zip": b"no zip",
            "trivy-odd": packed({"x.json": b"{}", "report.json": trivy()}),
            "trivy-expired": b"",
        },
        expired=frozenset({"trivy-expired"}),
    )
    await gathered(store, left)
    [told] = store.settled
    assert told.kept == 1
    assert [problem.partition(", ")[2].partition(":")[0] for problem in told.problems] == [
        "trivy-gone",
        "trivy-no-zip",
        "trivy-odd/x.json",
        "trivy-expired",
    ]


async def test_a_report_that_names_an_image_by_a_tag_alone_is_not_kept() -> None:
    unnamed = json.dumps({"SchemaVersion": 2, "ArtifactName": "ghcr.io/contoso/shop:1", "Results": [{}]}).encode()
    store = Kept()
    await gathered(store, Left({"trivy": packed({"report.json": unnamed})}))
    assert store.scans == []
    assert "names no digest of an image" in store.settled[0].problems[0]


async def test_a_forge_that_may_not_show_them_is_told_once_and_not_asked_again() -> None:
    store = Kept()
    left = Left(listing=Failure(Trouble.DENIED, "Resource not accessible by integration", status=403))
    assert (await gathered(store, left)).problems == ()
    assert store.refused == ["Resource not accessible by integration"]
    await gathered(store, left)
    assert left.asked == ["list 30"]


async def test_a_run_that_is_gone_is_told_once() -> None:
    store, left = Kept(), Left(listing=Failure(Trouble.MISSING, "Not Found", status=404))
    assert (await gathered(store, left)).problems == ("contoso/shop: Not Found",)
    assert (await gathered(store, left)).problems == ()


async def test_a_forge_that_gives_no_answer_is_asked_again_later() -> None:
    store = Kept()
    await gathered(store, Left({"trivy": Failure(Trouble.UNREACHABLE, "no answer")}))
    assert (store.settled, store.scans) == ([], [])


@pytest.mark.parametrize(
    ("ended", "asked"),
    [
        (None, ["look at 30"]),
        (NOON - timedelta(hours=2), ["look at 30"]),
        (NOON, ["look at 30", "list 30", "fetch trivy"]),
    ],
    ids=["is run again", "as it was read", "has ended again"],
)
async def test_what_was_looked_through_before_is_read_only_where_it_has_ended_again(
    ended: datetime | None, asked: list[str]
) -> None:
    store, left = Kept(), Left({"trivy": packed({"a.json": trivy()})}, ended=ended)
    store.ended = FakeQueue()
    store.ended.add(EndedRuns(1, SHOP, 7, (30,), NOON - timedelta(hours=1)), NOON)
    await gathered(store, left)
    assert left.asked == asked
    assert store.settled == [Gathered(1) if len(asked) > 1 else Gathered(is_news=False)]


async def test_a_run_that_cannot_be_looked_at_again_counts_as_read_when_it_was() -> None:
    """Else what it left behind meanwhile would be taken as read."""
    store, left = Kept(), Left(listing=Failure(Trouble.MISSING, "Not Found", status=404), ended=NOON)
    store.ended = FakeQueue()
    store.ended.add(EndedRuns(1, SHOP, 7, (30,), NOON - timedelta(hours=1)), NOON)
    assert (await gathered(store, left)).problems == ("contoso/shop: Not Found",)
    assert [each.is_news for each in store.settled] == [False]


async def test_a_builder_in_trouble_keeps_no_reports_of_what_another_builds_waiting() -> None:
    options = replace(OPTIONS, host=Host("api.github.com", others={"azure-devops": Host("dev.azure.com")}))
    loop, elsewhere = Loop(ManualClock(NOON)), Kept()
    elsewhere.ended.rows[1].item = EndedRuns(1, Identity("contoso/team/desk", forge="azure-devops"), 8, (31,))
    busy = Failure(Trouble.THROTTLED, "slow down", retry_after=timedelta(hours=1))
    assert (await tick(elsewhere, Left(listing=busy), options, loop)).problems == ("slow down",)
    left = Left({"trivy-shop": packed({"report.json": trivy()})})
    assert await tick(Kept(), left, options, loop) == Gathered(1)
    again = Kept()
    again.ended.rows[1].item = elsewhere.ended.rows[1].item
    await tick(again, left, options, loop)
    assert again.settled == []
