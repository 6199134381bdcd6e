"""What the steps of a pipeline do with images: build, push, scan, sign, attest, verify, deploy.

Actions are known by name and inputs, programs by their command lines. Sources: the `action.yml` of each action, and
the manuals of Docker, Buildx, Trivy, Grype, Docker Scout, cosign and syft.
"""

import re
from collections.abc import Iterable

from bot.files.audit.delivery.action_versions import named_by_parts, pushes_unasked
from bot.files.audit.delivery.artifacts import OtherArtifact, artifact_of, without_artifacts
from bot.files.audit.delivery.delivery import Attestation, Deliveries, Deploy, Push, Signing, Verification
from bot.files.audit.delivery.github_builder import remote_build
from bot.files.audit.delivery.pushing import (
    listed_names,
    only_local,
    operands_of,
    pushed_names,
    pushes_by_output,
    pushes_on,
    set_by_bake,
)
from bot.files.audit.delivery.scanning import scan_of_action, scan_of_command
from bot.files.audit.delivery.templates import TEMPLATE_ACTIONS, deploys_template
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineStep
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.nodes import Mapping

BUILD_PUSH = "docker/build-push-action"
BAKE = "docker/bake-action"
PUSHING_ACTIONS = {
    BUILD_PUSH,
    "depot/build-push-action",
    "namespacelabs/nscloud-build-push-action",
    "useblacksmith/build-push-action",
    "redhat-actions/push-to-registry",
    "mr-smithers-excellent/docker-build-push",
    "elgohr/publish-docker-github-action",
    "macbre/push-to-ghcr",
    "whoan/docker-build-with-cache-action",
}
_ALWAYS_PUSHING = PUSHING_ACTIONS - {
    BUILD_PUSH,
    "depot/build-push-action",
    "namespacelabs/nscloud-build-push-action",
    "useblacksmith/build-push-action",
}
_TOLD_NOT_TO_PUSH = {"no_push": "true", "pushImage": "false", "push_image_and_stages": "false"}
BUILT_BY_ENGINE = _ALWAYS_PUSHING - {"redhat-actions/push-to-registry"}
"""Actions that run `docker build` and `docker push` of the machine."""
BUILDKIT_ACTIONS = PUSHING_ACTIONS - _ALWAYS_PUSHING
ISOLATED_PROVENANCE = "slsa-framework/slsa-github-generator/.github/workflows/generator_container"
_DEPLOYING_ACTIONS = (
    "azure/webapps-deploy",
    "azure/k8s-deploy",
    "azure/container-apps-deploy-action",
    "azure/aci-deploy",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "google-github-actions/deploy-cloudrun",
    *TEMPLATE_ACTIONS,
)
_SBOM_FORMATS = frozenset({"cyclonedx", "spdx", "spdx-json"})
LOCAL_KEY = "localkeys"
"""Stands for a key of Notation in a file."""
_LOCAL_KEY = re.compile(r"notation/localkeys|notation\s+cert(?:ificate)?\s+generate-test")
SCANNERS = r"\b(?:trivy|grype|scout|snyk)\b"
SIGNERS = r"\b(?:cosign|notation)\b"


def deliveries(repository: RepositoryTexts) -> Deliveries:
    """Reads what the workflows of a repository do with images: push, scan, sign, attest, verify, deploy.

    Never raises.
    """
    return repository.kept(_deliveries)


def _deliveries(repository: RepositoryTexts) -> Deliveries:
    return deliveries_of(pipelines(repository))


def deliveries_of(pipelines: Iterable[Pipeline]) -> Deliveries:
    """What these pipelines do with images."""
    deliveries = Deliveries()
    artifacts: list[OtherArtifact] = []
    for pipeline in pipelines:
        for job in pipeline.remote_jobs:
            build = remote_build(pipeline, job)
            if build is not None:
                deliveries.remote_builds.append(build)
        for step in pipeline.steps:
            if step.events - TESTS_ONLY:
                _of_action(pipeline, step, deliveries)
                for command in step.commands:
                    if command.branch.is_taken is False:
                        continue
                    _of_command(pipeline, step, command, deliveries)
                    if (artifact := artifact_of(pipeline, command)) is not None:
                        artifacts.append(artifact)
    deliveries.signings = without_artifacts(deliveries.signings, artifacts, deliveries.pushes)
    return deliveries


def _of_action(pipeline: Pipeline, step: PipelineStep, deliveries: Deliveries) -> None:
    action = step.action
    if not action:
        return
    if action in BUILDKIT_ACTIONS or action == BAKE:
        flag = step.input("push") or ("true" if pushes_unasked(step) else "false")
        events = pushes_on(step, flag, pipeline.root) | pushes_by_output(step, pipeline.root)
        names = named_by_parts(step) if pushes_unasked(step) else listed_names(step.input("tags"))
        if events - TESTS_ONLY and not only_local(names or set_by_bake(step, "tags")):
            deliveries.pushes.append(_push(pipeline, step, events, names, action))
    elif action in _ALWAYS_PUSHING:
        names = listed_names(step.input("image") or step.input("name") or step.input("image_name"))
        if any(step.input(name).lower() == value for name, value in _TOLD_NOT_TO_PUSH.items()):
            return
        deliveries.pushes.append(_push(pipeline, step, step.events, names, action))
    elif action in _DEPLOYING_ACTIONS:
        deliveries.deploys.append(Deploy(pipeline, step, action))
    elif action in {"actions/attest-build-provenance", "actions/attest"}:
        if step.input("subject-path") or step.input("subject-checksums"):
            return  # about files, not about an image
        statement = "sbom" if step.input("sbom-path") else step.input("predicate-type") or "provenance"
        deliveries.attestations.append(Attestation(pipeline, step, action, statement, True))
    elif action == "actions/attest-sbom":
        deliveries.attestations.append(Attestation(pipeline, step, action, "sbom", True))
    elif action == "anchore/sbom-action":
        deliveries.attestations.append(Attestation(pipeline, step, action, "sbom-file", False))
    scan = scan_of_action(pipeline, step)
    if scan is not None:
        deliveries.scans.append(scan)


