"""The stores of all stages, each imported and made when it is first asked for: what asks one loads no other."""

from collections.abc import Collection
from datetime import timedelta
from functools import cached_property
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.domain.clock import Clock
from bot.domain.packages.gate_rules import MAX_AGE
from bot.plan.waves.pace import Pace
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.store import Store

if TYPE_CHECKING:
    from bot.store.doctor import DoctorStore
    from bot.store.engine.budgets import BudgetStore
    from bot.store.events import EventsStore
    from bot.store.history import HistoryStore
    from bot.store.leaving import LeavingStore
    from bot.store.orders.orders import OrdersStore
    from bot.store.pages.bases.advisories import AdvisoryPagesStore
    from bot.store.pages.bases.bases import BasePagesStore
    from bot.store.pages.bases.mirror_lags import MirrorLagsStore
    from bot.store.pages.bases.promises import PromisesStore
    from bot.store.pages.fleet.figures import FiguresStore
    from bot.store.pages.fleet.fleet import FleetStore
    from bot.store.pages.fleet.operations import OperationsStore
    from bot.store.pages.fleet.practices import PracticesStore
    from bot.store.pages.fleet.standing import StandingStore
    from bot.store.pages.fleet.summary import SummaryStore
    from bot.store.pages.images.contents import ImageContentsStore
    from bot.store.pages.images.images import ImagePagesStore
    from bot.store.pages.images.packages import PackagesStore
    from bot.store.pages.ledger.cves_of_moves import CvesOfMoves
    from bot.store.pages.ledger.ledger import LedgerStore
    from bot.store.pages.repositories import RepositoryPagesStore
    from bot.store.pages.rollouts import RolloutPagesStore
    from bot.store.retention import RetentionStore
    from bot.store.sessions import SessionsStore
    from bot.store.stages.act.act import ActStore
    from bot.store.stages.act.calling_off import CallingOffStore
    from bot.store.stages.act.code_scanning import CodeScanningStore
    from bot.store.stages.act.issues import IssuesStore
    from bot.store.stages.act.onboardings import OnboardingsStore
    from bot.store.stages.assess.assess import AssessStore
    from bot.store.stages.assess.notices import NoticesStore
    from bot.store.stages.audit import AuditStore
    from bot.store.stages.discover.builds import BuildsStore
    from bot.store.stages.discover.discover import DiscoverStore
    from bot.store.stages.follow import FollowStore
    from bot.store.stages.plan.advance import AdvanceStore
    from bot.store.stages.plan.age import AgeStore
    from bot.store.stages.plan.cascade.cascade import CascadeStore
    from bot.store.stages.plan.catch_up import CatchUpStore
    from bot.store.stages.plan.plan import PlanStore
    from bot.store.stages.plan.quarantine import QuarantineStore
    from bot.store.stages.report.fleet_issue import FleetIssueStore
    from bot.store.stages.report.report import ReportStore
    from bot.store.stages.steps import StepStore
    from bot.store.stages.verify.artifacts import ArtifactsStore
    from bot.store.stages.verify.attesting import AttestingStore
    from bot.store.stages.verify.gating import GatingStore
    from bot.store.stages.verify.images import ImagesStore
    from bot.store.stages.verify.inventory import InventoryStore
    from bot.store.stages.verify.proving import ProvingStore
    from bot.store.stages.verify.sboms import SbomStore
    from bot.store.stages.verify.scan_reports import ScanReportsStore
    from bot.store.stages.verify.verdicts import VerdictsStore
    from bot.store.stages.watch.bundle import BundleStore
    from bot.store.stages.watch.feeds import FeedsStore
    from bot.store.stages.watch.vulnerabilities import VulnerabilitiesStore
    from bot.store.stages.watch.watch import WatchStore
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

    discover: "Made[DiscoverStore]" = Made("bot.store.stages.discover.discover:DiscoverStore")
    builds: "Made[BuildsStore]" = Made("bot.store.stages.discover.builds:BuildsStore")
    audit: "Made[AuditStore]" = Made("bot.store.stages.audit:AuditStore")
    watch: "Made[WatchStore]" = Made("bot.store.stages.watch.watch:WatchStore")
    feeds: "Made[FeedsStore]" = Made("bot.store.stages.watch.feeds:FeedsStore")
    vulnerabilities: "Made[VulnerabilitiesStore]" = Made(
        "bot.store.stages.watch.vulnerabilities:VulnerabilitiesStore"
    )
    bundle: "Made[BundleStore]" = Made("bot.store.stages.watch.bundle:BundleStore")
    assess: "Made[AssessStore]" = Made("bot.store.stages.assess.assess:AssessStore")
    notices: "Made[NoticesStore]" = Made("bot.store.stages.assess.notices:NoticesStore")
    plan: "Made[PlanStore]" = Made("bot.store.stages.plan.plan:PlanStore")
    age: "Made[AgeStore]" = Made("bot.store.stages.plan.age:AgeStore")
    catch_up: "Made[CatchUpStore]" = Made("bot.store.stages.plan.catch_up:CatchUpStore")
    quarantine: "Made[QuarantineStore]" = Made("bot.store.stages.plan.quarantine:QuarantineStore")
    cascade: "Made[CascadeStore]" = Made("bot.store.stages.plan.cascade.cascade:CascadeStore")
    advance: "Made[AdvanceStore]" = Made("bot.store.stages.plan.advance:AdvanceStore")
    calling_off: "Made[CallingOffStore]" = Made("bot.store.stages.act.calling_off:CallingOffStore")
    follow: "Made[FollowStore]" = Made("bot.store.stages.follow:FollowStore")
    steps: "Made[StepStore]" = Made("bot.store.stages.steps:StepStore")
    images: "Made[ImagesStore]" = Made("bot.store.stages.verify.images:ImagesStore")
    inventory: "Made[InventoryStore]" = Made("bot.store.stages.verify.inventory:InventoryStore")
    sboms: "Made[SbomStore]" = Made("bot.store.stages.verify.sboms:SbomStore")
    verdicts: "Made[VerdictsStore]" = Made("bot.store.stages.verify.verdicts:VerdictsStore")
    scan_reports: "Made[ScanReportsStore]" = Made("bot.store.stages.verify.scan_reports:ScanReportsStore")
    artifacts: "Made[ArtifactsStore]" = Made("bot.store.stages.verify.artifacts:ArtifactsStore")
    proving: "Made[ProvingStore]" = Made("bot.store.stages.verify.proving:ProvingStore")
    attesting: "Made[AttestingStore]" = Made("bot.store.stages.verify.attesting:AttestingStore")
    gating: "Made[GatingStore]" = Made("bot.store.stages.verify.gating:GatingStore")
    retention: "Made[RetentionStore]" = Made("bot.store.retention:RetentionStore")
    orders: "Made[OrdersStore]" = Made("bot.store.orders.orders:OrdersStore")
    leaving: "Made[LeavingStore]" = Made("bot.store.leaving:LeavingStore")
    fleet_views: "Made[FleetViewsStore]" = Made("bot.store.views.fleet:FleetViewsStore")
    repository_views: "Made[RepositoryViewsStore]" = Made("bot.store.views.repositories:RepositoryViewsStore")
    rollout_views: "Made[RolloutViewsStore]" = Made("bot.store.views.rollouts:RolloutViewsStore")
    history: "Made[HistoryStore]" = Made("bot.store.history:HistoryStore")
    budgets: "Made[BudgetStore]" = Made("bot.store.engine.budgets:BudgetStore")
    issues: "Made[IssuesStore]" = Made("bot.store.stages.act.issues:IssuesStore")
    onboardings: "Made[OnboardingsStore]" = Made("bot.store.stages.act.onboardings:OnboardingsStore")
    code_scanning: "Made[CodeScanningStore]" = Made("bot.store.stages.act.code_scanning:CodeScanningStore")
    fleet_issue: "Made[FleetIssueStore]" = Made("bot.store.stages.report.fleet_issue:FleetIssueStore")
    doctor: "Made[DoctorStore]" = Made("bot.store.doctor:DoctorStore")
    standing: "Made[StandingStore]" = Made("bot.store.pages.fleet.standing:StandingStore")
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
        from bot.store.stages.act.act import ActStore

        return ActStore(*self._given, self._cves, [wave.name for wave in self._pace.options.waves])

    @cached_property
    def report(self) -> "ReportStore":
        from bot.store.stages.report.report import ReportStore

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
