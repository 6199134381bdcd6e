"""Published documents, damaged in every place: the parsers end in a failure or in named problems, never else."""

import json
from xml.etree import ElementTree

import pytest

from bot.domain.failure import Failure, Trouble
from bot.upstream.feeds import msrc, reading
from tests.unit.upstream.feeds.damage import AS_DOCUMENTED, WRONG, kinds_of_places, parser_of, shortened, with_value
from tests.unit.upstream.feeds.published import (
    JSON_DOCUMENTS,
    SEEN,
    XML_DOCUMENTS,
    Parser,
    outcome,
    published,
    shortened_bulletin,
)


def survives(parser: Parser, data: bytes) -> bool:
    """Whether the document still counts; checks that all that is said about it is short and clear."""
    parsed = outcome(parser, data)
    if isinstance(parsed, Failure):
        assert parsed.trouble is Trouble.MALFORMED
        assert len(str(parsed)) < 700
        return False
    assert len(parsed.problems) <= reading.MAX_PROBLEMS + 1
    assert all(len(line.splitlines()) == 1 and len(line) < 700 for line in map(str, parsed.problems))
    return True


@pytest.mark.parametrize("name", JSON_DOCUMENTS)
def test_a_truncated_document_is_one_failure(name: str) -> None:
    data = published(name).rstrip()
    for share in range(0, 100, 5):
        assert not survives(parser_of(name), data[: len(data) * share // 100])


@pytest.mark.parametrize("name", JSON_DOCUMENTS)
def test_a_wrong_value_anywhere_is_survived_or_is_one_failure(name: str) -> None:
    document = shortened(json.loads(published(name)))
    paths = kinds_of_places(document)
    outcomes = [
        survives(parser_of(name), json.dumps(with_value(document, path, wrong)).encode())
        for path in paths
        for wrong in WRONG
    ]
    assert len(outcomes) >= 12 * 15
    assert any(outcomes)
    assert not all(outcomes)


@pytest.mark.parametrize("parser", AS_DOCUMENTED, ids=lambda parser: parser.__module__.rpartition(".")[2])
def test_a_wrong_value_anywhere_in_a_documented_shape_is_survived_or_is_one_failure(parser: Parser) -> None:
    document = AS_DOCUMENTED[parser]
    assert len(parser(json.dumps(document).encode(), SEEN, "feed.doc").items) == 1
    for path in kinds_of_places(document):
        for wrong in WRONG:
            survives(parser, json.dumps(with_value(document, path, wrong)).encode())


@pytest.mark.parametrize("name", JSON_DOCUMENTS)
def test_one_damaged_entry_of_many_costs_that_entry_alone(name: str) -> None:
    document = json.loads(published(name))
    key = next(key for key, value in document.items() if isinstance(value, list) and len(value) > 1)
    whole = len(parser_of(name)(published(name), SEEN, "feed.doc").items)
    damaged = parser_of(name)(json.dumps(with_value(document, (key, 0), 17)).encode(), SEEN, "feed.doc")
    assert len(damaged.problems) == 1
    assert f"{key}[0]: Input should be a valid dictionary" in str(damaged.problems[0])
    assert 0 < len(damaged.items) < whole


def elements(root: ElementTree.Element) -> list[ElementTree.Element]:
    """The first element of every kind, a kind being its path of names."""
    kinds: dict[str, ElementTree.Element] = {}

    def walk(element: ElementTree.Element, path: str) -> None:
        kinds.setdefault(path, element)
        for child in element:
            walk(child, f"{path}/{child.tag}")

    walk(root, root.tag)
    return list(kinds.values())


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_wrong_text_in_any_kind_of_element_is_survived(name: str) -> None:
    root = ElementTree.fromstring(shortened_bulletin(name))
    relevant = [v for v in root if v.tag.endswith("}Vulnerability") and ".NET" in "".join(v.itertext())]
    for vulnerability in [v for v in root if v.tag.endswith("}Vulnerability") and v not in relevant[:1]]:
        root.remove(vulnerability)
    for element in elements(root):
        before = element.text
        for wrong in (None, "-1", "1e999", "\u202e?", "x" * 10_000):
            element.text = wrong
            survives(msrc.parse, ElementTree.tostring(root))
        element.text = before
    assert survives(msrc.parse, ElementTree.tostring(root))


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_the_loss_of_any_kind_of_element_is_survived_or_is_one_failure(name: str) -> None:
    root = ElementTree.fromstring(shortened_bulletin(name))
    for vulnerability in [
        v for v in root if v.tag.endswith("}Vulnerability") and ".NET" not in "".join(v.itertext())
    ]:
        root.remove(vulnerability)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in elements(root)[1:]:
        parent = parents[element]
        place = list(parent).index(element)
        parent.remove(element)
        survives(msrc.parse, ElementTree.tostring(root))
        parent.insert(place, element)
    assert survives(msrc.parse, ElementTree.tostring(root))


def test_a_vulnerability_that_does_not_say_what_it_affects_affects_what_it_has_a_fix_for() -> None:
    root = ElementTree.fromstring(shortened_bulletin("msrc-cvrf-2025-Jun.xml"))
    [whole] = msrc.parse(ElementTree.tostring(root), SEEN).items
    for vulnerability in [each for each in root if each.tag.endswith("}Vulnerability")]:
        for statuses in [each for each in vulnerability if each.tag.endswith("}ProductStatuses")]:
            vulnerability.remove(statuses)
    parsed = msrc.parse(ElementTree.tostring(root), SEEN)
    assert [(each.cve, each.fixed_versions) for each in parsed.items] == [(whole.cve, whole.fixed_versions)]
    assert "does not say which products it affects" in str(parsed.problems[0])
