"""Which steps put images into use, once for each job, and whether a cluster's own policies may look at them there.

Sources: the manuals of kubectl, OpenShift's `oc`, Helm, Argo CD, flyctl, the command lines of AWS, Azure and Google
Cloud, and the actions' `action.yml`.
Clusters have admission, Cloud Run has Binary Authorization and ECS has hooks; Azure's Container Apps, App Service
and Container Instances, AWS Lambda and Fly run what they are told.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.gates import is_test
from bot.files.audit.delivery.templates import TEMPLATE_ACTIONS, deploys_template, runs_containers
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workloads.kubernetes import spec_of
from bot.files.audit.workloads.objects import objects
from bot.files.formats.builds import below

_LOCAL_CLUSTER = re.compile(
    r"(?:^|/)(?:kind-action|setup-kind\w*|setup-minikube|actions-setup-minikube|k3d-action|setup-k3d\S*|actions-k3s"
    r"|microk8s-actions|chart-testing-action)(?:@|$)"
)
_MAKES_CLUSTER = re.compile(r"\b(?:kind|k3d|ctlptl)\s[^\n]*\bcreate\b|\bminikube\s[^\n]*\bstart\b|\bmicrok8s\s")
_MAKES_NO_CONTAINER = frozenset({"secret", "configmap", "namespace", "ns", "serviceaccount", "sa"})
_RUNS_WHAT_IT_IS_TOLD = frozenset(
    {"azure/webapps-deploy", "azure/container-apps-deploy-action", "azure/aci-deploy", *TEMPLATE_ACTIONS}
)
_BUILDS_ITSELF = ("appSourcePath", "dockerfilePath")


def image_deploys(repository: RepositoryTexts) -> list[Deploy]:
    """The first step of each job that puts an image into use where others see it, for each call of the job.

    None of tests, nor of a cluster that the job itself makes.
    """
    return repository.kept(_image_deploys)


def _image_deploys(repository: RepositoryTexts) -> list[Deploy]:
    first_by_job: dict[tuple[int, str | None, str], Deploy] = {}
    for deploy in deliveries(repository).deploys:
        job = deploy.step.job
        key = (id(job.mapping), job.environment, job.name)
        if key not in first_by_job and _counts(repository, deploy):
            first_by_job[key] = deploy
    return list(first_by_job.values())


def _counts(repository: RepositoryTexts, deploy: Deploy) -> bool:
    if is_test(repository, deploy.pipeline) or is_local(deploy):
        return False
    return brings_image(repository, deploy) is not False


def has_admission(deploy: Deploy) -> bool:
    """Whether where it deploys to may have a policy of its own that looks at images."""
    if deploy.command is None:
        return deploy.tool not in _RUNS_WHAT_IT_IS_TOLD
    is_function = deploy.command.words[1:2] == ("lambda",)
    return deploy.command.name not in {"az", "fly", "flyctl"} and not is_function


def builds_itself(deploy: Deploy) -> bool:
    """Whether the step also builds what it deploys, so that nothing can come between."""
    if deploy.command is None:
        return any(deploy.step.input(name) for name in _BUILDS_ITSELF)
    return deploy.command.words[1:3] == ("containerapp", "up") or (
        deploy.command.name in {"fly", "flyctl"} and not deploy.command.has("--image", "-i")
    )


def is_local(deploy: Deploy) -> bool:
    """Whether the job deploys to a cluster that it has made for itself."""
    return any(_makes_cluster(step) for step in deploy.pipeline.steps if step.job is deploy.step.job)


def _makes_cluster(step: PipelineStep) -> bool:
    run = step.mapping.scalar("run")
    is_made = run is not None and _MAKES_CLUSTER.search(run.value) is not None
    return is_made or _LOCAL_CLUSTER.search(step.action) is not None


def brings_image(repository: RepositoryTexts, deploy: Deploy) -> bool | None:
    """Whether a deploy changes which image runs; None where only a run tells."""
    command = deploy.command
    if deploy.tool in TEMPLATE_ACTIONS or (command is not None and deploys_template(command)):
        return runs_containers(repository, deploy.step, command)
    if command is None:
        return _of_action(deploy)
    match command.name:
        case "kubectl" | "oc":
            return _of_kubectl(repository, deploy.step, command)
        case "helm":
            return False if command.has("--dry-run") else None
        case "az" if command.words[1:3] in {("containerapp", "update"), ("containerapp", "job")}:
            return command.has("--image", "-i", "--yaml", "--source")
        case "az" if command.words[1:2] in {("webapp",), ("functionapp",)}:
            return any("image" in word or "compose" in word for word in command.words if word.startswith("-"))
    return None


def _of_action(deploy: Deploy) -> bool | None:
    if deploy.tool == "azure/webapps-deploy":
        return bool(deploy.step.input("images") or deploy.step.input("configuration-file"))
    if deploy.tool == "google-github-actions/deploy-cloudrun":
        return None if not deploy.step.inputs else bool(set(deploy.step.inputs) & {"image", "source", "metadata"})
    return None


def _of_kubectl(repository: RepositoryTexts, step: PipelineStep, command: ShellCommand) -> bool | None:
    words = command.words
    if "rollout" in words[:4]:
        pulls = {"restart", "latest"} & {*words[:5]}  # what a moved tag names
        return None if pulls else False
    if "set" in words[:4]:
        return "image" in words[:5]
    manifest_names = list(_named_files(command))
    if "-" in manifest_names and _is_fed_without_container(step, command):
        return False
    if _works_elsewhere(step):
        return None
    known = [_holds_container(repository, name) for name in manifest_names]
    return False if known and all(each is False for each in known) else None


def _works_elsewhere(step: PipelineStep) -> bool:
    """Whether what a step names may lie in another folder than the repository's root."""
    of_job = step.job.mapping.mapping("defaults").mapping("run").get("working-directory")
    return of_job is not None or step.mapping.get("working-directory") is not None


def _named_files(command: ShellCommand) -> Iterator[str]:
    for before, word in pairwise(command.words):
        if before in {"-f", "--filename"}:
            yield word
    for word in command.words:
        option, equals, value = word.partition("=")
        if equals and option in {"-f", "--filename"}:
            yield value


def _is_fed_without_container(step: PipelineStep, command: ShellCommand) -> bool:
    """Whether what it reads was written by `kubectl create secret --dry-run` or a command of that kind."""
    number = next(number for number, each in enumerate(step.commands) if each is command)
    last = step.commands[number - 1].words if number else ()
    return last[1:2] == ("create",) and bool(_MAKES_NO_CONTAINER & {*last[2:3]})


def _holds_container(repository: RepositoryTexts, name: str) -> bool | None:
    """Whether a file of the repository has a container; None where it is none of them, or cannot be read."""
    path = below("", name)
    if path is None or path not in repository or repository.unreadable(path) is not None:
        return None
    resources = list(objects(repository.documents(path)))
    return any(spec_of(each) is not None for each in resources) if resources else None
