"""What a document of marks changes of what is kept: what differs, and no more."""

from datetime import date

from bot.domain.packages.cves.marks import NO_MARK, CveMark, MarkedCves, changes_of

KEPT = {f"CVE-2026-{number}": number for number in range(1000, 1010)}


def test_the_same_changes_nothing() -> None:
    changes = changes_of(KEPT, MarkedCves(dict(KEPT)))
    assert (changes.changed, changes.gone) == ({}, frozenset())


def test_what_differs_is_written_and_what_is_listed_no_more_goes() -> None:
    told = {**KEPT, "CVE-2026-1001": 7, "CVE-2026-2000": 8}
    del told["CVE-2026-1005"]
    changes = changes_of(KEPT, MarkedCves(told))
    assert changes.changed == {"CVE-2026-1001": 7, "CVE-2026-2000": 8}
    assert changes.gone == {"CVE-2026-1005"}


def test_nothing_goes_where_an_entry_could_not_be_read() -> None:
    assert changes_of(KEPT, MarkedCves({"CVE-2026-1001": 7} | KEPT, is_whole=False)).gone == frozenset()


def test_a_list_with_less_than_half_is_doubted_and_what_it_says_counts() -> None:
    changes = changes_of(KEPT, MarkedCves({"CVE-2026-1001": 7}))
    assert (changes.changed, changes.gone) == ({"CVE-2026-1001": 7}, frozenset())


def test_a_mark_is_told_in_few_words() -> None:
    mark = CveMark(is_exploited=True, exploited_since=date(2026, 3, 4), epss=0.0114)
    assert mark.told == "known exploited since 2026-03-04, EPSS 0.0114"
    assert CveMark(is_exploited=True).told == "known exploited"
    assert NO_MARK.told == ""
