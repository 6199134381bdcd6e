"""No secret is handed to a build as an argument.

What: `build-args` of workflows, `--build-arg` of commands and `args` of Compose name no secret and take none.

Example that fails::

    build-args: NUGET_TOKEN=${{ secrets.NUGET_TOKEN }}

Fix: `secrets:` of build-push-action with `RUN --mount=type=secret`.

Exceptions: builds that push nothing are asked nothing. Values are never shown.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.building import dockerfile_of, is_built_in_sight
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import is_build
from bot.files.audit.delivery.statements import is_manifest
from bot.files.audit.images.dockerfile import dockerfiles
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.secrets.build_arguments import secret_arguments
from bot.files.audit.secrets.names import holds_secret, is_secret_name
from bot.files.audit.suggestions.build_secrets import as_build_secret
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.compose import passed_values, services
from bot.files.audit.workloads.judging import place_of
from bot.files.formats.source.nodes import Mapping

_FIX = "hand it over as a build secret: `secrets:` and RUN --mount=type=secret"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    bad_of = {push: secret_arguments(push) for push in deliveries(repository).pushes}
    steps_with_secrets = {(id(push.step.mapping), push.step.job.name) for push, bad in bad_of.items() if bad}
    for push, bad in bad_of.items():
        for step, name in bad:
            fix, place = _fix(repository, push, name), repository.where(step)
            yield fails(place, f"{step.subject} · {name}", f"build argument {name} is a secret", fix)
        if (id(push.step.mapping), push.step.job.name) in steps_with_secrets:
            continue
        if push.command is not None and not is_build(push.command) and not is_built_in_sight(push):
            if not is_manifest(push.command):
                why = "the build of what is pushed is not seen here"
                yield unknown(repository.where(push.step), push.subject, why, "the run that builds it")
        else:
            yield holds(repository.where(push.step), push.subject, "no build argument is a secret")
    for service in services(repository):
        build = service.get("build")
        args = build.get("args") if isinstance(build, Mapping) else None
        for name, value, node in passed_values(args):
            if is_secret_name(name) and (holds_secret(name, value) or value.startswith("$")):
                place = place_of(repository, node, service.place)
                yield fails(place, f"{service.subject} · {name}", f"build argument {name} is a secret", _FIX)


def _fix(repository: RepositoryTexts, push: Push, name: str) -> Fix:
    path = dockerfile_of(push)
    file = next((each for each in dockerfiles(repository) if each.path == path), None)
    return as_build_secret(repository, file, name, _FIX) if file is not None else Fix(_FIX)


RULE = Rule(
    "build-argument-secrets",
    "No secret is a build argument",
    "Build arguments stand in the image's history and provenance.",
    FindingSeverity.CRITICAL,
    judge,
)
