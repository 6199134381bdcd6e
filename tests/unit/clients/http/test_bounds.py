from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.http.bounds import redirect_target, retry_after
from bot.domain.failure import Failure

NOW = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)
HOME = httpx.URL("https://registry.example/v2/a")
PLAIN = httpx.URL("http://registry.example/v2/a")


def refused(method: str, url: httpx.URL, location: str, allowed: frozenset[str] = frozenset()) -> str:
    with pytest.raises(Failure) as caught:
        redirect_target(method, url, location, allowed)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("Tue, 11 Nov 2025 18:01:30 GMT", 90),
        ("Tue, 11 Nov 2025 17:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: int) -> None:
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "²", "Tue, 99 Nov 2025 18:01:30 GMT"])
def test_an_unreadable_retry_after_is_none(value: str | None) -> None:
    assert retry_after(value, NOW) is None


def test_retry_after_is_at_most_a_day() -> None:
    assert retry_after("99999999999999999999", NOW) == timedelta(days=1)


@given(st.text(max_size=60))
def test_retry_after_never_raises_and_is_never_negative(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)


@given(st.integers(0, 86400))
def test_a_date_and_its_distance_mean_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(date, NOW) == retry_after(str(seconds), NOW)


def test_redirects_within_the_host_are_followed() -> None:
    assert (
        str(redirect_target("GET", HOME, "/elsewhere?x=1", frozenset())) == "https://registry.example/elsewhere?x=1"
    )


def test_plain_http_may_move_up_to_tls() -> None:
    assert redirect_target("HEAD", PLAIN, "https://registry.example/b", frozenset()).scheme == "https"


def test_another_host_is_refused_unless_it_is_named() -> None:
    assert "another host, cdn.example," in refused("GET", HOME, "https://cdn.example/b")
    assert redirect_target("GET", HOME, "https://cdn.example/b", frozenset({"cdn.example"})).host == "cdn.example"
    assert redirect_target("GET", HOME, "https://cdn.example/b", frozenset({"*"})).host == "cdn.example"


@pytest.mark.parametrize(
    "location", ["http://registry.example/b", "file:///etc/passwd", "https://a:b@cdn.example/"]
)
def test_tls_is_never_given_up_nor_userinfo_taken(location: str) -> None:
    assert "is not followed" in refused("GET", HOME, location, frozenset({"*"}))


def test_a_post_is_not_sent_on() -> None:
    assert "redirects a POST" in refused("POST", HOME, "/b")


@pytest.mark.parametrize("location", ["https://a:port/", "https://a:99999/", "https://xn--.example/"])
def test_a_redirect_to_nonsense_is_one_clear_line(location: str) -> None:
    said = refused("GET", HOME, location, frozenset({"*"}))
    assert said == "registry.example/v2/a: redirects to something that is no URL"
