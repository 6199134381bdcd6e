from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause, Change, SecurityRelease, ToldWay
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.changes import PlatformChanges
from bot.domain.packages.cves.moves import CvesMoved
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rebuild import Target
from bot.domain.rollouts.terms import Pin
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.text.wording import (
    LONGEST_BODY,
    body,
    commit_message,
    title,
    trailers_for,
    trailers_in,
    what_moved,
)
from tests.unit.fleet.act.world import ASPNET, change, digest, member, rebuild

SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")


def cut(letter: str) -> str:
    """A digest as the table shows it."""
    return digest(letter)[: len("sha256:") + 12]


def job(*changes: Change, paths: tuple[str, ...] = ("Dockerfile",), **values: Any) -> Job:
    return Job(rebuild(**values), member(), "main", changes or (change(),), paths)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((change(cves=("CVE-1", "CVE-2")),), "Refresh aspnet:10.0 to .NET 10.0.5 (2 CVEs)"),
        ((change(cves=("CVE-1",)),), "Refresh aspnet:10.0 to .NET 10.0.5 (1 CVE)"),
        ((change(from_version="10.0.5"),), "Refresh aspnet:10.0"),
    ],
)
def test_the_title_says_what_comes(changes: tuple[Change, ...], said: str) -> None:
    assert title(job(*changes)) == said


def test_the_title_counts_further_bases() -> None:
    targets = (*rebuild().targets, Target(SDK, digest("a"), digest("b"), (2,)))
    assert title(job(targets=targets)).startswith("Refresh aspnet:10.0 and 1 more")


def test_the_title_fits_a_listing() -> None:
    assert len(title(job(change(to_version="9" * 500)))) == 120


def test_the_body_tells_why_what_and_how_to_go_without_it() -> None:
    text = body(job(change(cves=("CVE-2026-1",), severity=Severity.HIGH)))
    assert text.startswith("`aspnet:10.0` moves under the same tag: a .NET security release.")
    assert "**Fixes 1 CVE, rated up to HIGH:** [CVE-2026-1](https://www.cve.org/CVERecord?id=CVE-2026-1)" in text
    assert f"| `mcr.microsoft.com/dotnet/aspnet:10.0` | 10.0.4 → 10.0.5 | `{cut('a')}` | `{cut('b')}` " in text
    assert "docker pull mcr.microsoft.com/dotnet/aspnet:10.0\n" in text
    assert "Not changed" not in text
    assert "Fixes" not in body(job())


def test_each_cause_is_told_with_its_own_bases() -> None:
    os_update = replace(change(cause=Cause.OS_UPDATE), base=SDK)
    said = body(job(change(), os_update)).split("\n\n")[0]
    assert "`aspnet:10.0` moves under the same tag: a .NET security release." in said
    assert "`sdk:10.0` moves under the same tag:" in said
    assert "`aspnet:10.0`, `sdk:10.0`" not in said


def test_a_version_that_stays_is_named_once() -> None:
    text = body(job(change(from_version="10.0.5", cause=Cause.OS_UPDATE)))
    assert "| `mcr.microsoft.com/dotnet/aspnet:10.0` | 10.0.5 | " in text


def test_cves_of_other_parts_are_told_apart() -> None:
    both = change(cves=("CVE-2026-1", "CVE-2026-2"), not_relevant=("CVE-2026-2",))
    said = "Not relevant to these images (other parts or systems)"
    assert f"{said}: CVE-2026-2\n" in body(job(both))
    assert said not in body(job(change(cves=("CVE-2026-1",))))


def test_a_pin_that_was_older_than_what_the_base_has_left_is_told_as_it_stood() -> None:
    old = replace(rebuild().replacements[0], old=Reference(ASPNET.name, "10.0", digest("e")))
    text = body(job(replacements=(old,)))
    assert f"| `mcr.microsoft.com/dotnet/aspnet:10.0` | 10.0.5 | `{cut('e')}` | `{cut('b')}` " in text
    assert digest("a") not in text


def test_of_a_pin_older_than_all_that_is_known_nothing_else_is_said() -> None:
    caught_up = Job(rebuild(targets=(Target(ASPNET, digest("a"), digest("b"), ()),)), member(), "main", (), ())
    said = "shows another image than the one that is named here, which is older than all that the bot has seen"
    assert said in body(caught_up)
    assert said in commit_message(caught_up)
    assert what_moved(caught_up) == "aspnet:10.0 moved"


