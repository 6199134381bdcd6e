"""The port to what builds repositories: what the stages ask of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.builder.runs import Artifact, BuildRun, FailedJob, FollowedRuns, MergedCommit, Run
from bot.domain.failure import Failure
from bot.domain.repositories.builds import LatestRuns, PastRun, WorkflowShown
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.surroundings import EnvironmentProtection
from bot.domain.sight import KnowsItsSight


class StartsRuns(Protocol):
    """Starts workflows, and finds their runs, whoever has started them."""

    async def dispatch(
        self, repository: Identity, workflow: str, *, ref: str, inputs: Mapping[str, str]
    ) -> int | None:
        """Starts a workflow; the run's id where the builder tells it, else None."""
        ...

    async def dispatched_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        """Dispatched runs of a workflow created at or after `since`, oldest first."""
        ...

    async def started_runs(
        self, repository: Identity, workflow: str, *, branch: str | None, since: datetime
    ) -> list[Run]:
        """Runs of a workflow created at or after `since`, whatever started them, oldest first; on any branch where
        `branch` is None."""
        ...


class FollowsRuns(Protocol):
    """Shows how far runs are, of many at once where that can be, and what they have left behind."""

    async def follow_runs(self, runs: Sequence[str]) -> FollowedRuns:
        """How far many runs have come, by node id. Where the forge is asked for pull requests at the same moment
        and both are one, that may be one request."""
        ...

    async def run(self, repository: Identity, run: int) -> Run: ...

    async def first_failure(self, repository: Identity, run: int) -> FailedJob | None:
        """Why a run has failed; None where no job of it did."""
        ...

    async def builds(
        self, commits: Sequence[MergedCommit], *, later: bool = False
    ) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
        """The runs on many commits of default branches, by the commits' node ids; what is gone is not in it.

        With `later` also those on each commit that has come since, in that order: a push may bring several
        commits, and starts runs on the last one only.
        """
        ...

    async def artifacts(self, repository: Identity, run: int) -> list[Artifact]:
        """What a run has left behind, the newest first."""
        ...

    async def artifact_address(self, repository: Identity, artifact: int) -> str:
        """Where the archive of an artifact can be fetched for a minute or so, by whoever knows the address."""
        ...


class ShowsWorkflows(Protocol):
    """Shows workflows: how they were run, what they wait for, and what stands for the names that they use."""

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        """A workflow by its file name; None where there is no such file on the default branch."""
        ...

    async def latest_runs(self, workflows: Sequence[str]) -> Mapping[str, LatestRuns]:
        """The latest runs of many workflows, by node id, in few requests; what is gone is not in it."""
        ...

    async def past_runs(self, repository: Identity, workflow: str, branch: str) -> tuple[PastRun, ...]:
        """The runs of one workflow that tell how its builds ended, further back than `latest_runs`.

        The latest ones of the branch, the latest that succeeded, and the latest that its schedule started.
        """
        ...

    async def environments(self, repository: Identity) -> Mapping[str, EnvironmentProtection]:
        """What each environment asks of deployments, by name in lower case."""
        ...

    async def action_commits(
        self, repository: Identity, actions: Sequence[ActionTag]
    ) -> Mapping[ActionTag, ActionCommit]:
        """Where the tags of public actions point to, asked for on behalf of `repository`; what is not there is not
        in it."""
        ...


class ExpandsPipelines(Protocol):
    """Shows pipelines, and their texts with all templates put in. Every method raises `Failure`."""

    async def workflow(self, repository: Identity, file: str) -> WorkflowShown | None:
        """None where there is none, or where it builds another repository."""
        ...

    async def expanded(self, repository: Identity, workflow: str, branch: str) -> str:
        """The text that a run on the branch would be made of; none is started. Whoever asks has been shown the
        pipeline."""
        ...


class Builder(StartsRuns, FollowsRuns, ShowsWorkflows, KnowsItsSight, Protocol):
    """What the stages ask of what builds a repository, which need not be where it lives. Every method raises
    `Failure`.

    No run is asked for twice: after a lost answer the next attempt looks first.
    """

    async def serving(self, repository: Identity) -> "Builder":
        """The builder as it is asked about several things of this repository's owner at once."""
        ...
