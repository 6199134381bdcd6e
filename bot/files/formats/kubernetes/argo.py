"""What Argo CD's applications hand to charts: `helm.parameters`, and values as a mapping or as a text of YAML.

https://argo-cd.readthedocs.io/en/stable/user-guide/helm/: `valuesObject` is taken where both are there.
"""

from collections.abc import Iterator

from bot.domain.repositories.usage import Role
from bot.files.formats.kubernetes import helm
from bot.files.formats.source.collector import Collector, Unreadable
from bot.files.formats.source.nodes import Mapping, Scalar
from bot.files.formats.source.yaml import read

UNDER = "helm"
"""The key under which a source of an application says what its chart gets."""
_OBJECT = "valuesObject"


def add_images(settings: Mapping, file: Collector) -> None:
    """Adds the images that a mapping under `helm` names; a text that is no YAML is a problem."""
    for group, mapping in _parameters(settings).items():
        if (spelled := helm.written_in_keys(group.rpartition(".")[2], mapping)) is not None:
            file.image(spelled, Role.IMAGE, assembled=True)
    if isinstance(settings.get(_OBJECT), Mapping):
        helm.add_images(settings.mapping(_OBJECT), file)
    elif (values := settings.scalar("values")) is not None:
        _add_written(values, file)


def values_of(settings: Mapping) -> Iterator[Mapping]:
    """The mapping of values where there is one: it is read as values, and not as a manifest."""
    if isinstance(settings.get(_OBJECT), Mapping):
        yield settings.mapping(_OBJECT)


def _add_written(values: Scalar, file: Collector) -> None:
    text = values.spanned
    if not helm.may_name_images(text.text):
        return
    try:
        documents = read(text.text)
    except Unreadable as error:
        file.problem(values.start, f"helm.values cannot be read: {error}")
        return
    for document in documents[:1]:
        helm.add_images(document, file, text)


def _parameters(settings: Mapping) -> dict[str, Mapping]:
    """Those such as `image.repository` and `image.tag`, by what they have in common."""
    groups: dict[str, Mapping] = {}
    for entry in settings.sequence("parameters"):
        name, value = (entry.scalar("name"), entry.scalar("value")) if isinstance(entry, Mapping) else (None, None)
        if name is not None and value is not None:
            group, _, last = name.value.rpartition(".")
            groups.setdefault(group, Mapping(name.start)).own[last] = (name, value)
    return groups
