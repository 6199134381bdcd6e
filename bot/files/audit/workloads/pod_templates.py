"""The pod templates that custom resources hand to their operators, such as those of Elastic's: parts that an
operator puts over what it makes itself.

Source: the API reference of Elastic Cloud on Kubernetes (`podTemplate` of node sets, Kibana, Beats and agents), and
of operators that have followed it.
"""

from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Sequence, mappings_under

OF_OPERATOR = "an operator puts it over a pod of its own, which may have what it lacks"
_KEYS = ("podTemplate", "podTemplateSpec")
_LISTS = ("containers", "initContainers")


def handed_to_operator(manifest: Mapping) -> Iterator[Mapping]:
    """The PodSpecs in an object's pod templates that list containers, in the order of the text."""
    for _, mapping in mappings_under(manifest.get("spec")):
        for key in _KEYS:
            spec = mapping.mapping(key).mapping("spec")
            if any(isinstance(spec.get(each), Sequence) for each in _LISTS):
                yield spec
