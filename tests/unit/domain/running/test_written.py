"""A snapshot survives the way by JSON, and nothing else is taken for one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.running.snapshot import RunningContainer, RunningPlace, Snapshot
from bot.domain.running.written import MOST_CONTAINERS, NoSnapshot, read_snapshot, written

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
PLACE = RunningPlace("shop", "Deployment", "api", "api")
API = RunningContainer(PLACE, "ghcr.io/contoso/api:1.4", DIGEST, AT, 0, 2)
SHOP = Snapshot(AT, (API,), ("namespace billing: does not let pods be listed",))

LINES = st.text(max_size=60).filter(str.isprintable)
NAMES = LINES.filter(bool)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
NUMBERS = st.integers(0, 2**31 - 1)
CONTAINERS = st.builds(
    RunningContainer,
    st.builds(RunningPlace, NAMES, NAMES, NAMES, NAMES),
    LINES,
    st.none() | st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format),
    st.none() | MOMENTS,
    NUMBERS,
    NUMBERS.map(lambda number: max(number, 1)),
)
SNAPSHOTS = st.builds(
    Snapshot, MOMENTS, st.lists(CONTAINERS, max_size=4).map(tuple), st.lists(LINES, max_size=3).map(tuple)
)


@given(SNAPSHOTS)
def test_what_was_written_is_read_as_it_was(snapshot: Snapshot) -> None:
    assert read_snapshot(written(snapshot)) == snapshot


def test_times_are_in_utc_whatever_zone_they_were_in() -> None:
    west = replace(SHOP, taken_at=AT.astimezone(timezone(timedelta(hours=-7))))
    assert read_snapshot(written(west)).taken_at.tzinfo == UTC


def changed(**values: Any) -> bytes:
    return json.dumps(json.loads(written(SHOP)) | values).encode()


def with_container(**values: Any) -> bytes:
    document = json.loads(written(SHOP))
    document["containers"][0] |= values
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"version": 1, "version": 1}', "names a member twice"),
        (b"[]", "the document has not the members version, taken_at"),
        (changed(more=1), "the document has not the members"),
        (changed(version=2), "version is not 1; run the same version"),
        (changed(taken_at=None), "taken_at is missing"),
        (changed(taken_at="2026-11-24T09:30:00"), "taken_at is no time such as"),
        (changed(taken_at=5), "taken_at is no time such as"),
        (changed(taken_at="0001-01-01T00:00:00+23:00"), "taken_at is no time such as"),
        (changed(containers={}), "containers is no list of at most 25,000"),
        (changed(containers=[None] * 25_001), "containers is no list of at most 25,000"),
        (changed(not_read=["a\nb"]), "not_read.0 is no line of at most 500 characters"),
        (with_container(workload=""), "containers.0.workload is no line of at most 253 characters"),
        (with_container(namespace="a" * 64), "containers.0.namespace is no line"),
        (with_container(image="\x1b[31m"), "containers.0.image is no line"),
        (with_container(digest="latest"), "containers.0.digest is not sha256: and 64 digits"),
        (with_container(pods=0), "containers.0.pods is no number from 1 to"),
        (with_container(restarts=True), "containers.0.restarts is no number from 0 to"),
        (with_container(restarts=2**31), "containers.0.restarts is no number"),
        (with_container(env={"PASSWORD": "x"}), "containers.0 has not the members"),
    ],
)
def test_what_is_none_is_refused_with_its_place(document: bytes, said: str) -> None:
    with pytest.raises(NoSnapshot, match=said) as caught:
        read_snapshot(document)
    assert "\n" not in str(caught.value)


def test_nobody_writes_what_nobody_takes() -> None:
    with pytest.raises(NoSnapshot, match="has more than 25,000 containers"):
        written(replace(SHOP, containers=(API,) * (MOST_CONTAINERS + 1)))
