"""A container keeps none of the kernel's capabilities that the engine hands out by default.

What: `capabilities.drop` holds ALL; in Compose `cap_drop: [ALL]`.

Example that fails::

    securityContext: {capabilities: {drop: [NET_RAW]}}

Fix: `capabilities: {drop: [ALL]}`. From .NET 8 on images listen on 8080, which needs none; root on port 80, SQL
Server, Caddy and pgAdmin need NET_BIND_SERVICE: add that.

Exceptions: privileged containers, which `not-privileged` tells of, are asked nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.image_traits import (
    INSTALLED_FIRST,
    ImageTraits,
    builds_first,
    installs_first,
)
from bot.files.audit.delivery.started_images import (
    changes_owners_as_root,
    is_started_as_made,
    listens_low,
    traits_as_started,
)
from bot.files.audit.images.stock import first_as_its_user, stock_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_keys
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import (
    absent,
    context_key,
    hidden,
    judge_workloads,
    place_of,
    runs_as_another,
)
from bot.files.audit.workloads.kubernetes import Container, is_hidden
from bot.files.audit.workloads.mounts import host_paths, source_of_host, target_of
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_CHANGES_USERS = (
    "it starts as root to change owners or modes, or become another user, for which it needs such rights"
)
_RUNS_MORE = "a daemon or sudo that it installs may need such rights"
_PRIVILEGED = "it is privileged, and has all capabilities whatever is dropped"
_BUILT_FIRST = "run what `dotnet publish` makes, in place of building as it starts; then"
_BUILT_IN_MOUNT = (
    "run what `dotnet publish` makes, since root needs DAC_OVERRIDE to build among sources of another user; then"
)
_TO_CHANGE_OWNERS = "CHOWN, DAC_OVERRIDE, FOWNER"
_TO_BIND = "NET_BIND_SERVICE"
_FIX = "set securityContext.capabilities.drop: [ALL]"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        capabilities = container.context.mapping("capabilities")
        dropped = [(word(each) or "").upper() for each in capabilities.sequence("drop")]
        if container.is_privileged:
            place = place_of(repository, capabilities.get("drop"), container.place)
            yield not_applicable(place, container.subject, _PRIVILEGED)
        elif "ALL" in dropped or "CAP_ALL" in dropped:
            place = place_of(repository, capabilities.get("drop"), container.place)
            yield holds(place, container.subject, "ALL are dropped")
        elif any(is_hidden(each) for each in (capabilities.get("drop"), *capabilities.sequence("drop"))):
            yield hidden(container, "capabilities.drop")
        elif dropped:
            place = place_of(repository, capabilities.get("drop"), container.place)
            yield fails(
                place,
                container.subject,
                f"only {', '.join(dropped)[:80]} are dropped, not ALL",
                _fix(repository, container).advice,
            )
        else:
            yield absent(container, "no capabilities are dropped", _fix(repository, container))

    yield from judge_workloads(
        repository, of_container, partial(_service, repository), is_asked_of_privileged=False
    )


def _fix(repository: RepositoryTexts, container: Container) -> Fix:
    image = traits_as_started(repository, container)
    return tried_unless_known(image, _fix_of_container(repository, container, image), Sign.OF_RIGHTS)


def _fix_of_container(repository: RepositoryTexts, container: Container, image: ImageTraits) -> Fix:
    stock = stock_image(container.image)
    is_root = not runs_as_another(container.setting("runAsUser"))
    needs = image.needs or (_TO_BIND if is_root and listens_low(container, image) else "")
    advice = f"{_FIX} and add: [{needs}]" if needs else _FIX
    if image.builds_as_it_starts or builds_first(container.command):
        first = _first_of_build(image, _mounted_of_node(container))
        return Fix(f"{first} {advice}")
    if changes_owners_as_root(container, image):
        return Fix(f"{_FIX}, and add: [{_TO_CHANGE_OWNERS}] for as long as it changes owners or modes as root")
    if installs_first(container.command):
        return Fix(f"{INSTALLED_FIRST} {advice}")
    if is_root:
        if stock is not None and stock.starts_as_root and is_started_as_made(stock, container):
            return _with_reason(Fix(first_as_its_user(stock, advice)), image)
        if stock is None or stock.starts_as_root:
            advice = _advice(image, advice, is_bound_to_root=_is_bound(container, image))
            if image.changes_users:
                return _with_reason(Fix(advice, left_alone=_CHANGES_USERS), image)
            if image.runs_more:
                return _with_reason(Fix(advice, left_alone=_RUNS_MORE), image)
    lines = ["", "  drop: [ALL]", *([f"  add: [{needs}]"] if needs else [])]
    return _with_reason(context_key(repository, container, "capabilities", lines, advice).as_suggestion, image)


def _mounted_of_node(container: Container) -> Iterator[str]:
    """The folders of a container that are the node's."""
    names = {word(volume.get("name")) for volume, _ in host_paths(container.pod) if isinstance(volume, Mapping)}
    for mount in container.own.sequence("volumeMounts"):
        if isinstance(mount, Mapping) and word(mount.get("name")) in names:
            yield word(mount.get("mountPath")) or ""


