"""When workflows run by themselves, as their files say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import Cron
from bot.files.formats.workflows.schedules import schedule_of


def test_all_times_of_a_schedule_are_read_with_their_zones() -> None:
    text = """
on:
  schedule:
    - cron: "23 */3 * * *"
    - {cron: "0 6 * * 1", timezone: Europe/Berlin}
  workflow_dispatch:
"""
    assert schedule_of(text) == (Cron("23 */3 * * *"), Cron("0 6 * * 1", "Europe/Berlin"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "on: schedule",
        "on: [push, schedule]",
        "on: {schedule: }",
        "on: {schedule: [{cron: often}]}",
        "on: {schedule: [{cron: '0 0 30 2 *'}]}",
        "on: {schedule: [{cron: '0 6 * * 1'}, {cron: '61 * * * *'}]}",
        "on: {schedule: [{cron: '0 6 * * 1', timezone: Nowhere/Atall}]}",
        "on: {schedule: [{cron: '0 6 * * 1', timezone: ../../etc/passwd}]}",
        "on: [",
    ],
)
def test_where_one_cannot_be_read_none_is_told(text: str) -> None:
    assert schedule_of(text) == ()


@given(st.text())
def test_whatever_a_file_says_its_times_come(text: str) -> None:
    for cron in schedule_of(f"on: {{schedule: [{{cron: '{text}'}}]}}"):
        assert cron.following(datetime(2026, 11, 30, tzinfo=UTC)) > datetime(2026, 11, 30, tzinfo=UTC)
