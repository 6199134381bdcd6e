import json

import pytest

from bot.domain.failure import Failure
from bot.domain.feeds.document import FeedKind, FeedSource
from bot.upstream.feeds.dotnet import timeline as dotnet_timeline
from bot.upstream.feeds.reading import Parsed
from tests.unit.upstream.feeds.published import SEEN

PLACE = "https://example.com/timeline"


def read(**embedded: object) -> Parsed[FeedSource]:
    return dotnet_timeline.parse(json.dumps({"_embedded": embedded}).encode(), SEEN)


def year(number: object) -> dict[str, object]:
    return {"year": number, "_links": {"self": {"href": f"{PLACE}/{number}/index.json"}}}


def month(number: str, **links: object) -> dict[str, object]:
    return {"month": number, "_links": {"self": {"href": f"{PLACE}/2025/{number}/index.json"}} | links}


def test_the_timeline_leads_to_this_year_and_the_last() -> None:
    parsed = read(years=[year("2026"), year("2025"), year("2024"), year("2023")])
    assert parsed.items == tuple(
        FeedSource(FeedKind.DOTNET_TIMELINE, f"{PLACE}/{number}/index.json") for number in (2026, 2025, 2024)
    )
    assert parsed.entries == 4


def test_a_year_leads_to_the_disclosures_of_the_months_that_have_some() -> None:
    disclosures = {"href": f"{PLACE}/2025/10/cve.json"}
    parsed = read(months=[month("11"), month("10", **{"cve-json": disclosures})])
    assert parsed.items == (FeedSource(FeedKind.DOTNET_CVE, f"{PLACE}/2025/10/cve.json"),)
    assert (parsed.problems, parsed.entries) == ((), 2)


def test_an_entry_that_links_nowhere_is_named_and_the_others_count() -> None:
    parsed = read(
        years=[year("2025"), {"year": "2025", "_links": {"self": {"href": "file:///etc/passwd"}}}, year("x")]
    )
    assert len(parsed.items) == 1
    assert [problem.where for problem in parsed.problems] == ["_embedded.years[2]", "_embedded.years[1]"]


@pytest.mark.parametrize("embedded", [{}, {"releases": []}])
def test_what_lists_neither_years_nor_months_is_no_timeline(embedded: dict[str, object]) -> None:
    with pytest.raises(Failure, match="it should embed years or months"):
        read(**embedded)
