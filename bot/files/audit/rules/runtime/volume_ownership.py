"""A pod with volumes that outlive it says which group may write to them.

What: `fsGroup` in the pod's securityContext where a container may write a persistent volume (a claim, a claim
template, an ephemeral volume).

Example that fails::

    securityContext: {runAsNonRoot: true}
    volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]

Fix: `securityContext: {fsGroup: 1654}` of the pod.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.built_images import user_of_built_image
from bot.files.audit.delivery.image_traits import image_traits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.trying import Sign, tried_unless_known
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workloads.helm import may_name
from bot.files.audit.workloads.judging import RENDERED, judge_pods, place_of
from bot.files.audit.workloads.kubernetes import CONTAINER_LISTS, Pod, is_hidden
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping

_PERSISTENT = ("persistentVolumeClaim", "ephemeral")
_RABBIT = re.compile(r"(?:^|/)rabbitmq(?:[:@]|$)")
_ONCE = (
    "with fsGroupChangePolicy: OnRootMismatch: it does not start where its group may read the .erlang.cookie, as it"
    " may once the volume is mounted again"
)
_FIX = "set the pod's securityContext.fsGroup"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_pod(pod: Pod) -> Iterator[Verdict]:
        group = pod.spec.mapping("securityContext").get("fsGroup")
        place = place_of(repository, group, pod.place)
        if pod.is_windows:
            yield not_applicable(pod.place, pod.subject, "it is a Windows pod")
        elif is_hidden(group):
            yield unknown(pod.place, pod.subject, "fsGroup is filled in by a template", RENDERED)
        elif not _writers(pod) and _may_write(pod):
            why = "which persistent volumes it mounts is filled in by a template"
            yield unknown(pod.place, pod.subject, why, RENDERED)
        elif not _writers(pod):
            yield not_applicable(pod.place, pod.subject, "it mounts no persistent volume that it may write")
        elif word(group) is not None:
            yield holds(place, pod.subject, f"fsGroup is {word(group)}")
        elif hidden := pod.hidden or pod.constrained:
            yield unknown(pod.place, pod.subject, f"no fsGroup is set; {hidden}", RENDERED)
        else:
            yield fails(
                pod.place,
                pod.subject,
                "it mounts a persistent volume, and no fsGroup is set",
                _fix(repository, pod),
            )

    yield from judge_pods(repository, of_pod)


def _fix(repository: RepositoryTexts, pod: Pod) -> Fix:
    """Advice with the number that fits the images of those who write, where there is one for all of them."""
    images = [word(each.get("image")) or "" for each in _writers(pod)]
    users = [user_of_built_image(repository, each) for each in images]
    uids = {(user.uid or user.at_hand) if user is not None else "" for user in users}
    uid = uids.pop() if len(uids) == 1 else ""
    advice = f"{_FIX}: {uid}" if uid else f"{_FIX} to the group that the program runs as"
    advice = f"{advice}, {_ONCE}" if any(map(_RABBIT.search, images)) else advice
    traits = (image_traits(repository, each) for each in images)
    return tried_unless_known(traits, Fix(advice), Sign.OF_MODES)


def _may_write(pod: Pod) -> bool:
    """Whether a branch of a template that is not decided here may bring a persistent volume, and mount it."""
    spec = pod.manifest.mapping("spec")
    containers = [
        each for key, _ in CONTAINER_LISTS for each in pod.spec.sequence(key) if isinstance(each, Mapping)
    ]
    is_brought = may_name(pod.spec, "volumes") or may_name(spec, "volumeClaimTemplates")
    return is_brought and any(may_name(each, "volumeMounts") or each.get("volumeMounts") for each in containers)


def _writers(pod: Pod) -> list[Mapping]:
    """The containers that mount a persistent volume which they may write."""
    names = {
        word(volume.get("name"))
        for volume in pod.spec.sequence("volumes")
        if isinstance(volume, Mapping)
        and any(volume.get(key) is not None for key in _PERSISTENT)
        and word(volume.mapping("persistentVolumeClaim").get("readOnly")) != "true"
    }
    for claim in pod.manifest.mapping("spec").sequence("volumeClaimTemplates"):
        if isinstance(claim, Mapping):
            names.add(word(claim.mapping("metadata").get("name")))
    return [
        container
        for key in ("containers", "initContainers")
        for container in pod.spec.sequence(key)
        if isinstance(container, Mapping)
        and any(
            isinstance(mount, Mapping)
            and word(mount.get("name")) in names
            and word(mount.get("readOnly")) != "true"
            for mount in container.sequence("volumeMounts")
        )
    ]


RULE = Rule(
    "volume-ownership",
    "Persistent volumes belong to the program's group",
    "A program that is not root cannot write to a volume of root's.",
    FindingSeverity.LOW,
    judge,
)
