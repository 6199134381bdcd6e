"""What a repository's pipelines do with images, as values."""

from dataclasses import dataclass, field

from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import Pipeline, PipelineJob, PipelineStep


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """One step that brings an image to a registry others pull from, for at least one accepted change.

    `names` are references as written; `command` is set where a shell does it.
    """

    pipeline: Pipeline
    step: PipelineStep
    events: frozenset[str]
    names: tuple[str, ...]
    tool: str
    command: ShellCommand | None = None
    of_changes: frozenset[str] = frozenset()
    """Those events about a change that is not accepted yet for which it may be brought there too."""

    @property
    def subject(self) -> str:
        return self.step.subject


@dataclass(frozen=True, slots=True, eq=False)
class ImageScan:
    """One look of a scanner at an image. `severities` are those that its gate counts, None where all do.

    `blocks` says whether a finding ends the run: None where that is not known. `gates_severities` is False where
    the scanner writes its report with no regard to them. `report` is the SARIF file that it writes, if any.
    """

    pipeline: Pipeline
    step: PipelineStep
    tool: str
    target: str
    blocks: bool | None
    why: str
    severities: frozenset[str] | None
    gates_severities: bool
    ignores_unfixed: bool | None
    report: str | None
    events: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Signing:
    """One `cosign sign`, or an action that does it. `names` are what is signed."""

    pipeline: Pipeline
    step: PipelineStep
    tool: str
    names: tuple[str, ...]
    key: str | None
    has_token: bool = False
    """Whether it is given a token of an identity, and needs none of the job's."""


@dataclass(frozen=True, slots=True, eq=False)
class Attestation:
    """A step that signs a statement about the image: `what` is `provenance`, `sbom` or the type as written."""

    pipeline: Pipeline
    step: PipelineStep
    tool: str
    what: str
    is_signed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """One `cosign verify` of an image, or a command of that kind."""

    pipeline: Pipeline
    step: PipelineStep
    command: ShellCommand


@dataclass(frozen=True, slots=True, eq=False)
class Deploy:
    """A step that puts an image into use, with the tool that does it; `command` is set where a shell does it."""

    pipeline: Pipeline
    step: PipelineStep
    tool: str
    command: ShellCommand | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RemoteBuild:
    """A job that has a known reusable workflow of others build and push, with what it is asked for.

    None where only a run knows what an input is; `events` are the accepted ones for which it may push.
    """

    pipeline: Pipeline
    job: PipelineJob
    events: frozenset[str]
    gets_sbom: bool | None
    is_signed: bool | None

    @property
    def subject(self) -> str:
        return f"job {self.job.name}"

    def input(self, name: str) -> str:
        return self.job.inputs.get(name, "").strip()


@dataclass(slots=True)
class Deliveries:
    """What all pipelines of one repository do with images, by kind."""

    pushes: list[Push] = field(default_factory=list)
    scans: list[ImageScan] = field(default_factory=list)
    signings: list[Signing] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    deploys: list[Deploy] = field(default_factory=list)
    remote_builds: list[RemoteBuild] = field(default_factory=list)

    def pushing(self) -> list[Pipeline]:
        """The pipelines that push, in order, each once."""
        return list(dict.fromkeys(push.pipeline for push in self.pushes))
