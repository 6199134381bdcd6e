"""Which image a container of a manifest is deployed with, and by what its name pins it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.finding import Place
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import joined_lines, without_comments
from bot.files.audit.workloads.built_names import naming_tool
from bot.files.audit.workloads.entries import word_of
from bot.files.audit.workloads.helm import may_hold
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.judging import place_of
from bot.files.audit.workloads.kubernetes import Container, containers
from bot.files.audit.workloads.objects import word
from bot.files.audit.workloads.pod_templates import OF_OPERATOR
from bot.files.formats.source.nodes import Mapping, Node, Scalar, mappings_under

_SET_IMAGE = re.compile(r"\bset\s+image\b|\bimages?\s+set\b", re.IGNORECASE)
_EDITS_YAML = re.compile(r"\b(?:yq|sed)\b", re.IGNORECASE)
_IMAGE = re.compile(r"\bimage", re.IGNORECASE)
_EDITS_TEXT = re.compile(r"\b(?:sed|perl|yq)\b")
_IN_PLACE = re.compile(r"(?<=\s)-\w*i")
_KUSTOMIZE = re.compile(r"\bedit\s+set\s+image\s+(?P<images>[^\n;&|#]+)")
_SCRIPTS = (".yml", ".yaml", ".sh", ".ps1", "Makefile", "justfile", ".mk")
_OF_CLUSTER = re.compile(r"\b(?:kubectl|oc)\b")
_WORKLOAD = re.compile(
    r"(?<![\w/.-])(?:deploy(?:ments?)?|dc|deploymentconfigs?|statefulsets?|sts|daemonsets?|ds|cronjobs?|cj|rs"
    r"|replicasets?|pods?|po)(?:\.apps)?(?:/|\s+)(?P<name>[^\s=]+)(?P<end>\s?)"
)
"""Whether a word ends in blank space is asked afterwards: as a condition it would have each part of it tried."""
_FILLED_IN = re.compile(r"\$|\{\{|__|<|#\{|%\w+%|\bREPLACE|\bTAG_?NAME\b|\bIMAGE_?TAG\b")
_NAME_FILLED_IN = "…"
_TAG_TOLD = re.compile(rf"[^@]*{HIDDEN_VALUE}[^@]*:(?P<tag>(?![\w.-]*{HIDDEN_VALUE})\w[\w.-]*)")
"""An image of which the values of a chart tell the tag, and not all of the name."""
_REPLACES = re.compile(r"\bReplace\(|-replace\b")
_OF_IMAGES = re.compile(r"image|tag|latest", re.IGNORECASE)
_OF_VALUES = re.compile(r"values[\w.-]*\.ya?ml\b")
_NO_RELEASE = re.compile(r":v?0\.0\.0(?:-[\w.-]+)?$")
"""The version that a chart has in its repository where a release writes another one."""
_APP_VERSION_GIVEN = re.compile(r"--app-version\b")
_APP_VERSION = re.compile(r"\bappVersion\b")
_FROM_CHART = re.compile(r"chart\.AppVersion\b", re.IGNORECASE)
"""What a template takes the version by, be it the chart's own or one that a library is handed."""
_REPLACED = re.compile(r"-replace\b")
_NEW_TAG = re.compile(r"\bnewTag\b")
_ENTRY_NAMED = re.compile(r"\.name\s*==\s*\\?[\"']([^\"'\\]+)")

NEVER_PULLED = "nothing is pulled, by imagePullPolicy: Never: it is what the node has of that name"


class NamedBy(StrEnum):
    """What a deployed image's name follows; `UNKNOWN` where only a deployment tells."""

    DIGEST = "digest"
    TAG = "tag"
    LATEST = "latest"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ImageOfContainer:
    """A container with its image as it is deployed, which a kustomization may have changed."""

    container: Container
    place: Place
    name: str
    pin: NamedBy
    why: str = ""

    @property
    def is_pulled(self) -> bool:
        """Whether a node may get it from a registry, and need not have it already."""
        return word(self.container.own.get("imagePullPolicy")) != "Never"


def deployed_images(repository: RepositoryTexts) -> list[ImageOfContainer]:
    """The images of all containers of manifests, kustomizations and charts, in order."""
    return repository.kept(_deployed_images)


def _deployed_images(repository: RepositoryTexts) -> list[ImageOfContainer]:
    return [_of_container(repository, each) for each in containers(repository)]


