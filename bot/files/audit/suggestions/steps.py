"""Steps that could stand behind a push: a scan, a signature, an attestation of what was pushed, by its digest.

They are for people to look at: a job gets rights by them, and a scan may end runs that went well until now.
"""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Values

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.delivery.action_versions import VERSION_COMMENT, knows_statements, pushes_unasked
from bot.files.audit.delivery.builders import NEW_ENOUGH, builders_before, without_statements
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.gates import about
from bot.files.audit.delivery.pushing import listed_names
from bot.files.audit.delivery.reports import takes_any_artifact
from bot.files.audit.delivery.statements import JOINED, why_no_index
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.build_arguments import secret_arguments
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.items import item_after, item_before
from bot.files.audit.splicing.keys import NotSpliceable, check_spliceable, edits_of, merged, with_key
from bot.files.audit.suggestions.actions import ATTEST, BUILD_PUSH, COSIGN_INSTALLER, SETUP_BUILDX, TRIVY
from bot.files.audit.suggestions.rights import check_own_workflow, rights
from bot.files.audit.suggestions.told_by_push import (
    WITH_DIGEST,
    PushedImage,
    condition_of,
    known_name,
    pushed_image,
    shell_lines,
)
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping

_OTHER_INPUTS = "version 1 of the action has other inputs, and tells no digest"


def sign_after(repository: RepositoryTexts, push: Push, advice: str) -> Fix:
    """Suggests to sign what is pushed with the workflow's own identity."""
    return _after(
        repository,
        push,
        advice,
        {"id-token": "write"},
        lambda image: [
            [f"- uses: {COSIGN_INSTALLER}"],
            [
                "- name: Sign the image",
                *shell_lines(push),
                "  env:",
                f"    IMAGE: {image.name}",
                f"    DIGEST: {image.digest}",
                f'  run: cosign sign --yes "{image.variable}@${{DIGEST}}"',
            ],
        ],
    )


def attest_after(repository: RepositoryTexts, push: Push, advice: str) -> Fix:
    """Suggests to have GitHub sign how the image was built."""
    return _after(
        repository,
        push,
        advice,
        {"id-token": "write", "attestations": "write"},
        lambda image: [
            *image.in_small_letters,
            [
                f"- uses: {ATTEST}",
                "  with:",
                f"    subject-name: {_of_index(push)}{image.small_name}",
                f"    subject-digest: {image.digest}",
                "    push-to-registry: true",
            ],
        ],
        "attested-image",
    )


def _rights_behind(repository: RepositoryTexts, push: Push) -> dict[str, str]:
    """The rights that all suggestions behind the pushes of a job need: what is written for several of them is
    written alike, since a job has its rights once."""
    needed_rights = {}
    for each in deliveries(repository).pushes:
        if each.step.job is push.step.job and each.step.action in WITH_DIGEST:
            attestations = about(repository, each, deliveries(repository).attestations)
            is_attested = any(made.what == "provenance" for made in attestations)
            if not is_attested or not about(repository, each, deliveries(repository).signings):
                needed_rights["id-token"] = "write"
            if not is_attested:
                needed_rights["attestations"] = "write"
    return needed_rights


def _of_index(push: Push) -> str:
    """What stands before the name of an image of Docker Hub, which is attested under that of its index alone.

    Where only a run knows the registry, the job's logins tell whether it is Docker Hub, if they are all alike.
    """
    name = known_name(push)
    host, slash, _ = name.partition("/")
    if host in _DOCKER_HUB:
        raise NotSpliceable(f"an attestation names the registry index.docker.io in place of {host}")
    if not is_unknown(host):
        is_of_hub = slash and not ("." in host or ":" in host or host == "localhost")
        return "index.docker.io/" if is_of_hub else ""
    outside = EXPRESSION.sub("", host)
    if "." in outside or ":" in outside:
        return ""
    of_hub = {None if is_unknown(name) else name in {"", *_DOCKER_HUB} for name in _registries(push)}
    if of_hub not in ({True}, {False}):
        raise NotSpliceable("only a run knows the registry, and Docker Hub's images are attested under another")
    return "index.docker.io/" if of_hub == {True} else ""


def _registries(push: Push) -> Iterator[str]:
    """The registries that the job logs in to before the push, as they are written; empty for Docker Hub."""
    for step in push.pipeline.steps_until(push.step):
        if step.action == "docker/login-action":
            yield step.input("registry")
        elif step.action == "aws-actions/amazon-ecr-login":
            yield "amazonaws.com"
        elif any(each.words[:3] == ("az", "acr", "login") for each in step.commands):
            yield "azurecr.io"


