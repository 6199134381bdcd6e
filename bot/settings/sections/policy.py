"""The operator's rules: for which changes and repositories each is, and the terms that it sets."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.policy import ActionPreference, Match, PolicyRule
from bot.domain.rollouts.terms import AutoMerge, MergeMethod, PathWorkflow, Pin, Start, Step
from bot.settings.section import ValueSection, WrittenAs
from bot.settings.values.texts import (
    BranchPrefix,
    CommitMessage,
    Label,
    Name,
    PathGlob,
    Person,
    RebuildWorkflow,
    RepositoryName,
    ShortName,
    WorkflowFile,
)
from bot.settings.values.times import Duration, Period, WindowText

MOST_INPUTS = 25
"""GitHub takes no more of one dispatch; Enterprise Server before 3.20 takes ten."""
InputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$", examples=["environment"])]
InputValue = Annotated[str, Field(max_length=1000)]


class MatchSettings(ValueSection[Match]):
    """What a rule is for. Every condition that is set must hold; {} matches everything."""

    KIND = Match

    repositories: list[Name] = Field([], description="Globs over owner/name.")
    bases: list[Name] = Field([], description="Globs over the full base name.")
    causes: list[Cause] = Field([], description="Causes of change.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")


WrittenMatch = Annotated[Match, WrittenAs(MatchSettings)]


class StepSettings(ValueSection[Step]):
    """What follows once the build has succeeded; each step waits for the one before."""

    KIND = Step

    name: ShortName = Field(description="What the step is called wherever it is told of.")
    workflow: RebuildWorkflow | None = Field(
        None, description="File name of the step's workflow, or a pipeline as above."
    )
    repository: RepositoryName | None = Field(None, description="Where that workflow is, if elsewhere.")
    start: Start = Field(
        Start.DISPATCH,
        description="dispatch, observe for what starts by itself, or running: only the new image runs there.",
    )
    environment: ShortName | None = Field(None, description="Where it is to run, as running.sources name it.")
    inputs: dict[InputName, InputValue] = Field(
        {}, max_length=MOST_INPUTS, description="Further inputs, sent where the workflow declares them."
    )
    timeout: Period = Field(timedelta(hours=2), description="After this time the step has failed.")

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        if self.start is not Start.DISPATCH and self.inputs:
            raise ValueError(f"inputs are sent to what is started; with start: {self.start} leave them out")
        if self.start is not Start.RUNNING and self.environment is not None:
            raise ValueError("environment goes with start: running; leave it out")
        if self.start is not Start.RUNNING and self.workflow is None:
            raise ValueError("workflow is missing: the file name of what the step runs")
        if self.start is Start.RUNNING and self.environment is None:
            raise ValueError("start: running needs environment, where the image is to run")
        if self.start is Start.RUNNING and (self.workflow or self.repository):
            raise ValueError("start: running follows no workflow; leave workflow and repository out")
        return self


class AutoMergeSettings(ValueSection[AutoMerge]):
    """Which pull requests are merged without a person, where the forge requires checks."""

    KIND = AutoMerge

    method: MergeMethod = Field(description="never, merge, squash or rebase; a merge queue goes by its own.")
    causes: list[Cause] = Field([], description="Only changes of these causes; empty means all.")
    min_severity: Severity | None = Field(None, description="Only changes that fix a CVE at least this severe.")

    @model_validator(mode="after")
    def _merges(self) -> Self:
        if self.method is MergeMethod.NEVER and (self.causes or self.min_severity):
            raise ValueError(
                "method: never merges nothing, so causes and min_severity have no effect; leave them out"
            )
        return self


class WorkflowSettings(ValueSection[PathWorkflow]):
    """The part of a monorepo that one workflow builds."""

    KIND = PathWorkflow

    paths: list[PathGlob] = Field(min_length=1, max_length=50, description="Globs over the files that it builds.")
    workflow: WorkflowFile = Field(description="File name of the workflow that builds them.")
    images: list[Name] = Field([], max_length=50, description="Globs over the images that come of it.")


class RuleSettings(ValueSection[PolicyRule]):
    """What shall happen where `match` holds. A term that is left out comes from the next rule that matches."""

    KIND = PolicyRule

    match: WrittenMatch = Field(Match(), description="Which changes and repositories the rule is for.")
    action: ActionPreference | None = Field(None, description="auto, pull_request, dispatch or notify.")
    workflow: RebuildWorkflow | None = Field(
        None, description="File name of the rebuild workflow, or azure-pipelines: ORGANISATION/PROJECT/NUMBER."
    )
    workflows: list[Annotated[PathWorkflow, WrittenAs(WorkflowSettings)]] | None = Field(
        None, max_length=50, description="The workflows of a monorepo, each with the paths that it builds."
    )
    settle: Duration | None = Field(None, description="How long a change waits for those that follow it.")
    windows: list[WindowText] | None = Field(None, max_length=50, description="When work may start.")
    max_age: Period | None = Field(None, description="How old the last successful build may become.")
    wave: ShortName | None = Field(None, description="Wave that the repositories belong to.")
    soak: Duration | None = Field(None, description="How long their wave must have stood, where not as it says.")
    steps: list[Annotated[Step, WrittenAs(StepSettings)]] | None = Field(
        None, max_length=20, description="What follows the build, such as pre-production and canary."
    )
    pin: Pin | None = Field(None, description="What a pull request writes: keep, floating or digest.")
    follow_rollbacks: bool | None = Field(
        None,
        description="Follow a tag that went back to an older version; else that is only told.",
    )
    auto_merge: Annotated[AutoMerge, WrittenAs(AutoMergeSettings)] | None = Field(
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
    fix_within: dict[Severity, Period] | None = Field(None, description="How soon fixes are to run, by severity.")

    @model_validator(mode="after")
    def _promises_for_repositories(self) -> Self:
        if self.fix_within is not None and (self.match.bases or self.match.causes or self.match.min_severity):
            raise ValueError(
                "fix_within goes by repositories alone; leave bases, causes and min_severity out of match"
            )
        return self


WrittenRule = Annotated[PolicyRule, WrittenAs(RuleSettings)]
