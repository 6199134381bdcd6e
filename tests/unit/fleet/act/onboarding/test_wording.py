"""What a maintainer reads of onboarding."""

from dataclasses import replace

from bot.domain.repositories.finding import Place
from bot.domain.repositories.onboarding import LeftToPeople, Mended, Proposal, ProposedCommit
from bot.fleet.act.onboarding.wording import body, commit_message, is_ours, title
from bot.fleet.act.pull_request.text.wording import LONGEST_BODY

FENCE = "`````"
PINNED = ProposedCommit(
    "base-pinned",
    "Pin the base",
    "It moves.",
    (Mended(Place("Dockerfile", 3, 3), "FROM a", "floats", "is pinned"),),
    {"Dockerfile": b""},
)
USER = ProposedCommit(
    "non-root",
    "Run as a user",
    "Root may all.",
    (Mended(Place("chart/values.yaml", 7, 7), "api", "is root", "is a user"),),
    {"chart/a b.yaml": b""},
)
LEFT = LeftToPeople(
    "scanned", Place("ci.yml", 9, 9), "job build", "nothing scans", "add a step", "it needs a choice"
)


def told(*left: LeftToPeople, commits: tuple[ProposedCommit, ...] = (PINNED, USER), more: int = 0) -> str:
    return body(Proposal(commits, left, {}, more), "contoso/shop", "https://forge", "abc", "fresh/x")


def test_each_place_is_shown_before_and_after() -> None:
    here, there = "https://forge/contoso/shop/blob/abc", "https://forge/contoso/shop/blob/fresh/x"
    assert (
        "| check | where | before | after |\n|---|---|---|---|\n"
        f"| `base-pinned` | FROM a | [floats]({here}/Dockerfile#L3) | [is pinned]({there}/Dockerfile) |\n"
        f"| `non-root` | api | [is root]({here}/chart/values.yaml#L7) | [is a user]({there}/chart/a%20b.yaml) |\n\n"
    ) in told()


def test_what_comes_later_is_counted() -> None:
    assert "more place" not in told()
    assert "\n\n1 more place can be mended like this: that comes once this is merged.\n\n" in told(more=1)
    assert "2 more places can be mended" in told(more=2)


def test_what_is_left_is_told_with_why_and_what_to_do() -> None:
    assert "left to you" not in told()
    text = told(LEFT)
    assert text.endswith(
        "<details><summary>1 finding is left to you</summary>\n\n"
        "- `scanned` [ci.yml:9](https://forge/contoso/shop/blob/abc/ci.yml#L9): job build: nothing scans. "
        "Not done: it needs a choice. Advice: add a step.\n\n</details>"
    )
    assert "<summary>2 findings are left to you</summary>" in told(LEFT, LEFT)
    assert told(replace(LEFT, advice="")).endswith("Not done: it needs a choice.\n\n</details>")


def test_a_patch_is_shown_below_its_finding() -> None:
    shown = told(replace(LEFT, patch="- a\n+ b\n"), LEFT)
    assert f"add a step.\n\n  {FENCE}diff\n  - a\n  + b\n  {FENCE}\n\n- `scanned`" in shown


def test_a_patch_that_is_too_long_or_would_leave_its_fence_is_not_shown() -> None:
    assert "diff" in told(replace(LEFT, patch="x" * 4_000))
    assert "diff" not in told(replace(LEFT, patch="x" * 4_001))
    assert "diff" not in told(replace(LEFT, patch=f"x\n{FENCE}\ny"))


def test_patches_end_where_all_of_them_would_be_too_long_and_the_findings_go_on() -> None:
    text = told(*[replace(LEFT, patch="x" * 3_900)] * 8)
    assert (text.count(f"{FENCE}diff"), text.count("- `scanned`")) == (6, 8)


def test_of_many_that_are_left_forty_are_told() -> None:
    assert told(*[LEFT] * 40).count("- `scanned`") == 40
    assert "more:" not in told(*[LEFT] * 40)
    text = told(*[LEFT] * 42)
    assert text.count("- `scanned`") == 40
    assert "\n- and 2 more: `freshness-bot audit` names them\n" in text


def test_of_what_is_left_as_many_are_told_as_there_is_room_for_and_how_many_more_there_are() -> None:
    text = told(*[replace(LEFT, message="m" * 3_000)] * 40)
    count = text.count("- `scanned`")
    assert 0 < count < 40
    assert f"\n- and {40 - count} more: `freshness-bot audit` names them\n\n</details>" in text
    assert LONGEST_BODY - 4_000 < len(text) <= LONGEST_BODY


def test_patches_give_way_to_findings_where_room_is_short() -> None:
    proposal = Proposal((PINNED,), (replace(LEFT, patch="x" * 900),) * 3, {})
    text = body(proposal, "contoso/shop", "https://forge", "c0ffee", "fresh/x", 1_800)
    assert (text.count("- `scanned`"), text.count(f"{FENCE}diff")) == (3, 0)
    assert len(text.encode()) <= 1_800


def test_where_all_is_too_long_the_last_part_goes_first_and_then_lines_of_the_table() -> None:
    mended = replace(PINNED, mended=PINNED.mended * 2_000)
    text = told(commits=(mended,))
    assert len(text) <= LONGEST_BODY + len("\n\n(shortened)")
    assert text.endswith(" |\n\n(shortened)")


def test_a_title_counts_practices_and_names_two() -> None:
    assert title(Proposal((PINNED,), (), {})) == "Bring 1 practice along: base-pinned"
    assert title(Proposal((PINNED, USER, USER), (), {})) == (
        "Bring 3 practices along: base-pinned, non-root and 1 more"
    )


def test_a_commit_says_what_holds_why_and_where_and_is_known_as_ours() -> None:
    message = commit_message(replace(PINNED, mended=PINNED.mended + USER.mended))
    assert message == (
        "Pin the base (base-pinned)\n\nIt moves.\n\n- Dockerfile: FROM a\n- chart/values.yaml: api\n\n"
        "Freshness-Onboarding: base-pinned\n"
    )
    assert is_ours(message)
    assert not is_ours("Mention Freshness-Onboarding: in a sentence")


def test_how_to_decline_all_or_one_check_or_to_keep_it_as_it_is_is_told() -> None:
    assert (
        "\n\n**To decline**, close this pull request: the bot then never asks again here. To decline one check, "
        "waive it in `.github/freshness.yaml` (`ignore: [{check: NAME, reason: …}]`). The label `freshness:hold` "
        "keeps this as it is, and so does a commit of yours on the branch."
    ) in told()


def test_what_has_changed_is_shown_in_the_file_of_its_place_where_that_is_one_that_changes() -> None:
    both = replace(USER, files={"a.yaml": b"", "chart/values.yaml": b""})
    assert "[is a user](https://forge/contoso/shop/blob/fresh/x/chart/values.yaml)" in told(commits=(both,))
    only = replace(USER, files={"a.yaml": b"", "b.yaml": b""})
    assert "[is a user](https://forge/contoso/shop/blob/fresh/x/a.yaml)" in told(commits=(only,))


def test_what_is_said_comes_in_its_order() -> None:
    text = told(LEFT, more=2)
    parts = ["Each commit makes", "| check |", "2 more places", "**To decline**", "<details>"]
    assert sorted(parts, key=text.index) == parts


def test_a_message_with_letters_that_are_none_is_told_all_the_same() -> None:
    assert "nothing scans caf" in told(replace(LEFT, message="nothing scans caf\udce9"))
