"""What a document of marks says otherwise than what is kept, and when what it lists no more goes."""

from datetime import date

from bot.domain.packages.cves.marks import NO_MARK, CveMark, MarkedCves

KEPT = {f"CVE-2026-{number}": number for number in range(1000, 1010)}


def test_the_same_is_no_news() -> None:
    assert MarkedCves(KEPT).news(KEPT, dict(KEPT)) == {}


def test_what_is_new_or_differs_is_news_of_those_that_are_asked_about() -> None:
    told = MarkedCves({**KEPT, "CVE-2026-1001": 7, "CVE-2026-1002": 6, "CVE-2026-2000": 8})
    asked = ["CVE-2026-1000", "CVE-2026-1001", "CVE-2026-2000"]
    assert told.news(asked, KEPT) == {"CVE-2026-1001": 7, "CVE-2026-2000": 8}


def test_nothing_goes_where_an_entry_could_not_be_read() -> None:
    assert MarkedCves(KEPT).ends_others(len(KEPT) + 1)
    assert not MarkedCves(KEPT, is_whole=False).ends_others(len(KEPT) + 1)


def test_a_list_with_less_than_half_is_doubted() -> None:
    assert MarkedCves(KEPT).ends_others(2 * len(KEPT))
    assert not MarkedCves(KEPT).ends_others(2 * len(KEPT) + 1)


def test_a_mark_is_told_in_few_words() -> None:
    mark = CveMark(is_exploited=True, exploited_since=date(2026, 3, 4), epss=0.0114)
    assert mark.told == "known exploited since 2026-03-04, EPSS 0.0114"
    assert CveMark(is_exploited=True).told == "known exploited"
    assert NO_MARK.told == ""
