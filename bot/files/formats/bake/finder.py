"""Docker Bake files, HCL and JSON, by the Bake file reference.

Images stand in named contexts (`docker-image://`), in build arguments, and in Dockerfiles written inline. `tags`,
`output` and caches name what is built, not what it stands on.
"""

import posixpath
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.bake import KIND
from bot.files.formats.bake import hcl as bake_hcl
from bot.files.formats.bake.evaluation import MOST_EVALUATED, BakeEvaluation, TooMuch, variants
from bot.files.formats.bake.file import BakeFile, blocks_of_json
from bot.files.formats.bake.hcl import HclBlock, Name, Opaque, Template, Value
from bot.files.formats.builds import DOCKERFILE, Argument, Builds, BuiltName, DockerBuild, FileBuild, below, places
from bot.files.formats.dockerfile import inline as inline_dockerfile
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source import jsonc
from bot.files.formats.source.collector import (
    IMAGE_CONTEXT,
    Collector,
    Unreadable,
    is_plainly_an_image,
    quoted,
    tag_stands_with_name,
)
from bot.files.formats.source.spanned import Spanned

NOT_EVALUATED = "which is not evaluated; write the image out"


def find(path: str, text: str) -> Findings:
    """The images that targets are built from, as far as they can be read without running Bake."""
    if not any(word in text for word in (IMAGE_CONTEXT, "dockerfile-inline", "args")):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        bake = BakeFile.of(_blocks(path, text))
    except Unreadable as error:
        return file.unreadable(error)
    reader = _Targets(bake, file)
    try:
        for name in bake.targets:
            reader.read(name)
    except TooMuch:
        limit = f"{MOST_EVALUATED:,} characters"
        file.problem(0, f"the file's variables and matrices expand to more than {limit}; the rest is not read")
    return file.findings()


def builds(path: str, text: str) -> Builds:
    """What the targets hand to the Dockerfiles that they are built from. Never raises."""
    return Builds.of(build for _, build in targets(path, text))


def targets(path: str, text: str) -> list[tuple[str, DockerBuild]]:
    """The name of each target with its builds. Never raises."""
    reader = _reader_of(path, text)
    if reader is None:
        return []
    builds: list[tuple[str, DockerBuild]] = []
    with suppress(TooMuch):
        for name in reader.bake.targets:
            builds += ((name, build) for build in reader.builds(name))
    return builds


def names(path: str, text: str, build: FileBuild | None = None) -> list[BuiltName]:
    """The names that targets give to what they build; what is not evaluated stays as written. Never raises.

    With a `build` those of the targets that it builds, by the variables and names that it sets.
    """
    reader = _reader_of(path, text, {} if build is None else dict(build.variables))
    if reader is None:
        return []
    bake = reader.bake
    built = bake.targets.keys() if build is None else bake.built(build.targets)
    built_names: list[BuiltName] = []
    with suppress(TooMuch):
        for target in (name for name in bake.targets if name in built):
            files = {each.dockerfiles for each in reader.builds(target)}
            dockerfiles = files.pop() if len(files) == 1 else ()
            names_set = [] if build is None else [name for glob, name in build.tags if fnmatchcase(target, glob)]
            if names_set:
                built_names += (BuiltName(target, name, reader.place(target), dockerfiles) for name in names_set)
            elif build is None or bake.owner(target, "tags") not in build.generated:
                built_names += (replace(image_name, dockerfiles=dockerfiles) for image_name in reader.names(target))
    return built_names


def values(path: str, text: str) -> dict[str, str]:
    """The variables of a file with their values, `UNKNOWN` for those that are not evaluated. Never raises."""
    reader = _reader_of(path, text)
    if reader is None:
        return {}
    texts: dict[str, str] = {}
    with suppress(TooMuch):
        for name, value in reader.bake.variables.items():
            evaluated, whole = reader.evaluated(value, reader.bake.variables)
            texts[name] = evaluated.text if whole else UNKNOWN
    return texts


def _blocks(path: str, text: str) -> list[HclBlock]:
    """Reads HCL or JSON, as the name says. Raises `Unreadable`."""
    return blocks_of_json(jsonc.read(text)) if path.endswith(".json") else bake_hcl.read(text)


def _reader_of(path: str, text: str, environment: Mapping[str, str] = MappingProxyType({})) -> "_Targets | None":
    """The reader of a file's targets where variables are set as in `environment`; None where it cannot be read."""
    try:
        return _Targets(_file_of(path, text).given(environment), Collector(path, text, KIND))
    except Unreadable:
        return None


@lru_cache(maxsize=4)
def _file_of(path: str, text: str) -> BakeFile:
    """What a file says: to read its text takes long, and each of its builds asks for it. Raises `Unreadable`."""
    return BakeFile.of(_blocks(path, text))