def _of_container(repository: RepositoryTexts, container: Container) -> ImageOfContainer:
    node = container.own.get("image")
    place = place_of(repository, node, container.place)
    name = container.image.strip()
    for entry in container.pod.images.get(node, ()) if isinstance(node, Scalar) else ():
        replaced = _with_entry(name, entry)
        place = place_of(repository, _telling(entry), place) if replaced != name else place
        name = replaced
    if node is None and not may_hold(container.own, "image"):
        is_of_operator = container.pod.hidden == OF_OPERATOR
        missing = "no image is written, without which no cluster takes it"
        why = "no image is written: its operator has one" if is_of_operator else missing
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, why)
    if (tagged := _TAG_TOLD.fullmatch(name)) is not None and not _FILLED_IN.search(name):
        name = f"{_NAME_FILLED_IN}:{tagged['tag']}"
    elif not name or HIDDEN_VALUE in name or HIDDEN in name or _FILLED_IN.search(name):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, "its image is filled in elsewhere")
    if container.pod.variant.startswith("chart ") and _NO_RELEASE.search(name):
        why = "0.0.0 stands for a version that a release of the chart fills in"
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, why)
    if _is_of_app_version(repository, container, name):
        why = "a release of the chart fills in its appVersion"
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, why)
    if _is_put_in_by_stream(container):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, "an image stream of OpenShift puts it in")
    pin = _pin_of(name)
    is_set = not name.endswith(":latest") and _may_be_set(repository, container)
    if pin is NamedBy.LATEST and (is_set or _is_rewritten(repository, container, name)):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, "a workflow or script may set its tag")
    if pin is NamedBy.LATEST and _is_set_by_kustomize(repository, container, name):
        why = "a workflow or script may set it by `kustomize edit set image`"
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, why)
    if pin is not NamedBy.DIGEST and (tool := naming_tool(repository, container.pod, name)):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, f"{tool} names it by what it has built")
    if pin is not NamedBy.DIGEST and container.pod.images and _may_get_new_tag(repository, name):
        return ImageOfContainer(container, place, name, NamedBy.UNKNOWN, "a workflow or script may set its tag")
    return ImageOfContainer(
        container, place, name, pin, "it is no image reference" if pin is NamedBy.UNKNOWN else ""
    )


def _is_of_app_version(repository: RepositoryTexts, container: Container, name: str) -> bool:
    """Whether a tag is the chart's appVersion, as its templates take it where no value has a tag, and a workflow or
    script gives the chart another one."""
    folder, found, _ = container.pod.path.rpartition("/templates/")
    chart = repository.root(f"{folder}/Chart.yaml") if found else None
    version = word(chart.get("appVersion")) if chart is not None else None
    if version is None or not name.endswith(f":{version}") or not repository.kept(_sets_app_version):
        return False
    values = repository.root(f"{folder}/values.yaml") or Mapping(0)
    is_written = any(word(mapping.get("tag")) == version for _, mapping in mappings_under(values))
    return not is_written and any(
        _FROM_CHART.search(repository.text(path))
        for path in repository.paths
        if path.startswith((f"{folder}/templates/", f"{folder}/charts/"))
    )


def _texts_of_scripts(repository: RepositoryTexts) -> tuple[str, ...]:
    """What workflows and scripts run, without their comments."""
    return tuple(without_comments(repository.text(path)) for path in repository.paths if path.endswith(_SCRIPTS))


def _sets_app_version(repository: RepositoryTexts) -> bool:
    texts = repository.kept(_texts_of_scripts)
    if any(map(_APP_VERSION_GIVEN.search, texts)):
        return True
    lines = (line for text in texts for line in text.split("\n") if _APP_VERSION.search(line))
    pairs = ((_EDITS_TEXT, _APP_VERSION), (_APP_VERSION, _REPLACED))
    return any(_from_pair(line, *pair) for line in lines for pair in pairs)


def _from_pair(line: str, first: re.Pattern[str], then: re.Pattern[str]) -> str:
    """A line from where the first of two things stands that the other one follows; empty where they do not.

    One pattern for both would be tried again, up to the line's end, at each place where the first one stands.
    """
    start = first.search(line)
    return line[start.start() :] if start is not None and then.search(line, start.end()) else ""


def _pin_of(name: str) -> NamedBy:
    try:
        reference = Reference.parse(
            name.lower().replace(_NAME_FILLED_IN, HIDDEN_VALUE)
        )  # A name in capitals stands for one, and has a tag all the same.
    except InvalidReference:
        return NamedBy.UNKNOWN
    if reference.digest is not None:
        return NamedBy.DIGEST
    return NamedBy.LATEST if reference.tag in {None, "latest"} else NamedBy.TAG


def _with_entry(written: str, entry: Mapping) -> str:
    """The name after one entry of a kustomization's `images`, which may be about another image, or another tag."""
    own_name = repository_of(written)
    if word_of(entry, "name") not in {own_name, written.partition("@")[0]}:
        return written
    name = word_of(entry, "newName") or own_name
    if digest := word_of(entry, "digest"):
        return f"{name}@{digest}"
    tag = word_of(entry, "newTag")
    return f"{name}:{tag}" if tag else f"{name}{written[len(own_name) :]}"


def _is_put_in_by_stream(container: Container) -> bool:
    """Whether a DeploymentConfig waits for what an image stream names, which replaces the image that is written."""
    triggers = container.pod.manifest.mapping("spec").sequence("triggers")
    return any(isinstance(each, Mapping) and word(each.get("type")) == "ImageChange" for each in triggers)


