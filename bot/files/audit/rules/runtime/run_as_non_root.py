"""A container runs as a user that is not root, and the manifest makes sure of it.

What: `runAsNonRoot: true` or a `runAsUser` above 0, of the container or else of its pod; in Compose a `user`, or an
image of this repository whose USER is not root.

Why: a process that breaks out of a container as root is root on the node. What only the image says can change with
the next image; the cluster enforces what the manifest says.

Example that fails::

    containers: [{name: api, image: contoso/api}]

Fix: `securityContext: {runAsNonRoot: true}`; add `runAsUser: 1654` where the image's USER is a name, since the
kubelet can verify numbers only. .NET images have UID 1654 (`$APP_UID`) for this.

Exceptions: Windows containers have no such setting and are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.images.by_dockerfile import user_of
from bot.files.audit.images.by_name import user_of_image
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.images.user import UserKind, settled
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import (
    absent,
    context_key,
    hidden,
    judge_workloads,
    place_of,
    service_key,
)
from bot.files.audit.workloads.kubernetes import Container, is_hidden, word

_FIX = "set securityContext.runAsNonRoot: true, and runAsUser: 1654 where the image's USER is a name"
_FIX_OF_SERVICE = "set user: '1654'"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    yield from judge_workloads(
        repository,
        lambda container: _container(repository, container),
        lambda service: _service(repository, service),
    )


def _container(repository: RepositoryTexts, container: Container) -> Iterator[Verdict]:
    user, non_root = container.setting("runAsUser"), container.setting("runAsNonRoot")
    if is_hidden(user) or is_hidden(non_root):
        yield hidden(container, "the user")
        return
    uid = word(user)
    place = place_of(repository, user if uid is not None else non_root, container.place)
    if uid is not None and uid.lstrip("+-").isdecimal() and int(uid[:20]) == 0:
        yield fails(place, container.subject, "runAsUser is 0, which is root", _FIX)
    elif uid is not None:
        yield holds(place, container.subject, f"it runs as UID {uid}")
    elif word(non_root) == "true":
        yield holds(
            place, container.subject, "runAsNonRoot is true, so the kubelet starts it only with another UID than 0"
        )
    elif word(non_root) is not None:
        yield fails(place, container.subject, "runAsNonRoot is not true, and no runAsUser is set", _FIX)
    else:
        yield absent(
            container,
            "neither runAsNonRoot nor runAsUser is set, so nothing keeps it from running as root",
            context_key(repository, container, "runAsNonRoot", ["true"], _FIX).as_suggestion,
        )


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    user = service.word("user")
    if user is not None:
        yield _written_user(repository, service, user)
        return
    path, target = service.dockerfile()
    origin = ""
    if path is not None and path in repository:
        file = dockerfile_at(repository, path)
        stage = (file.stage(target) if target else file.final) if file is not None else None
        if file is None or stage is None:
            yield unknown(
                service.place, service.subject, f"{path} cannot be read", "a Dockerfile that can be built"
            )
            return
        image_user = settled(user_of(file, stage, repository), repository.produced_from(path))
        origin = f" ({path})"
    elif service.is_built or not service.image or "$" in service.image:
        yield unknown(service.place, service.subject, "no user is set, and the image is not known here", "a `user`")
        return
    else:
        image_user = settled(user_of_image(service.image), repository.produced_as(service.image))
    why = f"{image_user.why}{origin}"
    match image_user.kind:
        case UserKind.ROOT:
            fix = service_key(repository, service, "user", "'1654'", _FIX_OF_SERVICE)
            yield fails(service.place, service.subject, f"no user is set, and {why}", fix)
        case UserKind.NUMBER | UserKind.NAME:
            yield holds(service.place, service.subject, why)
        case UserKind.NOT_ASKED:
            yield not_applicable(service.place, service.subject, image_user.why)
        case UserKind.UNKNOWN:
            settles = "a `user`, or the image's configuration"
            yield unknown(service.place, service.subject, f"no user is set; {why}", settles)


def _written_user(repository: RepositoryTexts, service: Service, user: str) -> Verdict:
    place = place_of(repository, service.get("user"), service.place)
    name = user.partition(":")[0]
    if "$" in name:
        return unknown(place, service.subject, f"user is {user}, a variable without a default", "its default")
    if name.lower() == "root":
        return fails(place, service.subject, "user is root", _FIX_OF_SERVICE)
    if name.isdecimal() and int(name[:20]) == 0:
        return fails(place, service.subject, f"user is {user}, which is root", _FIX_OF_SERVICE)
    return holds(place, service.subject, f"user is {user}")


RULE = Rule(
    "run-as-non-root",
    "Containers run as another user than root",
    "A process that breaks out of a container as root is root on the node.",
    FindingSeverity.HIGH,
    judge,
)
