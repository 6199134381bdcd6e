"""A container runs behind a seccomp profile.

What: `seccompProfile.type` is RuntimeDefault or Localhost, of the container or else of its pod; in Compose, where
the engine has a profile, not `seccomp:unconfined`.

Example that fails::

    securityContext: {seccompProfile: {type: Unconfined}}

Fix: `seccompProfile: {type: RuntimeDefault}`.

Exceptions: privileged containers are asked nothing. The annotations of before 1.27 have no effect any more.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import absent, context_key, hidden, judge_workloads, place_of
from bot.files.audit.workloads.kubernetes import Container, is_hidden
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.swarm import IS_IGNORED, IS_SETTLED
from bot.files.formats.source.nodes import Mapping

_PRIVILEGED = "it is privileged, and runs without a profile whatever is set"
_FIX = "set securityContext.seccompProfile.type: RuntimeDefault"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        profile = container.setting("seccompProfile")
        kind = profile.get("type") if isinstance(profile, Mapping) else profile
        place = place_of(repository, profile, container.place)
        if container.is_privileged:
            yield not_applicable(place, container.subject, _PRIVILEGED)
        elif is_hidden(kind):
            yield hidden(container, "seccompProfile")
        elif word(kind) in {"RuntimeDefault", "Localhost"}:
            yield holds(place, container.subject, f"its seccomp profile is {word(kind)}")
        elif word(kind) is not None:
            yield fails(place, container.subject, f"its seccomp profile is {word(kind)}", _FIX)
        else:
            fix = context_key(repository, container, "seccompProfile", ["", "  type: RuntimeDefault"], _FIX)
            yield absent(container, "no seccomp profile is set", fix)

    yield from judge_workloads(
        repository, of_container, _service, is_asked_of_privileged=False, is_asked_of_parts=True
    )


def _service(service: Service) -> Iterator[Verdict]:
    options = [each.replace("=", ":").replace(" ", "") for each in service.words("security_opt")]
    if "seccomp:unconfined" in options and service.is_for_swarm:
        yield unknown(
            service.place, service.subject, f"seccomp is unconfined by security_opt, {IS_IGNORED}", IS_SETTLED
        )
    elif service.is_on("privileged") and not service.is_for_swarm:
        yield not_applicable(service.place, service.subject, _PRIVILEGED)
    elif "seccomp:unconfined" in options:
        yield fails(service.place, service.subject, "seccomp is unconfined", "remove seccomp:unconfined")
    else:
        yield holds(service.place, service.subject, "the engine's own seccomp profile is in force")


RULE = Rule(
    "seccomp-profile",
    "A seccomp profile is in force",
    "It keeps the kernel's rarely used system calls away from the process.",
    FindingSeverity.MEDIUM,
    judge,
)
