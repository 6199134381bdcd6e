"""Tools that build images and put the names of what they have built into the manifests that they deploy.

Sources: the schemas of skaffold.yaml, and the API of Tiltfiles.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import dirname

from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workloads.kubernetes import Pod
from bot.files.audit.workloads.objects import word
from bot.files.formats.builds import below
from bot.files.formats.other_builds import TILTFILE
from bot.files.formats.source.nodes import Mapping, mappings_under

_BESIDE_MANIFESTS = ("rawYaml", "helm", "kpt")
_BY_OTHER_MEANS = (*_BESIDE_MANIFESTS, "kubectl")
"""What Skaffold renders by, other than Kustomize: beside `manifests`, `kubectl` only deploys what these say."""
_SKAFFOLD = re.compile(r"skaffold(?:[._-].*)?\.ya?ml")
_TILT_BUILDS = re.compile(r"\b(?:docker|custom)_build\w*\(\s*(?:ref\s*=\s*)?[\"'](?P<image>[^\"'\n]+)[\"']")
_TILT_DEPLOYS = re.compile(r"\bk8s_yaml\(\s*(?P<given>(?:[^()]|\([^()]*\))*)\)")
_FILES = re.compile(r"\[?\s*(?:[\"'][^\"'\n]+[\"'][\s,]*)+\]?\s*")
_KUSTOMIZATION = re.compile(r"kustomize\(\s*[\"'][^\"'\n]+[\"']\s*\)\s*")
_WRITTEN = re.compile(r"[\"']([^\"'\n]+)[\"']")


@dataclass(frozen=True, slots=True)
class _Built:
    """The images that one file has a tool build, with the manifests and kustomizations that it deploys: none where
    it deploys by other means too, so that these may be any."""

    tool: str
    images: frozenset[str]
    places: frozenset[str]


def naming_tool(repository: RepositoryTexts, pod: Pod, name: str) -> str:
    """The tool that builds an image and puts the name of what it has built into a pod; empty for none."""
    image = repository_of(name)
    return next(
        (
            each.tool
            for each in repository.kept(_built)
            if image in each.images and (not each.places or each.places & {pod.variant, pod.path})
        ),
        "",
    )


def _built(repository: RepositoryTexts) -> tuple[_Built, ...]:
    return (*_by_skaffold(repository), *_by_tilt(repository))


def _by_skaffold(repository: RepositoryTexts) -> Iterator[_Built]:
    for path in repository.paths:
        root = repository.root(path) if _SKAFFOLD.fullmatch(path.rpartition("/")[2]) else None
        for document in repository.documents(path) if root is not None else ():
            mappings = [mapping for _, mapping in mappings_under(document)]
            artifacts = [each for mapping in mappings for each in mapping.sequence("artifacts")]
            images = {word(each.get("image")) for each in artifacts if isinstance(each, Mapping)}
            other_means = _BESIDE_MANIFESTS if any(each.get("manifests") for each in mappings) else _BY_OTHER_MEANS
            is_by_other = any(mapping.get(key) is not None for mapping in mappings for key in other_means)
            places = frozenset() if is_by_other else frozenset(_kustomizations_of(mappings, dirname(path)))
            yield _Built("Skaffold", frozenset(each for each in images if each), places)


def _kustomizations_of(mappings: Iterable[Mapping], folder: str) -> Iterator[str]:
    """The folders that a file of Skaffold has Kustomize render, its own where it names none."""
    for mapping in mappings:
        if mapping.get("kustomize") is not None:
            paths = [word(each) or "" for each in mapping.mapping("kustomize").sequence("paths")]
            yield from _places(folder, paths or ["."])


def _by_tilt(repository: RepositoryTexts) -> Iterator[_Built]:
    for path in repository.paths:
        if not TILTFILE.fullmatch(path.rpartition("/")[2]):
            continue
        text = _COMMENT.sub("", repository.text(path))
        deployed = [match["given"] for match in _TILT_DEPLOYS.finditer(text)]
        is_written = all(_FILES.fullmatch(each) or _KUSTOMIZATION.fullmatch(each) for each in deployed)
        paths = [each for given in deployed if is_written for each in _WRITTEN.findall(given)]
        images = frozenset(repository_of(match["image"]) for match in _TILT_BUILDS.finditer(text))
        yield _Built("Tilt", images, frozenset(_places(dirname(path), paths)))


_COMMENT = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)


def _places(folder: str, paths: Iterable[str]) -> Iterator[str]:
    """Files and kustomizations as pods name those that they come from."""
    places = (below(folder, each) for each in paths)
    yield from (each or "." for each in places if each is not None)
