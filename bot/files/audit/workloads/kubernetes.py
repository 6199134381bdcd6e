"""Manifests → pods and their containers, as the cluster would get them.

Source: Kubernetes' API reference (PodSpec, Container, SecurityContext). A setting of a container wins over the same
one of its pod.
"""

import re
from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace

from bot.domain.repositories.finding import Place
from bot.domain.wording.words import counted
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads import helm, kustomize
from bot.files.audit.workloads.helm import may_hold, may_name
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.kustomize import may_hold_workloads
from bot.files.audit.workloads.objects import objects, word
from bot.files.audit.workloads.pod_templates import OF_OPERATOR, handed_to_operator
from bot.files.audit.workloads.refusals import is_refused
from bot.files.audit.workloads.unnamed_patches import is_patch
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence, texts_under
from bot.files.formats.table import is_worth_reading

_TEMPLATES = {
    "Pod": (),
    "CronJob": ("jobTemplate", "spec", "template", "spec"),
    "ScaledJob": ("jobTargetRef", "template", "spec"),
}
_WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout", "Service"}
    | {"DeploymentConfig"}
)
_OF_POD_TEMPLATE = ("spec", "template", "spec")
_OF_OPENSHIFT = re.compile(r"\b(?:template|apps)\.openshift\.io/|\bkind[\"']?:\s*[\"']?DeploymentConfig\b")
_CONSTRAINED = "OpenShift's security context constraints may set it"
_PUT_IN = re.compile(r"\$\{\{?\w+(?::?[-=][^}]*)?\}?\}|#\{[\w.]+\}#?|__\w+__")
"""A value that a deployment puts in as a whole."""
CONTAINER_LISTS = (("initContainers", "init container"), ("containers", "container"))
_ASSERTION = re.compile(r"(?:^|/)(?:\d+-(?:assert|errors)|assert)(?:-[\w-]+)?\.ya?ml$")
_JOINTS = ("-", ".")


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """One pod template. `variant` names the kustomization or chart that it was made by.

    `hidden` says why a setting that is absent may be there all the same: a helper of a template, a base elsewhere.
    """

    path: str
    kind: str
    name: str
    spec: Mapping
    manifest: Mapping
    place: Place
    variant: str = ""
    hidden: str = ""
    constrained: str = ""
    """Why the cluster may set what a security context lacks."""
    images: Names[Scalar, tuple[Mapping, ...]] = field(default_factory=dict)
    """The entries of `images` that it went through, in order, by what each of its containers names."""

    @property
    def subject(self) -> str:
        of = f" ({self.variant})" if self.variant else ""
        return f"{self.kind}/{self.name}{of}"

    @property
    def skips(self) -> str:
        """The annotations by which other tools are told to pass over the object; empty where there are none."""
        names = [key.value for key, _ in self.manifest.mapping("metadata").mapping("annotations").entries()]
        kube_linter = sum(name.startswith("ignore-check.kube-linter.io/") for name in names)
        checkov = sum(name.startswith("checkov.io/skip") for name in names)
        counts = (("kube-linter", kube_linter), ("checkov", checkov))
        return " and ".join(f"{counted(number, 'annotation')} for {tool}" for tool, number in counts if number)

    @property
    def is_windows(self) -> bool:
        system = self.spec.mapping("os").scalar("name")
        selected = self.spec.mapping("nodeSelector").scalar("kubernetes.io/os")
        return any(each is not None and each.value == "windows" for each in (system, selected))


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One container of a pod; `own` is its mapping in the manifest, `role` what findings call it."""

    pod: Pod
    own: Mapping
    role: str
    place: Place

    @property
    def name(self) -> str:
        name = self.own.scalar("name")
        return name.value if name is not None and HIDDEN_VALUE not in name.value else "?"

    @property
    def subject(self) -> str:
        return f"{self.pod.subject} · {self.role} {self.name}"

    @property
    def image(self) -> str:
        image = self.own.scalar("image")
        return image.value if image is not None else ""

    @property
    def command(self) -> str:
        """What it starts, and with which arguments, as far as it is written here."""
        return " ".join(each for key in ("command", "args") for each in texts_under(self.own.get(key)))

    @property
    def context(self) -> Mapping:
        return self.own.mapping("securityContext")

    @property
    def is_privileged(self) -> bool:
        return (word(self.context.get("privileged")) or "").lower() == "true"

    @property
    def may_be_privileged(self) -> bool:
        """Whether that is filled in later: a cluster takes nothing but true and false."""
        return (word(self.context.get("privileged")) or "false").lower() not in {"true", "false"}

    def may_be_given(self, key: str) -> bool:
        """Whether a template that is not read puts in its security context, or may put that setting into it."""
        whole = self.own.get("securityContext")
        is_whole = isinstance(whole, Scalar) and is_hidden(whole)
        return is_whole or may_name(self.own, "securityContext") or may_hold(self.context, key)

    @property
    def hidden(self) -> str:
        """Why a setting of the container that is absent may be there all the same."""
        spec = self.pod.spec
        inner = may_hold(self.own, "securityContext") or may_hold(self.context)
        outer = may_hold(spec, "securityContext") or may_hold(spec.mapping("securityContext"))
        is_whole = isinstance(self.own.get("securityContext"), Scalar) and is_hidden(
            self.own.get("securityContext")
        )
        if is_whole or inner or outer:
            return "a part of it comes from a template that is not read"
        return self.pod.hidden or self.pod.constrained

    def setting(self, key: str) -> Node | None:
        """Returns a setting of the container's security context, else of its pod's."""
        own = self.context.get(key)
        return own if own is not None else self.pod.spec.mapping("securityContext").get(key)


def is_hidden(node: Node | None) -> bool:
    """Whether a value comes from where only a rendered template tells, or what puts parameters in."""
    return isinstance(node, Scalar) and (HIDDEN_VALUE in node.value or _PUT_IN.fullmatch(node.value) is not None)


def is_hidden_name(node: Node | None) -> bool:
    """Whether an object's name comes from there, at least in part: a cluster takes no name that is a half."""
    name = word(node) or ""
    return is_hidden(node) or name.startswith(_JOINTS) or name.endswith(_JOINTS)


