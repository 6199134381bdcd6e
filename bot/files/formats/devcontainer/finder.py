"""devcontainer.json, by the Development Containers specification."""

import posixpath
import re

from bot.domain.reference import DEFAULT_REGISTRY
from bot.domain.repositories.usage import Findings, Kind, Role
from bot.files.formats.builds import Argument, Builds, DockerBuild, below, places
from bot.files.formats.source.collector import Collector, Unreadable, is_plainly_an_image
from bot.files.formats.source.jsonc import read
from bot.files.formats.source.nodes import Mapping, Scalar, ScalarStyle
from bot.files.formats.source.spanned import Spanned, joined

KIND = Kind("devcontainer")
_VARIABLE = re.compile(r"\$\{(?:localEnv|env):[^:}]*(?::(?P<default>[^:}]*)[^}]*)?\}")
"""A default ends at the next colon, as in the specification's reference implementation."""


def find(path: str, text: str) -> Findings:
    """The image, the features that come from a registry, and build arguments that are images."""
    if not any(word in text for word in ('"image"', '"features"', '"args"')):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        root = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    if not isinstance(root, Mapping):
        return Findings()
    image = root.scalar("image")
    if image is not None and image.style is ScalarStyle.DOUBLE_QUOTED:
        # A digest has a colon, so it cannot stand in a default.
        file.image_or_problem(_with_defaults(image.spanned), Role.IMAGE, digest_place=image.end - 1)
    for key, _ in root.mapping("features").entries():
        # Without a registry it is a path in the repository, an address, or a name in GitHub's old format.
        feature = file.usage(key.spanned, Role.FEATURE)
        if feature is not None and feature.reference.registry != DEFAULT_REGISTRY:
            file.add(feature)
    for _, value in root.mapping("build").mapping("args").entries():
        if isinstance(value, Scalar) and is_plainly_an_image((argument := _with_defaults(value.spanned)).text):
            file.image(argument, Role.BUILD_ARGUMENT)
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """The Dockerfile that the container is built from, with the arguments for it. Never raises."""
    if '"args"' not in text:
        return Builds()
    try:
        root = read(text)
    except Unreadable:
        return Builds()
    build = root.mapping("build") if isinstance(root, Mapping) else Mapping(0)
    dockerfile = build.scalar("dockerfile") or build.scalar("dockerFile")
    if dockerfile is None and isinstance(root, Mapping):
        dockerfile = root.scalar("dockerFile")
    dockerfiles = places(below(posixpath.dirname(path), dockerfile.value) if dockerfile is not None else None)
    if not dockerfiles:
        return Builds()
    args = [
        Argument(key.value, _with_defaults(value.spanned), is_shared="${" in value.value)
        for key, value in build.mapping("args").entries()
        if isinstance(value, Scalar) and value.style is ScalarStyle.DOUBLE_QUOTED
    ]
    known_args = tuple(each for each in args if "${" not in each.value.text)
    return Builds.of([DockerBuild(path, KIND, dockerfiles, known_args)])


def _with_defaults(text: Spanned) -> Spanned:
    """`${localEnv:NAME:default}` as it is where the variable is not set; without a default it stays."""
    parts: list[Spanned] = []
    done = 0
    for variable in _VARIABLE.finditer(text.text):
        if variable["default"] is not None:
            parts += [text.part(done, variable.start()), text.part(*variable.span("default"))]
            done = variable.end()
    return joined([*parts, text.part(done, len(text))])
