"""No container is privileged.

What: `privileged` is not true, in manifests and in Compose.

Example that fails::

    securityContext: {privileged: true}

Fix: remove it, and mount or add the one thing that is needed.

Exceptions: agents of the node (storage, network): waive the check, with the reason.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.image_traits import KERNEL_ELSEWHERE, sets_kernel
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import hidden, judge_workloads, place_of
from bot.files.audit.workloads.kubernetes import Container
from bot.files.audit.workloads.swarm import IS_IGNORED, IS_SETTLED

_FIX = "remove privileged, and give the one right that is needed"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        setting = container.context.get("privileged")
        if container.may_be_privileged:
            yield hidden(container, "privileged")
        elif container.is_privileged:
            fix = KERNEL_ELSEWHERE if sets_kernel(container.command) else _FIX
            yield fails(place_of(repository, setting, container.place), container.subject, "it is privileged", fix)
        elif container.may_be_given("privileged"):
            yield hidden(container, "privileged")
        else:
            yield holds(container.place, container.subject, "it is not privileged")

    def of_service(service: Service) -> Iterator[Verdict]:
        place = place_of(repository, service.get("privileged"), service.place)
        if service.is_on("privileged") and service.is_for_swarm:
            yield unknown(place, service.subject, f"it has privileged, {IS_IGNORED}", IS_SETTLED)
        elif service.is_on("privileged"):
            yield fails(place, service.subject, "it is privileged", _FIX)
        else:
            yield holds(service.place, service.subject, "it is not privileged")

    yield from judge_workloads(repository, of_container, of_service, is_asked_of_parts=True)


RULE = Rule(
    "not-privileged",
    "No container is privileged",
    "A privileged container has all rights of the node.",
    FindingSeverity.CRITICAL,
    judge,
)
