"""Security settings that many workloads need stand in one place, not in each workload.

What: a setting of the security context that three or more workloads write out with the same value fails once for
the repository; `allowPrivilegeEscalation` and `seccompProfile`, which all need, also where three or more lack
them. It holds where it comes from a shared place: a patch or component of Kustomize, a value of a chart, a YAML
anchor.

Example that fails::

    deploy/api.yaml, deploy/web.yaml, deploy/jobs.yaml, each with
    securityContext: {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}}

Fix: one component that the kustomization takes (`components: [components/hardening]`)::

    apiVersion: kustomize.config.k8s.io/v1alpha1
    kind: Component
    patches:
      - target: {kind: Deployment}
        patch: |
          - {op: add, path: /spec/template/spec/containers/0/securityContext,
             value: {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}}}

It replaces the whole context of the first container: move what else stands there with it. In a chart, one value
(`securityContext:` in values.yaml) that each template takes by `toYaml`. The proposal is words alone.

Exceptions: one or two workloads, privileged containers, and those whose setting a template hides, are not asked.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Place
from bot.domain.wording.words import counted
from bot.files.audit.repository import RepositoryTexts, first_scalar
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, fails, holds
from bot.files.audit.workloads.helm import is_context_left_out
from bot.files.audit.workloads.kubernetes import Container, containers
from bot.files.audit.workloads.kustomize import renderings
from bot.files.formats.source.nodes import Node, Scalar, Sequence

ENOUGH = 3
"""Workloads that make sharing worth it."""
_MOST_NAMED = 3
"""Kustomizations that are named; of more it is said which are meant."""
_ONE_ANSWER = ("allowPrivilegeEscalation", "seccompProfile")
"""Settings that hardly a workload needs another value of: those that lack it need it as well."""
_SETTINGS = (*_ONE_ANSWER, "runAsNonRoot", "readOnlyRootFilesystem", "capabilities")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    asked = [each for each in containers(repository) if _is_asked(repository, each)]
    workloads = {each.pod.place: each for each in reversed(asked)}
    if len(workloads) < ENOUGH:
        return
    first = workloads[min(workloads, key=lambda place: (place.path, place.start))]
    place, subject = first.pod.place, "security settings of all workloads"
    repeated = [key for key in _SETTINGS if _is_repeated(repository, asked, key)]
    if not repeated:
        yield holds(place, subject, f"none is written in {ENOUGH} workloads or more")
        return
    why = f"{counted(len(workloads), 'workload')}, of which {ENOUGH} or more say or lack for themselves: "
    yield fails(place, subject, why + ", ".join(repeated), _advice(repository, asked, list(workloads.values())))


def _is_asked(repository: RepositoryTexts, container: Container) -> bool:
    pod = container.pod
    is_fixture = repository.scope.may_be_fixture(pod.path)
    is_left_out = pod.is_windows or container.hidden or is_fixture or container.is_privileged
    return container.role == "container" and not is_left_out


def _is_repeated(repository: RepositoryTexts, asked: list[Container], key: str) -> bool:
    """Whether three workloads have a setting each from a place of its own."""
    own: dict[str, dict[_Origin, Place]] = {}
    for container in asked:
        node = container.setting(key)
        workload = container.pod.place
        if node is None and is_context_left_out(repository, container.own):
            continue
        if node is None and key in _ONE_ANSWER:
            own.setdefault("", {})[workload.path, workload.start] = workload
        elif node is not None:
            value = "" if key in _ONE_ANSWER else _value_of(node)
            own.setdefault(value, {}).setdefault(_origin_of(repository, node), workload)
    return any(len(set(workloads.values())) >= ENOUGH for workloads in own.values())


_Origin = tuple[str, int]


def _origin_of(repository: RepositoryTexts, node: Node) -> _Origin:
    """Where a setting is written, the same for all that get it from there: a patch may be no file of its own."""
    first = first_scalar(node)
    if first is None:
        return "", node.start
    return repository.path_of(node) or first.source, first.start


def _value_of(node: Node) -> str:
    match node:
        case Scalar(value=value):
            return value.strip()
        case Sequence(items=items):
            return f"[{', '.join(map(_value_of, items))}]"
    return "{" + ", ".join(sorted(f"{key.value}: {_value_of(value)}" for key, value in node.entries())) + "}"


def _advice(repository: RepositoryTexts, asked: list[Container], workloads: list[Container]) -> str:
    """What would say it once for all of them: a value in a chart, a component elsewhere."""
    charts = {folder for each in workloads if (folder := _chart_of(each))}
    outside = {each.pod.place for each in workloads if not _chart_of(each)}
    parts = []
    if outside:
        where = _location(repository, asked, outside)
        who = "all manifests outside of charts" if charts else "all workloads"
        parts.append(f"{where}: a Component whose patch sets securityContext for {who}")
    if len(charts) > 1:
        many = "one helper of a library chart with the securityContext, that the templates of all {} charts include"
        parts.append(many.format(len(charts)))
    elif charts:
        parts.append("one value of the chart, securityContext in values.yaml, that each template takes by toYaml")
    return "; ".join(parts)


def _chart_of(container: Container) -> str:
    """The chart that makes a container, by its name and folder; empty where none does."""
    pod = container.pod
    return f"{pod.variant} {pod.path.rpartition('/templates/')[0]}" if pod.variant.startswith("chart ") else ""


def _location(repository: RepositoryTexts, asked: list[Container], outside: set[Place]) -> str:
    """Which kustomizations would take the component: those that are here, where each of them has all workloads.

    Else it is not told which of them is deployed, or some workloads are in none.
    """
    roots = {each.folder: each.root for each in renderings(repository)}
    places: dict[str, set[Place]] = {}
    for container in asked:
        if container.pod.variant in roots:
            places.setdefault(roots[container.pod.variant], set()).add(container.pod.place)
    if not places:
        return "a kustomization with one component"
    if len(places) <= _MOST_NAMED and all(each >= outside for each in places.values()):
        return f"components: [components/hardening] in {' and '.join(places)}"
    is_whole = outside <= {place for each in places.values() for place in each}
    others = "" if is_whole else ", with the manifests that none takes in one as well"
    return f"components: [components/hardening] in each kustomization that is deployed{others}"


RULE = Rule(
    "shared-hardening",
    "Security settings that many workloads need stand in one place",
    "A new workload gets what stands in one place, and forgets what is copied.",
    FindingSeverity.LOW,
    judge,
)
