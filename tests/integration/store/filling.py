"""A store with something in it, put there by the stores themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, func, select, update

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import Observation, Sight
from bot.domain.clock import ManualClock
from bot.domain.feeds.document import FeedKind
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Reading, Repository
from bot.domain.repositories.usage import Kind, Replacement, Role, Span, Usage
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild, PlannedRollout
from bot.fleet.act.calling_off.rows import CallingOffStore
from bot.fleet.act.code_scanning.rows import CodeScanningStore
from bot.fleet.act.issue.rows import IssuesStore
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.act.ports import Job
from bot.fleet.act.retiring.rows import LeavingStore
from bot.fleet.act.rows.act import ActStore
from bot.fleet.assess.notices.rows import NoticesStore
from bot.fleet.assess.rows import AssessStore
from bot.fleet.assess.tick import Pair
from bot.fleet.audit.rows import AuditStore
from bot.fleet.discover.builds.rows import BuildsStore
from bot.fleet.discover.ports import DueListing, DueRepository, Listing
from bot.fleet.discover.rows.discover import DiscoverStore
from bot.fleet.follow.rows import FollowStore
from bot.fleet.plan.age.rows import AgeStore
from bot.fleet.plan.cascade.rows.cascade import CascadeStore
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.plan.quarantine.rows import QuarantineStore
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.plan.waves.rows import AdvanceStore
from bot.fleet.report.fleet_issue.rows import FleetIssueStore
from bot.fleet.report.rows import ReportStore
from bot.fleet.report.tick import DueMessage
from bot.fleet.retention.rows import RetentionStore
from bot.fleet.running.rows import RunningStore
from bot.fleet.standing.rows import StandingStore
from bot.fleet.verify.attesting.rows import AttestingStore
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.images.rows.verdicts import VerdictsStore
from bot.fleet.verify.inventory.rows.inventory import InventoryStore
from bot.fleet.verify.inventory.rows.sboms import SbomStore
from bot.fleet.verify.proving.rows import ProvingStore
from bot.fleet.verify.reports.rows.artifacts import ArtifactsStore
from bot.fleet.verify.reports.rows.scan_reports import ScanReportsStore
from bot.fleet.watch.bundle.rows import BundleStore
from bot.fleet.watch.feeds.rows import FeedsStore
from bot.fleet.watch.feeds.tick import DueFeed
from bot.fleet.watch.registry.ports import DueBase, Sighting
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.reconcile.work import Claimed, Queue
from bot.store.doctor import DoctorStore
from bot.store.engine.budgets import BudgetStore
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store
from bot.store.events import EventsStore
from bot.store.history import HistoryStore
from bot.store.orders.orders import OrdersStore
from bot.store.pages.bases.advisories import AdvisoryPagesStore
from bot.store.pages.bases.bases import BasePagesStore
from bot.store.pages.bases.measured import MirrorLagsStore, PromisesStore
from bot.store.pages.fleet.figures import FiguresStore, OperationsStore
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.pages.fleet.practices import PracticesStore
from bot.store.pages.fleet.summary import SummaryStore
from bot.store.pages.images.contents import ImageContentsStore
from bot.store.pages.images.images import ImagePagesStore
from bot.store.pages.images.packages import PackagesStore
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.pages.repositories import RepositoryPagesStore
from bot.store.pages.rollouts import RolloutPagesStore
from bot.store.pages.running.exposure import ExposureStore
from bot.store.pages.running.report import ExposureReportStore
from bot.store.rows.rollouts.step_store import StepStore
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.sessions import SessionsStore
from bot.store.stores import Stores as StageStores
from bot.store.views.bases import BaseViewsStore
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.repositories import RepositoryViewsStore
from bot.store.views.rollouts import RolloutViewsStore

T = TypeVar("T")

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=10)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


S = TypeVar("S", bound=Store)


class _Kept(Generic[S]):
    """A store under a name, for tests that ask for it again and again."""

    def __init__(self, kind: type[S]) -> None:
        self._kind = kind

    def __get__(self, stores: StageStores, _: type[StageStores]) -> S:
        return stores[self._kind]


class Stores(StageStores):
    """What one worker sees of a database, with the stages' work played for it."""

    discover = _Kept(DiscoverStore)
    builds = _Kept(BuildsStore)
    audit = _Kept(AuditStore)
    watch = _Kept(WatchStore)
    feeds = _Kept(FeedsStore)
    vulnerabilities = _Kept(VulnerabilitiesStore)
    bundle = _Kept(BundleStore)
    assess = _Kept(AssessStore)
    notices = _Kept(NoticesStore)
    plan = _Kept(PlanStore)
    age = _Kept(AgeStore)
    catch_up = _Kept(CatchUpStore)
    quarantine = _Kept(QuarantineStore)
    cascade = _Kept(CascadeStore)
    advance = _Kept(AdvanceStore)
    calling_off = _Kept(CallingOffStore)
    follow = _Kept(FollowStore)
    steps = _Kept(StepStore)
    images = _Kept(ImagesStore)
    inventory = _Kept(InventoryStore)
    sboms = _Kept(SbomStore)
    verdicts = _Kept(VerdictsStore)
    scan_reports = _Kept(ScanReportsStore)
    artifacts = _Kept(ArtifactsStore)
    proving = _Kept(ProvingStore)
    attesting = _Kept(AttestingStore)
    gating = _Kept(GatingStore)
    retention = _Kept(RetentionStore)
    orders = _Kept(OrdersStore)
    leaving = _Kept(LeavingStore)
    fleet_views = _Kept(FleetViewsStore)
    repository_views = _Kept(RepositoryViewsStore)
    rollout_views = _Kept(RolloutViewsStore)
    history = _Kept(HistoryStore)
    budgets = _Kept(BudgetStore)
    issues = _Kept(IssuesStore)
    onboardings = _Kept(OnboardingsStore)
    code_scanning = _Kept(CodeScanningStore)
    fleet_issue = _Kept(FleetIssueStore)
    doctor = _Kept(DoctorStore)
    standing = _Kept(StandingStore)
    fleet = _Kept(FleetStore)
    rollout_pages = _Kept(RolloutPagesStore)
    advisory_pages = _Kept(AdvisoryPagesStore)
    repository_pages = _Kept(RepositoryPagesStore)
    operations = _Kept(OperationsStore)
    packages = _Kept(PackagesStore)
    promises = _Kept(PromisesStore)
    practices = _Kept(PracticesStore)
    summary = _Kept(SummaryStore)
    events = _Kept(EventsStore)
    sessions = _Kept(SessionsStore)
    mirror_lags = _Kept(MirrorLagsStore)
    act = _Kept(ActStore)
    report = _Kept(ReportStore)
    base_views = _Kept(BaseViewsStore)
    figures = _Kept(FiguresStore)
    base_pages = _Kept(BasePagesStore)
    image_pages = _Kept(ImagePagesStore)
    image_contents = _Kept(ImageContentsStore)
    ledger = _Kept(LedgerStore)
    running = _Kept(RunningStore)
    exposure = _Kept(ExposureStore)
    exposure_report = _Kept(ExposureReportStore)

    def __init__(self, database: Database, worker: Worker, clock: ManualClock) -> None:
        super().__init__(database, worker, clock)
        self.database, self.worker, self.clock = database, worker, clock

    @classmethod
    def of_worker(cls, database: Database, clock: ManualClock, name: str) -> "Stores":
        return cls(database, Worker(name, LEASE), clock)

    def other(self, name: str, at: datetime | None = None) -> "Stores":
        """Another worker, by whose own clock it is `at` where that is given."""
        clock = self.clock if at is None else ManualClock(at)
        return Stores.of_worker(self.database, clock, name)

    async def listings(self) -> list[DueListing]:
        await self.discover.expect_listing()
        return await self.taken(self.discover.listings())

    async def repositories(self, limit: int = 100) -> list[DueRepository]:
        return await self.taken(self.discover.repositories, limit)

    async def bases(self, limit: int = 100) -> list[DueBase]:
        return await self.taken(self.watch.bases, limit)

    async def jobs(self, limit: int = 100) -> list[Job]:
        return await self.taken(self.act.jobs, limit)

    async def followed(self, limit: int = 100) -> list[Rebuild]:
        return await self.taken(self.follow.followed, limit)

    async def messages(self, limit: int = 100) -> list[DueMessage]:
        return await self.taken(self.report.messages, limit)

    async def documents(self, kinds: frozenset[FeedKind], limit: int = 10) -> list[DueFeed]:
        return await self.taken(self.feeds.documents(kinds), limit)

    async def taken(self, queue: Queue[T], limit: int = 100) -> list[T]:
        """What is due there, claimed and read."""
        claims = await queue.claim(self.clock.now(), limit)
        return [await queue.read(claimed) for claimed in claims]

    async def put_off(self, queue: Queue[Any], row: int, due_at: datetime, error: str | None = None) -> None:
        """Ends the claim on one row without an outcome; without an error it was not tried."""
        claims = [Claimed(row, "", 1)]
        await queue.put_off(claims, due_at, error=error, attempted=error is not None)

    async def listing(self, *repositories: Repository, due_in: timedelta = HOUR) -> None:
        [task] = await self.listings()
        await self.discover.record_listing(task, Listing(repositories), self.clock.now() + due_in)

    async def read(self, reading: Reading) -> list[DueRepository]:
        """Every repository that is due turns out to hold `reading`."""
        due = await self.repositories(5000)
        for repository in due:
            await self.discover.save_reading(repository, reading, self.clock.now() + 24 * HOUR)
        return due

    async def see(self, letters: Mapping[Base, str], version: str = "10.0.5") -> list[DueBase]:
        """Every base that is due shows the digest of its letter; the clock has moved far enough for all."""
        due = await self.bases(1000)
        now = self.clock.now()
        await self.watch.record(
            [
                Sighting(
                    each.id,
                    Sight.MOVED if each.digest else Sight.FIRST,
                    Observation(now, each.base, digest(letters[each.base]), version),
                    now + HOUR,
                )
                for each in due
            ],
            {},
        )
        return due

    async def see_one(self, base: DueBase, letter: str) -> None:
        """One base that is claimed shows another digest."""
        now = self.clock.now()
        seen = Observation(now, base.base, digest(letter), "10.0.5")
        await self.watch.record([Sighting(base.id, Sight.MOVED, seen, now + HOUR)], {})

    async def assess_all(self, cause: Cause = Cause.DOTNET_RELEASE) -> list[Change]:
        """Every observation that awaits it becomes a change with this cause."""
        pairs = await self.assess.unassessed(100)
        found = [(pair, change_of(pair, cause)) for pair in pairs]
        await self.assess.save_changes(found, await self.assess.feeds_revision())
        return [change for _, change in found]

    async def fill(self, repositories: int = 1, bases: Sequence[Base] = (ASPNET,)) -> None:
        """Repositories that use `bases`, each of which has moved once; the changes await their plan."""
        names = [f"contoso/shop-{number:04}" for number in range(repositories)]
        await self.listing(*(Repository(name, "main") for name in names))
        await self.read(Reading("tree-1", tuple((usage_of(base), base) for base in bases)))
        await self.see(dict.fromkeys(bases, "a"))
        self.clock.advance(HOUR)
        await self.see(dict.fromkeys(bases, "b"))
        await self.assess_all()

    async def plan_all(
        self, *, due_in: timedelta = timedelta(0), supersedes: tuple[int, ...] = (), **values: Any
    ) -> PlannedRollout:
        """Every change that awaits a plan leads to one pull request in each repository that it concerns, all of
        which may begin once they are due."""
        plan = await self.planned(due_in=due_in, supersedes=supersedes, **values)
        await self.plan.save_plan(plan)
        async with self.database.transaction() as connection:
            await connection.execute(update(rebuilds).values(released_at=self.clock.now()))
        return plan

    async def planned(
        self, *, due_in: timedelta = timedelta(0), supersedes: tuple[int, ...] = (), **values: Any
    ) -> PlannedRollout:
        known = await self.plan.revisions()
        moves = await self.plan.unplanned()
        affected = await self.plan.affected([move.id for move in moves])
        members = {item.member.id: item.member for items in affected.values() for item in items}
        targets = tuple(
            Target(move.change.base, move.change.from_digest, move.change.to_digest or "", (move.id,))
            for move in moves
        )
        chosen: dict[str, Any] = {
            "action": Action.PULL_REQUEST,
            "state": RebuildState.PLANNED,
            "reason": "aspnet:10.0 moved",
            "targets": targets,
            "replacements": (Replacement(Reference(ASPNET.name, "10.0", digest("a")), Reference(ASPNET.name)),),
            "wave": "rest",
            "due_at": self.clock.now() + due_in,
            "branch": "freshness/dotnet-aspnet-10.0",
            "supersedes": supersedes,
        }
        return PlannedRollout(
            None,
            tuple(move.id for move in moves),
            tuple(
                PlannedRebuild(repository_id=member.id, repository=member.name, **(chosen | values))
                for member in members.values()
            ),
            known,
        )

    async def count(self, table: Table) -> int:
        async with self.database.transaction() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())

    async def column(self, table: Table, name: str) -> list[Any]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(select(table.c[name]).order_by(table.c.id))).scalars())

    async def states(self) -> list[str]:
        return await self.column(rebuilds, "state")


def usage_of(base: Base, path: str = "Dockerfile") -> Usage:
    reference = Reference(base.name, base.tag, digest("a"))
    return Usage(path, Kind("dockerfile"), 1, reference, Role.FINAL_STAGE, Span(5, 80))


def change_of(pair: Pair, cause: Cause) -> Change:
    return Change(
        pair.after.base,
        pair.after.at,
        pair.before.digest,
        pair.after.digest,
        cause,
        cause,
        pair.before.version,
        pair.after.version,
    )


def moment_after(clock: ManualClock, minutes: float) -> datetime:
    return clock.now() + timedelta(minutes=minutes)
