"""The answer where a CVE runs: its first sentence, its exit code, its rows, and what other programs read of it."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.packages.ledger.clocks import Station
from bot.domain.running.exposure import (
    Asked,
    BuildInside,
    CoveredSource,
    ExposedTime,
    PlaceExposure,
    PlaceState,
)
from bot.domain.running.runs import Coverage
from bot.domain.running.snapshot import RunningPlace
from bot.images.vex.statements import read_vex
from bot.views.images.ledger import LedgerRow
from bot.views.running.exposed import (
    COLUMNS,
    ExposureAnswer,
    Mover,
    as_json,
    image_name,
    reasons,
    shown_rows,
    table,
    with_movers,
)
from bot.views.running.openvex import as_openvex
from bot.views.spreadsheet import as_csv

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SINCE = datetime(2026, 10, 14, 9, 0, tzinfo=UTC)
ENDED = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FREE = "openssl 3.1 is not affected"
IMAGE = "ghcr.io/contoso/shop:1"
CVE = "CVE-2026-21518"
EUROPE = CoveredSource("europe", "production", (Coverage(SINCE - DAY, NOW),))
BUILD = {
    PlaceState.EXPOSED: BuildInside("sha256:" + "a" * 64, True, ("openssl 3.0 (fixed in 3.1)",), ""),
    PlaceState.NOT_AFFECTED: BuildInside("sha256:" + "b" * 64, False, ("openssl 3.1",), FREE),
    PlaceState.NOT_READ: BuildInside("sha256:" + "c" * 64, repository="contoso/shop"),
}


def place(state: PlaceState, number: int = 1, *times: ExposedTime, namespace: str = "shop") -> PlaceExposure:
    build = BUILD[state]
    where = RunningPlace(namespace, "Deployment", f"web-{number}", "web")
    return PlaceExposure("europe", "production", where, state, (build,), (IMAGE,), times, build.why)


OPEN, OVER = ExposedTime(SINCE, False, NOW, None), ExposedTime(SINCE, False, ENDED, ENDED)
ANSWER = ExposureAnswer(CVE, Asked(NOW), (EUROPE,), is_told=True)


def answer(exposed: int = 0, free: int = 0, were: int = 0, unread: int = 0) -> ExposureAnswer:
    places = [place(PlaceState.EXPOSED, number, OPEN) for number in range(exposed)]
    places += [place(PlaceState.NOT_AFFECTED, number) for number in range(free)]
    places += [place(PlaceState.NOT_AFFECTED, 1000 + number, OVER) for number in range(were)]
    places += [place(PlaceState.NOT_READ, number) for number in range(unread)]
    return replace(ANSWER, places=tuple(places))


def test_the_verdict_says_where_since_when_and_what_else() -> None:
    assert answer(14, 167, 31, 6).verdict == (
        "exposed in 14 of 212 running places since 2026-10-14 (41 days); 198 not affected, "
        "of these 31 were exposed until 2026-11-02; 6 not read"
    )


def test_a_verdict_of_no_exposure_says_of_how_many_and_what_was_not_read() -> None:
    assert answer(0, 212, 0, 6).verdict == "not exposed: none of 212 has it; 6 not read"


def test_a_run_that_may_be_older_is_exposed_at_least_since() -> None:
    older = place(PlaceState.EXPOSED, 1, replace(OPEN, is_older=True))
    assert "since at least 2026-10-14" in replace(ANSWER, places=(older,)).verdict


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (answer(1, 5, 0, 6), 1),
        (answer(0, 5, 2, 0), 0),
        (answer(0, 5, 0, 1), 3),
        (replace(answer(0, 5), gaps=("the CVE data of Ubuntu is old",)), 3),
        (replace(answer(0, 5), sources=(EUROPE, CoveredSource("asia"))), 3),
        (replace(answer(0, 5), is_told=False), 3),
        (replace(answer(0, 5), sources=()), 3),
    ],
)
def test_not_exposed_is_only_what_leaves_nothing_open(asked: ExposureAnswer, code: int) -> None:
    assert asked.exit_code == code


def test_what_a_source_could_not_read_is_told() -> None:
    partly = replace(EUROPE, not_read=("namespace billing: 403 Forbidden",))
    assert replace(answer(0, 5), sources=(partly,)).unread == ("europe: namespace billing: 403 Forbidden",)


def test_a_source_that_settings_name_no_more_leaves_nothing_open() -> None:
    former = replace(EUROPE, name="former", is_listed=False, covered=(Coverage(SINCE - DAY, SINCE),))
    assert replace(answer(0, 5), sources=(EUROPE, former)).exit_code == 0


def test_rows_of_people_tell_who_moves_it() -> None:
    moved = replace(answer(1), movers={IMAGE: Mover("contoso/shop", "image not rebuilt")})
    [row] = shown_rows(moved)
    assert row == (
        *("production europe", "shop/web-0/web", "exposed", "2026-10-14 09:00", ""),
        *("openssl 3.0 (fixed in 3.1)", "image not rebuilt; contoso/shop can move it"),
    )


def test_reasons_are_counted() -> None:
    assert reasons(answer(0, 3), PlaceState.NOT_AFFECTED) == [(3, "openssl 3.1 is not affected")]


def test_of_many_reasons_a_few_are_told_and_the_rest_counted() -> None:
    many = [replace(place(PlaceState.NOT_AFFECTED, number), why=f"reason {number}") for number in range(12)]
    told = reasons(replace(ANSWER, places=tuple(many)), PlaceState.NOT_AFFECTED)
    assert (len(told), told[-1]) == (9, (4, "for other reasons"))


def test_a_place_that_runs_a_copy_by_another_name_is_moved_by_who_builds_it() -> None:
    copied = replace(place(PlaceState.EXPOSED, 1, OPEN), images=("mirror.local/shop:1",))
    built = replace(copied, builds=(replace(copied.builds[0], repository="contoso/shop"),))
    row = LedgerRow(IMAGE, "contoso/shop", (), "image not rebuilt", Station.IMAGE, False, "", "contoso/shop", ())
    moved = with_movers(replace(ANSWER, places=(built,)), [row])
    assert moved.movers["mirror.local/shop:1"].who == "contoso/shop"
    assert with_movers(replace(ANSWER, places=(copied,)), [row]).movers == {}


def test_a_spreadsheet_has_a_row_for_each_place_and_time_and_no_formula() -> None:
    named = place(PlaceState.EXPOSED, 1, OVER, OPEN, namespace="=HYPERLINK(1)")
    asked = replace(ANSWER, places=(named, place(PlaceState.NOT_AFFECTED)))
    first, second, free = csv.DictReader(io.StringIO(as_csv(COLUMNS, table(asked))))
    assert first["namespace"] == "'=HYPERLINK(1)"
    assert (first["exposed_until"], first["days"]) == (str(ENDED), "19.0")
    assert (second["exposed_until"], second["days"]) == ("", "41.1")
    assert (free["exposed_from"], free["why"]) == ("", "openssl 3.1 is not affected")


def test_programs_read_the_same_figures() -> None:
    told = as_json(answer(14, 167, 31, 6))
    figures = {name: told[name] for name in ("exposed", "not_affected", "were_exposed", "not_read", "gone")}
    assert figures == {"exposed": 14, "not_affected": 198, "were_exposed": 31, "not_read": 6, "gone": 0}


def test_openvex_has_a_statement_for_each_build() -> None:
    document = json.dumps(as_openvex(answer(2, 1, 0, 1))).encode()
    statements = read_vex(document, "answer.vex.json")
    assert [each.status for each in statements] == ["affected", "not_affected", "under_investigation"]
    assert {name for each in statements for name in each.vulnerabilities} == {CVE}
    assert statements[1].reason == "openssl 3.1 is not affected"
    assert json.loads(document)["statements"][0]["action_statement"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("ghcr.io/contoso/shop:1", "ghcr.io/contoso/shop"),
        ("ghcr.io/contoso/shop:1@sha256:aaa", "ghcr.io/contoso/shop"),
        ("localhost:5000/shop", "localhost:5000/shop"),
        ("shop", "shop"),
    ],
)
def test_an_image_goes_by_its_name_without_tag_and_digest(image: str, name: str) -> None:
    assert image_name(image) == name
