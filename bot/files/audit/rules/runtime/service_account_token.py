"""A pod gets no token of the cluster's API that it does not need.

What: `automountServiceAccountToken: false` of the pod, or of the ServiceAccount that it names.

Example that fails::

    spec: {containers: [{name: api, image: contoso/api}]}

Fix: `automountServiceAccountToken: false` in the pod's spec.

Exceptions: a pod whose account a binding of this repository gives rights holds. Unknown are an account of its own
that no binding here names, the default account where a binding gives that one rights, and a pod beside which an
annotation puts a sidecar that reads the token (Dapr, Vault's agent, Bank-Vaults, Kuma, Consul). Windows pods are
asked too.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workloads.accounts import accounts_with_rights, accounts_without_token
from bot.files.audit.workloads.helm import may_hold
from bot.files.audit.workloads.judging import RENDERED, judge_pods, place_of
from bot.files.audit.workloads.kubernetes import Pod, is_hidden, is_hidden_name, word
from bot.files.audit.workloads.sidecars import sidecar_with_token

_KEY = "automountServiceAccountToken"
_FIX = f"set {_KEY}: false in the pod's spec"
_SETTLES = f"whether the program asks the cluster's API; else {_KEY}: false"
_DEFAULT = "default"
"""The account of pods that name none."""


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    yield from judge_pods(repository, lambda pod: _of_pod(repository, pod))


def _of_pod(repository: RepositoryTexts, pod: Pod) -> Iterator[Verdict]:
    setting = pod.spec.get(_KEY)
    name_node = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount")
    place = place_of(repository, setting, pod.place)
    account = word(name_node) or ""
    fix = with_key(repository, pod.spec, _KEY, ["false"], _FIX).as_suggestion
    if is_hidden(setting) or is_hidden_name(name_node):
        yield unknown(place, pod.subject, f"{_KEY} or the account is filled in by a template", RENDERED)
    elif word(setting) == "false":
        yield holds(place, pod.subject, f"{_KEY} is false")
    elif account and account != _DEFAULT and account in accounts_with_rights(repository):
        yield holds(pod.place, pod.subject, f"its account {account} is given rights here, and needs the token")
    elif word(setting) is None and account in accounts_without_token(repository):
        yield holds(pod.place, pod.subject, f"its account {account} mounts no token")
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
    elif word(setting) is not None:
        yield fails(place, pod.subject, f"{_KEY} is true, and its account has no rights of its own", _FIX)
    else:
        yield fails(pod.place, pod.subject, f"{_KEY} is not false, and the default account's token is mounted", fix)


RULE = Rule(
    "service-account-token",
    "Pods get no token that they do not need",
    "The token is a way from a program that was broken into to the cluster's API.",
    FindingSeverity.MEDIUM,
    judge,
)
