"""One bad field in a published document costs that field: all else that is said stays, and the field is named."""

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Severity
from bot.upstream.feeds import announcements, github_advisories, image_info, msrc
from bot.upstream.feeds.dotnet import cve as dotnet_cve
from bot.upstream.feeds.dotnet import releases as dotnet_releases
from bot.upstream.feeds.dotnet.releases import merge
from bot.upstream.feeds.image_info import TagEntry
from tests.unit.upstream.feeds.damage import (
    AS_DOCUMENTED,
    Path,
    kinds_of_places,
    parser_of,
    shortened,
    with_value,
)
from tests.unit.upstream.feeds.published import SEEN, Parser, published

WRONG: st.SearchStrategy[object] = st.sampled_from([None, True, -1, "", "tomorrow", [], {}, [7], {"": {}}])
NEEDED = frozenset(
    {
        *("release-version", "cve-id", "version", "id", "cve_id", "title", "channel-version"),
        *("CvrfUrl", "repo", "sharedTags", "simpleTags", "osType", "architecture", "withdrawn_at", "pull_request"),
        *("author_association", "labels", "digest", "href", "name", "ecosystem"),
    }
)
"""Fields without which an entry is none, or that say whether it counts."""
DOCUMENTS = (
    "releases-8.0.json",
    "releases-10.0.json",
    "dotnet-cve-2025-10.json",
    "image-info-2025-12-30-8f362214.json",
)


@lru_cache(maxsize=8)
def short(name: str) -> Any:
    return shortened(json.loads(published(name)))


def facts(items: Any) -> set[Any]:
    """What no field but its own may cost: releases and their CVEs, advisories, tags."""
    found: set[Any] = set()
    for item in items:
        if isinstance(item, TagEntry):
            found.add((item.repository, item.tag))
        else:
            found.add(getattr(item, "version", None) or getattr(item, "cve", None) or getattr(item, "url", None))
            found.update(getattr(item, "cves", ()))
    return found


def check(parser: Parser, document: Any, path: Path, wrong: Any) -> None:
    """A field that an entry can do without costs no fact; any other loss is told, unless it is said in order."""
    before = parser(json.dumps(document).encode(), SEEN, "feed.doc")
    is_optional = (
        isinstance(path[-1], str) and path[-1] not in NEEDED and not isinstance(at(document, path), dict | list)
    )
    try:
        after = parser(json.dumps(with_value(document, path, wrong)).encode(), SEEN, "feed.doc")
    except Failure:
        assert not is_optional, (path, wrong)
        return
    is_said = wrong in (None, [], {}, {"": {}}) or path[-1] in NEEDED or isinstance(path[-1], int)
    lost = facts(before.items) - facts(after.items)
    assert not (lost and is_optional), (path, wrong, lost)
    assert not lost or after.problems or is_said, (path, wrong, lost)


def at(document: Any, path: Path) -> Any:
    return at(document[path[0]], path[1:]) if path else document


@given(st.data())
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bad_field_costs_no_other_fact_of_a_published_document(name: str, data: st.DataObject) -> None:
    document = short(name)
    path = data.draw(st.sampled_from([place for place in kinds_of_places(document) if place]))
    check(parser_of(name), document, path, data.draw(WRONG))


@given(st.data())
@pytest.mark.parametrize("parser", AS_DOCUMENTED, ids=lambda parser: parser.__module__.rpartition(".")[2])
def test_a_bad_field_costs_no_other_fact_of_a_documented_shape(parser: Parser, data: st.DataObject) -> None:
    document = AS_DOCUMENTED[parser]
    path = data.draw(st.sampled_from([place for place in kinds_of_places(document) if place]))
    check(parser, document, path, data.draw(WRONG))


ROW = {
    "release-version": "8.0.22",
    "release-date": "2025-11-11",
    "security": True,
    "cve-list": [{"cve-id": "CVE-2025-1111"}],
}


def channel(row: dict[str, Any], **overrides: Any) -> bytes:
    value = {"channel-version": "8.0", "support-phase": "active", "eol-date": "2026-11-10", "releases": [row]}
    return json.dumps(value | overrides).encode()


@pytest.mark.parametrize(
    ("field", "wrong"), [("release-date", "soon"), ("release-date", ""), ("security", None), ("security", "yes")]
)
def test_a_bad_field_of_a_release_costs_neither_the_release_nor_its_cves(field: str, wrong: object) -> None:
    parsed = dotnet_releases.parse(channel(ROW | {field: wrong}), SEEN, "r.json")
    [release] = parsed.items
    assert (release.version, release.cves, release.security) == ("8.0.22", ("CVE-2025-1111",), True)
    assert [problem.where for problem in parsed.problems] == ["releases[0]"]
    assert f"{field}: " in parsed.problems[0].what
    assert parsed.problems[0].what.endswith("that counts as unknown")


@pytest.mark.parametrize("wrong", ["", "never", 2026])
def test_a_bad_end_of_life_costs_the_channel_nothing_else(wrong: object) -> None:
    parsed = dotnet_releases.parse(channel(ROW, **{"eol-date": wrong}), SEEN, "r.json")
    [release] = parsed.items
    assert (release.cves, release.support_phase, release.end_of_life) == (("CVE-2025-1111",), "active", None)
    assert "eol-date" in str(parsed.problems[0])


