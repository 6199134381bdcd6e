"""Published documents, damaged in every place: the parsers end in a failure or in named problems, never else."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from bot.domain.failure import Failure, Trouble
from bot.watch.feeds import announcements, github_advisories, msrc, reading
from bot.watch.feeds.dotnet import cve as dotnet_cve
from bot.watch.feeds.dotnet import releases as dotnet_releases
from bot.watch.feeds.dotnet import timeline as dotnet_timeline
from tests.unit.watch.feeds.published import (
    JSON_DOCUMENTS,
    SEEN,
    XML_DOCUMENTS,
    Parser,
    outcome,
    published,
    read_inventory,
    shortened_bulletin,
)

Path = tuple[str | int, ...]

WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    1.7e308,
    "",
    "\x00\n\u202e",
    "x" * 10_000,
    [],
    [[[]]],
    {},
    {"": {}},
)


def parser_of(name: str) -> Parser:
    if name == "releases-index.json":
        return dotnet_releases.parse_index
    if name.startswith("releases-"):
        return dotnet_releases.parse
    return dotnet_cve.parse if name.startswith("dotnet-cve") else read_inventory


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


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every kind of place in a document once: of each list the first and the last entry stand for all."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1}) if value else ():
            yield from places(value[index], (*path, index))


def kinds_of_places(value: Any) -> list[Path]:
    kinds: dict[tuple[object, ...], Path] = {}
    for path in places(value):
        kinds.setdefault(tuple("*" if isinstance(step, int) else step for step in path), path)
    return list(kinds.values())


def with_value(document: Any, path: Path, value: Any) -> Any:
    """A copy that shares all but the damaged path."""
    if not path:
        return value
    damaged = copy.copy(document)
    damaged[path[0]] = with_value(document[path[0]], path[1:], value)
    return damaged


def shortened(document: Any) -> Any:
    """The first and last entries of every list: enough to hold every kind of place, quick to damage often."""
    if isinstance(document, dict):
        return {key: shortened(value) for key, value in document.items()}
    if isinstance(document, list):
        return [shortened(value) for value in (document if len(document) < 3 else (document[0], document[-1]))]
    return document


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


AS_DOCUMENTED: dict[Parser, Any] = {
    dotnet_timeline.parse: {
        "kind": "year",
        "_embedded": {
            "months": [
                {
                    "month": "10",
                    "security": True,
                    "_links": {
                        "self": {"href": "https://example.com/timeline/2025/10/index.json"},
                        "cve-json": {"href": "https://example.com/timeline/2025/10/cve.json"},
                    },
                }
            ]
        },
    },
    msrc.parse_updates: {
        "value": [
            {
                "ID": "2025-Nov",
                "DocumentTitle": "November 2025 Security Updates",
                "InitialReleaseDate": "2025-11-11T08:00:00Z",
                "CurrentReleaseDate": "2025-12-05T01:36:55Z",
                "CvrfUrl": "https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/2025-Nov",
            }
        ]
    },
    github_advisories.parse: [
        {
            "ghsa_id": "GHSA-5rrx-jjjq-q2r5",
            "cve_id": "CVE-2025-55315",
            "html_url": "https://github.com/advisories/GHSA-5rrx-jjjq-q2r5",
            "summary": "Security feature bypass",
            "severity": "critical",
            "references": ["https://nvd.nist.gov/vuln/detail/CVE-2025-55315"],
            "published_at": "2025-10-14T22:21:44Z",
            "withdrawn_at": None,
            "vulnerabilities": [
                {
                    "package": {"ecosystem": "nuget", "name": "Microsoft.AspNetCore.App.Runtime.linux-x64"},
                    "first_patched_version": "9.0.10",
                }
            ],
            "cvss": {"vector_string": "CVSS:3.1/…", "score": 9.9},
            "cvss_severities": {"cvss_v3": {"score": 9.9}, "cvss_v4": {"score": 0.0}},
        }
    ],
    announcements.parse: [
        {
            "number": 1,
            "title": "Microsoft Security Advisory CVE-2025-55315",
            "body": "a | b | c",
            "html_url": "https://github.com/dotnet/announcements/issues/1",
            "created_at": "2025-10-14T17:02:11Z",
            "author_association": "MEMBER",
            "labels": [{"name": "Security"}],
        }
    ],
}


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
