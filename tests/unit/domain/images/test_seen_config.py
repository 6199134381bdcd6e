"""What is kept of an image's configuration: names, and no value."""

from typing import Any

import pytest

from bot.domain.images.seen_config import MOST_NAMES, SeenConfig, seen_config

DIGEST = "sha256:" + "0123456789abcdef" * 4


def seen(**document: Any) -> SeenConfig:
    return seen_config("ghcr.io/contoso/shop", DIGEST, document, "latest")


def arguments(*steps: object) -> tuple[str, ...]:
    return seen(history=[{"created_by": step} for step in steps]).arguments


def test_the_user_and_the_names_of_variables_are_kept() -> None:
    kept = seen(config={"User": "app", "Env": ["PATH=/bin", "TOKEN=abc=def", "PATH=/usr/bin"]})
    assert kept == SeenConfig("ghcr.io/contoso/shop", DIGEST, "app", ("PATH", "TOKEN"), (), "latest")
    assert kept.short_name == "ghcr.io/contoso/shop@sha256:0123456789ab"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"config": None, "history": None},
        {"config": [], "history": {}},
        {"config": {"User": 0, "Env": "A=1"}, "history": ["RUN |1 A=1 /bin/sh"]},
        {"config": {"Env": [None, 1]}, "history": [{"created_by": 3}, {}]},
    ],
)
def test_what_has_another_shape_is_left_out(document: dict[str, Any]) -> None:
    assert seen(**document) == SeenConfig("ghcr.io/contoso/shop", DIGEST, tag="latest")


def test_the_names_of_build_arguments_are_read_off_the_history() -> None:
    assert arguments("RUN |2 TOKEN=abc STAGE=live /bin/sh -c make", "|1 TOKEN=abc /bin/sh -c A=1 make") == (
        "TOKEN",
        "STAGE",
    )


def test_what_follows_the_arguments_of_a_step_is_none() -> None:
    assert arguments("RUN |1 TOKEN=abc A=1 B=2") == ("TOKEN",)
    assert arguments("RUN |0 A=1 /bin/sh") == ()


@pytest.mark.parametrize(
    "step",
    ["RUN /bin/sh -c A=1 make", "COPY |1 A=1", "RUN |x A=1", "RUN | A=1", "RUN |\u00b2 A=1", "RUN |\u0664 A=1"],
)
def test_a_step_that_does_not_begin_with_arguments_has_none(step: str) -> None:
    assert arguments(step) == ()


def test_no_more_names_are_kept_than_anybody_reads() -> None:
    many = [f"A{number}=1" for number in range(MOST_NAMES + 1)]
    kept = seen(config={"Env": many}, history=[{"created_by": f"|9999 {' '.join(many)}"}] * 2)
    assert (len(kept.variables), len(kept.arguments)) == (MOST_NAMES, MOST_NAMES)


def test_an_argument_ends_at_its_first_equals_sign_and_what_has_none_is_no_argument() -> None:
    assert arguments("|1 TOKEN=abc=def /bin/sh") == ("TOKEN",)
    assert arguments("|2 TOKEN=abc /bin/sh -c make") == ("TOKEN",)


def test_no_tag_is_made_up() -> None:
    assert seen_config("ghcr.io/contoso/shop", DIGEST, {}).tag == ""