def test_of_a_pin_that_was_left_behind_before_the_bot_came_releases_tell_what_it_lacks() -> None:
    way = change(cause=Cause.DOTNET_SECURITY, cves=("CVE-1", "CVE-2"), severity=Severity.HIGH)
    way = replace(way, from_version="10.0.0", to_version="10.0.3")
    target = Target(ASPNET, digest("a"), digest("b"), ())
    told = {ASPNET: ToldWay(way, (SecurityRelease(way.at, "10.0.1"),))}
    caught_up = Job(rebuild(targets=(target,)), member(), "main", (way,), (), told_ways=told)
    assert (
        "`aspnet:10.0` has gone on from what is named here: a .NET security release. 10.0.0 → 10.0.3: 1 security "
        f"release, 2 CVEs (up to HIGH), oldest fix out since {way.at:%Y-%m-%d}.\n"
    ) in body(caught_up)
    assert "| 10.0.0 → 10.0.3 |" in body(caught_up)
    moved_again = replace(caught_up, changes=(way, change(cause=Cause.OS_UPDATE)))
    assert moved_again.weighed == moved_again.changes[1:]
    assert caught_up.weighed == (way,)
    assert "operating system layer. What is named here is older: 10.0.0 → 10.0.3: 1 security" in body(moved_again)
    assert title(caught_up) == "Refresh aspnet:10.0 to .NET 10.0.3 (2 CVEs)"


def test_the_body_of_a_marker_says_why_there_is_an_edit_at_all() -> None:
    marked = replace(rebuild().replacements[0], marker=True)
    assert "a comment line that records its digest" in body(job(replacements=(marked,)))
    assert "a comment line" not in body(job())


def test_what_could_not_be_edited_is_listed() -> None:
    text = body(job(), ["web/Dockerfile:3: it comes from a variable"])
    assert "**Not changed, please look:**\n\n- web/Dockerfile:3: it comes from a variable" in text


def test_of_twenty_that_could_not_be_edited_none_is_left_out() -> None:
    assert "more" not in body(job(), [f"{number}/Dockerfile:1: no" for number in range(20)])


DIGEST_ADDED = "The digest is written beside the tag, as the operator's rules ask."
FLOATS = "The pin becomes the floating tag, as the operator's rules ask: each build takes what it shows."


@pytest.mark.parametrize(
    ("pin", "old", "new", "told"),
    [
        (Pin.DIGEST, None, "b", DIGEST_ADDED),
        (Pin.DIGEST, "a", "b", ""),
        (Pin.KEEP, None, "b", ""),
        (Pin.FLOATING, "a", None, FLOATS),
        (Pin.FLOATING, None, None, ""),
        (Pin.KEEP, "a", None, ""),
    ],
)
def test_a_pin_that_is_not_written_as_it_was_is_explained(
    pin: Pin, old: str | None, new: str | None, told: str
) -> None:
    def written(letter: str | None) -> Reference:
        return Reference(ASPNET.name, "10.0", digest(letter) if letter else None)

    text = body(
        replace(job(replacements=(Replacement(written(old), written(new)),)), policy=Policy((PolicyRule(pin=pin),)))
    )
    sentences = [sentence for sentence in (DIGEST_ADDED, FLOATS) if f"\n\n{sentence}\n\n" in text]
    assert (sentences, "operator's rules" in text) == ([told] * bool(told), bool(told))


def test_a_marker_is_no_pin_that_is_written_otherwise() -> None:
    floating = Reference(ASPNET.name, "10.0")
    marked = Replacement(floating, floating, marker=True)
    assert DIGEST_ADDED not in body(
        replace(job(replacements=(marked,)), policy=Policy((PolicyRule(pin=Pin.DIGEST),)))
    )


def test_long_lists_are_cut_and_say_so() -> None:
    text = body(
        job(change(cves=tuple(f"CVE-2026-{n:05}" for n in range(90))), paths=tuple(f"{n}/D" for n in range(50))),
        [f"{n}/Dockerfile:1: no" for n in range(50)],
    )
    assert "and 50 more" in text
    assert text.count("and 20 more") == 1
    assert "- and 30 more" in text


def test_a_base_that_moved_twice_shows_its_whole_way() -> None:
    first, second = change(to_version="10.0.5"), change("c", from_version="10.0.5", to_version="10.0.6")
    assert "| 10.0.4 → 10.0.6 |" in body(job(first, second))


# Whatever comes from outside


