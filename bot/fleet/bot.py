"""All that the stages need, opened."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from bot.clients.feeds.documents import FeedReader
from bot.clients.registry import Registry
from bot.domain.clock import Clock
from bot.domain.forge.host import ForgeHost
from bot.domain.forge.port import Forge
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.timing.standing import RolloutOptions, rollout_options_of
from bot.files.formats.repository import Memory
from bot.fleet.act.onboarding.ports import OnboardingOptions
from bot.fleet.act.ports import ActOptions
from bot.fleet.act.steps.tick import StepOptions
from bot.fleet.assess.notices.deciding import AlertOptions
from bot.fleet.audit.tick import AuditOptions
from bot.fleet.discover.selection import Selection
from bot.fleet.discover.tick import DiscoverOptions
from bot.fleet.follow.tick import FollowOptions
from bot.fleet.meter import Meter
from bot.fleet.report.destinations import Destination
from bot.fleet.report.fleet_issue.tick import FleetIssueOptions
from bot.fleet.verify.attesting.summary import Verifier
from bot.fleet.verify.gating.judging import Gating
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.tick import ImagesOptions
from bot.fleet.verify.proving.tick import ProvingOptions
from bot.fleet.verify.reports.ports import ArtifactOptions
from bot.fleet.watch.feeds.tick import FeedsToRead
from bot.fleet.watch.registry.schedule import PollPolicy
from bot.fleet.watch.registry.tick import WatchOptions
from bot.fleet.watch.vulnerabilities.tick import Publishers
from bot.fleet.wiring.artifacts import ForgeArtifacts
from bot.fleet.wiring.auditing import AuditProposer
from bot.fleet.wiring.gate import gate_options_of
from bot.fleet.wiring.grants import (
    dump_sources,
    feed_sources,
    forge_host,
    forge_page,
)
from bot.fleet.wiring.registries.attesting import Attacher
from bot.fleet.wiring.registries.images import RegistryImages
from bot.fleet.wiring.registries.own_bases import OwnBases
from bot.fleet.wiring.registries.sboms import SbomsBeside
from bot.fleet.wiring.registries.trust import Trusting
from bot.fleet.wiring.registries.trusted import statement_marks
from bot.fleet.wiring.registries.vex import VexBeside
from bot.images.trust.looked_once import LookedOnce
from bot.reconcile.loop import Loop
from bot.settings import Settings
from bot.store.engine.database import Database
from bot.store.engine.queue.claiming import Worker
from bot.store.stores import Stores
from bot.upstream.bundle.no_feeds import NoFeeds
from bot.upstream.osv.addresses import DumpSource


@dataclass(frozen=True, slots=True)
class Bot:
    """All that the stages need.

    `destinations` is empty where nobody is to be told; a message there is edited again only after `edits_every`.
    """

    settings: Settings
    clock: Clock
    loop: Loop
    worker: Worker
    database: Database
    forge: Forge
    artifacts: ForgeArtifacts
    registry: Registry
    beside: LookedOnce
    feed_reader: FeedReader | NoFeeds
    publishers: Publishers
    destinations: tuple[Destination, ...]
    edits_every: timedelta
    memory: Memory
    observed: Observed
    trusting: Trusting
    attesting: tuple[Attacher, Verifier] | None
    stores: Stores
    policy: Policy
    meter: Meter

    @property
    def discover_options(self) -> DiscoverOptions:
        wanted = self.settings.github.repositories
        selection = Selection(
            tuple(wanted.include),
            tuple(wanted.exclude),
            tuple(wanted.topics),
            tuple(self.settings.bases),
            tuple(sorted(self.settings.registries)),
            self.settings.mirror_rules,
        )
        rules = self.settings.images.image_rules()
        return DiscoverOptions(selection, self.settings.schedule.discover, self.forge_host, rules)

    @property
    def audit_options(self) -> AuditOptions:
        audit = self.settings.audit
        return AuditOptions(frozenset(audit.never_waived), audit.opens_issues, frozenset(audit.code_scanning))

    @property
    def watch_options(self) -> WatchOptions:
        schedule = self.settings.schedule
        return WatchOptions(policy=PollPolicy(schedule.poll, schedule.poll_on_patch_tuesday))

    @property
    def feeds_to_read(self) -> FeedsToRead:
        return FeedsToRead(tuple(feed_sources(self.settings)), every=self.settings.schedule.feeds)

    @property
    def dumps_to_read(self) -> tuple[DumpSource, ...]:
        return tuple(dump_sources(self.settings))

    @property
    def alert_options(self) -> AlertOptions:
        alerts = self.settings.alerts
        return AlertOptions(
            *(alerts.waiting_for_base, alerts.end_of_life, alerts.stale_inventory, alerts.mirror_behind)
        )

    @property
    def rollout_options(self) -> RolloutOptions:
        return rollout_options_of(self.policy)

    @property
    def policy_mark(self) -> str:
        """Changes with the rules, so that what follows from them is worked out anew."""
        return hashlib.sha256(repr(self.policy.rules).encode()).hexdigest()[:32]

    @property
    def act_options(self) -> ActOptions:
        return ActOptions(
            follow_every=self.settings.schedule.follow,
            open_pull_requests=self.settings.limits.open_pull_requests_per_repository,
            host=self.forge_host,
            policy=self.policy,
        )

    @property
    def onboarding_options(self) -> OnboardingOptions:
        wanted = self.settings.onboarding
        return OnboardingOptions(
            tuple(wanted.repositories),
            wanted.at_once,
            tuple(wanted.checks),
            self.policy.freezes,
            self.settings.limits.open_pull_requests_per_repository,
            self.settings.schedule.follow,
            web=forge_page(self.settings.github.api_url),
            host=self.forge_host,
        )

    @property
    def proposer(self) -> AuditProposer:
        """The audit as onboarding asks it."""
        return AuditProposer(frozenset(self.settings.onboarding.checks), self.audit_options.never_waived)

    @property
    def fleet_issue_options(self) -> FleetIssueOptions | None:
        """None where there is to be no such issue."""
        wanted = self.settings.fleet_issue
        if wanted is None:
            return None
        page = self.settings.web.url
        return FleetIssueOptions(wanted.repository, wanted.ticks, page, host=self.forge_host)

    @property
    def step_options(self) -> StepOptions:
        return StepOptions(
            follow_every=self.settings.schedule.follow,
            freezes=self.policy.freezes,
            host=self.forge_host,
        )

    @property
    def follow_options(self) -> FollowOptions:
        within = self.settings.rollout.build_within
        return FollowOptions(self.settings.schedule.follow, self.forge_host, within)

    @property
    def images(self) -> RegistryImages:
        """Registries as the looks at images ask for them."""
        stores = self.stores
        return RegistryImages(
            self.registry,
            self.beside,
            stores.watch,
            stores.images,
            self.clock,
            self.settings.trust,
            forge_host(self.settings.github.api_url),
        )

    @property
    def sboms(self) -> SbomsBeside:
        """Registries as they are asked for SBOMs."""
        return SbomsBeside(self.beside, self.settings.trust, self.clock)

    @property
    def own_bases(self) -> OwnBases:
        """What the layers of the bases that the fleet builds tell."""
        return OwnBases(self.stores.cascade, self.stores.images, self.observed)

    @property
    def images_options(self) -> ImagesOptions:
        return ImagesOptions(self.settings.schedule.images, mark=statement_marks(self.settings.trust))

    @property
    def proving_options(self) -> ProvingOptions:
        return ProvingOptions(within=self.settings.rollout.image_within, signed_within=self.settings.trust.grace)

    @property
    def gating(self) -> Gating:
        """The gate; VEX documents are read anew, so that another one counts without a restart."""
        return Gating(self.stores.gating, gate_options_of(self.settings), self.clock, self.vex)

    @property
    def vex(self) -> VexBeside:
        """Registries as they are asked for VEX documents."""
        return VexBeside(self.beside, self.settings.trust, self.clock)

    @property
    def artifact_options(self) -> ArtifactOptions:
        """Which artifacts hold reports of scanners."""
        wanted = self.settings.reports
        return ArtifactOptions(tuple(wanted.artifacts), wanted.most, self.forge_host.name)

    @property
    def forge_host(self) -> ForgeHost:
        """Where the forge pauses: at all, or for one owner where the bot is a GitHub App."""
        return ForgeHost(urlsplit(self.settings.github.api_url).netloc, self.settings.github.app is not None)
