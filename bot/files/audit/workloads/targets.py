"""Which objects a patch is for: by group, version, kind, name, namespace, labels and annotations.

Source: the selectors of Kustomize (`types.Selector`), whose words are regular expressions for the whole value, and
Kubernetes' label selectors. An object answers to its first and to its present name and namespace.
"""

import re
from collections.abc import Mapping as Names
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.files.audit.workloads.entries import word_of
from bot.files.formats.source.nodes import Mapping, Scalar

_PLAIN = re.compile(r"[\w.-]*")
_READ = re.compile(r"(?:[\w.^$|()/-]|\\[.\-/]|\[\^?[\w.-]+\]|[*+?])*")
_REPEATED_GROUP = re.compile(r"\)[*+]")
MOST_REPEATS = 3
MOST_CHARACTERS = 253
_REQUIREMENTS = re.compile(r",(?![^()]*\))")
_AMONG = re.compile(r"(?P<key>[\w./-]+)\s+(?P<how>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUAL = re.compile(r"(?P<key>[\w./-]+)\s*(?P<how>==?|!=)\s*(?P<value>[\w.-]*)")
_THERE = re.compile(r"(?P<not>!?)\s*(?P<key>[\w./-]+)")


@dataclass(frozen=True, slots=True)
class ObjectIdentity:
    """What an object has been called, the first name first, and the labels and annotations that it was given."""

    names: tuple[str, ...]
    namespaces: tuple[str, ...]
    labels: Names[str, str] = field(default_factory=dict)
    annotations: Names[str, str] = field(default_factory=dict)

    def after(self, root: Mapping) -> "ObjectIdentity":
        """The identity after a kustomization has put its own names and labels to it."""
        name = f"{word_of(root, 'namePrefix')}{self.names[-1]}{word_of(root, 'nameSuffix')}"
        labels = dict(self.labels) | _texts(root.mapping("commonLabels"))
        for item in root.sequence("labels"):
            if isinstance(item, Mapping):
                labels |= _texts(item.mapping("pairs"))
        return replace(
            self,
            names=(*self.names, name),
            namespaces=(*self.namespaces, word_of(root, "namespace") or self.namespaces[-1]),
            labels=labels,
            annotations=dict(self.annotations) | _texts(root.mapping("commonAnnotations")),
        )


def identity_of(manifest: Mapping) -> ObjectIdentity:
    """Who an object is as its file says."""
    metadata = manifest.mapping("metadata")
    return ObjectIdentity((word_of(metadata, "name"),), (word_of(metadata, "namespace"),))


def is_target(target: Mapping, manifest: Mapping, identity: ObjectIdentity) -> bool | None:
    """Whether a target is met by an object; None where what it says is not read."""
    group, version = _group_version(manifest)
    answers = [
        _any_fits(word_of(target, "group"), (group,)),
        _any_fits(word_of(target, "version"), (version,)),
        _any_fits(word_of(target, "kind"), (word_of(manifest, "kind"),)),
        _any_fits(word_of(target, "name"), (identity.names[0], identity.names[-1])),
        _any_fits(
            word_of(target, "namespace"),
            tuple(each or "default" for each in (identity.namespaces[0], identity.namespaces[-1])),
        ),
        _is_marked(target, manifest, identity),
    ]
    return _all_hold(answers)


def is_selected(selector: Mapping, manifest: Mapping, identity: ObjectIdentity) -> bool:
    """Whether a replacement's selector, whose words are no expressions, is met under one of its names."""
    group, version = _group_version(manifest)
    given = {"group": group, "version": version, "kind": word_of(manifest, "kind")}
    wanted = {key: word_of(selector, key) for key in given}
    name, namespace = word_of(selector, "name"), word_of(selector, "namespace")
    is_called_so = any(
        name in {"", known} and namespace in {"", place or "default"}
        for known, place in zip(identity.names, identity.namespaces, strict=True)
    )
    is_of_kind = all(not word or word == given[key] for key, word in wanted.items())
    return is_of_kind and is_called_so and _is_marked(selector, manifest, identity) is True


def _is_marked(selector: Mapping, manifest: Mapping, identity: ObjectIdentity) -> bool | None:
    """Whether an object has the labels and annotations that a selector asks for."""
    metadata = manifest.mapping("metadata")
    labels = {**_texts(metadata.mapping("labels")), **identity.labels}
    annotations = {**_texts(metadata.mapping("annotations")), **identity.annotations}
    answers = [
        selects(word_of(selector, "labelSelector"), labels),
        selects(word_of(selector, "annotationSelector"), annotations),
    ]
    return _all_hold(answers)


def is_named(merge: Mapping, manifest: Mapping, identity: ObjectIdentity) -> bool | None:
    """Whether a merge without a target names an object; None where it does but for a word of its own, which
    Kustomize refuses unless something makes up for it."""
    metadata = merge.mapping("metadata")
    if word_of(merge, "kind") != word_of(manifest, "kind") or word_of(metadata, "name") not in identity.names:
        return False
    namespace = word_of(metadata, "namespace") or "default"
    known = [
        *zip(identity.names, identity.namespaces, strict=True),
        *zip(identity.names, identity.namespaces[1:], strict=False),  # the namespace is put before the prefix
    ]
    is_there = (word_of(metadata, "name"), namespace) in {(name, place or "default") for name, place in known}
    return True if is_there and _group_version(merge) == _group_version(manifest) else None


def selects(selector: str, given: Names[str, str]) -> bool | None:
    """Whether a selector picks what has these labels; None where it cannot be read."""
    return _all_hold([_requirement(each.strip(), given) for each in _REQUIREMENTS.split(selector) if each.strip()])


def _all_hold(answers: Sequence[bool | None]) -> bool | None:
    """Whether all are yes; None where none is no, and some are not known."""
    return False if False in answers else None if None in answers else True


def _requirement(text: str, given: Names[str, str]) -> bool | None:
    if match := _THERE.fullmatch(text):
        return (match["key"] in given) is not bool(match["not"])
    if match := _AMONG.fullmatch(text):
        is_among = given.get(match["key"]) in {each.strip() for each in match["values"].split(",")}
        return is_among if match["how"] == "in" else not is_among
    if match := _EQUAL.fullmatch(text):
        return (given.get(match["key"]) == match["value"]) is not (match["how"] == "!=")
    return None


def _any_fits(pattern: str, values: tuple[str, ...]) -> bool | None:
    """Whether one of the values is the pattern's as a whole. An expression that would take long is not read."""
    if not pattern or pattern in values:
        return True
    if _PLAIN.fullmatch(pattern) and "." not in pattern:
        return False
    repeats = sum(map(pattern.count, "*+"))
    too_long = any(len(each) > MOST_CHARACTERS for each in (pattern, *values))
    if too_long or repeats > MOST_REPEATS or _REPEATED_GROUP.search(pattern) or not _READ.fullmatch(pattern):
        return None
    try:
        expression = re.compile(f"(?:{pattern})", re.ASCII)
    except re.error:
        return None
    return any(expression.fullmatch(each) is not None for each in values)


def _group_version(manifest: Mapping) -> tuple[str, str]:
    group, _, version = word_of(manifest, "apiVersion").rpartition("/")
    return group, version


def _texts(mapping: Mapping) -> dict[str, str]:
    return {key.value: value.value for key, value in mapping.entries() if isinstance(value, Scalar)}