def test_what_cannot_be_read_now_stays_as_it_was_read_before() -> None:
    [known] = dotnet_releases.parse(channel(ROW), SEEN).items
    bad = ROW | {"security": None, "release-date": "", "cve-list": [{"cve-id": "?"}]}
    [release] = dotnet_releases.parse(channel(bad, **{"eol-date": ""}), SEEN + timedelta(days=1)).items
    assert merge({"8.0.22": known}, [release]).changed == ()
    assert known.end_of_life == date(2026, 11, 10)


def test_a_release_of_which_nobody_can_tell_whether_it_fixes_anything_is_unsaid() -> None:
    [release] = dotnet_releases.parse(channel(ROW | {"security": None, "cve-list": None}), SEEN).items
    assert release.is_unsaid
    assert not replace(release, cves=("CVE-2025-1111",)).is_unsaid
    [release] = dotnet_releases.parse(channel(ROW | {"security": False, "cve-list": None}), SEEN).items
    assert not release.is_unsaid


def test_a_security_release_that_names_no_cve_any_more_keeps_those_that_it_named() -> None:
    [known] = dotnet_releases.parse(channel(ROW), SEEN).items
    [release] = dotnet_releases.parse(channel(ROW | {"cve-list": None}), SEEN).items
    assert merge({"8.0.22": known}, [release]).releases["8.0.22"].cves == ("CVE-2025-1111",)


def test_a_bad_fixed_version_of_a_product_does_not_narrow_what_the_fix_touches() -> None:
    product = {"cve_id": "CVE-2025-1111", "name": "dotnet-runtime", "fixed": "soon"}
    data = {
        "disclosures": [{"id": "CVE-2025-1111"}],
        "products": [product | {"name": "dotnet-sdk", "fixed": "9.0.100"}, product],
    }
    [advisory] = dotnet_cve.parse(json.dumps(data).encode(), SEEN).items
    assert advisory.families == {"runtime", "aspnet", "sdk"}
    assert advisory.fixed_versions == ("9.0.100",)


@pytest.mark.parametrize("bad", [{"cve_id": "?", "name": "dotnet-runtime", "fixed": "9.0.1"}, 17])
def test_a_product_of_nobody_knows_which_cve_leaves_the_families_unsaid(bad: object) -> None:
    product = {"cve_id": "CVE-2025-1111", "name": "dotnet-sdk", "fixed": "9.0.100"}
    data = {"disclosures": [{"id": "CVE-2025-1111"}], "products": [product, bad]}
    parsed = dotnet_cve.parse(json.dumps(data).encode(), SEEN)
    assert (parsed.items[0].families, len(parsed.problems)) == (frozenset(), 1)


def test_a_package_of_an_advisory_that_cannot_be_read_leaves_its_reach_unsaid() -> None:
    row = AS_DOCUMENTED[github_advisories.parse][0]
    bad = with_value(
        row, ("vulnerabilities",), [*row["vulnerabilities"], {"package": {"ecosystem": "nuget", "name": 7}}]
    )
    parsed = github_advisories.parse(json.dumps([bad]).encode(), SEEN)
    assert (parsed.items[0].families, parsed.items[0].systems) == (frozenset(), frozenset())
    assert parsed.items[0].severity is Severity.CRITICAL
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("field", ["ghsa_id", "published_at", "withdrawn_at", "severity", "html_url"])
def test_a_bad_field_of_a_github_advisory_does_not_cost_the_advisory(field: str) -> None:
    row = AS_DOCUMENTED[github_advisories.parse][0]
    parsed = github_advisories.parse(json.dumps([row | {field: 7}]).encode(), SEEN)
    assert [each.cve for each in parsed.items] == ["CVE-2025-55315"]
    assert len(parsed.problems) == 1


@pytest.mark.parametrize("field", ["InitialReleaseDate", "CurrentReleaseDate"])
def test_a_month_whose_date_cannot_be_read_is_read_all_the_same(field: str) -> None:
    row = AS_DOCUMENTED[msrc.parse_updates]["value"][0]
    parsed = msrc.parse_updates(json.dumps({"value": [row | {field: "soon"}]}).encode(), SEEN)
    assert [each.url for each in parsed.items] == [row["CvrfUrl"]]
    assert field in str(parsed.problems[0])


def test_an_announcement_without_a_readable_number_still_warns() -> None:
    row = AS_DOCUMENTED[announcements.parse][0]
    parsed = announcements.parse(json.dumps([row | {"number": "one", "created_at": "soon"}]).encode(), SEEN)
    assert [each.cve for each in parsed.items] == ["CVE-2025-55315"]


def test_a_bad_product_version_costs_no_tag() -> None:
    manifest = {"digest": "sha256:" + "a" * 64, "sharedTags": ["8.0"]}
    data = {"repos": [{"repo": "dotnet/aspnet", "images": [{"productVersion": 8, "manifest": manifest}]}]}
    inventory, parsed = image_info.read(json.dumps(data).encode())
    assert (set(inventory.tags), len(parsed.problems)) == ({("dotnet/aspnet", "8.0")}, 1)
