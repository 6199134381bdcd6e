"""What rules about running containers share: who is asked, and what an absent setting means."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.domain.repositories.finding import Fix, Outcome, Place
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.suggestions.chart_values import context_begun
from bot.files.audit.verdict import Verdict, fails, not_applicable, unknown
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.compose import Service, fragments, services
from bot.files.audit.workloads.kept import why_kept
from bot.files.audit.workloads.kubernetes import (
    Container,
    Pod,
    branch_containers,
    branch_pods,
    containers,
    is_as_written,
    pods,
)
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.unread import unread_workloads
from bot.files.formats.source.nodes import Mapping, Node

RENDERED = "the manifests as they are rendered"
PUT_TOGETHER = "a kustomization or a chart puts it together"
_IN_BRANCH = ", where the template takes the branch that it stands in, as it does not by the chart's values alone"
_SETTLES_BRANCH = "the values that the chart is installed with"
_LEFT_OUT = "its template has a securityContext, which the values of the chart leave out"


def judge_workloads(
    repository: RepositoryTexts,
    of_container: Callable[[Container], Iterator[Verdict]],
    of_service: Callable[[Service], Iterator[Verdict]],
    *,
    is_asked_of_windows: bool = False,
    is_asked_of_privileged: bool = True,
    is_asked_of_parts: bool = False,
) -> Iterator[Verdict]:
    """Verdicts on every container and service; those of Windows are asked nothing unless that is said.

    Where privileged ones are asked nothing, what fails for one that may be privileged is unknown.
    """
    for container in containers(repository):
        if container.pod.is_windows and not is_asked_of_windows:
            yield not_applicable(container.place, container.subject, "it is a Windows container")
        else:
            skips = container.pod.skips
            for verdict in of_container(container):
                if verdict.outcome is Outcome.FAILS and container.may_be_privileged and not is_asked_of_privileged:
                    yield hidden(container, "privileged")
                    continue
                message = f"{verdict.message} ({skips} of the object are no waiver here)"
                is_shown = skips and verdict.outcome is Outcome.FAILS
                yield replace(verdict, message=message) if is_shown else verdict
    for container in branch_containers(repository):
        if is_asked_of_windows or not container.pod.is_windows:
            yield from map(_of_branch, of_container(container))
    for unread in unread_workloads(repository):
        yield unknown(unread.place, unread.subject, unread.message, RENDERED)
    for chart in helm.charts(repository):
        for path in chart.tests:
            yield not_applicable(Place(path, 1, 1), f"chart {chart.name}", "only `helm test` runs it")
    yield from judge_services(
        repository, of_service, is_asked_of_windows=is_asked_of_windows, is_asked_of_parts=is_asked_of_parts
    )


def _of_branch(verdict: Verdict) -> Verdict:
    """A verdict on what only another branch of a template brings: there nothing fails that is not rendered."""
    if verdict.outcome is not Outcome.FAILS:
        return verdict
    return unknown(verdict.place, verdict.subject, f"{verdict.message}{_IN_BRANCH}", _SETTLES_BRANCH)


def judge_services(
    repository: RepositoryTexts,
    of_service: Callable[[Service], Iterator[Verdict]],
    *,
    is_asked_of_windows: bool = False,
    is_asked_of_parts: bool = False,
) -> Iterator[Verdict]:
    """Verdicts on every service alone, and on what parts of services set where these are asked too.

    A service that is only ever read over another one is a part of that one.
    """
    for service in services(repository):
        if service.is_only_built or service.is_put_over:
            continue
        if service.is_windows and not is_asked_of_windows:
            yield not_applicable(service.place, service.subject, "it is a Windows container")
        else:
            yield from _with_named_over(service, lambda each: _unless_of_files(each, of_service))
    if is_asked_of_parts:
        for part in fragments(repository):
            yield from (each for each in of_service(part) if each.outcome is Outcome.FAILS)


def _unless_of_files(service: Service, of_service: Callable[[Service], Iterator[Verdict]]) -> Iterator[Verdict]:
    if service.carries_files:
        yield not_applicable(service.place, service.subject, "it only carries files: nothing is started in it")
    else:
        yield from of_service(service)


def _with_named_over(service: Service, of_service: Callable[[Service], Iterator[Verdict]]) -> Iterator[Verdict]:
    """Verdicts on a service; what fails in one of the sets of files that commands name fails, and what holds is
    unknown where it would not with a file that may be named beside."""
    verdicts = list(of_service(service))
    for files, nodes in service.other_sets if all(each.outcome is not Outcome.FAILS for each in verdicts) else ():
        if bad := [each for each in of_service(replace(service, over=nodes)) if each.outcome is Outcome.FAILS]:
            yield from (replace(each, message=f"with {files}: {each.message}") for each in bad)
            return
    if service.carries_files or all(each.outcome is Outcome.HOLDS for each in verdicts):
        for file, node in service.named_over:
            for verdict in of_service(replace(service, over=(node,))):
                if verdict.outcome is Outcome.FAILS:
                    why = f"with {file}, which may be named beside it: {verdict.message}"
                    yield unknown(verdict.place, service.subject, why, "whether it is read where the service runs")
                    return
    yield from verdicts


def judge_pods(
    repository: RepositoryTexts,
    of_pod: Callable[[Pod], Iterator[Verdict]],
    of_service: Callable[[Service], Iterator[Verdict]] | None = None,
) -> Iterator[Verdict]:
    """Verdicts on every pod as a whole, and on every service; containers are asked nothing."""
    for pod in pods(repository):
        yield from of_pod(pod)
    for pod in branch_pods(repository):
        yield from map(_of_branch, of_pod(pod))
    for unread in unread_workloads(repository):
        if unread.is_pod:
            yield unknown(unread.place, unread.subject, unread.message, RENDERED)
    if of_service is not None:
        yield from judge_services(repository, of_service, is_asked_of_parts=True)


def absent(container: Container, message: str, fix: Fix | str) -> Verdict:
    """Judges a setting that is not there: it fails, unless a template may put it there."""
    if container.hidden:
        return unknown(container.place, container.subject, f"{message}; {container.hidden}", RENDERED)
    return fails(container.place, container.subject, message, fix)


def hidden(container: Container, key: str) -> Verdict:
    return unknown(
        container.place, container.subject, f"{key} is filled in by a template that is not read", RENDERED
    )


def place_of(repository: RepositoryTexts, node: Node | None, otherwise: Place) -> Place:
    """The lines of a setting where it stands in a file, else those of what lacks it."""
    if node is None:
        return otherwise
    place = repository.place(node)
    return place if place.path else otherwise


def runs_as_another(user: Node | None) -> bool:
    """Whether a user is written that is not root."""
    name = (word(user) or "").partition(":")[0].strip().lower()
    return name not in {"", "0", "root"}


def service_key(repository: RepositoryTexts, service: Service, key: str, value: str, advice: str) -> Fix:
    """Suggests a key for a Compose service."""
    return with_key(repository, service.levels[0], key, [value], advice).as_suggestion


def context_key(repository: RepositoryTexts, container: Container, key: str, value: list[str], advice: str) -> Fix:
    """Puts a key into the container's securityContext, with the context where there is none.

    In a base that a kustomization takes as it is, and in the values of a chart, it is a suggestion: others may
    stand on them. What a cluster keeps as it was made is left to people.
    """
    if why := why_kept(container.pod):
        return Fix(advice, left_alone=why)
    fix = _context_key(repository, container, key, value, advice)
    return fix.as_suggestion if container.pod.variant else fix


def _context_key(repository: RepositoryTexts, container: Container, key: str, value: list[str], advice: str) -> Fix:
    context = container.own.get("securityContext")
    if isinstance(context, Mapping) and context.own:
        return with_key(repository, context, key, value, advice)
    if not is_as_written(repository, container.pod):
        begun = context_begun(repository, container.own, key, value, advice)
        if begun is None and helm.is_context_left_out(repository, container.own):
            return Fix(advice, left_alone=_LEFT_OUT)
        return begun if begun is not None else Fix(advice, left_alone=PUT_TOGETHER)
    if context is None:
        lines = [f"  {key}: {value[0]}".rstrip(), *(f"  {line}" for line in value[1:])]
        return with_key(repository, container.own, "securityContext", ["", *lines], advice)
    return Fix(advice, left_alone="its securityContext is written as an empty one")
