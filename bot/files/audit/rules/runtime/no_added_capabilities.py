"""A container asks for no capabilities beyond the harmless one to bind low ports.

What: `capabilities.add` is empty or NET_BIND_SERVICE; the same for `cap_add` in Compose.

Example that fails::

    securityContext: {capabilities: {add: [SYS_PTRACE]}}

Fix: remove what is added; for diagnostics of .NET use `dotnet-monitor` instead of SYS_PTRACE.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.image_traits import UNKNOWN_IMAGE, ImageTraits, image_traits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.judging import hidden, judge_workloads, place_of
from bot.files.audit.workloads.kubernetes import Container
from bot.files.audit.workloads.objects import word

_HARMLESS = frozenset({"NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE"})
_FIX, _FIX_OF_SERVICE = "remove what is added", "remove what cap_add adds"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        added = container.context.mapping("capabilities").get("add")
        names = [word(each) or "" for each in container.context.mapping("capabilities").sequence("add")]
        place = place_of(repository, added, container.place) if names else container.place
        risky = [name for name in names if name.upper() not in _HARMLESS]
        if risky:
            image = image_traits(repository, container.image)
            yield fails(place, container.subject, f"it adds {', '.join(risky)[:80]}", _fix(image, _FIX))
        elif not names and container.may_be_given("capabilities"):
            yield hidden(container, "capabilities.add")
        else:
            yield holds(
                place, container.subject, "no capability is added" if not names else f"it adds only {names[0]}"
            )

    def of_service(service: Service) -> Iterator[Verdict]:
        risky = [name for name in service.words("cap_add") if name.upper() not in _HARMLESS]
        if risky:
            place = place_of(repository, service.get("cap_add"), service.place)
            image = image_traits(repository, service.image, service.dockerfile())
            yield fails(place, service.subject, f"it adds {', '.join(risky)[:80]}", _fix(image, _FIX_OF_SERVICE))
        else:
            yield holds(service.place, service.subject, "no capability is added")

    yield from judge_workloads(repository, of_container, of_service, is_asked_of_parts=True)


def _fix(image: ImageTraits, advice: str) -> Fix:
    """Of stock images it is not written here which capability they use where it is given."""
    return tried_unless_known(image if image.is_dotnet else UNKNOWN_IMAGE, Fix(advice), Sign.OF_RIGHTS)


RULE = Rule(
    "no-added-capabilities",
    "No capabilities are added",
    "Some of them are close to being root on the node.",
    FindingSeverity.HIGH,
    judge,
)
