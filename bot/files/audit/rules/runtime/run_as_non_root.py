"""A container runs as a user that is not root, and the manifest makes sure of it.

What: `runAsNonRoot: true` or a `runAsUser` above 0, of the container or else of its pod; in Compose a `user`, or
an image of this repository whose USER is not root.

Example that fails::

    containers: [{name: api, image: contoso/api}]

Fix: `securityContext: {runAsNonRoot: true}`; with `runAsUser: 1654`, which .NET images have (`$APP_UID`), where
the image's USER is a name: the kubelet verifies numbers only.

UID 64198 fails beside an image that is known to run as 1654.
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.built_images import built_here, user_of_built_image, user_of_stage
from bot.files.audit.delivery.image_traits import (
    INSTALLED_FIRST,
    KERNEL_ELSEWHERE,
    ImageTraits,
    builds_first,
    installs_first,
    sets_kernel,
)
from bot.files.audit.delivery.started_images import changes_owners_as_root, listens_low, traits_as_started
from bot.files.audit.images.by_name import APP_UID, EARLY_UID, user_of_image
from bot.files.audit.images.stock import stock_image, taking_the_user
from bot.files.audit.images.user import User, UserKind, settled
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
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
from bot.files.audit.workloads.kept import why_kept
from bot.files.audit.workloads.kubernetes import Container, is_hidden
from bot.files.audit.workloads.mounts import WAIVED, MountUse, is_service_of_node, target_of, use_by_service
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import texts_under

_NON_ROOT = "set securityContext.runAsNonRoot: true"
_OF_EARLY_PLAN = (
    f"it runs as UID {EARLY_UID}, an early plan of .NET, and its image as {APP_UID}, to whom its files are"
)
_HOME_OF_ROOT = "/root"
_BUILT_FIRST = "run what `dotnet publish` makes, since what builds as it starts writes in folders of root's; then"
_HOME_FIRST = "have its image use that user's home in place of /root, which no other user may enter; then"
_OWNERS_FIRST = "have {instead} in place of changing owners or modes, for which it is root; then"
_BY_GROUP = "the pod's securityContext.fsGroup let its program write to volumes"
_BY_IMAGE = "the image make the folder as its user's, as which a new volume takes it over,"
_FREE_PORT = "have it listen on a port above 1023, since on some nodes root alone may on others; then"
_ONLY_NUMBERS = "the kubelet starts it only where its image names a user by number"
_SETTLES_USER = "a `user`, or the image's configuration"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    yield from judge_workloads(
        repository,
        lambda container: _container(repository, container),
        lambda service: _service(repository, service),
        is_asked_of_parts=True,
    )


def _container(repository: RepositoryTexts, container: Container) -> Iterator[Verdict]:
    user, non_root = container.setting("runAsUser"), container.setting("runAsNonRoot")
    if is_hidden(user) or is_hidden(non_root):
        yield hidden(container, "the user")
        return
    uid = word(user)
    place = place_of(repository, user if uid is not None else non_root, container.place)
    if uid is not None and uid.lstrip("+-").isdecimal() and int(uid[:20]) == 0:
        yield fails(place, container.subject, "runAsUser is 0, which is root", _fix(repository, container).advice)
    elif uid == EARLY_UID and _runs_as_app(user_of_built_image(repository, container.image)):
        yield fails(place, container.subject, _OF_EARLY_PLAN, f"set runAsUser: {APP_UID}")
    elif uid is not None:
        yield holds(place, container.subject, f"it runs as UID {uid}")
    elif word(non_root) == "true":
        yield holds(
            place, container.subject, "runAsNonRoot is true, so the kubelet starts it only with another UID than 0"
        )
    elif word(non_root) is not None:
        yield fails(
            place,
            container.subject,
            "runAsNonRoot is not true, and no runAsUser is set",
            _fix(repository, container).advice,
        )
    else:
        yield absent(
            container,
            "neither runAsNonRoot nor runAsUser is set, so nothing keeps it from running as root",
            _fix(repository, container),
        )


def _fix(repository: RepositoryTexts, container: Container) -> Fix:
    user, image = user_of_built_image(repository, container.image), traits_as_started(repository, container)
    fix = _fix_of_container(repository, container, user, image)
    is_told = _has_number(user) or sets_kernel(container.command)
    return fix if is_told else tried_unless_known(image, fix, Sign.OF_FILES)


def _has_number(user: User | None) -> bool:
    """Whether an image names its user by number, so that a setting which asks for one changes nothing."""
    return user is not None and user.kind is UserKind.NUMBER


def _fix_of_container(
    repository: RepositoryTexts, container: Container, user: User | None, image: ImageTraits
) -> Fix:
    """Suggests what the kubelet starts: none that it would refuse, since the image is known to start as root."""
    advice, stock = _advice(container, user, image), stock_image(container.image)
    is_root = user is not None and user.kind is UserKind.ROOT
    if sets_kernel(container.command):
        return Fix(KERNEL_ELSEWHERE)
    if container.is_privileged:
        return Fix(f"{advice}; {WAIVED}")
    if _first(container, image):
        return Fix(advice)
    if stock is not None and stock.starts_as_root:
        return Fix(advice, left_alone="the image starts as root, and its data may belong to that one")
    if is_root and user is not None and user.at_hand:
        return context_key(repository, container, "runAsUser", [user.at_hand], advice).as_suggestion
    if is_root:
        return Fix(advice, left_alone="its image runs as root, and the kubelet would not start it")
    if uid := _uid_of(container, user):
        return context_key(repository, container, "runAsUser", [uid], advice).as_suggestion
    if not _has_number(user):
        return Fix(advice, left_alone=why_kept(container.pod) or _ONLY_NUMBERS)
    return context_key(repository, container, "runAsNonRoot", ["true"], advice).as_suggestion


def _uid_of(container: Container, user: User | None) -> str:
    """The number of the user that an image is made for, where it names that one by a word; empty for none."""
    stock = stock_image(container.image)
    return stock.uid if stock is not None else user.uid if user is not None and not _has_number(user) else ""


def _first(of: Container | Service, image: ImageTraits) -> str:
    """What must be done before it may run as another user than root; empty for nothing."""
    if installs_first(of.command):
        return f"{INSTALLED_FIRST} "
    if changes_owners_as_root(of, image):
        return f"{_OWNERS_FIRST.format(instead=_BY_GROUP if isinstance(of, Container) else _BY_IMAGE)} "
    if isinstance(of, Container) and listens_low(of, image):
        return f"{_FREE_PORT} "
    if image.uses_home_of_root:
        return f"{_HOME_FIRST} "
    return f"{_BUILT_FIRST} " if image.builds_as_it_starts or builds_first(of.command) else ""


def _advice(container: Container, user: User | None, image: ImageTraits) -> str:
    """Advice with the number that fits the image, as far as that is known."""
    if installs_first(container.command):
        return f"{INSTALLED_FIRST} {_NON_ROOT}"
    first, stock = _first(container, image), stock_image(container.image)
    if stock is not None and not first:
        return taking_the_user(stock, f"{_NON_ROOT}, and runAsUser: {{uid}}")
    uid = (user.uid or user.at_hand) if user is not None else ""
    if uid:
        return f"{first}{_NON_ROOT}, and runAsUser: {uid}"
    return f"{first}{_NON_ROOT}, and runAsUser: a number above 0, unless the image names one by number"


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    user = service.word("user")
    image_user, origin = _user_of_service(repository, service)
    if user is not None:
        yield _written_user(repository, service, user, image_user)
        return
    if image_user is None:
        path, _ = service.dockerfile()
        if path is not None and path in repository:
            why, settles = f"{path} cannot be read", "a Dockerfile that can be built"
        else:
            why, settles = "no user is set, and the image is not known here", "a `user`"
        yield unknown(service.place, service.subject, why, settles)
        return
    why = f"{image_user.why}{origin}"
    match image_user.kind:
        case UserKind.ROOT:
            fix = _fix_of_service(repository, service, image_user)
            if is_service_of_node(service):
                fix = Fix(f"{fix.advice}; {WAIVED}")
            yield fails(service.place, service.subject, f"no user is set, and {why}", fix)
        case UserKind.NUMBER | UserKind.NAME:
            yield holds(service.place, service.subject, why)
        case UserKind.NOT_ASKED:
            yield not_applicable(service.place, service.subject, image_user.why)
        case UserKind.UNKNOWN:
            settles = f"user: '{image_user.at_hand}'" if image_user.at_hand else _SETTLES_USER
            yield unknown(service.place, service.subject, f"no user is set; {why}", settles)


def _fix_of_service(repository: RepositoryTexts, service: Service, image_user: User | None) -> Fix:
    """Suggests the user that the image has at hand; words where it has none, or runs more than its program."""
    image = traits_as_started(repository, service)
    advice = _advice_on_service(service, image_user, image)
    is_plain = not (_first(service, image) or _stays_root(service) or _mounts_home_of_root(service))
    is_set = service.get("user") is not None
    if image_user is not None and image_user.at_hand and is_plain and not is_set:
        fix = service_key(repository, service, "user", f"'{image_user.at_hand}'", advice)
    else:
        fix = Fix(advice)
    return fix if _has_number(image_user) else tried_unless_known(image, fix, Sign.OF_FILES)


def _stays_root(service: Service) -> bool:
    """Whether a stock image starts something else than its own program, for which it becomes no other user."""
    stock = stock_image(service.image) if not service.is_built else None
    entrypoint, command = (list(texts_under(service.get(key))) for key in ("entrypoint", "command"))
    return stock is not None and stock.stays_root(entrypoint, command)


def _advice_on_service(service: Service, image_user: User | None, image: ImageTraits) -> str:
    if installs_first(service.command):
        return f"{INSTALLED_FIRST} set user to a UID above 0"
    stock = stock_image(service.image) if not service.is_built else None
    if stock is not None and not changes_owners_as_root(service, image):
        return taking_the_user(stock, "set user: '{uid}'")
    uid = (image_user.uid or image_user.at_hand) if image_user is not None else ""
    set_user = f"set user: '{uid}'" if uid else "set user to a UID above 0 that may write where the program does"
    if first := _first(service, image):
        return f"{first}{set_user}"
    if _mounts_home_of_root(service):
        return f"mount below the home of another user what it looks for in {_HOME_OF_ROOT}, then {set_user}"
    if not uid:
        return set_user
    uses = set(map(use_by_service, service.nodes("volumes")))
    if MountUse.KEEPS_DATA in uses:
        return f"set user: '{uid}'; its files on volumes and in mounted folders must belong to that one"
    if uses:
        return f"set user: '{uid}'; that one must be allowed to read what is mounted, such as keys"
    return f"set user: '{uid}'"


def _mounts_home_of_root(service: Service) -> bool:
    return any(f"{target_of(each)}/".startswith(f"{_HOME_OF_ROOT}/") for each in service.nodes("volumes"))


def _user_of_service(repository: RepositoryTexts, service: Service) -> tuple[User | None, str]:
    """Who the image of a service runs as, with the Dockerfile that says so; None where the image is not known."""
    path, target = service.dockerfile()
    if not service.is_built:
        path, target = built_here(repository, service.image)
    if path is not None and path in repository:
        user = user_of_stage(repository, path, target, command=service.command)
        return (None, "") if user is None else (user, f" ({path})")
    if service.is_built or not service.image or "$" in service.image:
        return None, ""
    user = settled(user_of_image(service.image), repository.produced_as(service.image))
    if user.kind is UserKind.UNKNOWN and _stays_root(service):
        user = replace(user, kind=UserKind.ROOT, why=f"{service.image} becomes no other user for what is started")
    return user, ""


def _runs_as_app(user: User | None) -> bool:
    return user is not None and user.uid == APP_UID


def _written_user(repository: RepositoryTexts, service: Service, user: str, image_user: User | None) -> Verdict:
    place = place_of(repository, service.get("user"), service.place)
    name = user.partition(":")[0]
    if "$" in name:
        return unknown(place, service.subject, f"user is {user}, a variable without a default", "its default")
    if name.lower() == "root":
        return fails(place, service.subject, "user is root", _fix_of_service(repository, service, image_user))
    if not name or (name.isdecimal() and int(name[:20]) == 0):
        why = f"user is {user}, which {'names a group alone and so ' if not name else ''}is root"
        return fails(place, service.subject, why, _fix_of_service(repository, service, image_user))
    if name == EARLY_UID and _runs_as_app(image_user):
        return fails(place, service.subject, _OF_EARLY_PLAN, f"set user: '{APP_UID}'")
    return holds(place, service.subject, f"user is {user}")


RULE = Rule(
    "run-as-non-root",
    "Containers run as another user than root",
    "A process that breaks out of a container as root is root on the node.",
    FindingSeverity.HIGH,
    judge,
)