def test_nothing_from_outside_mentions_links_or_hides() -> None:
    hostile = "@octocat fixes #1 and GH-2 <!-- x --> | cell | `code` [a](https://evil.example) &#64;all"
    text = body(job(change(to_version=hostile, cause=Cause.DOTNET_RELEASE)), [hostile])
    assert "@octocat" not in text
    assert "#1" not in text
    assert "GH-2" not in text
    assert "<!--" not in text
    assert "](https://evil" not in text
    assert "&#64;" not in text.replace("\\&\\#\u200b64", "")


def test_a_path_cannot_leave_its_code_span() -> None:
    text = body(job(paths=("a`@octocat`\n\n# title|x/Dockerfile",)))
    assert "Files: `a'@octocat' # title¦x/Dockerfile`" in text


@given(st.lists(st.text(max_size=3000), max_size=60), st.lists(st.text(max_size=300), max_size=300))
def test_however_much_there_is_to_say_github_takes_it(refused: list[str], paths: list[str]) -> None:
    assert len(body(job(paths=tuple(paths)), refused)) <= LONGEST_BODY + len("\n\n(shortened)")


def test_a_body_too_long_is_cut_at_a_line_end() -> None:
    targets = tuple(
        Target(Base("registry.example", f"{'team/' * 20}app-{n}", "1"), digest("a"), digest("b"), (1,))
        for n in range(500)
    )
    text = body(job(targets=targets))
    assert text.endswith("|\n\n(shortened)")


@given(st.sampled_from(Cause), st.none() | st.text(max_size=20), st.none() | st.text(max_size=20))
def test_the_same_job_has_the_same_text(cause: Cause, before: str | None, after: str | None) -> None:
    known = job(change(cause=cause, from_version=before, to_version=after))
    assert (title(known), body(known)) == (title(known), body(known))


# Commits


def test_a_commit_names_its_bases_in_trailers() -> None:
    message = commit_message(job())
    assert message.splitlines()[0] == title(job())
    assert message.endswith(f"\n\nFreshness-Base: {ASPNET}@{digest('b')}\n")
    assert trailers_in(message) == trailers_for(job())


def test_a_commit_on_peoples_work_bears_no_trailer() -> None:
    assert not trailers_in(commit_message(job(), replaceable=False))


@pytest.mark.parametrize(
    "message", ["fix tests", 'Revert "Refresh aspnet:10.0"', "about Freshness-Base: in the text", ""]
)
def test_peoples_commits_are_known(message: str) -> None:
    assert not trailers_in(message)


def test_other_digests_have_other_trailers() -> None:
    assert trailers_for(job()) != trailers_for(job(to="c"))


def test_a_digest_that_is_quarantined_is_told_first_with_why() -> None:
    text = body(replace(job(), quarantined={ASPNET: "3 of 5 repositories fail on it"}))
    assert text.startswith(
        "> [!CAUTION]\n> **Do not merge:** this digest of `aspnet:10.0` is quarantined, since 3 of 5 repositories "
        "fail on it.\n> The bot says so here once that is over.\n\n"
    )
    assert "CAUTION" not in body(job())


def test_bases_that_moved_for_one_cause_are_told_together() -> None:
    text = body(job(change(), replace(change(), base=SDK)))
    assert text.startswith("`aspnet:10.0`, `sdk:10.0` move under the same tag: a .NET security release.\n\n")


def test_several_that_could_not_be_edited_are_told_each_in_a_line() -> None:
    text = body(job(), ["a/Dockerfile:3: no", "b/Dockerfile:4: no"])
    assert "**Not changed, please look:**\n\n- a/Dockerfile:3: no\n- b/Dockerfile:4: no\n\n" in text


def test_of_more_than_twenty_that_could_not_be_edited_the_rest_is_counted() -> None:
    text = body(job(), [f"{number}/Dockerfile:1: no" for number in range(23)])
    assert "19/Dockerfile:1: no\n- and 3 more\n\n" in text
    assert "20/Dockerfile" not in text


def test_pins_that_stood_at_several_digests_are_told_with_all_of_them() -> None:
    first = rebuild().replacements[0]
    other = replace(first, old=Reference(ASPNET.name, "10.0", digest("e")))
    text = body(job(replacements=(first, other, first)))
    assert f"| 10.0.5 | `{cut('a')}`, `{cut('e')}` | `{cut('b')}` |" in text


def test_of_a_base_that_nobody_pins_the_digest_before_is_told_or_that_there_was_none() -> None:
    target = Target(ASPNET, None, digest("b"), (1,))
    assert f"| 10.0.4 → 10.0.5 | none | `{cut('b')}` |" in body(job(replacements=(), targets=(target,)))


