"""The stores of all stages, each imported and made when it is first asked for: what asks one loads no other."""

from collections.abc import Collection
from datetime import timedelta
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.domain.clock import Clock
from bot.domain.packages.gate_rules import MAX_AGE
from bot.domain.rollouts.timing.pace import Pace
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store

if TYPE_CHECKING:
    from bot.fleet.act.calling_off.rows import CallingOffStore
    from bot.fleet.act.code_scanning.rows import CodeScanningStore
    from bot.fleet.act.issue.rows import IssuesStore
    from bot.fleet.act.onboarding.rows import OnboardingsStore
    from bot.fleet.act.retiring.rows import LeavingStore
    from bot.fleet.act.rows.act import ActStore
    from bot.fleet.assess.notices.rows import NoticesStore
    from bot.fleet.assess.rows import AssessStore
    from bot.fleet.audit.rows import AuditStore
    from bot.fleet.discover.builds.rows import BuildsStore
    from bot.fleet.discover.rows.discover import DiscoverStore
    from bot.fleet.follow.rows import FollowStore
    from bot.fleet.plan.age.rows import AgeStore
    from bot.fleet.plan.cascade.rows.cascade import CascadeStore
    from bot.fleet.plan.first_run.rows import CatchUpStore
    from bot.fleet.plan.quarantine.rows import QuarantineStore
    from bot.fleet.plan.rows.plan import PlanStore
    from bot.fleet.plan.waves.rows import AdvanceStore
    from bot.fleet.report.fleet_issue.rows import FleetIssueStore
    from bot.fleet.report.rows.report import ReportStore
    from bot.fleet.retention.rows import RetentionStore
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
    from bot.fleet.watch.registry.rows import WatchStore
    from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
    from bot.store.doctor import DoctorStore
    from bot.store.engine.budgets import BudgetStore
    from bot.store.events import EventsStore
    from bot.store.history import HistoryStore
    from bot.store.orders.orders import OrdersStore
    from bot.store.pages.bases.advisories import AdvisoryPagesStore
    from bot.store.pages.bases.bases import BasePagesStore
    from bot.store.pages.bases.mirror_lags import MirrorLagsStore
    from bot.store.pages.bases.promises import PromisesStore
    from bot.store.pages.fleet.figures import FiguresStore
    from bot.store.pages.fleet.fleet import FleetStore
    from bot.store.pages.fleet.operations import OperationsStore
    from bot.store.pages.fleet.practices import PracticesStore
    from bot.store.pages.fleet.summary import SummaryStore
    from bot.store.pages.images.contents import ImageContentsStore
    from bot.store.pages.images.images import ImagePagesStore
    from bot.store.pages.images.packages import PackagesStore
    from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
    from bot.store.pages.ledger.ledger import LedgerStore
    from bot.store.pages.repositories import RepositoryPagesStore
    from bot.store.pages.rollouts import RolloutPagesStore
    from bot.store.rows.rollouts.step_store import StepStore
    from bot.store.sessions import SessionsStore
    from bot.store.views.bases import BaseViewsStore
    from bot.store.views.fleet import FleetViewsStore
    from bot.store.views.repositories import RepositoryViewsStore
    from bot.store.views.rollouts import RolloutViewsStore

S = TypeVar("S", bound=Store)


