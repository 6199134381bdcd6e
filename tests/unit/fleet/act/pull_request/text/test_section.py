"""The bot's own section of a body, as laws."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.forge.pull_requests import MOST_BODY, most_body
from bot.fleet.act.pull_request.text.section import (
    closed,
    declined,
    has_room,
    hash_of,
    marked_section,
    section_in,
    shortened,
    with_section,
)

DIGESTS = ["sha256:" + "a" * 64, "sha256:" + "b" * 64]
TEXT = st.text(max_size=200).filter(lambda text: "freshness-bot" not in text)


@given(TEXT, TEXT, TEXT)
def test_a_section_says_again_what_was_written(before: str, text: str, title: str) -> None:
    found = section_in(with_section(before, marked_section(text, DIGESTS, title)))
    assert (found.digests, found.titled, found.is_closed_by_us) == (frozenset(DIGESTS), hash_of(title), False)


@given(TEXT, TEXT, TEXT, TEXT)
@example("for LINUX", "XML is next", "old", "new")
def test_what_stands_around_it_stays(before: str, after: str, old: str, new: str) -> None:
    first, second = marked_section(old, DIGESTS, "a"), marked_section(new, DIGESTS[:1], "b")
    body = f"{before}\n\n{first}\n\n{after}"
    assert with_section(body, second).replace(second, first).split() == body.split()


@given(TEXT, TEXT)
def test_the_same_section_changes_nothing(before: str, text: str) -> None:
    section = marked_section(text, DIGESTS, "t")
    once = with_section(before, section)
    assert with_section(once, section) == once


@given(TEXT, TEXT)
def test_what_the_bot_closed_is_for_no_digest_any_more_and_can_be_taken_up_again(before: str, text: str) -> None:
    body = closed(with_section(before, marked_section(text, DIGESTS, "t")), "it is done")
    found = section_in(body)
    assert (found.digests, found.is_closed_by_us) == (frozenset(), True)
    assert "**Closed by the bot:** it is done." in body
    again = section_in(with_section(body, marked_section(text, DIGESTS, "t")))
    assert (again.digests, again.is_closed_by_us) == (frozenset(DIGESTS), False)


def test_a_body_of_people_is_no_section() -> None:
    assert section_in("we moved to aspnet") == section_in("")


def test_of_a_body_that_the_first_release_wrote_all_is_the_bots() -> None:
    old = f"The base moved.\n\nMore.\n<!-- freshness-bot rebuild {DIGESTS[0]} -->"
    section = marked_section("New", DIGESTS, "t")
    assert with_section(old, section) == section
    assert with_section(f"{old}\n\nmine", section) == f"{section}\n\nmine"


def test_what_is_no_unicode_in_peoples_words_or_the_bots_is_measured_all_the_same() -> None:
    section = marked_section("half a \ud83d sign", DIGESTS, "half a \ud83d title")
    body = with_section("half a \ud83d sign", section)
    assert body == f"half a \ud83d sign\n\n{section}"
    assert "**Closed by the bot:** it is done." in closed(body, "it is done")


@pytest.mark.parametrize("stray", ["<!-- freshness-bot end -->", "mine\n<!-- freshness-bot end -->\nmore"])
def test_a_last_line_without_a_first_is_no_section(stray: str) -> None:
    section = marked_section("New", DIGESTS, "t")
    assert with_section(stray, section) == f"{stray}\n\n{section}"


END, CLOSED = "<!-- freshness-bot end -->", "<!-- freshness-bot closed -->"
LINES = "XML parsers moved.\n\nSo did LINUX"


@pytest.mark.parametrize("mark", [END, CLOSED])
def test_a_mark_that_people_quote_behind_a_section_is_theirs(mark: str) -> None:
    section = marked_section("New", DIGESTS, "t")
    body = f"{closed(section, 'it is done')}\n\nit wrote {mark}"
    assert with_section(body, section) == f"{section}\n\nit wrote {mark}"


def test_a_section_whose_last_line_is_gone_is_peoples_and_another_comes_behind_it() -> None:
    torn = marked_section("Old", DIGESTS, "t").removesuffix(END)
    assert with_section(f"mine\n{torn}", marked_section("New", DIGESTS, "t")).startswith(
        f"mine\n{torn.rstrip()}\n\n"
    )


def test_what_the_bot_closes_says_why_above_what_it_has_said_before() -> None:
    once = closed(marked_section(LINES, DIGESTS, "t"), "it is done")
    assert once == f"{CLOSED}\n**Closed by the bot:** it is done.\n\n{LINES}\n{END}"
    again = f"{CLOSED}\n**Closed by the bot:** it goes.\n\n**Closed by the bot:** it is done.\n\n{LINES}\n{END}"
    assert closed(once, "it goes") == again


def test_what_a_person_declines_keeps_its_first_line_and_says_why_at_its_end() -> None:
    section = marked_section(LINES, DIGESTS, "t")
    first, _, _ = section.partition("\n")
    assert declined(section, "ann said so") == f"{first}\n{LINES}\n\n**Closed by the bot:** ann said so.\n{END}"


def test_what_a_person_declines_without_a_section_says_why_behind_their_words() -> None:
    body = declined("mine", "ann said so")
    assert (body.startswith("mine\n"), body.endswith(f"\n**Closed by the bot:** ann said so.\n{END}")) == (
        True,
        True,
    )
    assert not section_in(body).digests


@pytest.mark.parametrize("close", [closed, declined])
def test_what_is_cut_for_its_length_is_its_text_and_not_what_the_bot_knows_it_by(close: object) -> None:
    lines = marked_section("x\n" * MOST_BODY, DIGESTS, "t")
    for body in (with_section("mine", lines), close(f"mine\n\n{lines}\n\nmine", "it is done")):  # type: ignore[operator]
        assert MOST_BODY - 20 < len(body.encode()) <= MOST_BODY
        assert section_in(body).digests or section_in(body).is_closed_by_us


def test_a_text_is_cut_only_where_it_is_too_long_and_never_within_a_sign() -> None:
    text = "é\n" * 20
    assert shortened(text, 60) == text
    for room in range(13, 60):
        assert len(shortened(text, room).encode()) <= room
        assert shortened(text, room).endswith("\n\n(shortened)")


def test_a_section_fits_into_what_azure_repos_take() -> None:
    most = most_body("azure-devops")
    section = marked_section("- ä line\n" * 2_000, ["sha256:" + "a" * 64], "Refresh a", "<!-- marker -->")
    alone = with_section("", section, most)
    body = with_section("People's words\n" * 20, section, most)
    closing = closed(body, "its base is gone", most)
    for text in (alone, body, closing):
        assert len(text.encode("utf-16-le")) // 2 <= 4_000
    assert section_in(body).digests == {"sha256:" + "a" * 64}
    assert with_section(body, section, most) == body


def test_a_body_has_room_for_a_marker_that_takes_less_than_half_of_it() -> None:
    assert [has_room("m" * length, 3_900) for length in (0, 1_949, 1_950)] == [True, True, False]


def test_what_is_open_where_a_text_is_cut_is_closed() -> None:
    lines = ["<details><summary>more</summary>", "", "  `````diff", *("  + a line" for _ in range(9)), "  `````"]
    text = "\n".join([*lines, "", "</details>"])
    cut = shortened(text, len(text) - 20)
    assert cut.endswith("  + a line\n  `````\n\n</details>\n\n(shortened)")
    for room in range(20, len(text)):
        cut = shortened(text, room)
        assert len(cut.encode()) <= room
        assert cut.count("<details>") == cut.count("</details>")
        assert cut.count("`````") % 2 == 0
