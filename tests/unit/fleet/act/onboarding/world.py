"""One repository that is brought to the practices, and its people."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.domain.clock import ManualClock
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.repositories.onboarding import SAFE_CHECKS, Onboarding, OnboardingState
from bot.domain.repositories.repository import blob_name
from bot.fleet.act.onboarding.bringing import bring
from bot.fleet.act.onboarding.deciding import BRANCH, Brought, OnboardingTools
from bot.fleet.act.onboarding.ports import DueOnboarding, OnboardingOptions, ProposalSource
from bot.fleet.act.own_word import WordHeld
from bot.fleet.wiring.auditing import AuditProposer
from sandbox.fleets.bare_repository import bare_files
from tests.fakes.forge import FakeForge
from tests.fakes.repository import SHA1, FakeRepository

ACTIONS = {
    "docker/login-action": {"v3": "a" * 40, "v3.6.0": "a" * 40},
    "docker/setup-buildx-action": {"v3": "d" * 40},
    "docker/build-push-action": {"v6": "b" * 40, "v6.18.0": "b" * 40},
    "aquasecurity/trivy-action": {"0.33.1": "c" * 40},
}


class Always:
    """A lease that is never lost."""

    async def check(self) -> None:
        return None


@dataclass(slots=True)
class World:
    clock: ManualClock
    forge: FakeForge
    home: FakeRepository
    options: OnboardingOptions = OnboardingOptions()  # noqa: RUF009 - frozen
    onboarding: Onboarding = Onboarding(OnboardingState.WAITING, "asked for")  # noqa: RUF009 - frozen
    read: Mapping[str, bytes] | None = None
    """What discovery has read last; None where it has read the default branch as it is."""
    open_elsewhere: int = 0
    rest: timedelta = field(default_factory=timedelta)

    async def bring(self) -> Onboarding:
        """One attempt."""
        tip = self.home.commits[self.home.branches[self.home.trunk]].files
        texts = dict(self.read if self.read is not None else tip)
        shas = {path: blob_name(text, SHA1) for path, text in texts.items()}
        due = DueOnboarding(1, self.home.identity, shas, self.onboarding, (), self.open_elsewhere)
        proposer = AuditProposer(frozenset(self.options.checks))
        held = WordHeld(Always(), self.clock)
        tools = OnboardingTools(self.forge, self.forge, proposer, self.options, self.clock, {}, held)
        brought: Brought = await bring(due, ProposalSource(self.home.name, texts), tools)
        self.onboarding, self.rest = brought.onboarding, brought.rest
        return self.onboarding

    @property
    def request(self) -> PullRequest:
        return list(self.home.requests.values())[-1]

    @property
    def messages(self) -> list[str]:
        """The first lines of the commits on the branch, the newest first."""
        found, at = [], self.home.branches[BRANCH]
        while at != self.home.branches[self.home.trunk] and at is not None:
            found.append(self.home.commits[at].message.partition("\n")[0])
            at = next(iter(self.home.commits[at].parents), "")
        return found

    def only(self, *checks: str) -> None:
        assert set(checks) <= set(SAFE_CHECKS)
        self.options = replace(self.options, checks=checks)


def new_world(files: Mapping[str, bytes] | None = None) -> World:
    clock = ManualClock(datetime(2026, 11, 25, 12, tzinfo=UTC))
    forge = FakeForge(clock)
    home = forge.add("contoso/shop", bare_files() if files is None else files)
    for name, tags in ACTIONS.items():
        forge.add(name, {"action.yml": b""}).tags.update(tags)
    return World(clock, forge, home)
