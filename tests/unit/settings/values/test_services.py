"""Which lines of apprise's addresses are taken, and what is told of the others."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings.values.services import SERVICES, ServiceUrl, service_urls


def test_each_line_is_an_address_but_for_empty_ones_and_remarks() -> None:
    text = "# the team\ndiscord://1/secret\n\n  JSONS://hooks.example/x\r\n"
    assert service_urls(text) == (
        ServiceUrl(2, "discord", "discord://1/secret"),
        ServiceUrl(4, "jsons", "JSONS://hooks.example/x"),
    )


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("# nothing", "names no service; write SERVICE://… on a line of its own"),
        ("discord://1/x\nsecret", "has no address of a service in line 2; write one SERVICE://… a line"),
        ("discord://1/x jsons://secret", "has no address of a service in line 1; write one SERVICE://… a line"),
        ("json://secret", "would send in the clear in line 1: write jsons:// for json://"),
        ("syslog://secret", "has syslog:// in line 1, none of: "),
        ("https://discord.com/api/webhooks/secret", "has https:// in line 1, none of: "),
        ("jsons://secret\n" * 21, "names more than 20 services"),
    ],
)
def test_a_line_that_is_not_taken_is_named_and_not_quoted(text: str, defect: str) -> None:
    with pytest.raises(ValueError) as caught:
        service_urls(text)
    assert str(caught.value).startswith(defect)
    assert "secret" not in str(caught.value)


@given(st.sampled_from(("http", "https", "json", "dbus", "exec", "mailtos", "file")), st.text(max_size=50))
def test_nothing_else_is_ever_opened(service: str, rest: str) -> None:
    with pytest.raises(ValueError):
        service_urls(f"{service}://{rest}")


@given(st.text())
def test_whatever_is_opened_is_one_of_the_services(text: str) -> None:
    try:
        urls = service_urls(text)
    except ValueError:
        return
    assert {each.service for each in urls} <= SERVICES


def test_an_address_is_never_shown() -> None:
    assert "secret" not in repr(service_urls("jsons://hooks.example/secret"))


def test_the_page_names_each_service() -> None:
    page = (Path(__file__).parents[4] / "docs" / "configure.md").read_text(encoding="utf-8")
    taken = page.partition("- Taken is what is sent to")[2].partition("Names without")[0]
    assert set(re.findall(r"`(\w+)`", taken)) == SERVICES
