"""Where documents can be damaged, and how; and the shapes of those of which no copy is at hand."""

import copy
from collections.abc import Iterator
from typing import Any

from bot.upstream.feeds import announcements, github_advisories, msrc
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from bot.upstream.feeds.dotnet import releases as dotnet_releases
from bot.upstream.feeds.dotnet import timeline as dotnet_timeline
from tests.unit.upstream.feeds.published import Parser, read_inventory

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