_DOCKER_HUB = frozenset({"docker.io", "registry-1.docker.io"})


def scan_after(repository: RepositoryTexts, push: Push, advice: str) -> Fix:
    """Suggests to scan what was pushed, before anything that comes after it."""
    return _after(
        repository,
        push,
        advice,
        {},
        lambda image: [
            *image.in_small_letters,
            [
                f"- uses: {TRIVY}",
                "  with:",
                f"    image-ref: {image.small_name}@{image.digest}",
                "    exit-code: '1'",
                "    severity: HIGH,CRITICAL",
                "    ignore-unfixed: true",
            ],
        ],
        "scanned-image",
    )


def provenance_on(repository: RepositoryTexts, push: Push, advice: str) -> Fix:
    """Suggests to have the build attach provenance, with a builder that can store it; not while that would show the
    secrets which the build is given as arguments."""
    if would_show := _would_show_secret(push, advice):
        return would_show
    advice += _beside(push)
    inputs = push.step.mapping.get("with")
    setting = inputs.scalar("provenance") if isinstance(inputs, Mapping) else None
    if push.step.action not in WITH_DIGEST or not isinstance(inputs, Mapping) or setting is None:
        return Fix(advice)
    try:
        edits = edits_of(with_key(repository, inputs, "provenance", ["mode=max"], advice))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return with_builder(repository, push, Fix(advice, edits)).as_suggestion


def _would_show_secret(push: Push, advice: str) -> Fix | None:
    """What comes before the advice where the build is given secrets as arguments, which provenance would show."""
    given = secret_arguments(push)
    why = f"provenance shows the build's arguments, and {given[0][1][:80]} is a secret" if given else ""
    return Fix(f"hand no secret to the build as an argument; then {advice}", left_alone=why) if given else None


def sbom_on(repository: RepositoryTexts, push: Push, inputs: Mapping) -> Fix:
    """The fix that asks the build for an SBOM, of an action that knows it, with a builder that stores it.

    A newer action, or the first builder that stores statements, attaches provenance as well.
    """
    advice = f"set sbom: true{_beside(push)}"
    is_first = knows_statements(push.step) is not True or not builders_before(push)
    if is_first and (would_show := _would_show_secret(push, advice)):
        return would_show
    if why := why_no_index(push):
        return Fix(advice, left_alone=f"{why}, and {_made_by_statement(push)}")
    fix = with_key(repository, inputs, "sbom", ["true"], advice)
    if not fix.edits or knows_statements(push.step) is True:
        return with_builder(repository, push, fix)
    advice = f"{advice}, with {BUILD_PUSH.partition(' # ')[2]} of {push.step.action}"
    try:
        raised = Fix(advice, merged((*fix.edits, _newer_action(repository, push.step))))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return with_builder(repository, push, raised)


def _made_by_statement(push: Push) -> str:
    """What an SBOM makes of what is pushed, by the platforms that it is built for."""
    platforms = push.step.input("platforms")
    if len(listed_names(platforms)) > 1:
        return "an SBOM stands in the index beside the platforms as well"
    makes = "an SBOM makes what is pushed an index"
    return f"{makes}, unless its platforms do" if is_unknown(platforms) else makes


def _newer_action(repository: RepositoryTexts, step: PipelineStep) -> Edit:
    """The edit that names the newest known version of the build action. Raises `NotSpliceable`.

    From version 6 on it uploads the build's record as an artifact, which must get among no others.
    """
    if pushes_unasked(step):
        raise NotSpliceable(_OTHER_INPUTS)
    steps = (each for pipeline in pipelines(repository) for each in pipeline.steps)
    if taker := next(filter(takes_any_artifact, steps), None):
        raise NotSpliceable(
            f"{taker.subject} downloads artifacts of any name, and newer versions of {step.action} upload one"
        )
    written, path = step.uses_at, step.path
    runners = step.job.runners
    if not runners or not all(each.lower().startswith(_OF_GITHUB) for each in runners):
        raise NotSpliceable(f"whether its runner takes a newer version of {step.action} is not known")
    if written is None or written.source is not repository.text(path):
        raise NotSpliceable("it is put together from several files")
    check_spliceable(written.source)
    comment = VERSION_COMMENT.match(written.source, written.end)
    end = comment.end() if comment is not None else written.end
    is_last = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|$)").match(written.source, end) is not None
    if written.source[written.start : written.end] != written.value or not is_last:
        raise NotSpliceable("the action does not stand alone on its line")
    return Edit(path, Span(written.start, end), BUILD_PUSH)


