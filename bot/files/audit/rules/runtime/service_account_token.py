"""A pod gets no token of the cluster's API that it does not need.

What: `automountServiceAccountToken: false` of the pod, or of the ServiceAccount that it names.

Example that fails::

    spec: {containers: [{name: api, image: contoso/api}]}

Fix: `automountServiceAccountToken: false` in the pod's spec.

Exceptions: a pod whose account a binding of this repository gives rights holds. Unknown are an account of its own
that no binding here names, the default account where a binding gives that one rights or a project here is a client
of the API, and a pod beside which an annotation puts a sidecar that reads the token (Dapr, Vault's agent,
Bank-Vaults, Kuma, Consul), or with a projected token of its own. Windows pods too are asked.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.made_here import is_made_here, names_made_here
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.stock import stock_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.accounts import accounts_with_rights, accounts_without_token
from bot.files.audit.workloads.helm import may_hold
from bot.files.audit.workloads.judging import RENDERED, judge_pods, place_of
from bot.files.audit.workloads.kept import why_kept
from bot.files.audit.workloads.kubernetes import Pod, is_hidden, is_hidden_name
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.projected_tokens import projected_tokens
from bot.files.audit.workloads.sidecars import sidecar_with_token
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS
from bot.files.formats.source.nodes import Mapping

_KEY = "automountServiceAccountToken"
_FIX = f"set {_KEY}: false in the pod's spec"
_SETTLES = f"whether the program asks the cluster's API; else {_KEY}: false"
_SETTLES_PROJECTED = f"whether the program reads that one; else {_KEY}: false, which leaves it the projected one"
_CLIENT = re.compile(
    r"(?:Include|Update)=\"(?:(?:Dotnet)?KubernetesClient(?:\.\w+)*|KubeOps\.[\w.]+|KubeClient(?:\.\w+)*"
    r"|Akka\.(?:Discovery|Coordination)\.KubernetesApi|(?:Microsoft\.)?Orleans\.(?:Hosting|Clustering)\.Kubernetes"
    r"|Steeltoe\.[\w.]*Kubernetes\w*|Ocelot\.Provider\.Kubernetes|AspNetCore\.HealthChecks\.(?:UI\.)?K(?:8s|ubernetes)\w*"
    r"|Yarp\.Kubernetes\.[\w.]+)\"",
    re.IGNORECASE,
)
"""Packages that ask the cluster's API, or bring its client."""
_DEFAULT = "default"
"""The account of pods that name none."""


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    yield from judge_pods(repository, lambda pod: _of_pod(repository, pod))


def _of_pod(repository: RepositoryTexts, pod: Pod) -> Iterator[Verdict]:
    setting = pod.spec.get(_KEY)
    name_node = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount")
    place = place_of(repository, setting, pod.place)
    account = word(name_node) or ""
    why = why_kept(pod)
    fix = Fix(_FIX, left_alone=why) if why else with_key(repository, pod.spec, _KEY, ["false"], _FIX).as_suggestion
    if is_hidden(setting) or is_hidden_name(name_node):
        yield unknown(place, pod.subject, f"{_KEY} or the account is filled in by a template", RENDERED)
    elif word(setting) == "false":
        yield holds(place, pod.subject, f"{_KEY} is false")
    elif any((projected := projected_tokens(pod)).values()):
        yield holds(pod.place, pod.subject, f"{next(iter(projected))} brings the token that it asks for itself")
    elif word(setting) is None and account in accounts_without_token(repository):
        yield holds(pod.place, pod.subject, f"its account {account} mounts no token")
    elif account and account != _DEFAULT and account in accounts_with_rights(repository):
        yield holds(pod.place, pod.subject, f"its account {account} is given rights here, and needs the token")
    elif projected:
        why = f"{next(iter(projected))} brings the token that it asks for itself, and its account's comes beside it"
        yield unknown(place, pod.subject, why, _SETTLES_PROJECTED)
    elif (sidecar := sidecar_with_token(pod)) is not None:
        why = f"{sidecar.name}, which {sidecar.annotation} puts beside the program, reads its token"
        yield unknown(place, pod.subject, why, sidecar.settled_by)
    elif account and account != _DEFAULT:
        yield unknown(
            pod.place, pod.subject, f"it gets the token of {account}, and no binding here tells what for", _SETTLES
        )
    elif pod.hidden or may_hold(pod.spec, _KEY, "serviceAccountName"):
        why = f"{_KEY} is not set; {pod.hidden or 'a part of it comes from a template that is not read'}"
        yield unknown(pod.place, pod.subject, why, RENDERED)
    elif _DEFAULT in accounts_with_rights(repository):
        why = "it gets the token of the default account, which is given rights here"
        yield unknown(place, pod.subject, why, _SETTLES)
    elif client := _client_of_cluster(repository, pod):
        why = f"it gets the default account's token, and {client} has a client of the cluster's API"
        yield unknown(place, pod.subject, why, _SETTLES)
    elif word(setting) is not None:
        yield fails(place, pod.subject, f"{_KEY} is true, and its account has no rights of its own", _FIX)
    else:
        yield fails(pod.place, pod.subject, f"{_KEY} is not false, and the default account's token is mounted", fix)


def _client_of_cluster(repository: RepositoryTexts, pod: Pod) -> str:
    """A project here that may be the program of a pod, and asks the cluster's API; empty where none does."""
    listed = (each for each in pod.spec.sequence("containers") if isinstance(each, Mapping))
    is_of_others = all(_is_of_others(repository, word(each.get("image")) or "") for each in listed)
    return "" if is_of_others else repository.kept(_find_client)


def _is_of_others(repository: RepositoryTexts, image: str) -> bool:
    """Whether an image is made elsewhere, as far as this repository tells what it makes."""
    if stock_image(image) is not None:
        return True
    if "$" in image or is_made_here(repository, image):
        return False
    names = names_made_here(repository)
    owners = {each.rpartition("/")[0] for each in names if "/" in each}
    is_told = bool(owners) and not any(is_unknown(each.rpartition("/")[2]) for each in names)
    return "/" not in image or (is_told and repository_of(image).rpartition("/")[0] not in owners)


def _find_client(repository: RepositoryTexts) -> str:
    projects = (
        each
        for each in repository.paths
        if each.endswith((*PROJECT_ENDINGS, ".props")) and repository.scope.is_judged(each)
    )
    return next((path for path in projects if _CLIENT.search(repository.text(path))), "")


RULE = Rule(
    "service-account-token",
    "Pods get no token that they do not need",
    "The token is a way from a program that was broken into to the cluster's API.",
    FindingSeverity.MEDIUM,
    judge,
)