def pods(repository: RepositoryTexts) -> list[Pod]:
    """Reads all pod templates of manifests, kustomizations and charts, in the order of the paths. Never raises."""
    return repository.kept(_pods)


def containers(repository: RepositoryTexts) -> list[Container]:
    return repository.kept(_containers)


def branch_pods(repository: RepositoryTexts) -> list[Pod]:
    """The pods of charts that stand in branches which their own values do not take, or a rendering decides."""
    return repository.kept(_branch_pods)


def branch_containers(repository: RepositoryTexts) -> list[Container]:
    """The containers that stand in such branches, whether all of their pod does or not."""
    return repository.kept(_branch_containers)


def _branch_pods(repository: RepositoryTexts) -> list[Pod]:
    known_places = {pod.place for pod in pods(repository)}
    by_place = {pod.place: pod for pod in repository.kept(_pods_of_branches) if pod.place not in known_places}
    return list(by_place.values())


def _branch_containers(repository: RepositoryTexts) -> list[Container]:
    known_places = {(each.place.path, each.place.start) for each in containers(repository)}
    by_place: dict[tuple[str, int], Container] = {}
    for each in _containers_of(repository, repository.kept(_pods_of_branches)):
        place = each.place.path, each.place.start
        if place not in known_places:
            by_place.setdefault(place, each)
    return list(by_place.values())


def _pods_of_branches(repository: RepositoryTexts) -> list[Pod]:
    return [
        pod
        for chart in helm.charts(repository)
        for path, manifest in chart.branches
        if (pod := _pod(repository, manifest, path, variant=f"chart {chart.name}", hidden=chart.hidden))
    ]


def _containers(repository: RepositoryTexts) -> list[Container]:
    return _containers_of(repository, pods(repository))


def _containers_of(repository: RepositoryTexts, pods_with_them: list[Pod]) -> list[Container]:
    all_containers = []
    for pod in pods_with_them:
        for key, role in CONTAINER_LISTS:
            for node in pod.spec.sequence(key):
                # Without an image it is a patch for a container, which is asked about where it is applied.
                if isinstance(node, Mapping) and (
                    node.get("image") is not None or may_hold(node, "image") or _is_whole(pod)
                ):
                    place = repository.place(node, pod.path)
                    all_containers.append(Container(pod, node, role, place))
    return all_containers


def _is_whole(pod: Pod) -> bool:
    """Whether a pod's containers are asked without an image: a chart's template makes it, an operator has their
    images, or it selects its pods."""
    is_of_others = pod.hidden == OF_OPERATOR or pod.variant.startswith("chart ")
    return is_of_others or pod.manifest.mapping("spec").get("selector") is not None


def _pods(repository: RepositoryTexts) -> list[Pod]:
    all_pods: list[Pod] = []
    rendered = kustomize.renderings(repository)
    taken = {path for rendering in rendered for path in rendering.files} | kustomize.patch_files(repository)
    for rendering in rendered:
        # What is refused is told once, of the file at fault.
        for each in [] if is_refused(repository, rendering) else rendering.objects:
            hidden = each.hidden or rendering.hidden
            made = _pods_in(repository, each.manifest, rendering.root, rendering.folder, hidden)
            all_pods += [replace(pod, images=each.images) for pod in made]
    charts = helm.charts(repository)
    for chart in charts:
        for path, manifest in chart.objects:
            all_pods += _pods_in(repository, manifest, path, f"chart {chart.name}", chart.hidden)
    folders = tuple(f"{chart.folder}/" if chart.folder else "" for chart in charts)
    for path in manifest_paths(repository):
        if path in taken or (folders and path.startswith(folders)):
            continue
        constrained = _CONSTRAINED if _OF_OPENSHIFT.search(repository.text(path)) else ""
        for manifest in objects(repository.documents(path)):
            for pod in _pods_in(repository, manifest, path):
                if pod.hidden or not is_patch(manifest, pod.spec, path):
                    all_pods.append(replace(pod, constrained=constrained) if constrained else pod)
    return all_pods


