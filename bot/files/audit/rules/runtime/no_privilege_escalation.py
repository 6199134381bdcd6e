"""A process in a container cannot gain more rights than the one that started it.

What: `allowPrivilegeEscalation: false` of the container; in Compose `security_opt: [no-new-privileges:true]`.

Why: without it a setuid program in the image is a way to root.

Example that fails::

    securityContext: {runAsNonRoot: true}

Fix: `securityContext: {allowPrivilegeEscalation: false}`.

Exceptions: none. In a privileged container the setting has no effect, so it fails.
"""

from collections.abc import Iterator
from functools import partial

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds
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

_FIX = "set securityContext.allowPrivilegeEscalation: false"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        setting = container.context.get("allowPrivilegeEscalation")
        fix = context_key(repository, container, "allowPrivilegeEscalation", ["false"], _FIX)
        place = place_of(repository, setting, container.place)
        if is_hidden(setting):
            yield hidden(container, "allowPrivilegeEscalation")
        elif word(setting) is None:
            yield absent(container, "allowPrivilegeEscalation is not set, and its default is true", fix)
        elif word(setting) != "false":
            yield fails(place, container.subject, "allowPrivilegeEscalation is not false", fix)
        elif word(container.context.get("privileged")) == "true":
            yield fails(place, container.subject, "the container is privileged, so the setting has no effect", _FIX)
        else:
            yield holds(place, container.subject, "allowPrivilegeEscalation is false")

    yield from judge_workloads(repository, of_container, partial(_service, repository))


def _service(repository: RepositoryTexts, service: Service) -> Iterator[Verdict]:
    options = [each.replace("=", ":").replace(" ", "") for each in service.words("security_opt")]
    if any(each in {"no-new-privileges", "no-new-privileges:true"} for each in options):
        yield holds(service.place, service.subject, "no-new-privileges is set")
    else:
        advice = "add security_opt: [no-new-privileges:true]"
        fix = service_key(repository, service, "security_opt", "[no-new-privileges:true]", advice)
        place = place_of(repository, service.get("security_opt"), service.place)
        yield fails(place, service.subject, "no-new-privileges is not set", fix)


RULE = Rule(
    "no-privilege-escalation",
    "Processes cannot gain rights",
    "A setuid program in the image is otherwise a way to root.",
    FindingSeverity.HIGH,
    judge,
)
