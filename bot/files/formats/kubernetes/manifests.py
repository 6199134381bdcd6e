"""Kubernetes manifests: whatever an object of any kind runs.

Pod templates have one shape in every workload, in lists of objects and in most custom resources, so the shape is
looked for and not the kind.
"""

import re
from collections.abc import Iterator

from bot.domain.repositories.usage import Findings, Kind, Role, Usage
from bot.files.formats.kubernetes import argo, kustomize
from bot.files.formats.kubernetes.helm import is_image_key, written_in_keys
from bot.files.formats.source.collector import Collector, Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence, mappings_under
from bot.files.formats.source.yaml import TEMPLATED, read

KIND = Kind("kubernetes")
CONTAINER_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers", "steps", "sidecars"})
"""The last two are Tekton's and Argo Workflows'."""
WITHOUT_CONTAINERS = frozenset({"ConfigMap", "Secret", "CustomResourceDefinition"})
CONTAINER_KEYS = frozenset({"container", "script", "stepTemplate"})
OPENSHIFT_IMAGE = "DockerImage"
"""The kind of object reference that build configurations and image streams of OpenShift name images with."""
_TEMPLATE_ACTION = re.compile(
    r"\{\{-?\s*(?:/\*|\$?\.?(?:Values|Release|Chart|Capabilities|Files|Template)\b|(?:include|template|define|toYaml|tpl)\s)"
)

_LITERAL_IMAGE = re.compile(
    r"""^[ \t]*(?:-[ \t]+)?image:[ \t]*(?P<image>["']?[^\s"'{}#<]+["']?)[ \t]*(?:\#.*)?\r?$""", re.M
)


def find(path: str, text: str) -> Findings:
    """The images of every container in every document that is a manifest; a Helm template is one problem."""
    if "image" not in text and OPENSHIFT_IMAGE not in text:
        return Findings()
    file = Collector(path, text, KIND)
    action = _TEMPLATE_ACTION.search(text)
    if action is None and not ("kind" in text and "apiVersion" in text) and not kustomize.may_be_one(text):
        return Findings()
    try:
        documents = read(text)
    except Unreadable as error:
        return _of_template(file) if "{{" in text else file.unreadable(error)
    if action is not None and _template_action(text, documents):
        return _of_template(file)
    for document in documents:
        for reference in kustomize.images(document):
            file.image(reference, Role.IMAGE, assembled=True)
    for key, mapping in _mappings(documents):
        _add(key, mapping, file)
    return file.findings()


def _of_template(file: Collector) -> Findings:
    """One problem where an image is written out in a template, nothing where all of them come from its values."""
    literal = _LITERAL_IMAGE.search(file.text)
    if literal is not None:
        file.problem(literal.start("image"), TEMPLATED)
    return file.findings()


def _template_action(text: str, documents: list[Node]) -> bool:
    """Whether Helm would act, but for documents that only hold texts: those may be templates of another program."""
    begin = 0
    for number, document in enumerate(documents, start=1):
        end = documents[number].start if number < len(documents) else len(text)
        action = _TEMPLATE_ACTION.search(text, begin, end)
        begin = end
        kind = document.scalar("kind") if isinstance(document, Mapping) else None
        if action is not None and (kind is None or kind.value not in WITHOUT_CONTAINERS):
            return True
    return False


def _mappings(documents: list[Node]) -> Iterator[tuple[str, Mapping]]:
    """Without what is read as values of a chart."""
    values: set[int] = set()
    for document in documents:
        for manifest in _manifests(document):
            for key, mapping in mappings_under(_with_what_it_runs(manifest)):
                if id(mapping) in values:
                    continue
                if key == argo.UNDER:
                    values |= {
                        id(node) for settings in argo.values_of(mapping) for _, node in mappings_under(settings)
                    }
                yield key, mapping


def _add(key: str, mapping: Mapping, file: Collector) -> None:
    """What the mapping under `key` names, whole or, as Helm's values do, in keys of its own.

    Without a `repository` these may tell of the image of a machine.
    """
    if image := mapping.scalar("image"):
        if key in CONTAINER_LISTS or key in CONTAINER_KEYS:
            file.image_or_problem(image.spanned, Role.IMAGE)
        elif (usage := file.usage(image.spanned, Role.IMAGE)) is not None and _is_pinned_somehow(usage):
            file.add(usage)
    if key == kustomize.UNDER:
        for image_text, assembled in kustomize.put_in(mapping):
            file.image(image_text, Role.IMAGE, assembled=assembled)
    if key == argo.UNDER:
        argo.add_images(mapping, file)
    if key == "from" and (name := _openshift_image(mapping)):
        file.image_or_problem(name.spanned, Role.IMAGE)
    if key == "volumes" and (reference := mapping.mapping("image").scalar("reference")):
        file.image_or_problem(reference.spanned, Role.IMAGE)
    if is_image_key(key) and mapping.scalar("repository") and (spelled := written_in_keys(key, mapping)):
        file.image(spelled, Role.IMAGE, assembled=True)


def _openshift_image(mapping: Mapping) -> Scalar | None:
    """What an object reference names. Under `to`, the same shape tells where a build puts what it makes."""
    kind = mapping.scalar("kind")
    return mapping.scalar("name") if kind is not None and kind.value == OPENSHIFT_IMAGE else None


def _manifests(document: Node) -> Iterator[Mapping]:
    """The object itself, or those of a list; in a `PodList`, an object need not say that it is a Pod."""
    waiting, node_ids = [(document, "")], set[int]()
    while waiting:
        node, list_kind = waiting.pop()
        if not isinstance(node, Mapping) or id(node) in node_ids or not (list_kind or node.scalar("apiVersion")):
            continue
        node_ids.add(id(node))
        kind_scalar = node.scalar("kind")
        kind = kind_scalar.value if kind_scalar is not None else list_kind
        if kind.endswith("List") and isinstance(node.get("items"), Sequence):
            waiting += ((item, kind.removesuffix("List")) for item in reversed(node.sequence("items")))
        elif kind and kind not in WITHOUT_CONTAINERS:
            yield node


def _with_what_it_runs(manifest: Mapping) -> Mapping:
    """Returns an object with what it runs, without the metadata, whose labels may be called anything."""
    own = {name: entry for name, entry in manifest.own.items() if name not in {"metadata", "status"}}
    return Mapping(manifest.start, own, manifest.merged)


def _is_pinned_somehow(usage: Usage) -> bool:
    """Whether a value under `image` has a tag or digest: a custom resource may mean a machine image or an icon."""
    return usage.reference.tag is not None or usage.reference.digest is not None
