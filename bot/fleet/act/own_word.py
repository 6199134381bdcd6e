"""What a repository itself says right before it is written to: it may have changed since the plan."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import MOST_STANDINGS, OwnWord
from bot.domain.forge.port import Forge
from bot.domain.reference import Base
from bot.domain.repositories.repository import Identity, is_told_in_bulk
from bot.domain.repositories.repository_config import NO_TEXT, RepositoryConfig
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.files.formats import repository_config
from bot.files.formats.source.text import decode
from bot.fleet.act.ports import ActStore, Job
from bot.reconcile.guarded import Covers
from bot.reconcile.work import Held

HOLDS_FOR = timedelta(seconds=60)
"""So old may a look be when a write begins."""
_SHARED_FOR = timedelta(seconds=45)
"""So long does a shared look serve others: what begins then still has time for its write."""

_SKIPPED_FOR = {
    ActionPreference.NOTIFY: "the repository asks to be told only",
    ActionPreference.DISPATCH: "the repository asks for a workflow run instead of a pull request",
    ActionPreference.PULL_REQUEST: "the repository asks for a pull request instead of a workflow run",
}


def check_recent(repository: str, looked_at: datetime, now: datetime) -> None:
    """Raises `Failure` (unreachable, so it is tried again) where a look is older than `HOLDS_FOR`.

    How old one is that a clock, set back since, calls still to come, nobody can tell.
    """
    if not _is_within(HOLDS_FOR, looked_at, now):
        raise Failure(
            Trouble.UNREACHABLE,
            "the forge took too long since the repository was looked at",
            where=repository,
            advice="the next attempt looks again",
        )


@dataclass(slots=True)
class WordHeld:
    """What holds as a write begins, after its wait for a turn: the lease on the item, and the repository's own
    word, which was heard `HOLDS_FOR` ago at most. `intent` is stored then, right before the write, and once."""

    lease: Held
    clock: Clock
    last_word: tuple[str, datetime] | None = None
    intent: Callable[[], Awaitable[None]] | None = None

    def hear(self, repository: str, looked_at: datetime) -> None:
        """Notes when the word was heard that the next writes rest on; raises `Failure` where it is too old."""
        check_recent(repository, looked_at, self.clock.now())
        self.last_word = (repository, looked_at)

    async def check(self) -> None:
        await self.lease.check()
        if self.last_word is not None:
            check_recent(*self.last_word, self.clock.now())
        if (intent := self.intent) is not None:
            self.intent = None
            await intent()


def _is_within(span: timedelta, looked_at: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - looked_at <= span


def as_now(job: Job, standing: OwnWord, covers: Covers, now: datetime) -> Job:
    """The job with the repository's name, default branch and wishes as of this moment. Under a name that the
    operator does not include it is not of the fleet, whatever the last listing said."""
    member = replace(
        job.member,
        name=standing.identity.name,
        node_id=standing.identity.node_id,
        config=replace(config_of(standing, now), owned=job.member.config.owned),
    )
    rebuild = replace(job.rebuild, repository=standing.identity.name, repository_node=standing.identity.node_id)
    return replace(
        job,
        rebuild=rebuild,
        member=member,
        default_branch=standing.default_branch or job.default_branch,
        is_listed=job.is_listed and covers(standing.identity),
    )


def config_of(standing: OwnWord, now: datetime) -> RepositoryConfig:
    """What the repository asks for; where that cannot be told, it may be a no, and is one."""
    if standing.is_config_unread:
        return RepositoryConfig.not_read(NO_TEXT)
    if standing.config is None:
        return RepositoryConfig()
    config, _ = repository_config.parse(decode(standing.config), now)
    return config


def objection(job: Job, now: datetime, planned_with: RepositoryConfig) -> str | None:
    """Why the repository would not have this rebuild's action; None where it has no word against it.

    `job` is as of now, `planned_with` what was known of the repository when it was claimed.
    """
    config = job.member.config
    if config.refusal is not None:
        return config.refusal
    if (refused_preference := _refused_action(job.rebuild.action, config.action, planned_with.action)) is not None:
        return _SKIPPED_FOR[refused_preference]
    ignores = [_ignoring_entry(job, target.base, now) for target in job.rebuild.targets]
    if ignores and all(ignore is not None for ignore in ignores):
        return f"the repository asks to leave this alone: {ignores[0]}"
    return None


async def hear(word: str, claimed: Job, store: ActStore, now: datetime) -> Rebuild:
    """Skips the rebuild, and has the repository read anew where its last reading knows nothing of this word.

    A word that comes and goes between two readings would else leave no trace but the skipped rebuild: the branch is
    where it was, and nothing is planned for it again.
    """
    if objection(claimed, now, claimed.member.config) is None:
        await store.read_again(claimed.member.id)
    return claimed.rebuild.moved(RebuildState.SKIPPED, word, at=now)


def _refused_action(
    action: Action, preference: ActionPreference | None, planned_with: ActionPreference | None
) -> ActionPreference | None:
    """What the repository asks for instead of `action`.

    Where it asks for a pull request and nothing can be written, the plan dispatches all the same.
    """
    if preference is ActionPreference.NOTIFY:
        return preference
    if preference is ActionPreference.DISPATCH and action is Action.PULL_REQUEST:
        return preference
    if preference is ActionPreference.PULL_REQUEST and action is Action.DISPATCH and planned_with is not preference:
        return preference
    return None


def _ignoring_entry(job: Job, base: Base, now: datetime) -> str | None:
    """The entry for which all places of a base are left alone."""
    entries = [job.member.config.ignored_by(path, str(base), now.date()) for path in job.places.get(base, ("",))]
    return str(entries[0]) if entries and all(entry is not None for entry in entries) else None


class NextDispatches(Protocol):
    """Tells whose word is worth asking for ahead, as their dispatches come next."""

    async def due_for_dispatch(self, limit: int) -> Sequence[Identity]:
        """Repositories whose dispatches come next."""
        ...


class OwnWords:
    """Asks for the own words of repositories, where a forge tells them in bulk together with those whose dispatches
    come next."""

    def __init__(self, store: "NextDispatches", forge: Forge, clock: Clock) -> None:
        self._store = store
        self._forge = forge
        self._clock = clock
        self._known: dict[Identity, OwnWord | None] = {}
        self._looked_at: dict[Identity, datetime] = {}

    async def of(self, repository: Identity) -> OwnWord:
        """What a repository says of itself, as of at most `HOLDS_FOR` ago; raises `Failure` where it is gone."""
        if not self._holds(repository):
            ahead = await self._store.due_for_dispatch(MOST_STANDINGS) if is_told_in_bulk(repository.forge) else ()
            await self._look([repository, *(each for each in ahead if each.forge == repository.forge)])
        standing = self._known[repository]
        if standing is None:
            raise Failure(
                Trouble.MISSING,
                "the repository is not there any more",
                where=repository.name,
                advice="check that it exists and that the credentials may see it",
            )
        return standing

    def forget(self, repository: Identity) -> None:
        """Has the next question about the repository look at it again."""
        self._looked_at.pop(repository, None)

    def looked_at(self, repository: Identity) -> datetime:
        return self._looked_at[repository]

    def _holds(self, repository: Identity) -> bool:
        looked_at = self._looked_at.get(repository)
        return looked_at is not None and _is_within(_SHARED_FOR, looked_at, self._clock.now())

    async def _look(self, repositories: Sequence[Identity]) -> None:
        identities = [each for each in dict.fromkeys(repositories) if not self._holds(each)][:MOST_STANDINGS]
        now = self._clock.now()
        standings = await self._forge.standings(identities)
        stale = [each for each, moment in self._looked_at.items() if not _is_within(HOLDS_FOR, moment, now)]
        for repository in stale:
            del self._looked_at[repository], self._known[repository]
        answers = {each: standings.get(each) for each in identities if each in standings or each == repositories[0]}
        self._known |= answers  # of another that is not shown nothing is known: it is asked for by itself
        self._looked_at |= dict.fromkeys(answers, now)
