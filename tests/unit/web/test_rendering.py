"""Names and times as pages word them."""

from datetime import timedelta
from pathlib import Path

import pytest

import bot.web
from bot.domain.packages.gate import GateOutcome
from bot.web.pages.rendering import ago, inside, parts_of_address, short_names, short_reference

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("mcr.microsoft.com/dotnet/aspnet:10.0", "aspnet:10.0"),
        (f"mcr.microsoft.com/dotnet/aspnet:10.0@{DIGEST}", "aspnet:10.0@sha256:abababababab"),
        ("ghcr.io/contoso/golden:1", "ghcr.io/contoso/golden:1"),
    ],
)
def test_a_reference_loses_what_nearly_all_share(reference: str, shown: str) -> None:
    assert short_reference(reference) == shown


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(hours=5, minutes=42), "5.7 h ago"),
        (timedelta(days=28, hours=6), "28 days ago"),
        (timedelta(minutes=-4), "in 4 min"),
    ],
)
def test_a_time_is_told_as_finely_as_it_counts(past: timedelta, words: str) -> None:
    assert ago(past) == words


@pytest.mark.parametrize("target", ["//evil.example", "/a?b", "/\\evil", "https://evil.example", "/a\n", ""])
def test_what_leads_elsewhere_leads_to_the_fleet(target: str) -> None:
    assert inside(target) == "/"


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("/a?b=c%26d&e=f+g", "/a?b=c%26d&e=f+g"),
        ("//evil.example?a", "/"),
        ("/a?b=<c>", "/a?b=%3Cc%3E"),
        ("/a?\n", "/"),
    ],
)
def test_a_filter_is_kept_where_it_may_be_asked_for(target: str, led: str) -> None:
    assert inside(target, may_ask=True) == led


@pytest.mark.parametrize("outcome", GateOutcome)
def test_what_the_gate_says_is_seen_by_its_colour(outcome: GateOutcome) -> None:
    style = (Path(bot.web.__file__).parent / "static/style.css").read_text(encoding="utf-8")
    assert f".chip.k-{outcome}" in style


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/2026-Nov", ("api.msrc.microsoft.com/…/cvrf/", "2026-Nov")),
        (
            "https://osv-vulnerabilities.storage.googleapis.com/Azure%20Linux/all.zip",
            ("osv-vulnerabilities.storage.googleapis.com/Azure Linux/", "all.zip"),
        ),
        ("https://api.github.com/advisories?ecosystem=nuget", ("api.github.com/", "advisories?ecosystem=nuget")),
        ("https://example.com", ("example.com/", "")),
    ],
)
def test_an_address_is_shown_by_its_host_and_what_tells_the_document(url: str, parts: tuple[str, str]) -> None:
    assert parts_of_address(url) == parts


def test_a_sentence_names_bases_as_lists_do() -> None:
    told = "Microsoft has not rebuilt mcr.microsoft.com/dotnet/aspnet:10.0, nor ghcr.io/contoso/base:1"
    assert short_names(told) == "Microsoft has not rebuilt aspnet:10.0, nor ghcr.io/contoso/base:1"
