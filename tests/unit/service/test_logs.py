"""No secret reaches a log, by whatever way it came."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure, Trouble
from bot.service.logs import REDACTED, clean, quiet_libraries, redact, set_up
from tests.plain_logs import log_plainly

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=24, max_size=40)
AROUND = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20).map(lambda text: f"{text} ")
FORMS: list[Callable[[str], str]] = [
    "ghp_{}".format,
    "ghs_{}".format,
    "github_pat_{}".format,
    "xoxb-{}".format,
    "xapp-1-{}".format,
    "https://hooks.slack.com/services/T0/B0/{}".format,
    "https://me:{}@registry.example/v2/".format,
    "https://{}@registry.example".format,
    "postgresql+psycopg://me:p@ss{}@db.example/bot".format,
    "Authorization: Bearer {}".format,
    "authorization: basic {}".format,
    "https://api.example/x?access_token={}&page=2".format,
    "eyJ0eXAiOiJKV1Qi.{0}.{0}".format,
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format,
    "-----BEGIN PRIVATE KEY-----\n{}".format,
]


@pytest.fixture(autouse=True)
def logging_ends_with_the_test() -> Iterator[None]:
    yield
    log_plainly()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form("…")[:24])
@given(before=AROUND, secret=LETTERS, after=AROUND)
def test_what_looks_like_a_credential_is_taken_out_wherever_it_stands(
    form: Callable[[str], str], before: str, secret: str, after: str
) -> None:
    text = before + form(secret) + " " + after
    event = redact(None, "info", {"event": text, "list": [text], "deep": {"a": ({"b": text},)}, text: "as a name"})
    event.pop(text, None)
    assert secret not in repr(event)
    assert secret not in clean(text)


@pytest.mark.parametrize(
    "name",
    ["token", "bot_token", "password", "client_secret", "private_key", "Authorization", "webhook", "Set-Cookie"],
)
@given(secret=LETTERS)
def test_values_of_telling_names_are_taken_out_whatever_they_look_like(name: str, secret: str) -> None:
    assert secret not in repr(redact(None, "info", {"headers": {name: secret}, name: [secret]}))


@given(secret=LETTERS)
def test_an_exception_among_the_values_is_cleaned_too(secret: str) -> None:
    assert secret not in repr(redact(None, "info", {"error": ValueError(f"refused ghp_{secret}")}))


@pytest.mark.parametrize(
    "text",
    [
        "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "mcr.microsoft.com/dotnet/aspnet:10.0@sha256:2cf24dba5fb0a30e",
        "https://github.com/contoso/shop/pull/7",
        "https://mcr.microsoft.com/v2/dotnet/aspnet/manifests/10.0 asked @octocat",
        "CVE-2026-21218, CVE-2026-21219",
        "write sqlite:///PATH or postgresql://USER@HOST/NAME",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert clean(text) == text


def test_numbers_stay_numbers() -> None:
    event: dict[str, Any] = {"asked": 3, "share": 0.5, "done": True, "nothing": None, "took": timedelta(seconds=1)}
    assert redact(None, "info", event) == {**event, "took": "0:00:01"}


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_trace_is_logged_without_the_secret_in_its_message(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(form)
    try:
        raise RuntimeError("https://me:hunter22@registry.example refused")
    except RuntimeError:
        structlog.get_logger().exception("stage broke", stage="watch")
    out, err = capsys.readouterr()
    assert out == ""
    assert "RuntimeError" in err
    assert REDACTED in err
    assert "hunter22" not in err


def test_a_line_of_the_service_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("json")
    failure = Failure(Trouble.DENIED, "HTTP 401", where="ghcr.io/x")
    structlog.get_logger().warning("problem", stage="watch", detail=failure)
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["event"], line["detail"]) == ("warning", "problem", "ghcr.io/x: HTTP 401")
    assert line["timestamp"].endswith("Z")


def test_a_quiet_set_up_shows_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("text", verbose=False)
    structlog.get_logger().info("tick")
    structlog.get_logger().warning("problem")
    err = capsys.readouterr().err
    assert "problem" in err
    assert "tick" not in err


def test_addresses_that_a_library_warns_of_are_not_shown() -> None:
    """urllib3 names the whole address where it cannot read the headers of an answer."""
    quiet_libraries()
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.WARNING)
