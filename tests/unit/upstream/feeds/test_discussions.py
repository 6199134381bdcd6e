from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.advisory import Advisory
from bot.upstream.feeds import discussions
from bot.upstream.feeds.reading import MAX_ENTRIES, Parsed
from tests.unit.upstream.feeds.published import SEEN

PLACE = "https://github.com/dotnet/dotnet-docker/discussions/5369"


def entry(title: str, *, link: str = PLACE, published: str = "2024-03-29T21:04:11Z") -> str:
    return f"""
  <entry>
    <id>tag:github.com,2008:6432123</id>
    <link type="text/html" rel="alternate" href="{escape(link)}"/>
    <title>
      {escape(title)}
    </title>
    <published>{published}</published>
    <author><name>octocat</name></author>
    <content type="html">&lt;p&gt;CVE-2020-0001 is mentioned&lt;/p&gt;</content>
  </entry>"""


def read(*entries: str) -> Parsed[Advisory]:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US"><title>x</title>{"".join(entries)}</feed>'
    return discussions.parse(text.encode(), SEEN)


def test_an_image_advisory_warns_with_its_title_its_day_and_its_link() -> None:
    parsed = read(entry("Advisory: XZ utilities (cve-2024-3094) & .NET images"), entry("Alpine 3.22 images"))
    (advisory,) = parsed.items
    assert (advisory.cve, advisory.title) == (
        "CVE-2024-3094",
        "Advisory: XZ utilities (cve-2024-3094) & .NET images",
    )
    assert advisory.published_at == datetime(2024, 3, 29, 21, 4, 11, tzinfo=UTC)
    assert advisory.links == (PLACE,)
    assert advisory.evidence[0].source == "dotnet-docker"
    assert parsed.entries == 2


def test_it_says_nothing_of_severity_families_systems_and_versions() -> None:
    (advisory,) = read(entry("CVE-2024-3094")).items
    assert (advisory.severity, advisory.families, advisory.systems, advisory.fixed_versions) == (
        None,
        frozenset(),
        frozenset(),
        (),
    )


def test_each_cve_of_a_title_is_an_advisory_of_its_own() -> None:
    parsed = read(entry("CVE-2024-0001, CVE-2024-0002 and again CVE-2024-0001"))
    assert [advisory.cve for advisory in parsed.items] == ["CVE-2024-0001", "CVE-2024-0002"]


def test_a_date_that_is_none_costs_the_date_alone_and_is_named() -> None:
    parsed = read(entry("CVE-2024-0001", published="yesterday"), entry("CVE-2024-0002"))
    assert [advisory.cve for advisory in parsed.items] == ["CVE-2024-0001", "CVE-2024-0002"]
    assert parsed.items[0].published_at is None
    assert parsed.problems[0].where == "entry[0]"


def test_an_address_that_is_not_https_is_left_out() -> None:
    (advisory,) = read(entry("CVE-2024-0001", link="javascript:alert(1)")).items
    assert advisory.links == ()


def test_a_feed_without_entries_is_in_order() -> None:
    assert read() == Parsed((), (), 0)


def test_a_feed_that_is_too_long_is_read_as_far_as_it_may_be_and_says_so() -> None:
    parsed = read("<entry><title>CVE-2024-0001</title></entry>" * (MAX_ENTRIES + 1))
    assert len(parsed.items) == MAX_ENTRIES
    (problem,) = parsed.problems
    assert problem.what == "has 10001 entries; those after the first 10000 are skipped"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html><body>Sign in</body></html>", "should be an Atom feed"),
        (b'<!DOCTYPE feed [<!ENTITY a "b">]><feed/>', "declares a DTD or entities"),
        (b'{"message": "Not Found"}', "is no well-formed XML"),
    ],
)
def test_what_is_no_atom_feed_is_a_failure(data: bytes, said: str) -> None:
    with pytest.raises(Failure, match=said):
        discussions.parse(data, SEEN)
