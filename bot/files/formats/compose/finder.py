"""Docker Compose files, by the Compose specification.

An `image` beside a `build` is the name that the build's result gets, so it is no usage; nor is it where another
service runs the same.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Values
from dataclasses import replace

from bot.domain.repositories.usage import Findings, Kind, Role
from bot.files.formats.compose.recognizing import is_of_version_1
from bot.files.formats.compose.variables import interpolated
from bot.files.formats.dockerfile import inline as inline_dockerfile
from bot.files.formats.source.collector import IMAGE_CONTEXT, Collector, Unreadable, is_plainly_an_image, quoted
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.placing import ROOM
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read

KIND = Kind("compose")
MOST_EXTENDS = 10
_WORDS = ("image", "dockerfile_inline", "args")


def find(path: str, text: str, environment: Values[str, Spanned] | None = None) -> Findings:
    """The images that services run, and those that builds written in the file itself stand on.

    `environment` are the variables that an `.env` file sets, with their places counted behind this file's.
    """
    if not any(word in text for word in _WORDS):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    services = _Services(file, environment or {})
    for document in documents:
        if isinstance(document, Mapping):
            services.read(document if is_of_version_1(document) else document.mapping("services"))
    return file.findings()


class _Services:
    """Reads services; a node that several of them share counts once, where it stands."""

    def __init__(self, file: Collector, environment: Values[str, Spanned]) -> None:
        self.file = file
        self.environment = environment
        self._node_ids: set[int] = set()

    def read(self, services: Mapping) -> None:
        built = set(self._list_built_names(services))
        for _, service in services.entries():
            if not isinstance(service, Mapping) or not self._is_new(service):
                continue
            image = service.scalar("image")
            if image is not None and not _builds(service, services) and self._name_of(image) not in built:
                self._image(image)
            volumes = service.get("volumes")
            if isinstance(volumes, Sequence) and self._is_new(volumes):
                for volume in volumes.items:
                    if isinstance(volume, Mapping) and _is(volume.get("type"), "image"):
                        self._image(volume.get("source"))
            build = service.get("build")
            if isinstance(build, Mapping) and self._is_new(build):
                self._build(build)

    def _build(self, build: Mapping) -> None:
        args = build.get("args")
        if args is not None and self._is_new(args):
            for _, value in pairs_of(args):
                argument, unknown = self._fill_text(value)
                if not unknown and is_plainly_an_image(argument.text):
                    self.file.image(argument, Role.BUILD_ARGUMENT)
        contexts = [build.get("additional_contexts"), build.mapping("x-bake").get("contexts")]
        for node in contexts:
            if node is not None and self._is_new(node):
                for _, context in pairs_of(node):
                    if (image := context.without_prefix(IMAGE_CONTEXT)) is not None:
                        self._reference(image, Role.CONTEXT)
        inline = build.scalar("dockerfile_inline")
        if inline is not None and self._is_new(inline):
            context_names = [name for node in contexts for name, _ in pairs_of(node)]
            build_args = {name: self._fill_text(value)[0] for name, value in pairs_of(args)}
            inline_dockerfile.find(
                self._fill_text(inline.spanned)[0], self.file, args=build_args, contexts=context_names
            )

    def _image(self, node: Node | None) -> None:
        if isinstance(node, Scalar) and not node.is_null and self._is_new(node):
            self._reference(node.spanned, Role.IMAGE)

    def _reference(self, reference: Spanned, role: Role) -> None:
        reference = reference.strip()
        value, unknown = self._fill_text(reference)
        if unknown:
            message = (
                f"the image {quoted(reference.text)} depends on {quoted(unknown[0])}, which has no default here"
            )
            self.file.problem(reference.place(0), message)
        else:
            self._add(value, reference, role)

    def _add(self, value: Spanned, reference: Spanned, role: Role) -> None:
        if all(place < ROOM for place in value.places):
            self.file.image_or_problem(value, role)
            return
        # A variable of another file may feed others too, so a digest goes behind the place that uses it.
        place = reference.place(-1) + 1 if value.places[-1] >= ROOM else None
        usage = self.file.usage(value, role, digest_place=place)
        if usage is None:
            self.file.problem(reference.place(0), f"{quoted(value.text)} is no image reference; correct it")
        else:
            self.file.add(replace(usage, statement=self.file.lines.at(reference.place(0))))

    def _list_built_names(self, services: Mapping) -> Iterator[str]:
        """The names that the images get which services build."""
        for _, service in services.entries():
            image = service.scalar("image") if isinstance(service, Mapping) else None
            if image is not None and isinstance(service, Mapping) and _builds(service, services):
                yield self._name_of(image)

    def _name_of(self, image: Scalar) -> str:
        """Returns the image's name with its variables put in; those without a value stay as they are written."""
        return self._fill_text(image.spanned.strip())[0].text

    def _fill_text(self, text: Spanned) -> tuple[Spanned, tuple[str, ...]]:
        return interpolated(text, self.environment)

    def _is_new(self, node: Node) -> bool:
        was_seen = id(node) in self._node_ids
        self._node_ids.add(id(node))
        return not was_seen


def _builds(service: Mapping, services: Mapping) -> bool:
    """Whether the service is built, itself or through the service of this file that it extends."""
    for _ in range(MOST_EXTENDS):
        build = service.get("build")
        if build is not None and not (isinstance(build, Scalar) and build.is_null):
            return True
        base = service.mapping("extends")
        name = service.scalar("extends") or (base.scalar("service") if base.get("file") is None else None)
        if name is None:
            return False
        service = services.mapping(name.value)
    return False


def pairs_of(node: Node | None) -> Iterator[tuple[str, Spanned]]:
    """The entries of a mapping, or of a list of `key=value`; those without a value come from the environment."""
    match node:
        case Mapping():
            for key, value in node.entries():
                if isinstance(value, Scalar) and not value.is_null:
                    yield key.value, value.spanned
        case Sequence():
            for item in node.items:
                if isinstance(item, Scalar):
                    key_text, equals, _ = item.value.partition("=")
                    if equals:
                        yield key_text, item.spanned.part(len(key_text) + 1, len(item.value))


def _is(node: Node | None, value: str) -> bool:
    return isinstance(node, Scalar) and node.value == value
