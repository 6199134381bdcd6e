"""The stores of all stages, made alike."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.clock import Clock
from bot.plan.waves.pace import Pace
from bot.store.doctor import DoctorStore
from bot.store.engine.budgets import BudgetStore
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
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
from bot.store.pages.ledger.cves_of_moves import MAX_AGE, CvesOfMoves
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


@dataclass(frozen=True, slots=True)
class Stores:
    """What one worker sees of a database, by the stage that asks."""

    discover: DiscoverStore
    builds: BuildsStore
    audit: AuditStore
    watch: WatchStore
    feeds: FeedsStore
    vulnerabilities: VulnerabilitiesStore
    bundle: BundleStore
    assess: AssessStore
    notices: NoticesStore
    plan: PlanStore
    age: AgeStore
    catch_up: CatchUpStore
    quarantine: QuarantineStore
    cascade: CascadeStore
    advance: AdvanceStore
    act: ActStore
    calling_off: CallingOffStore
    follow: FollowStore
    steps: StepStore
    images: ImagesStore
    inventory: InventoryStore
    sboms: SbomStore
    verdicts: VerdictsStore
    scan_reports: ScanReportsStore
    artifacts: ArtifactsStore
    proving: ProvingStore
    attesting: AttestingStore
    gating: GatingStore
    report: ReportStore
    retention: RetentionStore
    orders: OrdersStore
    leaving: LeavingStore
    fleet_views: FleetViewsStore
    repository_views: RepositoryViewsStore
    rollout_views: RolloutViewsStore
    base_views: BaseViewsStore
    history: HistoryStore
    budgets: BudgetStore
    issues: IssuesStore
    onboardings: OnboardingsStore
    code_scanning: CodeScanningStore
    fleet_issue: FleetIssueStore
    doctor: DoctorStore
    standing: StandingStore
    figures: FiguresStore
    fleet: FleetStore
    rollout_pages: RolloutPagesStore
    base_pages: BasePagesStore
    advisory_pages: AdvisoryPagesStore
    repository_pages: RepositoryPagesStore
    operations: OperationsStore
    image_pages: ImagePagesStore
    image_contents: ImageContentsStore
    packages: PackagesStore
    ledger: LedgerStore
    promises: PromisesStore
    practices: PracticesStore
    summary: SummaryStore
    events: EventsStore
    sessions: SessionsStore

    @classmethod
    def of(
        cls,
        database: Database,
        worker: Worker,
        clock: Clock,
        pace: Pace = Pace(),  # noqa: B008
        cve_data_age: timedelta = MAX_AGE,
        platforms: Collection[str] | None = None,
    ) -> "Stores":
        """`pace` is what bounds rollouts, `cve_data_age` how old CVE data may be to tell what is open, `platforms`
        those whose packages are read, None where that does not matter."""
        cves = CvesOfMoves(clock, cve_data_age, platforms)
        given = database, worker, clock
        promises = PromisesStore(*given)
        mirror_lags = MirrorLagsStore(*given)
        return cls(
            discover=DiscoverStore(*given),
            builds=BuildsStore(*given),
            audit=AuditStore(*given),
            watch=WatchStore(*given),
            feeds=FeedsStore(*given),
            vulnerabilities=VulnerabilitiesStore(*given),
            bundle=BundleStore(*given),
            assess=AssessStore(*given),
            notices=NoticesStore(*given),
            plan=PlanStore(*given),
            age=AgeStore(*given),
            catch_up=CatchUpStore(*given),
            quarantine=QuarantineStore(*given),
            cascade=CascadeStore(*given),
            advance=AdvanceStore(*given),
            act=ActStore(*given, cves, [wave.name for wave in pace.options.waves]),
            calling_off=CallingOffStore(*given),
            follow=FollowStore(*given),
            steps=StepStore(*given),
            images=ImagesStore(*given),
            inventory=InventoryStore(*given),
            sboms=SbomStore(*given),
            verdicts=VerdictsStore(*given),
            scan_reports=ScanReportsStore(*given),
            artifacts=ArtifactsStore(*given),
            proving=ProvingStore(*given),
            attesting=AttestingStore(*given),
            gating=GatingStore(*given),
            report=ReportStore(*given, pace, cves),
            retention=RetentionStore(*given),
            orders=OrdersStore(*given),
            leaving=LeavingStore(*given),
            fleet_views=FleetViewsStore(*given),
            repository_views=RepositoryViewsStore(*given),
            rollout_views=RolloutViewsStore(*given),
            base_views=BaseViewsStore(*given, cves),
            history=HistoryStore(*given),
            budgets=BudgetStore(*given),
            issues=IssuesStore(*given),
            onboardings=OnboardingsStore(*given),
            code_scanning=CodeScanningStore(*given),
            fleet_issue=FleetIssueStore(*given),
            doctor=DoctorStore(*given),
            standing=StandingStore(*given),
            figures=FiguresStore(*given, promises, mirror_lags),
            fleet=FleetStore(*given),
            rollout_pages=RolloutPagesStore(*given),
            base_pages=BasePagesStore(*given, promises, mirror_lags, cves),
            advisory_pages=AdvisoryPagesStore(*given),
            repository_pages=RepositoryPagesStore(*given),
            operations=OperationsStore(*given),
            image_pages=ImagePagesStore(*given, cve_data_age, platforms),
            image_contents=ImageContentsStore(*given, cve_data_age, platforms),
            packages=PackagesStore(*given),
            ledger=LedgerStore(*given, cve_data_age, platforms),
            promises=promises,
            practices=PracticesStore(*given),
            summary=SummaryStore(*given),
            events=EventsStore(*given),
            sessions=SessionsStore(*given),
        )