def test_changes_of_one_base_are_told_from_the_first_version_to_the_last_with_each_cause_once() -> None:
    steps = (
        change(from_version="10.0.3", to_version="10.0.4", cause=Cause.OS_UPDATE),
        change(cause=Cause.OS_UPDATE),
        change(cause=Cause.DOTNET_RELEASE, from_version="10.0.5", to_version="10.0.6"),
    )
    assert "| 10.0.3 → 10.0.6 | " in body(job(*steps))
    assert body(job(*steps)).count("| os-update, dotnet-release |") == 1


def test_the_way_without_a_merge_names_each_base_once() -> None:
    targets = (*rebuild().targets, *rebuild().targets, Target(SDK, digest("a"), digest("b"), (2,)))
    text = body(job(targets=targets))
    assert (
        "Fetch the new base, and build with `docker build --pull --no-cache`:\n\n"
        "```sh\ndocker pull mcr.microsoft.com/dotnet/aspnet:10.0\ndocker pull mcr.microsoft.com/dotnet/sdk:10.0\n"
        "```\n\n</details>"
    ) in text


def test_what_to_do_stands_right_below_the_table_and_whole_digests_are_folded() -> None:
    text = body(job())
    table, _, below = text.partition("| dotnet-security |\n\n")
    assert below.startswith("**Merge this once its checks are green:** merging it starts a build. Closing it ")
    assert digest("a") not in table
    folded = below.partition("<details><summary>Whole digests, and how to rebuild without merging</summary>")[2]
    assert f"- `{ASPNET}`: `{digest('a')}` → `{digest('b')}`\n" in folded


def test_nobody_is_asked_to_merge_what_is_quarantined_or_merges_by_itself() -> None:
    assert "Merge this" not in body(replace(job(), quarantined={ASPNET: "it fails"}))
    assert "Merge this" not in body(job(), merges=True)


def test_what_merges_by_itself_says_so_and_how_to_keep_it_open() -> None:
    said = (
        "It merges by itself once the required checks are green. "
        "Switching that off, or the label `freshness:hold`, keeps it open."
    )
    assert said in body(job(), merges=True)
    assert said not in body(job())


def test_the_files_that_change_are_listed() -> None:
    assert "\n\nFiles: `Dockerfile`, `web/Dockerfile`\n\n" in body(job(paths=("Dockerfile", "web/Dockerfile")))
    assert "Files:" not in body(job(paths=()))


def test_what_was_built_for_its_age_has_not_moved() -> None:
    aged = job(targets=(Target(ASPNET, None, digest("b"), ()),))
    assert what_moved(aged) == "its last build grows too old"


@pytest.mark.parametrize(("length", "is_cut"), [(108, False), (109, True)])
def test_a_line_of_120_characters_is_told_whole(length: int, is_cut: bool) -> None:
    policy = Policy((PolicyRule(commit_message="x" * (length + 1) + "{bases}"),))
    first = commit_message(replace(job(), policy=policy)).splitlines()[0]
    assert (first.endswith("…"), len(first)) == (is_cut, min(length + 12, 120))


def test_a_reviewer_reads_what_moved_what_changes_and_what_to_do_and_nothing_else() -> None:
    marked = replace(rebuild().replacements[0], marker=True)
    assert body(job(change(cves=("CVE-2026-1",)), replacements=(marked,))) == (
        "`aspnet:10.0` moves under the same tag: a .NET security release.\n\n"
        "**Fixes 1 CVE:** [CVE-2026-1](https://www.cve.org/CVERecord?id=CVE-2026-1)\n\n"
        "| base | .NET | old digest | new digest | cause |\n|---|---|---|---|---|\n"
        f"| `mcr.microsoft.com/dotnet/aspnet:10.0` | 10.0.4 → 10.0.5 | `{cut('a')}` | `{cut('b')}` "
        "| dotnet-security |\n\n"
        "**Merge this once its checks are green:** merging it starts a build. The tag already points to the new "
        "image, so the change is a comment line that records its digest. Closing it tells the bot to leave these "
        "digests alone; it asks again for later ones.\n\n"
        "Files: `Dockerfile`\n\n"
        "<details><summary>Whole digests, and how to rebuild without merging</summary>\n\n"
        f"- `{ASPNET}`: `{digest('a')}` → `{digest('b')}`\n\n"
        "Fetch the new base, and build with `docker build --pull --no-cache`:\n\n"
        "```sh\ndocker pull mcr.microsoft.com/dotnet/aspnet:10.0\n```\n\n</details>"
    )


