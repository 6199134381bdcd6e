"""A process in a container cannot gain more rights than the one that started it.

What: `allowPrivilegeEscalation: false` of the container; in Compose `security_opt: [no-new-privileges:true]`.

Example that fails::

    securityContext: {runAsNonRoot: true}

Fix: `securityContext: {allowPrivilegeEscalation: false}`.

Exceptions: privileged containers, which `not-privileged` tells of, are asked nothing: a cluster refuses the
setting beside `privileged: true`. A stack of Swarm, which ignores `security_opt`, is unknown.
"""

import re
from collections.abc import Collection, Iterator
from functools import partial

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.image_traits import ImageTraits
from bot.files.audit.delivery.started_images import traits_as_started
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.compose import Service, named_values
from bot.files.audit.workloads.judging import (
    absent,
    context_key,
    hidden,
    judge_workloads,
    place_of,
    runs_as_another,
    service_key,
)
from bot.files.audit.workloads.kubernetes import Container, is_hidden
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.swarm import IS_IGNORED
from bot.files.formats.source.nodes import Mapping, texts_under

_FIX = "set securityContext.allowPrivilegeEscalation: false"
_AFTER = "remove SYS_ADMIN from capabilities.add, beside which a cluster refuses the setting, then"
_OF_FILE = (
    "have the program do without the capabilities that are added, which one that is not root gets from its file and"
    " would lose; then"
)
_WITH_SUDO = "start without sudo, which refuses to run beside the setting; then"
_WITH_PORT = (
    "set {variable} to a port above 1023, such as 8080, which is then the one to publish, since only the rights of"
    " its file let the program listen on a lower one; then"
)
_SUDO = re.compile(r"(?<![\w.-])sudo(?![\w.-])")
_RUN_IN_IT = ("command", "args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
_PRIVILEGED = "it is privileged, beside which a cluster refuses allowPrivilegeEscalation: false"
_OF_NODES = '"no-new-privileges": true in the daemon.json of each node'


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        setting = container.context.get("allowPrivilegeEscalation")
        fix = _fix(repository, container)
        place = place_of(repository, setting, container.place)
        if container.is_privileged:
            yield not_applicable(place, container.subject, _PRIVILEGED)
        elif is_hidden(setting):
            yield hidden(container, "allowPrivilegeEscalation")
        elif word(setting) is None:
            yield absent(container, "allowPrivilegeEscalation is not set, and its default is true", fix)
        elif word(setting) != "false":
            yield fails(place, container.subject, "allowPrivilegeEscalation is not false", fix.advice)
        else:
            yield holds(place, container.subject, "allowPrivilegeEscalation is false")

    yield from judge_workloads(
        repository, of_container, partial(_service, repository), is_asked_of_privileged=False
    )


def _fix(repository: RepositoryTexts, container: Container) -> Fix:
    image = traits_as_started(repository, container)
    return tried_unless_known(image, _fix_of_container(repository, container, image), Sign.OF_RIGHTS)


def _fix_of_container(repository: RepositoryTexts, container: Container, image: ImageTraits) -> Fix:
    added = _added(container)
    if added & {"SYS_ADMIN", "CAP_SYS_ADMIN"}:
        return Fix(f"{_AFTER} {_FIX}")
    if added and word(container.setting("runAsUser")) != "0":
        return Fix(f"{_OF_FILE} {_FIX}")
    if any(_SUDO.search(each) for key in _RUN_IN_IT for each in texts_under(container.own.get(key))):
        return Fix(f"{_WITH_SUDO} {_FIX}")
    variables = {word(each.get("name")) for each in container.own.sequence("env") if isinstance(each, Mapping)}
    if first := _port_first(image, variables):
        return Fix(f"{first} {_FIX}")
    return context_key(repository, container, "allowPrivilegeEscalation", ["false"], _FIX)


def _port_first(image: ImageTraits, variables: Collection[str | None]) -> str:
    """What to do first where a program listens on a low port by the rights of its file; empty for nothing."""
    if not image.port_variable or image.port_variable in variables:
        return ""
    return _WITH_PORT.format(variable=image.port_variable)


def _added(container: Container) -> set[str]:
    """The capabilities that are added, a value that is filled in later among them."""
    capabilities = container.context.get("capabilities")
    added = capabilities.get("add") if isinstance(capabilities, Mapping) else capabilities
    return {each.strip().upper() for each in texts_under(added)}


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    options = [each.replace("=", ":").replace(" ", "") for each in service.words("security_opt")]
    if service.is_for_swarm:
        place = place_of(repository, service.get("security_opt"), service.place)
        yield unknown(place, service.subject, f"it would take security_opt, {IS_IGNORED}", _OF_NODES)
    elif any(each in {"no-new-privileges", "no-new-privileges:true"} for each in options):
        yield holds(service.place, service.subject, "no-new-privileges is set")
    elif service.is_on("privileged"):
        yield not_applicable(service.place, service.subject, "it is privileged, and has all rights already")
    else:
        advice = "add security_opt: [no-new-privileges:true]"
        is_of_file = service.words("cap_add") and runs_as_another(service.get("user"))
        first = _OF_FILE if is_of_file else _WITH_SUDO if _SUDO.search(service.command) else ""
        variables = [name for level in service.levels for name, _, _ in named_values(level.get("environment"))]
        image = traits_as_started(repository, service)
        first = first or _port_first(image, variables)
        fix = (
            Fix(f"{first} {advice}")
            if first
            else service_key(repository, service, "security_opt", "[no-new-privileges:true]", advice)
        )
        place = place_of(repository, service.get("security_opt"), service.place)
        fix = tried_unless_known(image, fix, Sign.OF_RIGHTS)
        yield fails(place, service.subject, "no-new-privileges is not set", fix)


RULE = Rule(
    "no-privilege-escalation",
    "Processes cannot gain rights",
    "A setuid program in the image is otherwise a way to root.",
    FindingSeverity.HIGH,
    judge,
)