_OF_GITHUB = ("ubuntu-", "windows-", "macos-")
"""Runners that are always new enough."""


def with_builder(repository: RepositoryTexts, push: Push, fix: Fix) -> Fix:
    """The fix with a builder that can store what it asks for; where one must be set up, it is a suggestion.

    Nothing is changed where what is set up cannot store it, or what joins or loads the images cannot take it.
    """
    if not fix.edits:
        return fix
    if _joins_manifests(push):
        return Fix(
            fix.advice, left_alone="`docker manifest create` joins the images, and takes none with statements"
        )
    if _loads(push):
        why = "the build loads the image too, and Docker's exporter refuses one with statements"
        return Fix(fix.advice, left_alone=why)
    if named := without_statements(push):
        is_old, what = named
        return Fix(fix.advice, left_alone=what if is_old else f"which version {what} is, is not told")
    builders = builders_before(push)
    if any(each.input("driver") == "docker" for each in builders):
        return Fix(fix.advice, left_alone="the builder has the driver docker, which need not store statements")
    if builders or push.step.action != "docker/build-push-action":
        return fix
    try:
        builder = item_before(repository, push.step.mapping, [f"- uses: {SETUP_BUILDX}"])
    except NotSpliceable as error:
        return Fix(fix.advice, left_alone=str(error))
    return Fix(fix.advice, suggested=(*fix.edits, builder))


def _beside(push: Push) -> str:
    """What else has to change before the build can attach statements, as advice goes on; empty for nothing."""
    if _joins_manifests(push):
        return f", and {JOINED}"
    if _loads(push):
        return ", in a build that does not load the image"
    if without_statements(push):
        return f", with {NEW_ENOUGH}"
    builders = builders_before(push)
    if any(each.input("driver") == "docker" for each in builders):
        return ", with another driver than docker for docker/setup-buildx-action"
    is_missing = not builders and push.step.action == "docker/build-push-action"
    return ", with docker/setup-buildx-action before the build" if is_missing else ""


def _loads(push: Push) -> bool:
    """Whether the build gives the image to Docker or into a file for it as well, and not to a registry alone."""
    return push.step.input("load").lower() not in {"", "false"} or "type=docker" in push.step.input("outputs")


def _joins_manifests(push: Push) -> bool:
    """Whether the run puts images together by what refuses an index, which statements make of each."""
    return any(
        command.name in {"docker", "podman"} and command.words[1:3] == ("manifest", "create")
        for step in push.pipeline.steps
        if step.events & push.events
        for command in step.commands
    )


def _after(
    repository: RepositoryTexts,
    push: Push,
    advice: str,
    required_rights: Values[str, str],
    steps: Callable[[PushedImage], list[list[str]]],
    word: str = "",
) -> Fix:
    """Suggests `steps` behind a push; advice alone where none can be made. `word` is what the name in small letters
    is called, where a step needs it so."""
    if push.step.action not in WITH_DIGEST:
        return Fix(advice)
    if pushes_unasked(push.step):
        return Fix(advice, left_alone=_OTHER_INPUTS)
    try:
        beside = _rights_behind(repository, push) if required_rights else None
        granted = rights(repository, push.pipeline, push.step, required_rights, beside)
        check_own_workflow(push.pipeline, push.step)
        image = pushed_image(repository, push, word)
        condition = condition_of(push)
        lines = [line for step in steps(image) for line in _with_condition(step, condition)]
        edits = [item_after(repository, push.step.mapping, lines)]
        if not push.step.id:
            edits += edits_of(with_key(repository, push.step.mapping, "id", [image.step_id], advice))
        edits += granted
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    return Fix(advice, suggested=merged(edits))


def step_before(
    repository: RepositoryTexts, push: Push, step: PipelineStep, lines: Callable[[PushedImage], list[str]]
) -> tuple[Edit, ...]:
    """The edits that put a step in front of another one of the push's job, made of what was pushed. Raises
    `NotSpliceable`."""
    if push.step.action not in WITH_DIGEST or pushes_unasked(push.step):
        raise NotSpliceable("the digest of what is pushed is told by no step")
    check_own_workflow(push.pipeline, push.step)
    check_own_workflow(push.pipeline, step)
    image = pushed_image(repository, push, "")
    edits = [item_before(repository, step.mapping, _with_condition(lines(image), condition_of(push)))]
    if not push.step.id:
        edits += edits_of(with_key(repository, push.step.mapping, "id", [image.step_id], ""))
    return merged(edits)


def _with_condition(step: list[str], condition: str) -> list[str]:
    return [step[0], f"  if: {condition}", *step[1:]] if condition else step