class _Targets:
    """Reads targets one after the other."""

    def __init__(self, bake: BakeFile, file: Collector) -> None:
        self.bake = bake
        self.file = file
        self._inherited = bake.inherited
        self._evaluation = BakeEvaluation()
        self.evaluated = self._evaluation.of

    def read(self, name: str) -> None:
        target = self.bake.targets[name]
        for attribute in ("contexts", "args", "dockerfile-inline"):
            value = target.get(attribute)
            if not isinstance(value, Opaque) or value.text == "null":
                continue
            if attribute == "dockerfile-inline" or IMAGE_CONTEXT in value.text:
                self.file.problem(
                    value.place, f"{attribute} of target {quoted(name)} is an expression, {NOT_EVALUATED}"
                )
        for variant in variants(target.get("matrix"), self.bake.variables):
            self._read_variant(name, {**self.bake.variables, **variant})

    def builds(self, name: str) -> Iterator[DockerBuild]:
        """Yields a build for each variant of a target; none for one that is only inherited and names no place."""
        attributes = {key: self.bake.value(name, key) for key in ("context", "dockerfile", "dockerfile-inline")}
        if attributes["dockerfile-inline"] is not None or (
            not any(attributes.values()) and name in self._inherited
        ):
            return
        args = self.bake.merged(name, "args")
        for variant in variants(self.bake.targets[name].get("matrix"), self.bake.variables):
            variables = {**self.bake.variables, **variant}
            context, dockerfile = (
                self._text(value, variables, default)
                for value, default in ((attributes["context"], "."), (attributes["dockerfile"], DOCKERFILE))
            )
            if context is None or dockerfile is None:
                continue
            folder = posixpath.dirname(self.file.path)
            dockerfile_paths = places(below(folder, context, dockerfile), below("", context, dockerfile))
            if dockerfile_paths:
                values = tuple(self._arguments(args, variables))
                yield DockerBuild(self.file.path, self.file.kind, dockerfile_paths, values)

    def names(self, target: str) -> Iterator[BuiltName]:
        """Yields the names of each variant of a target; none where it is inherited and has no tags of its own."""
        tags = self.bake.value(target, "tags")
        lends = target in self._inherited and "tags" not in self.bake.targets[target]
        if not isinstance(tags, tuple) or lends:
            return
        for variant in variants(self.bake.targets[target].get("matrix"), self.bake.variables):
            for value in tags:
                self._evaluation.used.clear()
                evaluated, _ = self.evaluated(value, {**self.bake.variables, **variant})
                if evaluated.text:
                    defaults = tuple(sorted(self._evaluation.used & self.bake.declared - variant.keys()))
                    yield BuiltName(target, evaluated.text, _place_of(value, evaluated), defaults=defaults)

    def place(self, target: str) -> int:
        """Returns the offset of the first text among the target's own attributes."""
        values = (value for value in self.bake.targets[target].values() if isinstance(value, Template))
        return next((value.written.place(0) for value in values if value.written.text), 0)

    def _text(self, value: Value | None, variables: Mapping[str, Value], default: str) -> str | None:
        if value is None:
            return default
        evaluated, whole = self.evaluated(value, variables)
        return evaluated.text if whole else None

    def _arguments(self, args: Mapping[str, Value], variables: Mapping[str, Value]) -> Iterator[Argument]:
        for name, value in args.items():
            evaluated, whole = self.evaluated(value, variables)
            if whole:
                is_own = isinstance(value, Template) and value.written.text == evaluated.text
                yield Argument(name, evaluated, is_shared=not is_own)

    def _read_variant(self, name: str, variables: Mapping[str, Value]) -> None:
        target = self.bake.targets[name]
        for value in _values(target.get("contexts")):
            self._read_context(value, variables)
        for value in _values(target.get("args")):
            evaluated, whole = self.evaluated(value, variables)
            if whole and is_plainly_an_image(evaluated.text):
                self.file.image(evaluated, Role.BUILD_ARGUMENT, digest_place=_digest_place(value, evaluated))
        self._read_inline(name, variables)

    def _read_inline(self, name: str, variables: Mapping[str, Value]) -> None:
        """The Dockerfile with the target's own arguments and contexts; what only repeats another's is left out."""
        owner = self.bake.owner(name, "dockerfile-inline")
        if owner is None:
            return
        merged = {attribute: self.bake.merged(name, attribute) for attribute in ("args", "contexts")}
        if owner != name and all(self.bake.merged(owner, key) == values for key, values in merged.items()):
            return
        inline = self.bake.targets[owner]["dockerfile-inline"]
        if isinstance(inline, Template | Name):
            # What a parent wrote means the parent's own scope, where this target's matrix is unknown.
            text, _ = self.evaluated(inline, variables if owner == name else self.bake.variables)
            if isinstance(inline, Template) and inline.written.text:
                # A last line end, so that there is a place behind everything, see `inline_dockerfile`.
                text += Spanned("\n", (~_behind(inline.written),))
            args = {key: self.evaluated(value, variables) for key, value in merged["args"].items()}
            known_args = {key: value for key, (value, whole) in args.items() if whole}
            inline_dockerfile.find(
                text, self.file, args=known_args, contexts=merged["contexts"], variables_are_shared=True
            )

    def _read_context(self, value: Value, variables: Mapping[str, Value]) -> None:
        evaluated, whole = self.evaluated(value, variables)
        image = evaluated.without_prefix(IMAGE_CONTEXT)
        if image is not None and whole:
            self.file.image_or_problem(image, Role.CONTEXT, digest_place=_digest_place(value, image))
        elif IMAGE_CONTEXT in evaluated.text:
            self.file.problem(evaluated.place(0), f"{quoted(evaluated.text)} has an expression, {NOT_EVALUATED}")


def _place_of(value: Value, evaluated: Spanned) -> int:
    """Where a name is written, though variables from elsewhere may supply its text."""
    if isinstance(value, Template) and value.written.text:
        return value.written.place(0)
    return value.place if isinstance(value, Name | Opaque) else evaluated.place(0)


def _digest_place(value: Value, image: Spanned) -> int | None:
    """Behind the string where a variable supplies only the tag."""
    if not isinstance(value, Template) or not value.written.text:
        return None
    return None if tag_stands_with_name(image) else _behind(value.written)


def _behind(text: Spanned) -> int:
    return text.place(len(text) - 1) + 1


def _values(value: Value | None) -> list[Value]:
    return list(value.values()) if isinstance(value, dict) else []