def is_as_written(repository: RepositoryTexts, pod: Pod) -> bool:
    """Whether all of a pod stands in one file just so, and no patch or template has made a part of it."""
    return not pod.variant or pod in repository.kept(_find_pods_as_written)


def _find_pods_as_written(repository: RepositoryTexts) -> frozenset[Pod]:
    return frozenset(pod for pod in pods(repository) if pod.variant and _is_of_one_text(repository, pod.spec))


def _is_of_one_text(repository: RepositoryTexts, node: Node) -> bool:
    path = repository.path_of(node)
    text = repository.text(path) if path else ""
    waiting, node_ids = [node], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in node_ids:  # aliases share nodes
            continue
        node_ids.add(id(one))
        match one:
            case Scalar(source=source):
                if source is not text:
                    return False
            case Sequence(items=items):
                waiting += items
            case Mapping() as mapping:
                if mapping.merged:
                    return False
                for key, value in mapping.own.values():
                    waiting += (key, value)
    return bool(path)


def is_assertion(path: str) -> bool:
    """Whether a file says what a test of KUTTL or Chainsaw expects of a cluster, and so deploys nothing."""
    return _ASSERTION.search(path) is not None


def manifest_paths(repository: RepositoryTexts) -> list[str]:
    """YAML files that may hold objects of Kubernetes that somebody runs."""
    return repository.kept(_manifest_paths)


def _manifest_paths(repository: RepositoryTexts) -> list[str]:
    return [
        path
        for path in repository.paths
        if path.endswith((".yml", ".yaml"))
        and repository.kind(path) == MANIFEST
        and not is_assertion(path)
        and is_worth_reading(path)
        and repository.scope.is_judged(path)
        and may_hold_workloads(repository.text(path))
    ]


def shown_kind(manifest: Mapping) -> str:
    """What an object is called in findings: its kind, where that is known."""
    kind = word(manifest.get("kind")) or "?"
    return "Workload" if HIDDEN_VALUE in kind or HIDDEN in kind else kind


def way_to_spec(manifest: Mapping) -> tuple[str, ...] | None:
    """The keys below which the PodSpec of an object stands; None where it is no workload."""
    kind = word(manifest.get("kind")) or ""
    if kind == "Service" and (word(manifest.get("apiVersion")) or "") == "v1":
        return None
    if kind in _TEMPLATES:
        return ("spec", *_TEMPLATES[kind])
    return _OF_POD_TEMPLATE if kind in _WORKLOADS else _way_by_shape(manifest, kind)


def _way_by_shape(manifest: Mapping, kind: str) -> tuple[str, ...] | None:
    """The same of a kind that is not known here, or that only a rendering tells, by where containers are listed."""
    ways: list[tuple[str, ...]] = [_OF_POD_TEMPLATE]
    if HIDDEN_VALUE in kind or HIDDEN in kind:
        ways += [("spec", *way) for way in _TEMPLATES.values()]
    for way in ways:
        spec = manifest
        for key in way:
            spec = spec.mapping(key)
        if isinstance(spec.get("containers"), Sequence):
            return way
    return None


def spec_of(manifest: Mapping) -> Mapping | None:
    """The PodSpec of an object; None where it is no workload."""
    way = way_to_spec(manifest)
    if way is None:
        return None
    spec = manifest
    for key in way:
        spec = spec.mapping(key)
    return spec if isinstance(spec.get("containers"), Sequence) else None


def _pod(
    repository: RepositoryTexts, manifest: Mapping, path: str, variant: str = "", hidden: str = ""
) -> Pod | None:
    spec = spec_of(manifest)
    return _named(repository, manifest, spec, path, variant, hidden) if spec is not None else None


def _pods_in(
    repository: RepositoryTexts, manifest: Mapping, path: str, variant: str = "", hidden: str = ""
) -> list[Pod]:
    """The pod of a workload, or those that a custom resource hands to its operator."""
    if (pod := _pod(repository, manifest, path, variant, hidden)) is not None or way_to_spec(manifest) is not None:
        return [pod] if pod is not None else []
    return [
        replace(_named(repository, manifest, spec, path, variant, OF_OPERATOR), place=repository.place(spec, path))
        for spec in handed_to_operator(manifest)
    ]


def _named(
    repository: RepositoryTexts, manifest: Mapping, spec: Mapping, path: str, variant: str, hidden: str
) -> Pod:
    """A pod with what its object is called."""
    name_node = manifest.mapping("metadata").get("name")
    name = word(name_node) or "?"
    kind = shown_kind(manifest)
    first = manifest.own.get("kind")
    place = repository.place(first[1] if first else manifest, path)
    is_told = name != "?" and not is_hidden_name(name_node)
    display_name = name if is_told else path.rpartition("/")[2].partition(".")[0]
    return Pod(place.path or path, kind, display_name, spec, manifest, place, variant, hidden)
