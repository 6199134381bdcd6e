"""Docker Compose files, by the Compose specification.

An `image` beside a `build` is the name that the build's result gets, so it is no usage.
"""

from collections.abc import Iterator

from bot.discover import inline_dockerfile
from bot.discover.collector import Collector, Unreadable, is_plainly_an_image, quoted
from bot.discover.compose_variables import interpolated
from bot.discover.nodes import Mapping, Node, Scalar, Sequence
from bot.discover.traced import Traced
from bot.discover.yaml_nodes import read
from bot.domain.usage import Findings, Kind, Role

IMAGE_CONTEXT = "docker-image://"
MOST_EXTENDS = 10
_WORDS = ("image", "dockerfile_inline", "args")


def find(path: str, text: str) -> Findings:
    """The images that services run, and those that builds written in the file itself stand on."""
    if "services" not in text or not any(word in text for word in _WORDS):
        return Findings()
    file = Collector(path, text, Kind.COMPOSE)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    services = _Services(file)
    for document in documents:
        if isinstance(document, Mapping):
            services.read(document.mapping("services"))
    return file.findings()


class _Services:
    """Reads services; a node that several of them share counts once, where it stands."""

    def __init__(self, file: Collector) -> None:
        self.file = file
        self._seen: set[tuple[int, Role]] = set()

    def read(self, services: Mapping) -> None:
        for _, service in services.entries():
            if not isinstance(service, Mapping):
                continue
            builds = _builds(service, services)
            if not builds and (image := service.scalar("image")):
                self._image(image, Role.IMAGE)
            for volume in service.sequence("volumes"):
                if isinstance(volume, Mapping) and _is(volume.get("type"), "image"):
                    self._image(volume.scalar("source"), Role.IMAGE)
            self._build(service.mapping("build"))

    def _build(self, build: Mapping) -> None:
        args = {name: interpolated(value)[0] for name, value in _pairs(build.get("args"))}
        contexts = dict(_pairs(build.get("additional_contexts")))
        bake = build.mapping("x-bake")
        contexts |= dict(_pairs(bake.get("contexts")))
        for context in contexts.values():
            if (image := context.without_prefix(IMAGE_CONTEXT)) is not None:
                self._reference(image, Role.CONTEXT)
        for value in args.values():
            if is_plainly_an_image(value.text):
                self._reference(value, Role.BUILD_ARGUMENT)
        inline = build.scalar("dockerfile_inline")
        if inline is not None and self._is_new(inline, Role.BUILD_STAGE):
            inline_dockerfile.find(interpolated(inline.traced)[0], self.file, args=args, contexts=contexts)

    def _image(self, node: Scalar | None, role: Role) -> None:
        if node is not None and self._is_new(node, role):
            self._reference(node.traced, role)

    def _reference(self, written: Traced, role: Role) -> None:
        written = written.strip()
        value, unknown = interpolated(written)
        if unknown:
            message = f"the image {quoted(written.text)} depends on {unknown[0]}, which has no default here"
            self.file.problem(written.place(0), message)
        else:
            self.file.image_or_problem(value, role)

    def _is_new(self, node: Node, role: Role) -> bool:
        known = (id(node), role) in self._seen
        self._seen.add((id(node), role))
        return not known


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


def _pairs(node: Node | None) -> Iterator[tuple[str, Traced]]:
    """The entries of a mapping, or of a list of `key=value`; those without a value come from the environment."""
    match node:
        case Mapping():
            for key, value in node.entries():
                if isinstance(value, Scalar) and not value.is_null:
                    yield key.value, value.traced
        case Sequence():
            for item in node.items:
                if isinstance(item, Scalar):
                    key_text, equals, _ = item.value.partition("=")
                    if equals:
                        yield key_text, item.traced.part(len(key_text) + 1, len(item.value))


def _is(node: Node | None, value: str) -> bool:
    return isinstance(node, Scalar) and node.value == value
