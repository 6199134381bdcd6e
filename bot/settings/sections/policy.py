"""The operator's rules: for which changes and repositories each is, and the terms that it sets."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import ActionPreference, Match, PolicyRule
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, PathWorkflow, Pin, Start, Step
from bot.settings.section import Section
from bot.settings.values.texts import (
    BranchPrefix,
    CommitMessage,
    Label,
    Name,
    PathGlob,
    Person,
    RepositoryName,
    ShortName,
    WorkflowFile,
)
from bot.settings.values.times import Duration, Period, WindowText

MOST_INPUTS = 25
"""GitHub takes no more of one dispatch; Enterprise Server before 3.20 takes ten."""
InputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$")]
InputValue = Annotated[str, Field(max_length=1000)]


class MatchSettings(Section):
    """What a rule is for. Every condition that is set must hold; {} matches everything."""

    repositories: list[Name] = Field([], description="Globs over owner/name.")
    bases: list[Name] = Field([], description="Globs over the full base name.")
    causes: list[Cause] = Field([], description="Causes of change.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")

    def match(self) -> Match:
        return Match(tuple(self.repositories), tuple(self.bases), tuple(self.causes), self.min_severity)


class StepSettings(Section):
    """A workflow to run once the build has succeeded; each step waits for the one before."""

    name: ShortName = Field(description="What the step is called wherever it is told of.")
    workflow: WorkflowFile = Field(description="File name of the step's workflow.")
    repository: RepositoryName | None = Field(None, description="Where that workflow is, if elsewhere.")
    start: Start = Field(Start.DISPATCH, description="dispatch, or observe for what starts by itself.")
    inputs: dict[InputName, InputValue] = Field(
        {}, max_length=MOST_INPUTS, description="Further inputs, sent where the workflow declares them."
    )
    timeout: Period = Field(timedelta(hours=2), description="After this time the step has failed.")

    def step(self) -> Step:
        return Step(
            self.name, self.workflow, self.repository, self.start, tuple(sorted(self.inputs.items())), self.timeout
        )


class AutoMergeSettings(Section):
    """Which pull requests are merged without a person, where the forge requires checks."""

    method: MergeMethod = Field(description="never, merge, squash or rebase; a merge queue goes by its own.")
    causes: list[Cause] = Field([], description="Only changes of these causes; empty means all.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")

    def terms(self) -> AutoMerge:
        return AutoMerge(self.method, tuple(self.causes), self.min_severity)


class WorkflowSettings(Section):
    """The part of a monorepo that one workflow builds."""

    paths: list[PathGlob] = Field(min_length=1, max_length=50, description="Globs over the files that it builds.")
    workflow: WorkflowFile = Field(description="File name of the workflow that builds them.")
    images: list[Name] = Field([], max_length=50, description="Globs over the images that come of it.")

    def part(self) -> PathWorkflow:
        return PathWorkflow(tuple(self.paths), self.workflow, tuple(self.images))


class RuleSettings(Section):
    """What shall happen where `match` holds. A term that is left out comes from the next rule that matches."""

    match: MatchSettings = Field(MatchSettings(), description="Which changes and repositories the rule is for.")
    action: ActionPreference | None = Field(None, description="auto, pull_request, dispatch or notify.")
    workflow: WorkflowFile | None = Field(None, description="File name of the rebuild workflow.")
    workflows: list[WorkflowSettings] | None = Field(
        None, max_length=50, description="The workflows of a monorepo, each with the paths that it builds."
    )
    settle: Duration | None = Field(None, description="How long a change waits for those that follow it.")
    windows: list[WindowText] | None = Field(None, max_length=50, description="When work may start.")
    max_age: Period | None = Field(None, description="How old the last successful build may become.")
    wave: ShortName | None = Field(None, description="Wave that the repositories belong to.")
    soak: Duration | None = Field(None, description="How long their wave must have stood, where not as it says.")
    steps: list[StepSettings] | None = Field(
        None, max_length=20, description="What follows the build, such as pre-production and canary."
    )
    pin: Pin | None = Field(None, description="What a pull request writes: keep, floating or digest.")
    follow_rollbacks: bool | None = Field(
        None,
        description="Whether a tag that went back to an older version is followed; else that is only told.",
    )
    auto_merge: AutoMergeSettings | None = Field(
        None, description="Which pull requests are merged without a person."
    )
    draft: bool | None = Field(None, description="Open pull requests as drafts.")
    labels: list[Label] | None = Field(None, max_length=20, description="Labels of pull requests.")
    reviewers: list[Person] | None = Field(
        None, max_length=15, description="People and teams asked to review, where the repository names none."
    )
    assignees: list[Person] | None = Field(None, max_length=10, description="People assigned to pull requests.")
    branch_prefix: BranchPrefix | None = Field(None, description="How the names of the bot's branches begin.")
    commit_message: CommitMessage | None = Field(
        None, description="First line of commits; {bases} stands for what moved."
    )

    def rule(self) -> PolicyRule:
        """Returns the rule as planning knows it."""
        return PolicyRule(
            match=self.match.match(),
            action=self.action,
            workflow=self.workflow,
            settle=self.settle,
            windows=_tuple(self.windows),
            max_age=self.max_age,
            wave=self.wave,
            soak=self.soak,
            steps=None if self.steps is None else tuple(step.step() for step in self.steps),
            workflows=None if self.workflows is None else tuple(part.part() for part in self.workflows),
            auto_merge=None if self.auto_merge is None else self.auto_merge.terms(),
            pin=self.pin,
            follow_rollbacks=self.follow_rollbacks,
            draft=self.draft,
            labels=_tuple(self.labels),
            reviewers=_tuple(self.reviewers),
            assignees=_tuple(self.assignees),
            branch_prefix=self.branch_prefix,
            commit_message=self.commit_message,
        )


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
