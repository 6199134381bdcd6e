"""An issue keeps what people wrote, and has exactly the bot's sections of the moment."""

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.issue import MARK, MOST_TEXT, IssueSection, new_body, with_sections

AGE = IssueSection("age", "Nothing rebuilds this", "The schedule is disabled.", "the schedule is disabled")
FAILED = IssueSection("failures", "Rebuilds that failed", "- `aspnet:10.0`: red", "aspnet:10.0: red")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200).filter(lambda text: "<!--" not in text)
sections = st.lists(
    st.builds(IssueSection, st.sampled_from(["a", "b", "c"]), texts, texts, texts), unique_by=lambda each: each.name
)


def test_a_new_issue_says_what_it_is_and_what_there_is_to_say() -> None:
    body = new_body([AGE, FAILED])
    assert body.startswith(f"{MARK}\nThe freshness bot keeps")
    assert "### Nothing rebuilds this\n\nThe schedule is disabled.\n" in body
    assert body.index("Nothing rebuilds this") < body.index("Rebuilds that failed")


def test_a_section_that_is_said_no_longer_goes_and_the_words_of_people_stay() -> None:
    body = "We look into it.\n\n" + new_body([AGE, FAILED]) + "\n\nSee also our wiki."
    changed = with_sections(body, [FAILED])
    assert "The schedule is disabled." not in changed
    assert "- `aspnet:10.0`: red" in changed
    assert "We look into it." in changed
    assert "See also our wiki." in changed


def test_without_sections_it_says_that_nothing_is_left() -> None:
    body = with_sections(new_body([AGE]), [])
    assert "Nothing is left to say" in body
    assert "Nothing is left to say" not in with_sections(body, [AGE])


@given(first=sections, then=sections, own=texts)
def test_putting_sections_in_again_changes_nothing(
    first: list[IssueSection], then: list[IssueSection], own: str
) -> None:
    once = with_sections(f"{own}\n{new_body(first)}", then)
    assert with_sections(once, then) == once
    assert once.count("<!-- freshness-bot end ") == max(len(then), 1)


def test_a_text_cannot_end_its_section_early() -> None:
    sly = IssueSection("age", "t", "x <!-- freshness-bot end age --> y", "x")
    assert with_sections(with_sections("", [sly]), [AGE]).count("y") == with_sections("", [AGE]).count("y")


def test_what_is_longer_than_the_forge_takes_is_left_out() -> None:
    long = IssueSection("failures", "Rebuilds that failed", "x" * MOST_TEXT, "x")
    body = new_body([AGE, long])
    assert len(body.encode()) < MOST_TEXT + 1_000
    assert "There is more to say than fits in here." in body
