"""A pod shares no network, processes or memory with its node.

What: `hostNetwork`, `hostPID` and `hostIPC` are not true; in Compose neither `network_mode`, `pid`, `ipc` nor
`userns_mode` is `host`.

Example that fails::

    spec: {hostNetwork: true}

Fix: remove it; publish ports through a Service.

Exceptions: agents of the node: waive the check, with the reason.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.compose import Service, services
from bot.files.audit.workloads.helm import may_name
from bot.files.audit.workloads.judging import RENDERED, judge_pods, place_of
from bot.files.audit.workloads.kubernetes import Pod, is_hidden
from bot.files.audit.workloads.mounts import WAIVED, is_of_node, is_service_of_node
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.swarm import IS_IGNORED, IS_SETTLED

_KEYS = ("hostNetwork", "hostPID", "hostIPC")
_HAS_OWN = "it has namespaces of its own"
_MOST_FOLLOWED = 4
_COMPOSE_KEYS = ("network_mode", "pid", "ipc", "userns_mode")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_pod(pod: Pod) -> Iterator[Verdict]:
        shared = [key for key in _KEYS if word(pod.spec.get(key)) == "true"]
        if shared:
            place = place_of(repository, pod.spec.get(shared[0]), pod.place)
            advice = f"remove it; {WAIVED}" if is_of_node(pod) else "remove it"
            yield fails(place, pod.subject, f"{' and '.join(shared)} is true", advice)
        elif any(is_hidden(pod.spec.get(key)) or may_name(pod.spec, key) for key in _KEYS):
            yield unknown(pod.place, pod.subject, "the node's namespaces are filled in by a template", RENDERED)
        else:
            yield holds(pod.place, pod.subject, _HAS_OWN)

    def of_service(service: Service) -> Iterator[Verdict]:
        shared = [key for key in _COMPOSE_KEYS if _mode(repository, service, key) == "host"]
        place = place_of(repository, service.get(shared[0]), service.place) if shared else service.place
        if shared and service.is_for_swarm:
            why = f"it has {' and '.join(shared)} of the host, {IS_IGNORED}"
            yield unknown(place, service.subject, why, IS_SETTLED)
        elif shared:
            advice = f"remove it; {WAIVED}" if is_service_of_node(service) else "remove it"
            mode = service.word(shared[0])
            is_own = mode == "host"
            why = f"{' and '.join(shared)} is host" if is_own else f"{shared[0]} is {mode}, which has the host's"
            yield fails(place, service.subject, why, advice)
        else:
            is_shared = any(":" in (service.word(key) or "") for key in _COMPOSE_KEYS)
            why = "it shares no namespace with its host" if is_shared else _HAS_OWN
            yield holds(service.place, service.subject, why)

    yield from judge_pods(repository, of_pod, of_service)


def _mode(repository: RepositoryTexts, service: Service, key: str) -> str:
    """Whose namespace a service of Compose is in, by the one that it shares it with where it names another one."""
    mode = service.word(key) or ""
    for _ in range(_MOST_FOLLOWED):
        kind, _, name = mode.partition(":")
        if kind != "service":
            break
        other = repository.kept(_by_name).get((service.path, name))
        mode = (other.word(key) or "") if other is not None else ""
    return mode


def _by_name(repository: RepositoryTexts) -> dict[tuple[str, str], Service]:
    return {(each.path, each.name): each for each in services(repository)}


RULE = Rule(
    "no-host-namespaces",
    "Pods share no namespace with their node",
    "It sees the node's traffic and processes, past every network policy.",
    FindingSeverity.HIGH,
    judge,
)
