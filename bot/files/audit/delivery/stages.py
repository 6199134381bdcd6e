"""To which stage a step deploys, as far as its words tell, and what keeps it from doing so at once for all.

Sources: the manuals of Argo Rollouts, Flagger, the Azure CLI, gcloud and flyctl, and the actions' `action.yml`.
"""

import re
from collections.abc import Iterable
from enum import Enum

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.deploys import has_admission
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workloads.gitops import kind_of, objects_of, subject_of
from bot.files.formats.source.nodes import Mapping

_PRODUCTION = frozenset({"prod", "production", "prd"})
_EARLIER = frozenset(
    {"dev", "development", "staging", "stage", "stg", "qa", "uat", "preprod", "preview", "sandbox", "nonprod"}
)
_NOT_YET = re.compile(r"\b(pre|non|not)[-_. ]?(prod)(?:uction)?\b", re.IGNORECASE)
_TO_TEST = re.compile(r"(?:^|deploy[-_ ]?(?:to[-_ ]?)?)(?:tests?|testing|tst|acc|acceptance|int|demo|canary)$")
_ASSIGNS = re.compile(r"^[A-Z][A-Z0-9_]*=")
"""What a program is told, such as `ASPNETCORE_ENVIRONMENT=Production`, which names no stage."""
_NAMING_INPUTS = (
    *("slot-name", "namespace", "resource-group", "resourceGroup", "app-name", "containerAppName"),
    *("containerAppEnvironment", "service", "cluster", "manifests"),
)
_APPROVING = re.compile(r"manual-?approv|wait-for-approv|approval-gate")
_STEPWISE = (
    ("kubectl", "argo", "rollouts"),
    ("kubectl-argo-rollouts",),
    ("az", "containerapp", "ingress", "traffic"),
    ("az", "containerapp", "revision"),
    ("az", "webapp", "deployment", "slot", "swap"),
    ("az", "webapp", "traffic-routing"),
    ("gcloud", "run", "services", "update-traffic"),
)


class DeployStage(Enum):
    """Whether a deploy is of production."""

    PRODUCTION = "production"
    EARLIER = "a stage before production"
    NOT_TOLD = "not told"


def stage_of(deploy: Deploy) -> DeployStage:
    """By the first of environment, job, command, step and file whose words name a stage."""
    job = deploy.step.job
    own_name = job.name.rpartition("/")[2]
    name = deploy.step.mapping.scalar("name")
    caller = job.name.rpartition("/")[0]
    for texts in (
        [job.environment or ""],
        [own_name],
        list(_words_of(deploy)),
        [caller],
        [name.value if name is not None else ""],
        [deploy.pipeline.path.rpartition("/")[2].partition(".")[0]],
    ):
        stage = _named(texts)
        if stage is not DeployStage.NOT_TOLD:
            return stage
    return DeployStage.NOT_TOLD


def _words_of(deploy: Deploy) -> Iterable[str]:
    if deploy.command is not None:
        return (word for word in deploy.command.words if not _ASSIGNS.match(word))
    return (deploy.step.input(name) for name in _NAMING_INPUTS)


def names_production(environment: str) -> bool:
    """Whether the name of an environment is that of production."""
    return _named([environment]) is DeployStage.PRODUCTION


def _named(texts: Iterable[str]) -> DeployStage:
    words = set[str]()
    for text in texts:
        if "${{" in text:
            text = re.sub(r"\$\{\{.*?\}\}", " ", text, flags=re.DOTALL)
        plain = _NOT_YET.sub(lambda match: "nonprod", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", text)).lower()
        words |= set(re.split(r"[^a-z0-9]+", plain))
        if _TO_TEST.search(plain):
            words.add("nonprod")
    is_production, is_earlier = bool(words & _PRODUCTION), bool(words & _EARLIER)
    if is_production == is_earlier:
        return DeployStage.NOT_TOLD
    return DeployStage.PRODUCTION if is_production else DeployStage.EARLIER


def gate_of(repository: RepositoryTexts, deploy: Deploy) -> str:
    """What in the files keeps a deploy from reaching all at once and unasked, in words; empty for nothing."""
    for step in deploy.pipeline.steps:
        if step.is_before(deploy.step) and _APPROVING.search(step.action):
            return f"{step.uses} waits for an approval before it"
    for other in deliveries(repository).deploys:
        is_before = other.pipeline is deploy.pipeline and other.step.is_before(deploy.step)
        if is_before and stage_of(other) is DeployStage.EARLIER:
            return f"{other.step.subject} deploys to an earlier stage before it"
    if any(_is_stepwise(step) for step in deploy.pipeline.steps if step.job is deploy.step.job):
        return "it is rolled out by steps"
    if has_admission(deploy) and (rolled := repository.kept(_rolled_out_by)):
        return f"{rolled} rolls it out by steps"
    return ""


def _is_stepwise(step: PipelineStep) -> bool:
    asked = (step.input("strategy"), step.input("deployment-strategy"))
    if any(each.lower() in {"canary", "blue-green", "bluegreen"} for each in asked):
        return True
    if step.input("codedeploy-appspec") or step.input("no_traffic").lower() == "true":
        return True
    return any(map(_is_command_stepwise, step.commands))


def _is_command_stepwise(command: ShellCommand) -> bool:
    words = (command.name, *command.words[1:])
    if any(words[: len(way)] == way for way in _STEPWISE):
        return True
    if command.has("--no-traffic"):
        return True
    return command.option("--strategy") in {"canary", "bluegreen"}


def _rolled_out_by(repository: RepositoryTexts) -> str:
    """The object of Argo Rollouts or Flagger by which something is rolled out by steps; empty for none."""
    for _, manifest in objects_of(repository, "flagger.app"):
        if kind_of(manifest) == "Canary":
            return subject_of(manifest)
    for _, manifest in objects_of(repository, "argoproj.io"):
        strategy = manifest.mapping("spec").mapping("strategy")
        is_stepwise = any(isinstance(strategy.get(key), Mapping) for key in ("canary", "blueGreen"))
        if kind_of(manifest) == "Rollout" and is_stepwise:
            return subject_of(manifest)
    return ""