def _telling(entry: Mapping) -> Node | None:
    """What an entry of `images` pins an image by, else what it renames it to."""
    return entry.get("digest") or entry.get("newTag") or entry.get("newName")


def _may_get_new_tag(repository: RepositoryTexts, name: str) -> bool:
    """Whether a workflow or script gives an entry of a kustomization's `images` another tag, that of another image
    left out where its command names it."""
    named = (set(_ENTRY_NAMED.findall(line)) for line in repository.kept(_setting_new_tags))
    return any(not names or repository_of(name) in names for names in named)


def _setting_new_tags(repository: RepositoryTexts) -> tuple[str, ...]:
    texts = repository.kept(_texts_of_scripts)
    lines = (line for text in texts if "newTag" in text for line in joined_lines(text).split("\n"))
    return tuple(command for line in lines if (command := _from_pair(line, _EDITS_TEXT, _NEW_TAG)))


def _may_be_set(repository: RepositoryTexts, container: Container) -> bool:
    """Whether a workflow or script may name the image of a container anew when it deploys; what a chart or a
    kustomization makes may have another name then."""
    set_names, pod = repository.kept(_workloads_set_anew), container.pod
    if set_names is None or pod.variant.startswith("chart "):
        return set_names is None or bool(set_names)
    return pod.name in set_names or (pod.variant != "" and any(pod.name in each for each in set_names))


def _is_rewritten(repository: RepositoryTexts, container: Container, name: str) -> bool:
    """Whether a workflow or script writes something else into the file that names an image, as far as its command
    tells: the name of the image or of the file; in a chart that of its values, with the tag."""
    lines = repository.kept(_rewriting)
    if container.pod.variant.startswith("chart "):
        return any("tag" in each.lower() and _OF_VALUES.search(each) for each in lines)
    whole_name = re.compile(rf"(?<![\w./-]){re.escape(repository_of(name))}(?![\w./-])")
    return any(whole_name.search(each) or _names_file(each, container.pod.path) for each in lines)


def _names_file(command: str, path: str) -> bool:
    """Whether a word of a command about images is the path of a file, whole or from a folder on, or a pattern."""
    if _OF_IMAGES.search(command) is None:
        return False
    words = (each.strip("\"'").removeprefix("./") for each in command.split())
    files = [each for each in words if each.endswith((".yml", ".yaml"))]
    return any(fnmatchcase(path, each) or fnmatchcase(path, f"*/{each}") for each in files)


def _rewriting(repository: RepositoryTexts) -> tuple[str, ...]:
    """The commands of workflows and scripts that change files."""
    texts = repository.kept(_texts_of_scripts)
    lines = (line for text in texts for line in joined_lines(text).splitlines())
    return tuple(line for line in lines if _from_pair(line, _EDITS_TEXT, _IN_PLACE) or _REPLACES.search(line))


def _is_set_by_kustomize(repository: RepositoryTexts, container: Container, name: str) -> bool:
    """Whether a command sets the image of what a kustomization makes, by the name that is written or put there."""
    if not container.pod.variant or container.pod.variant.startswith("chart "):
        return False
    names = repository.kept(_images_set_by_kustomize)
    return any(each in {repository_of(name), repository_of(container.image)} or "$" in each for each in names)


def _images_set_by_kustomize(repository: RepositoryTexts) -> frozenset[str]:
    """The names of images as `kustomize edit set image` is given them in workflows and scripts."""
    return frozenset(
        name if equals else repository_of(name)
        for text in repository.kept(_texts_of_scripts)
        for match in _KUSTOMIZE.finditer(text)
        for name, equals, _ in (each.strip("\"'").partition("=") for each in match["images"].split())
    )


def _workloads_set_anew(repository: RepositoryTexts) -> frozenset[str] | None:
    """The workloads whose images workflows and scripts name anew; None where these may be any."""
    names = set[str]()
    for text in repository.kept(_texts_of_scripts):
        for line in _lines_setting_images(text):
            workload_names = _workloads_of(line) if _is_for_cluster(line) else set()
            if not workload_names or any(re.search(r"[^\w.-]", each) for each in workload_names):
                return None
            names |= workload_names
    return frozenset(names)


def _workloads_of(line: str) -> set[str]:
    return {each["name"] for each in _WORKLOAD.finditer(line) if each["end"]}


def _lines_setting_images(text: str) -> Iterator[str]:
    """The lines of a script that may name an image anew, once for each time that they say so."""
    end = 0
    for match in _SET_IMAGE.finditer(text):
        if match.start() >= end:
            newline = text.find("\n", match.start())
            end = newline if newline >= 0 else len(text)
            yield text[text.rfind("\n", 0, match.start()) + 1 : end]
    yield from (line for line in text.split("\n") if _from_pair(line, _EDITS_YAML, _IMAGE))


def _is_for_cluster(line: str) -> bool:
    """Whether one command of a line has a cluster set an image."""
    return any(_from_pair(command, _OF_CLUSTER, _SET_IMAGE) for command in re.split(r"[|;&]", line))