def _first_of_build(image: ImageTraits, mounted: Iterable[str]) -> str:
    """What comes first where the program is built as it starts: whose its sources are hangs on what is mounted
    there, which may be any folder where it is not known where it builds."""
    own = image.builds_in
    folders = [each.rstrip("/") for each in mounted]
    is_covered = any(not own or f"{own}/".startswith(f"{each}/") or each.startswith(f"{own}/") for each in folders)
    return _BUILT_IN_MOUNT if is_covered else _BUILT_FIRST


def _with_reason(fix: Fix, image: ImageTraits) -> Fix:
    """The fix with why a capability stays, where one does."""
    if not image.needs:
        return fix
    return replace(fix, advice=f"{fix.advice}; without {image.needs} its program does not start")


def _is_bound(of: Container | Service, image: ImageTraits) -> bool:
    """Whether a workload is told by whom to run, or mounts folders of its host as root, which may be another
    user's: who is not root has no rights over these to lose."""
    if isinstance(of, Service):
        is_told, mounts = of.get("user") is not None, any(map(source_of_host, of.nodes("volumes")))
    else:
        is_told, mounts = word(of.setting("runAsUser")) is not None, any(host_paths(of.pod))
    return is_told or (mounts and not image.starts_as_user)


def _advice(image: ImageTraits, then: str, *, is_bound_to_root: bool) -> str:
    """As root a program may need rights to become another user; one of .NET's does not, unless its start does, or
    it is made to be root, mostly for the sake of files that are another one's."""
    if image.runs_more and image.starts_as_user:
        return f"{then} once what it installs beside its program needs none"
    is_safe = (image.is_dotnet or image.starts_as_user) and not (image.changes_users or is_bound_to_root)
    return then if is_safe else f"{then} once it runs as another user"


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    dropped = [each.upper() for each in service.words("cap_drop")]
    if service.is_on("privileged") and not service.is_for_swarm:
        place = place_of(repository, service.get("cap_drop"), service.place)
        yield not_applicable(place, service.subject, _PRIVILEGED)
    elif "ALL" in dropped:
        yield holds(service.place, service.subject, "ALL are dropped")
    else:
        why = "cap_drop has no ALL" if dropped else "no capabilities are dropped"
        image = traits_as_started(repository, service)
        fix = tried_unless_known(image, _fix_of_service(repository, service, image), Sign.OF_RIGHTS)
        place = place_of(repository, service.get("cap_drop"), service.place)
        yield fails(place, service.subject, why, fix)


def _fix_of_service(repository: RepositoryTexts, service: Service, image: ImageTraits) -> Fix:
    stock = stock_image(service.image) if not service.is_built else None
    is_added = not image.needs or image.needs in {
        each.upper().removeprefix("CAP_") for each in service.words("cap_add")
    }
    keys = {"cap_drop": "[ALL]"} | ({} if is_added else {"cap_add": f"[{image.needs}]"})
    advice = f"add {' and '.join(f'{key}: {value}' for key, value in keys.items())}"
    if image.builds_as_it_starts or builds_first(service.command):
        first = _first_of_build(
            image, (target_of(each) for each in service.nodes("volumes") if source_of_host(each))
        )
        return Fix(f"{first} {advice}")
    if changes_owners_as_root(service, image):
        added = f"cap_add: [{_TO_CHANGE_OWNERS}]"
        return Fix(f"add cap_drop: [ALL], and {added} for as long as it changes owners or modes as root")
    if installs_first(service.command):
        return Fix(f"{INSTALLED_FIRST} {advice}")
    if not runs_as_another(service.get("user")):
        if stock is not None and stock.starts_as_root and is_started_as_made(stock, service):
            return _with_reason(Fix(first_as_its_user(stock, advice)), image)
        if stock is None or stock.starts_as_root:
            advice = _advice(image, advice, is_bound_to_root=_is_bound(service, image))
            if image.changes_users:
                return _with_reason(Fix(advice, left_alone=_CHANGES_USERS), image)
            if image.runs_more:
                return _with_reason(Fix(advice, left_alone=_RUNS_MORE), image)
    return _with_reason(with_keys(repository, service.levels[0], keys, advice).as_suggestion, image)


RULE = Rule(
    "drop-all-capabilities",
    "All capabilities are dropped",
    "The default set lets a process change owners, make devices and forge packets.",
    FindingSeverity.MEDIUM,
    judge,
)
