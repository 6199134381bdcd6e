"""Helm values files.

Values have no schema, only habits: a mapping with `repository` and `tag` (sometimes `registry`, `version`,
`digest`), a whole reference under a key that ends in `image`, or keys side by side such as `imageName` and
`imageTag`. A `tag` alone is anything.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Values

from bot.domain.reference import DEFAULT_REGISTRY, InvalidReference, Reference
from bot.domain.repositories.usage import Findings, Kind, Role
from bot.files.formats.source.collector import Collector, Unreadable, is_plainly_an_image
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence, mappings_under
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read

KIND = Kind("helm-values")
_IMAGE_KEY = re.compile(r"(?:^|[a-z_-])images?$", re.IGNORECASE)
_SIDE_BY_SIDE = re.compile(
    r"(?P<image>(?:.*[a-z_-])?image)(?P<gap>[_-]?)(?:name|repository|repo)$", re.IGNORECASE | re.ASCII
)
"""A key for the name of an image, beside which others have its tag: `imageName`, `web_image_repository`."""
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}")
_WITH_ALGORITHM = "@sha256"
"""Ends a repository whose `tag` is the rest of a digest: charts put a colon between the two."""
_NOT_VALUES = re.compile(r"(?:^|/)(?:Chart|requirements)\.(?:yaml|yml|lock)$")
_TEMPLATED = "an image with a template in it is not read; write it out"


def find(path: str, text: str) -> Findings:
    """The images that the values name, whole or in separate keys."""
    if _NOT_VALUES.search(path) or not may_name_images(text):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for document in documents:
        add_images(document, file)
    return file.findings()


def may_name_images(text: str) -> bool:
    """Whether a text of values is worth reading."""
    return "mage" in text or "repository" in text


def add_images(values: Node, file: Collector, around: Spanned | None = None) -> None:
    """Adds the images that values name; `around` is the text in the file that they were read from, where they are
    YAML within YAML."""
    everywhere = _registry_of_all(values)
    for key, mapping in mappings_under(values):
        for image, assembled in _written_images(key, mapping):
            reference = image
            if everywhere is not None and assembled and mapping.get("registry") is None:
                reference = _below(everywhere, image)
            reference = reference if around is None else reference.within(around)
            if "{{" in reference.text:
                file.problem(reference.place(0), _TEMPLATED)
            else:
                file.image(reference, Role.IMAGE, assembled=assembled)


def _registry_of_all(document: Node) -> Scalar | None:
    """`global.imageRegistry`, which charts put before each image that names no registry."""
    registry = document.mapping("global").scalar("imageRegistry") if isinstance(document, Mapping) else None
    return registry if registry is not None and registry.value.strip() else None


def _below(registry: Scalar, image: Spanned) -> Spanned:
    """The image at that registry, unless it names one itself."""
    first = image.text.partition("/")[0]
    has_own = "/" in image.text and ("." in first or ":" in first or first == "localhost")
    return image if has_own else _with_registry(registry, image)


def written_in_keys(key: str, mapping: Mapping) -> Spanned | None:
    """The image that a mapping under `key` spells: `repository`, with `tag` or `digest`, perhaps `registry`.

    Under a key that ends in `image`, `name` and `version` stand for the first two as well.
    """
    is_image = is_image_key(key)
    repository = _repository(key, mapping)
    if repository is None:
        return None
    keys = ("tag", "version") if is_image else ("tag",)
    tags = [mapping.get(name) for name in keys]
    return _from_keys(repository, mapping.scalar("registry"), tags, mapping.scalar("digest"), alone=is_image)


def is_image_key(key: str) -> bool:
    return _IMAGE_KEY.search(key) is not None


def _repository(key: str, mapping: Mapping) -> Scalar | None:
    return mapping.scalar("repository") or (mapping.scalar("name") if is_image_key(key) else None)


def _written_images(key: str, mapping: Mapping) -> list[tuple[Spanned, bool]]:
    """References as they are written in one mapping, and whether they were put together from several keys."""
    spelled = written_in_keys(key, mapping)
    references = [] if spelled is None else [(spelled, True)]
    repository = None if spelled is None else _repository(key, mapping)
    by_small_name: Values[str, Node] = {}
    for name, (_, value) in mapping.own.items():
        if isinstance(value, Sequence) and is_image_key(name):
            references += ((item, False) for item in _plain_images(value.items))
        elif not isinstance(value, Scalar) or value.is_null or value is repository:
            continue
        elif (beside := _SIDE_BY_SIDE.fullmatch(name)) is not None:
            by_small_name = by_small_name or _by_small_name(mapping)
            spelled = _side_by_side(value, beside, by_small_name)
            references += [(spelled, True)] if spelled is not None else []
        elif not is_image_key(name):
            references += ((item, False) for item in _plain_images([value] if is_image_key(key) else []))
        elif ":" in value.value:
            references.append((value.spanned, False))
        else:
            tags = [mapping.get(sibling) for sibling in ("tag", f"{name}Tag")]
            spelled = _from_keys(value, mapping.scalar("registry"), tags, mapping.scalar("digest"))
            if spelled is not None:
                references.append((spelled, True))
    return references


def _by_small_name(mapping: Mapping) -> dict[str, Node]:
    """The values of a mapping by their keys in small letters; the first one of those that are the same then."""
    values: dict[str, Node] = {}
    for name, (_, value) in mapping.own.items():
        values.setdefault(name.lower(), value)
    return values


def _side_by_side(name: Scalar, key: re.Match[str], beside: Values[str, Node]) -> Spanned | None:
    """The image that `imageName` spells with `imageTag`; its registry may stand `beside` it too."""

    def part(word: str) -> Scalar | None:
        node = beside.get(f"{key['image']}{key['gap']}{word}".lower())
        return node if isinstance(node, Scalar) and not node.is_null else None

    return _from_keys(name, part("registry"), [part("tag"), part("version")], part("digest"))


def _plain_images(nodes: list[Node]) -> Iterator[Spanned]:
    """Under `images` stand names of images, but their registry and port too."""
    return (node.spanned for node in nodes if isinstance(node, Scalar) and is_plainly_an_image(node.value))


def _from_keys(
    repository: Scalar,
    registry: Scalar | None,
    tags: Iterable[Node | None],
    digest: Scalar | None,
    *,
    alone: bool = False,
) -> Spanned | None:
    """`alone` says that the repository may be a whole reference by itself."""
    name = repository.spanned.strip()
    tag = next(
        (node for node in tags if isinstance(node, Scalar) and not node.is_null and node.value.strip()), None
    )
    if alone and tag is None and _is_whole(name.text):
        return _with_registry(registry, name)
    if name.text.endswith(_WITH_ALGORITHM) and tag is not None:
        return _with_registry(registry, name).joined(":") + tag.spanned.strip()
    if not name.text or not _is_name(name.text):
        return None
    whole = _with_registry(registry, name)
    if tag is not None:
        tag_text = tag.spanned.strip()
        whole = whole.joined("@" if _DIGEST.fullmatch(tag_text.text) else ":") + tag_text
    if digest is not None and _DIGEST.fullmatch(digest.value.strip()) and "@" not in whole.text:
        whole = whole.joined("@") + digest.spanned.strip()
    return whole if tag is not None or "@" in whole.text else None


def _with_registry(registry: Scalar | None, name: Spanned) -> Spanned:
    """The name with the registry before it, unless it stands there already."""
    host = registry.spanned.strip() if registry is not None else Spanned("", ())
    host = host.part(0, len(host.text.rstrip("/")))
    if not host.text or name.text.startswith(f"{host.text}/"):
        return name
    return host.joined("/") + name


def _is_whole(text: str) -> bool:
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return False
    return reference.tag is not None or reference.digest is not None


def _is_name(text: str) -> bool:
    """Whether a value is the name of an image: without a tag, and no address of a chart or a Git repository."""
    if "{{" in text:
        return True
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return False
    is_whole = reference.tag is None and reference.digest is None
    return is_whole and not (reference.registry != DEFAULT_REGISTRY and text.endswith(".git"))