def test_a_base_of_which_nobody_knows_what_it_showed_before_has_moved_where_a_change_says_so() -> None:
    assert what_moved(job(targets=(Target(ASPNET, None, digest("b"), (1,)),))) == "aspnet:10.0 moved"


@pytest.mark.parametrize(
    ("cves", "told"), [((), "none fixed; none still open"), (("CVE-1",), "no other fixed; none still open")]
)
def test_beside_what_a_release_fixes_packages_fix_others_and_beside_nothing_they_fix_none(
    cves: tuple[str, ...], told: str
) -> None:
    packages = {ASPNET: (PlatformChanges("linux/amd64", (), cves=CvesMoved((), ())),)}
    text = body(replace(job(change(cves=cves)), packages=packages))
    assert f"CVEs in packages of aspnet:10.0 on linux/amd64: {told}." in text


# Several bases, and what is not there


def two_bases(**values: Any) -> Job:
    """The second one comes with an update of its own."""
    os_update = change(cause=Cause.OS_UPDATE, from_version="10.0.100", to_version="10.0.200")
    first = rebuild().replacements[0]
    other = Replacement(Reference(SDK.name, "10.0", digest("e")), Reference(SDK.name, "10.0", digest("f")))
    targets = (*rebuild().targets, Target(SDK, digest("e"), digest("f"), (2,)))
    return job(
        change(), replace(os_update, base=SDK), **({"targets": targets, "replacements": (first, other)} | values)
    )


def test_each_base_has_its_own_versions_digests_and_causes_in_its_row() -> None:
    text = body(two_bases())
    assert f"10.0` | 10.0.4 → 10.0.5 | `{cut('a')}` | `{cut('b')}` | dotnet-security |\n" in text
    assert f"10.0` | 10.0.100 → 10.0.200 | `{cut('e')}` | `{cut('f')}` | os-update |\n" in text


def test_what_moved_for_several_causes_is_told_sentence_by_sentence() -> None:
    assert body(two_bases()).startswith(
        "`aspnet:10.0` moves under the same tag: a .NET security release. `sdk:10.0` moves under the same tag: "
    )


def test_all_that_moved_is_named() -> None:
    assert what_moved(two_bases()) == "aspnet:10.0, sdk:10.0 moved"


def test_a_commit_for_several_bases_is_known_by_each_of_them() -> None:
    assert trailers_in(commit_message(two_bases())) == {
        f"Freshness-Base: {ASPNET}@{digest('b')}",
        f"Freshness-Base: {SDK}@{digest('f')}",
    }


def test_pins_of_two_bases_that_are_not_written_as_they_were_are_explained_together() -> None:
    bare, floating = Reference(ASPNET.name, "10.0"), Reference(SDK.name, "10.0")
    added = Replacement(bare, Reference(ASPNET.name, "10.0", digest("b")))
    freed = Replacement(Reference(SDK.name, "10.0", digest("e")), floating)
    rules = (PolicyRule(Match(bases=("*/sdk:*",)), pin=Pin.FLOATING), PolicyRule(pin=Pin.DIGEST))
    text = body(replace(two_bases(replacements=(added, freed)), policy=Policy(rules)))
    assert f"\n\n{DIGEST_ADDED} {FLOATS}\n\n" in text


@pytest.mark.parametrize("old", [None, digest("b")], ids=["no digest", "the new one"])
def test_of_a_base_whose_files_name_no_older_digest_the_one_that_it_showed_is_told(old: str | None) -> None:
    written = replace(rebuild().replacements[0], old=Reference(ASPNET.name, "10.0", old))
    text = body(job(replacements=(written,)))
    assert f"| 10.0.4 → 10.0.5 | `{cut('a')}` | `{cut('b')}` |" in text


@pytest.mark.parametrize("before", ["10.0.4", None])
def test_where_it_is_not_known_to_which_version_a_base_moved_none_is_told(before: str | None) -> None:
    assert f":10.0` |  | `{cut('a')}` |" in body(job(change(from_version=before, to_version=None)))


def test_what_there_is_nothing_to_tell_of_leaves_no_trace() -> None:
    text = body(job(paths=()))
    assert ": a .NET security release.\n\n| base |" in text
    assert "it asks again for later ones.\n\n<details><summary>Whole digests" in text
    assert commit_message(job(), replaceable=False).endswith(": a .NET security release.\n")
