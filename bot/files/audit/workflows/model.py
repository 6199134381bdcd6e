"""What a workflow is once everything that it calls in its own repository is put in."""

from collections.abc import Mapping as Values
from dataclasses import dataclass, field

from bot.files.audit.shell import ShellCommand
from bot.files.formats.source.nodes import Mapping, Scalar

TESTS_ONLY = frozenset({"pull_request", "pull_request_target", "merge_group", "pull_request_review"})
"""Events whose runs are about a change that is not accepted yet."""
COMMENTS = frozenset({"issue_comment", "pull_request_review_comment"})
"""Events of what somebody says, of an issue or a pull request."""
CLOSED = " closed"
"""What stands behind a pull request's event for those of its runs that closing one starts, as merging it does."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One `if`, with what contexts hold where it stands, as far as that is written down."""

    text: str
    values: Values[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class PipelineJob:
    """`name` is its id, with the ids of the jobs that called it before it; `after` are all jobs that end before it.

    `remote` is a reusable workflow of another repository that the job calls, whose steps are not known here.
    `permissions` are those of its token; None where nothing is written down, so that the settings of the repository
    decide.
    """

    name: str
    path: str
    mapping: Mapping
    after: frozenset[str]
    permissions: Values[str, str] | None
    events: frozenset[str]
    remote: str | None = None
    inputs: Values[str, str] = field(default_factory=dict)
    runners: tuple[str, ...] = ()
    """The labels of `runs-on`, with what is written out of the matrix put in."""
    environment: str | None = None
    """The environment that it deploys to, with what is written out put in; None where it names none."""
    is_reusable: bool = False
    """It stands in a workflow that is called, not in the one that an event starts."""
    conditions: tuple[Condition, ...] = ()
    """All that must hold for it to run: its own, those of its callers and of the jobs that it needs."""

    def is_before(self, other: "PipelineJob") -> bool:
        """Whether it has ended when the other one begins: it or its caller is one before."""
        names = self.name.split("/")
        return any("/".join(names[:length]) in other.after for length in range(1, len(names) + 1))

    def may_write(self, scope: str) -> bool | None:
        """Whether its token has a right to write; None where only the repository's settings tell."""
        if self.permissions is None:
            return False if scope == "id-token" else None
        return self.permissions.get(scope) == "write"


@dataclass(frozen=True, slots=True, eq=False)
class PipelineStep:
    """One step as it runs: `uses` and `inputs` or `commands`, with everything put in that is written out.

    `events` are those of the workflow's events for which it may run. `may_fail` is `continue-on-error` of the step
    or anything around it: None where only a run knows. `through` names the local action that it came from.
    """

    path: str
    mapping: Mapping
    job: PipelineJob
    number: int
    id: str
    uses: str
    uses_at: Scalar | None
    inputs: Values[str, str]
    commands: tuple[ShellCommand, ...]
    condition: str
    events: frozenset[str]
    may_fail: bool | None
    environment: Values[str, str]
    through: str = ""
    unread: str = ""
    """Why what the step does is not known: a local action that is no composite one, or is missing."""
    conditions: tuple[Condition, ...] = ()
    """All that must hold for it to run, with those of its job."""

    @property
    def action(self) -> str:
        """`owner/name[/path]` in lower case, empty for commands and local actions."""
        return "" if self.uses.startswith(("./", "docker://")) else self.uses.partition("@")[0].strip().lower()

    @property
    def subject(self) -> str:
        name = self.mapping.scalar("name")
        title = " ".join(name.value.split())[:80] if name is not None else self.uses.partition("@")[0] or "run"
        return f"job {self.job.name} · {title}"

    def is_before(self, other: "PipelineStep") -> bool:
        """Whether it has ended when the other one begins."""
        if self.job is other.job:
            return self.number < other.number
        return self.job.is_before(other.job)

    def input(self, name: str) -> str:
        return self.inputs.get(name, "").strip()


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """One workflow with its jobs and steps in order. `crons` are those of its schedule, with their places."""

    path: str
    root: Mapping
    events: frozenset[str]
    crons: tuple[Scalar, ...]
    dispatch_inputs: tuple[str, ...]
    jobs: tuple[PipelineJob, ...]
    steps: tuple[PipelineStep, ...]

    def steps_until(self, step: PipelineStep) -> list[PipelineStep]:
        """The steps of a job in their order, up to this one of them."""
        return [each for each in self.steps if each.job is step.job and each.number <= step.number]

    @property
    def remote_jobs(self) -> list[PipelineJob]:
        return [job for job in self.jobs if job.remote is not None]
