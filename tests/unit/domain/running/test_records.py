"""Which records a forge is to have of what runs, and what has to be written for that."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.running.records import BuiltRun, DeploymentRecord, record_names, records_due, records_of
from bot.domain.running.snapshot import RunningPlace

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WEB = RunningPlace("shop", "Deployment", "web", "app")
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
names = st.text("ab-", min_size=1, max_size=3)
places = st.builds(RunningPlace, names, st.sampled_from(["Deployment", "StatefulSet"]), names, names)
digests = st.sampled_from([OLD, NEW])
built_runs = st.builds(
    BuiltRun, places, st.just("ghcr.io/contoso/web"), digests, st.just("web"), st.datetimes(timezones=st.just(UTC))
)


def run(digest: str, since: datetime = NOON, place: RunningPlace = WEB) -> BuiltRun:
    return BuiltRun(place, "ghcr.io/contoso/web", digest, "web", since)


def test_a_place_has_the_name_that_the_forge_advises() -> None:
    assert list(records_of([run(OLD)])) == ["shop-web-app"]


def test_of_two_builds_in_one_place_the_one_that_began_last_is_recorded() -> None:
    records = records_of([run(NEW, NOON + timedelta(hours=1)), run(OLD)])
    assert records["shop-web-app"].digest == NEW


def test_what_is_recorded_as_it_runs_is_not_written_again() -> None:
    records = records_of([run(OLD)])
    assert records_due(records, records) == ()


def test_a_place_in_which_nothing_runs_any_more_is_gone() -> None:
    [record] = records_due(records_of([run(OLD)]), {})
    assert (record.name, record.digest, record.is_gone) == ("shop-web-app", OLD, True)


@given(st.sets(places, max_size=20))
def test_no_two_places_of_a_cluster_have_one_name(several: set[RunningPlace]) -> None:
    taken = record_names(several)
    assert len(set(taken.values())) == len(several)


def test_a_name_is_no_longer_than_the_forge_takes() -> None:
    long = RunningPlace("n" * 63, "Deployment", "w" * 253, "c" * 63)
    other = RunningPlace("n" * 63, "Deployment", "w" * 253, "d" * 63)
    taken = record_names([long, other])
    assert len(set(taken.values())) == 2
    assert max(map(len, taken.values())) == 256


@given(st.lists(built_runs, max_size=12), st.lists(built_runs, max_size=12))
def test_once_what_is_due_was_written_nothing_is(before: list[BuiltRun], now: list[BuiltRun]) -> None:
    recorded: dict[str, DeploymentRecord] = records_of(before)
    for record in records_due(recorded, records_of(now)):
        if record.is_gone:
            del recorded[record.name]
        else:
            recorded[record.name] = record
    assert recorded == records_of(now)
    assert records_due(recorded, records_of(now)) == ()
