"""The stored fleet tells nothing that cannot have been."""

from datetime import date

from sandbox.stored_fleet.publications import BASES, publications
from sandbox.stored_fleet.serving import NOW
from sandbox.stored_fleet.surroundings import release_rows

END_OF_NET_8_AND_9 = date(2026, 11, 10)


def test_nothing_of_a_net_that_has_ended_is_published_or_released_after_its_end() -> None:
    ended = {"8.0", "9.0"}
    moved = {
        each.at.date()
        for base in BASES
        if base.tag.partition("-")[0] in ended
        for each in publications(base, NOW)
        if each.rollout
    }
    released = {row["published_at"].date() for row in release_rows(NOW) if row["channel"] in ended}
    assert max(moved | released) < END_OF_NET_8_AND_9 < NOW.date()


def test_a_net_that_is_supported_is_published_to_the_last() -> None:
    [newest] = [base for base in BASES if (base.repository, base.tag) == ("dotnet/aspnet", "10.0")]
    assert NOW - publications(newest, NOW)[-1].at < NOW - publications(newest, NOW)[-2].at
    assert publications(newest, NOW)[-1].at.date() == NOW.date()