class Made(Generic[S]):
    """A store that needs nothing but database, worker and clock; `place` is its class, as `module:name`."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __set_name__(self, _stores: type["Stores"], name: str) -> None:
        self._name = name

    def __get__(self, stores: "Stores", _kind: type["Stores"]) -> S:
        kind: type[S] = resolve_name(self._place)
        made = vars(stores)[self._name] = kind(*stores._given)
        return made


class Stores:
    """What one worker sees of a database, by the stage that asks."""

    discover: "Made[DiscoverStore]" = Made("bot.fleet.discover.rows.discover:DiscoverStore")
    builds: "Made[BuildsStore]" = Made("bot.fleet.discover.builds.rows:BuildsStore")
    audit: "Made[AuditStore]" = Made("bot.fleet.audit.rows:AuditStore")
    watch: "Made[WatchStore]" = Made("bot.fleet.watch.registry.rows:WatchStore")
    feeds: "Made[FeedsStore]" = Made("bot.fleet.watch.feeds.rows:FeedsStore")
    vulnerabilities: "Made[VulnerabilitiesStore]" = Made(
        "bot.fleet.watch.vulnerabilities.rows.vulnerabilities:VulnerabilitiesStore"
    )
    bundle: "Made[BundleStore]" = Made("bot.fleet.watch.bundle.rows:BundleStore")
    assess: "Made[AssessStore]" = Made("bot.fleet.assess.rows:AssessStore")
    notices: "Made[NoticesStore]" = Made("bot.fleet.assess.notices.rows:NoticesStore")
    plan: "Made[PlanStore]" = Made("bot.fleet.plan.rows.plan:PlanStore")
    age: "Made[AgeStore]" = Made("bot.fleet.plan.age.rows:AgeStore")
    catch_up: "Made[CatchUpStore]" = Made("bot.fleet.plan.first_run.rows:CatchUpStore")
    quarantine: "Made[QuarantineStore]" = Made("bot.fleet.plan.quarantine.rows:QuarantineStore")
    cascade: "Made[CascadeStore]" = Made("bot.fleet.plan.cascade.rows.cascade:CascadeStore")
    advance: "Made[AdvanceStore]" = Made("bot.fleet.plan.waves.rows:AdvanceStore")
    calling_off: "Made[CallingOffStore]" = Made("bot.fleet.act.calling_off.rows:CallingOffStore")
    follow: "Made[FollowStore]" = Made("bot.fleet.follow.rows:FollowStore")
    steps: "Made[StepStore]" = Made("bot.store.rows.rollouts.step_store:StepStore")
    images: "Made[ImagesStore]" = Made("bot.fleet.verify.images.rows.images:ImagesStore")
    inventory: "Made[InventoryStore]" = Made("bot.fleet.verify.inventory.rows.inventory:InventoryStore")
    sboms: "Made[SbomStore]" = Made("bot.fleet.verify.inventory.rows.sboms:SbomStore")
    verdicts: "Made[VerdictsStore]" = Made("bot.fleet.verify.images.rows.verdicts:VerdictsStore")
    scan_reports: "Made[ScanReportsStore]" = Made("bot.fleet.verify.reports.rows.scan_reports:ScanReportsStore")
    artifacts: "Made[ArtifactsStore]" = Made("bot.fleet.verify.reports.rows.artifacts:ArtifactsStore")
    proving: "Made[ProvingStore]" = Made("bot.fleet.verify.proving.rows:ProvingStore")
    attesting: "Made[AttestingStore]" = Made("bot.fleet.verify.attesting.rows:AttestingStore")
    gating: "Made[GatingStore]" = Made("bot.fleet.verify.gating.rows:GatingStore")
    retention: "Made[RetentionStore]" = Made("bot.fleet.retention.rows:RetentionStore")
    orders: "Made[OrdersStore]" = Made("bot.store.orders.orders:OrdersStore")
    leaving: "Made[LeavingStore]" = Made("bot.fleet.act.retiring.rows:LeavingStore")
    fleet_views: "Made[FleetViewsStore]" = Made("bot.store.views.fleet:FleetViewsStore")
    repository_views: "Made[RepositoryViewsStore]" = Made("bot.store.views.repositories:RepositoryViewsStore")
    rollout_views: "Made[RolloutViewsStore]" = Made("bot.store.views.rollouts:RolloutViewsStore")
    history: "Made[HistoryStore]" = Made("bot.store.history:HistoryStore")
    budgets: "Made[BudgetStore]" = Made("bot.store.engine.budgets:BudgetStore")
    issues: "Made[IssuesStore]" = Made("bot.fleet.act.issue.rows:IssuesStore")
    onboardings: "Made[OnboardingsStore]" = Made("bot.fleet.act.onboarding.rows:OnboardingsStore")
    code_scanning: "Made[CodeScanningStore]" = Made("bot.fleet.act.code_scanning.rows:CodeScanningStore")
    fleet_issue: "Made[FleetIssueStore]" = Made("bot.fleet.report.fleet_issue.rows:FleetIssueStore")
    doctor: "Made[DoctorStore]" = Made("bot.store.doctor:DoctorStore")
    standing: "Made[StandingStore]" = Made("bot.fleet.standing.rows:StandingStore")
    fleet: "Made[FleetStore]" = Made("bot.store.pages.fleet.fleet:FleetStore")
    rollout_pages: "Made[RolloutPagesStore]" = Made("bot.store.pages.rollouts:RolloutPagesStore")
    advisory_pages: "Made[AdvisoryPagesStore]" = Made("bot.store.pages.bases.advisories:AdvisoryPagesStore")
    repository_pages: "Made[RepositoryPagesStore]" = Made("bot.store.pages.repositories:RepositoryPagesStore")
    operations: "Made[OperationsStore]" = Made("bot.store.pages.fleet.operations:OperationsStore")
    packages: "Made[PackagesStore]" = Made("bot.store.pages.images.packages:PackagesStore")
    promises: "Made[PromisesStore]" = Made("bot.store.pages.bases.promises:PromisesStore")
    practices: "Made[PracticesStore]" = Made("bot.store.pages.fleet.practices:PracticesStore")
    summary: "Made[SummaryStore]" = Made("bot.store.pages.fleet.summary:SummaryStore")
    events: "Made[EventsStore]" = Made("bot.store.events:EventsStore")
    sessions: "Made[SessionsStore]" = Made("bot.store.sessions:SessionsStore")
    mirror_lags: "Made[MirrorLagsStore]" = Made("bot.store.pages.bases.mirror_lags:MirrorLagsStore")

    def __init__(
        self,
        database: Database,
        worker: Worker,
        clock: Clock,
        pace: Pace = Pace(),  # noqa: B008
        cve_data_age: timedelta = MAX_AGE,
        platforms: Collection[str] | None = None,
    ) -> None:
        """`pace` is what bounds rollouts, `cve_data_age` how old CVE data may be to tell what is open, `platforms`
        those whose packages are read, None where that does not matter."""
        self._given = database, worker, clock
        self._pace = pace
        self._cve_data = cve_data_age, platforms

    @cached_property
    def _cves(self) -> "CvesOfMoves":
        from bot.store.pages.ledger.cves_of_moves import CvesOfMoves

        _, _, clock = self._given
        return CvesOfMoves(clock, *self._cve_data)

    @cached_property
    def act(self) -> "ActStore":
        from bot.fleet.act.rows.act import ActStore

        return ActStore(*self._given, self._cves, [wave.name for wave in self._pace.options.waves])

    @cached_property
    def report(self) -> "ReportStore":
        from bot.fleet.report.rows.report import ReportStore

        return ReportStore(*self._given, self._pace, self._cves)

    @cached_property
    def base_views(self) -> "BaseViewsStore":
        from bot.store.views.bases import BaseViewsStore

        return BaseViewsStore(*self._given, self._cves)

    @cached_property
    def figures(self) -> "FiguresStore":
        from bot.store.pages.fleet.figures import FiguresStore

        return FiguresStore(*self._given, self.promises, self.mirror_lags)

    @cached_property
    def base_pages(self) -> "BasePagesStore":
        from bot.store.pages.bases.bases import BasePagesStore

        return BasePagesStore(*self._given, self.promises, self.mirror_lags, self._cves)

    @cached_property
    def image_pages(self) -> "ImagePagesStore":
        from bot.store.pages.images.images import ImagePagesStore

        return ImagePagesStore(*self._given, *self._cve_data)

    @cached_property
    def image_contents(self) -> "ImageContentsStore":
        from bot.store.pages.images.contents import ImageContentsStore

        return ImageContentsStore(*self._given, *self._cve_data)

    @cached_property
    def ledger(self) -> "LedgerStore":
        from bot.store.pages.ledger.ledger import LedgerStore

        return LedgerStore(*self._given, *self._cve_data)
