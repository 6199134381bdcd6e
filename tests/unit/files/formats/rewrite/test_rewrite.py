"""Rewriting in place: what changes, what stays, and what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement, Rewritten
from bot.files.formats.finding import find_usages
from bot.files.formats.rewrite.rewrite import rewrite
from bot.files.formats.source.text import Lines, decode
from tests.unit.files.formats.dockerfile.texts import dockerfiles

ONE = "sha256:" + "1" * 64
TWO = "sha256:" + "2" * 64


def replace(text: str, *pairs: tuple[str, str], path: str = "Dockerfile") -> Rewritten:
    wanted = [Replacement(Reference.parse(old), Reference.parse(new)) for old, new in pairs]
    return rewrite(path, text.encode(), wanted)


def replaced(text: str, *pairs: tuple[str, str], path: str = "Dockerfile") -> str:
    result = replace(text, *pairs, path=path)
    assert not result.refused
    return result.data.decode()


def refusals(text: str, *pairs: tuple[str, str], path: str = "Dockerfile") -> list[str]:
    result = replace(text, *pairs, path=path)
    assert result.data.decode() == text
    assert result.edits == 0
    return [problem.message for problem in result.refused]


class TestParts:
    def test_tag_digest_and_name_change_where_they_stand(self) -> None:
        text = f"FROM a:1@{ONE}  AS x # a:1\n"
        text = text.replace(" # a:1", "")
        assert replaced(text, (f"a:1@{ONE}", f"b/c:2@{TWO}")) == f"FROM b/c:2@{TWO}  AS x\n"

    def test_a_digest_is_added_behind_the_tag(self) -> None:
        assert replaced("FROM a:1 AS x\n", ("a:1", f"a:1@{ONE}")) == f"FROM a:1@{ONE} AS x\n"

    def test_a_digest_is_taken_out_with_its_sign(self) -> None:
        assert replaced(f"FROM a:1@{ONE} AS x\n", (f"a:1@{ONE}", "a:1")) == "FROM a:1 AS x\n"

    def test_tag_and_digest_are_added_to_a_bare_name(self) -> None:
        assert replaced("FROM a\n", ("a", f"a:1@{ONE}")) == f"FROM a:1@{ONE}\n"

    def test_quotes_stay(self) -> None:
        assert replaced("FROM 'a:1'\n", ("a:1", f"a:2@{ONE}")) == f"FROM 'a:2@{ONE}'\n"

    def test_equal_text_elsewhere_stays(self) -> None:
        text = "# a:1\nFROM a:1\nLABEL base=a:1\nRUN echo a:1\nFROM a:1-x\n"
        assert replaced(text, ("a:1", "a:2")) == text.replace("FROM a:1\n", "FROM a:2\n")

    def test_the_name_counts_as_written(self) -> None:
        text = "FROM docker.io/library/a:1\nFROM a:1\n"
        assert replaced(text, ("a:1", "a:2")) == "FROM docker.io/library/a:1\nFROM a:2\n"

    def test_several_replacements_are_made_at_once(self) -> None:
        result = replace("FROM a:1\nFROM b:1\nFROM a:1\n", ("a:1", "a:2"), ("b:1", "b:2"))
        assert result.data == b"FROM a:2\nFROM b:2\nFROM a:2\n"
        assert result.edits == 3

    def test_nothing_to_do_leaves_the_bytes_alone(self) -> None:
        data = b"\xef\xbb\xbfFROM a:1\r\n\xff\xfe RUN"
        assert rewrite("Dockerfile", data, [Replacement(Reference("b"), Reference("c"))]) == Rewritten(data, 0)

    def test_invalid_bytes_and_line_endings_survive(self) -> None:
        data = b"\xef\xbb\xbf# \xff\xfe\r\nFROM a:1\r\n"
        result = rewrite("Dockerfile", data, [Replacement(Reference("a", "1"), Reference("a", "2"))])
        assert result.data == data.replace(b"a:1", b"a:2")


class TestArguments:
    def test_a_tag_changes_in_the_default_that_supplies_it(self) -> None:
        assert replaced("ARG T=1\nFROM a:${T}\n", ("a:1", "a:2")) == "ARG T=2\nFROM a:${T}\n"

    def test_a_digest_goes_into_the_default_that_supplies_the_whole_tag(self) -> None:
        assert replaced("ARG T=1\nFROM a:${T}\n", ("a:1", f"a:1@{ONE}")) == f"ARG T=1@{ONE}\nFROM a:${{T}}\n"

    def test_a_digest_goes_behind_the_word_where_the_default_serves_a_stage_too(self) -> None:
        text = "ARG T=1\nFROM a:${T}\nARG T\nRUN install $T\n"
        assert replaced(text, ("a:1", f"a:1@{ONE}")) == text.replace("{T}", f"{{T}}@{ONE}")

    def test_a_digest_goes_behind_the_word_where_the_default_serves_two_images(self) -> None:
        text = "ARG T=1\nFROM a:$T AS x\nFROM b:$T\n"
        expected = f"ARG T=2\nFROM a:$T@{ONE} AS x\nFROM b:$T@{TWO}\n"
        assert replaced(text, ("a:1", f"a:2@{ONE}"), ("b:1", f"b:2@{TWO}")) == expected

    def test_a_digest_goes_behind_the_word_where_only_the_start_of_the_default_is_used(self) -> None:
        text = "ARG T=1.0.5\nFROM a:${T%.*}\n"
        assert replaced(text, ("a:1.0", f"a:1.0@{ONE}")) == text.replace("*}", f"*}}@{ONE}")

    def test_a_digest_stays_within_the_quotes_of_a_default(self) -> None:
        assert replaced('ARG T="1"\nFROM a:$T\n', ("a:1", f"a:1@{ONE}")) == f'ARG T="1@{ONE}"\nFROM a:$T\n'

    def test_a_digest_goes_into_the_default_of_a_substitution(self) -> None:
        assert replaced("FROM ${X:-a:1}\n", ("a:1", f"a:1@{ONE}")) == f"FROM ${{X:-a:1@{ONE}}}\n"

    def test_only_the_part_that_differs_changes(self) -> None:
        text = "ARG V=8.0\nARG D=noble\nFROM a:${V}-${D}\n"
        assert replaced(text, ("a:8.0-noble", "a:8.0.11-noble")) == text.replace("8.0", "8.0.11")
        assert replaced(text, ("a:8.0-noble", "a:8.0-alpine")) == text.replace("noble", "alpine")

    def test_each_default_takes_its_share(self) -> None:
        text = "ARG V=8.0\nARG D=noble\nFROM a:${V}-${D}\n"
        expected = "ARG V=10.0\nARG D=noble-chiseled\nFROM a:${V}-${D}\n"
        assert replaced(text, ("a:8.0-noble", "a:10.0-noble-chiseled")) == expected

    def test_a_default_that_two_images_share_changes_when_both_want_it(self) -> None:
        text = "ARG T=1\nFROM a:$T\nFROM b:$T\n"
        result = replace(text, ("a:1", "a:2"), ("b:1", "b:2"))
        assert result.data.decode() == text.replace("T=1", "T=2")
        assert result.edits == 1

    @pytest.mark.parametrize(
        ("old", "new"),
        [("8.0", "9.0"), ("8.0.1", "8.0.2"), ("8.0.1", "8.0.11"), ("8.0.11", "8.0.1"), ("8.0.9", "8.0.10")],
    )
    def test_a_default_that_is_the_whole_tag_of_one_image_and_the_start_of_the_other(
        self, old: str, new: str
    ) -> None:
        text = "ARG V={}\nFROM sdk:${{V}} AS build\nFROM aspnet:${{V}}-noble\nFROM mine:1-${{V}}\n"
        pairs = [(f"sdk:{old}", f"sdk:{new}"), (f"aspnet:{old}-noble", f"aspnet:{new}-noble")]
        assert replaced(text.format(old), *pairs, (f"mine:1-{old}", f"mine:1-{new}")) == text.format(new)

    def test_a_default_that_another_image_shares_stays(self) -> None:
        assert refusals("ARG T=1\nFROM a:$T\nFROM b:$T\n", ("a:1", "a:2")) == [
            "cannot change a:1 to a:2: this would change b:1 in line 3 too; change both alike"
        ]

    def test_a_default_cannot_become_two_things(self) -> None:
        (one, two) = refusals("ARG T=1\nFROM a:$T\nFROM b:$T\n", ("a:1", "a:2"), ("b:1", "b:3"))
        assert "other replacements want to change the same place differently" in one
        assert "other replacements want to change the same place differently" in two


class TestRefusals:
    def test_one_refusal_does_not_keep_the_others_from_being_made(self) -> None:
        text = "ARG T=1\nFROM a:$T\nFROM b:$T\nFROM c:1\nFROM d:1\n"
        result = replace(text, ("a:1", "a:2"), ("c:1", "c:2"), ("d:1", "d:2"))
        assert result.data.decode() == text.replace("c:1", "c:2").replace("d:1", "d:2")
        assert [(problem.line, problem.path) for problem in result.refused] == [(1, "Dockerfile")]

    def test_a_reference_that_becomes_a_stage_is_refused(self) -> None:
        text = "FROM x:1 AS a\nFROM b:1\n"
        (refusal,) = refusals(text, ("b:1", "a"))
        assert "the file would no longer name the same images" in refusal

    def test_what_is_no_reference_is_refused(self) -> None:
        wanted = Replacement(Reference("a", "1"), Reference("a", "2\nRUN evil"))
        result = rewrite("Dockerfile", b"FROM a:1\n", [wanted])
        assert result.data == b"FROM a:1\n"
        assert len(result.refused) == 1

    def test_what_comes_from_outside_the_file_is_refused(self) -> None:
        (refusal,) = refusals("FROM a:$TARGETARCH\n", ("a:amd64", "a:arm64"))
        assert "a build argument or the platform supplies what would have to change" in refusal

    def test_what_stands_beside_the_platform_changes(self) -> None:
        text = "FROM a:10-$TARGETARCH\n"
        assert replaced(text, ("a:10-amd64", "a:11-amd64")) == "FROM a:11-$TARGETARCH\n"

    def test_many_refusals_end_soon(self) -> None:
        text = "".join(f"FROM x AS s{n}\nFROM a{n}:1\n" for n in range(60))
        pairs = [(f"a{n}:1", f"s{n}") for n in range(60)]
        result = replace(text, *pairs)
        assert result.edits == 0
        assert len(result.refused) == 60


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compose.yaml", "services: {a: {image: 'a:1'}}\n"),
        ("values.yaml", "image: a:1\n"),
        ("docker-bake.json", '{"target": {"x": {"contexts": {"a": "docker-image://a:1"}}}}'),
    ],
)
def test_other_kinds_are_rewritten_the_same_way(path: str, text: str) -> None:
    assert replaced(text, ("a:1", f"a:2@{ONE}"), path=path) == text.replace("a:1", f"a:2@{ONE}")


def test_a_tag_under_a_key_of_its_own_takes_the_digest() -> None:
    text = "image:\n  repository: a\n  tag: '1'\n"
    assert replaced(text, ("a:1", f"a:1@{ONE}"), path="values.yaml") == text.replace("'1'", f"'1@{ONE}'")


@given(dockerfiles(), st.data())
def test_a_rewrite_touches_only_its_lines_and_can_be_taken_back(text: str, data: st.DataObject) -> None:
    content = text.encode()
    usages = find_usages("Dockerfile", content).usages
    assume(usages)
    old = data.draw(st.sampled_from(usages)).reference
    tag = data.draw(st.sampled_from([old.tag, "99", "99.9-zz"]))
    new = old.with_tag(tag, data.draw(st.sampled_from([old.digest, ONE])))
    assume(all(usage.reference != new for usage in usages))
    result = rewrite("Dockerfile", content, [Replacement(old, new)])
    after = find_usages("Dockerfile", result.data).usages
    refused = {problem.line for problem in result.refused}
    assert [usage.reference for usage in after] == [
        new if usage.reference == old and usage.line not in refused else usage.reference for usage in usages
    ]
    lines_before, lines_after = Lines(text), Lines(decode(result.data))
    changed = {n for n in range(1, len(lines_before) + 1) if lines_before.of(n) != lines_after.of(n)}
    own = {usage.line for usage in usages if usage.reference == old}
    own |= {
        lines_before.at(piece.span.start) for usage in usages if usage.reference == old for piece in usage.pieces
    }
    assert len(lines_before) == len(lines_after)
    assert changed <= own
    if not result.refused:
        assert rewrite("Dockerfile", result.data, [Replacement(new, old)]).data == content


@given(st.binary(max_size=300), st.sampled_from(["Dockerfile", "compose.yaml", "values.yaml", "a.csproj"]))
def test_no_bytes_raise(data: bytes, path: str) -> None:
    wanted = Replacement(Reference("a", "1"), Reference("a", "2"))
    assert rewrite(path, data, [wanted]).data == data or b"a:1" in data


@pytest.mark.parametrize(
    "call", ['b.AddContainer("c", "x/y", "1")', 'b.AddContainer("c", "x/y").WithImageTag("1")']
)
def test_a_tag_that_takes_no_digest_is_refused_with_what_to_write(call: str) -> None:
    (refusal,) = refusals(f"{call};", ("x/y:1", f"x/y:1@sha256:{'a' * 64}"), path="AppHost/Program.cs")
    assert "pin it with WithImageSHA256" in refusal
