"""Which schedules of a pipeline run only where its source has changed."""

import pytest

from bot.files.formats.azure_pipelines.schedules import blind_schedules


@pytest.mark.parametrize(
    ("text", "crons"),
    [
        ("schedules:\n- cron: '0 2 * * 1'\n  always: true\n", ()),
        ("schedules:\n- cron: '0 2 * * 1'\n", ("0 2 * * 1",)),
        ("schedules:\n- {cron: 0 2 * * 1, always: false}\n- {cron: 0 3 * * 1, always: True}\n", ("0 2 * * 1",)),
        ("trigger: none\n", ()),
        ("schedules: none\n", ()),
        ("schedules: [a, {always: true}]\n", ()),
        ("schedules: [\n", ()),
        ("", ()),
    ],
)
def test_one_that_does_not_say_always_does_not_notice_a_base(text: str, crons: tuple[str, ...]) -> None:
    assert blind_schedules(text) == crons