def _of_command(pipeline: Pipeline, step: PipelineStep, command: ShellCommand, deliveries: Deliveries) -> None:
    words = command.words
    name = command.name
    pushed = pushed_names(command)
    if pushed is not None and not only_local(pushed):
        deliveries.pushes.append(_push(pipeline, step, step.events, pushed, " ".join(words[:2]), command))
    scan = scan_of_command(pipeline, step, command)
    if scan is not None:
        deliveries.scans.append(scan)
    match _words_after(words, "cosign"):
        case ("sign", *arguments):
            key, has_token = command.option("--key", "-key"), command.has("--identity-token")
            deliveries.signings.append(
                Signing(pipeline, step, "cosign", operands_of(tuple(arguments)), key, has_token)
            )
        case ("attest", *_):
            kind = command.option("--type") or "custom"
            statement = "sbom" if kind in {"spdx", "spdxjson", "cyclonedx"} else kind
            statement = "provenance" if kind.startswith("slsaprovenance") else statement
            deliveries.attestations.append(Attestation(pipeline, step, "cosign attest", statement, True))
        case ("attach", "sbom", *_):
            deliveries.attestations.append(Attestation(pipeline, step, "cosign attach", "sbom", False))
        case ("verify" | "verify-attestation", *_):
            deliveries.verifications.append(Verification(pipeline, step, command))
    if name == "notation" and words[1:2] == ("sign",):
        key = _key_of_notation(step, command)
        deliveries.signings.append(Signing(pipeline, step, "notation", operands_of(words[2:]), key))
    elif name == "syft" or (name == "trivy" and command.option("--format", "-f") in _SBOM_FORMATS):
        deliveries.attestations.append(Attestation(pipeline, step, name, "sbom-file", False))
    if _deploys(command):
        deliveries.deploys.append(Deploy(pipeline, step, " ".join(words[:2]), command))


def _push(
    pipeline: Pipeline,
    step: PipelineStep,
    events: frozenset[str],
    names: tuple[str, ...],
    tool: str,
    command: ShellCommand | None = None,
) -> Push:
    return Push(pipeline, step, events - TESTS_ONLY, names, tool, command, events & TESTS_ONLY)


def _key_of_notation(step: PipelineStep, command: ShellCommand) -> str:
    """Where the key is that Notation signs with: in a key service, by a plugin, or in a file of the machine."""
    steps = [each for each in step.job.mapping.sequence("steps") if isinstance(each, Mapping)]
    texts = [run.value for each in steps if (run := each.scalar("run")) is not None]
    if command.has("--plugin", "--id") or any("--plugin" in text for text in texts):
        return "kms"
    return LOCAL_KEY if any(map(_LOCAL_KEY.search, texts)) else UNKNOWN


def _words_after(words: tuple[str, ...], program: str) -> tuple[str, ...]:
    """What follows a program, also one that `xargs` or `parallel` runs."""
    for number, word in enumerate(words):
        if word.rpartition("/")[2] == program and (
            number == 0 or words[0].rpartition("/")[2] in {"xargs", "parallel"}
        ):
            return words[number + 1 :]
    return ()


def _deploys(command: ShellCommand) -> bool:
    words, name = command.words, command.name
    arguments = words[1:]
    match name:
        case "kubectl" | "oc":
            return any(
                word in {"apply", "set", "rollout"} for word in arguments[:3]
            ) and "--dry-run" not in " ".join(arguments)
        case "helm":
            return arguments[:1] in {("upgrade",), ("install",)}
        case "az":
            return arguments[:2] in {
                ("containerapp", "update"),
                ("containerapp", "create"),
                ("containerapp", "up"),
            } or (
                arguments[:3] in {("webapp", "config", "container"), ("functionapp", "config", "container")}
                or arguments[:2] in {("container", "create"), ("webapp", "create"), ("functionapp", "create")}
                or (arguments[:2] == ("containerapp", "job") and arguments[2:3] in {("update",), ("create",)})
                or deploys_template(command)
            )
        case "aws":
            return _deploys_to_aws(command)
        case "argocd":
            return arguments[:2] == ("app", "sync")
        case "flyctl" | "fly":
            return arguments[:1] == ("deploy",)
        case "gcloud":
            return arguments[:1] == ("run",) and ("deploy" in arguments[1:3] or command.has("--image"))
        case "rx":
            return arguments[:2] == ("create", "job") and arguments[2:3] in {("deploy",), ("promote",)}
    return False


def _deploys_to_aws(command: ShellCommand) -> bool:
    match command.words[1:3]:
        case ("ecs", "update-service"):
            return command.has("--force-new-deployment", "--task-definition")
        case ("lambda", "update-function-code" | "create-function"):
            return command.has("--image-uri") or "ImageUri" in " ".join(command.words)
        case ("apprunner", "start-deployment" | "update-service" | "create-service"):
            return True
    return False
