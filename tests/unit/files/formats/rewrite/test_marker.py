"""The marker line above a reference: found, added, brought up to date, taken away."""

import pytest

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement, Rewritten
from bot.files.formats.finding import find_usages
from bot.files.formats.rewrite.rewrite import rewrite

ONE = "sha256:" + "1" * 64
TWO = "sha256:" + "2" * 64
MARKER_ONE = f"# base-digest: {ONE}"


def marked(text: str, image: str = "a:1", digest: str | None = ONE, path: str = "Dockerfile") -> Rewritten:
    old = Reference.parse(image)
    return rewrite(path, text.encode(), [Replacement(old, old.with_tag(old.tag, digest), marker=True)])


def written(text: str, image: str = "a:1", digest: str = ONE, path: str = "Dockerfile") -> str:
    result = marked(text, image, digest, path)
    assert not result.refused
    return result.data.decode()


def markers(text: str, path: str = "Dockerfile") -> list[str | None]:
    return [usage.marker for usage in find_usages(path, text.encode()).usages]


class TestFinding:
    def test_it_stands_in_the_comments_above_the_instruction(self) -> None:
        assert markers(f"{MARKER_ONE}\nFROM a:1\n\n  #base-digest: {TWO} \r\n# why\nFROM b:1\n") == [ONE, TWO]

    def test_something_between_parts_it_from_the_instruction(self) -> None:
        assert markers(f"{MARKER_ONE}\n\nFROM a:1\n{MARKER_ONE}\nRUN x\nFROM b:1\n") == [None, None]

    def test_it_stands_above_the_instruction_and_not_above_the_argument(self) -> None:
        assert markers(f"ARG T=1\n{MARKER_ONE}\nFROM a:$T\n") == [ONE]
        assert markers(f"{MARKER_ONE}\nARG T=1\nFROM a:$T\n") == [None]

    def test_what_does_not_look_like_a_digest_is_a_comment(self) -> None:
        assert markers("# base-digest: sha256:xyz\nFROM a:1\n") == [None]


class TestWriting:
    def test_it_gets_the_line_above_with_the_same_indentation_and_ending(self) -> None:
        assert written("\tFROM a:1\r\n") == f"\t{MARKER_ONE}\r\n\tFROM a:1\r\n"

    def test_the_last_line_may_have_no_ending(self) -> None:
        assert written("FROM b\r\nFROM a:1") == f"FROM b\r\n{MARKER_ONE}\r\nFROM a:1"

    def test_directives_stay_at_the_top(self) -> None:
        text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM a:1 `\n AS x\n"
        assert written(text) == text.replace("FROM", f"{MARKER_ONE}\nFROM")

    def test_a_byte_order_mark_stays_at_the_top(self) -> None:
        assert written("\ufeffFROM a:1\n") == f"\ufeff{MARKER_ONE}\nFROM a:1\n"

    def test_it_stands_above_the_first_line_of_the_instruction(self) -> None:
        text = "FROM b\nRUN --mount=target=/x \\\n  --mount=from=a:1,target=/y \\\n  true\n"
        assert written(text) == text.replace("RUN", f"{MARKER_ONE}\nRUN")

    def test_here_documents_are_left_alone(self) -> None:
        text = "FROM b\nRUN <<EOF\nFROM a:1\nEOF\nFROM a:1\n"
        assert written(text) == f"FROM b\nRUN <<EOF\nFROM a:1\nEOF\n{MARKER_ONE}\nFROM a:1\n"

    def test_each_instruction_has_its_own(self) -> None:
        assert written("FROM a:1 AS x\nFROM a:1\n") == f"{MARKER_ONE}\nFROM a:1 AS x\n{MARKER_ONE}\nFROM a:1\n"

    def test_an_older_one_is_brought_up_to_date(self) -> None:
        text = f"# base-digest: {TWO}\n# why\nFROM a:1\n"
        assert written(text) == text.replace(TWO, ONE)

    def test_one_that_is_right_stays(self) -> None:
        result = marked(f"{MARKER_ONE}\nFROM a:1\n")
        assert (result.edits, result.refused) == (0, ())

    def test_the_reference_stays(self) -> None:
        result = marked("FROM a:1\n")
        assert find_usages("Dockerfile", result.data).usages[0].reference == Reference("a", "1")

    def test_it_goes_when_the_reference_gets_the_digest(self) -> None:
        text = f"# why\n{MARKER_ONE}\nFROM a:1\n"
        result = rewrite("Dockerfile", text.encode(), [Replacement(Reference("a", "1"), Reference("a", "1", TWO))])
        assert result.data.decode() == f"# why\nFROM a:1@{TWO}\n"

    def test_what_a_build_argument_supplies_can_be_marked(self) -> None:
        assert written("FROM a:$TARGETARCH\n", "a:amd64") == f"{MARKER_ONE}\nFROM a:$TARGETARCH\n"


class TestOtherKinds:
    @pytest.mark.parametrize(
        ("path", "text", "sign"),
        [
            ("compose.yaml", "services:\n  web:\n    image: a:1\n", "    # {}\n"),
            ("k8s/pod.yaml", "kind: Pod\napiVersion: v1\nspec:\n  containers:\n    - image: a:1\n", "    # {}\n"),
            ("values.yaml", "image:\n  repository: a\n  tag: '1'\n", "  # {}\n"),
            (".devcontainer.json", '{\n\t"image": "a:1"\n}\n', "\t// {}\n"),
        ],
    )
    def test_the_comment_is_written_as_the_kind_writes_comments(self, path: str, text: str, sign: str) -> None:
        line = sign.format(f"base-digest: {ONE}")
        assert line in written(text, path=path)
        assert written(text, path=path).replace(line, "") == text
        assert markers(written(text, path=path), path) == [ONE]


class TestRefusals:
    def test_a_directive_cannot_have_a_comment_above_it(self) -> None:
        (refusal,) = marked("# syntax=a:1\nFROM b\n").refused
        assert "no comment can stand here" in refusal.message

    def test_json_takes_no_comments(self) -> None:
        text = '{"target": {"x": {"contexts": {"a": "docker-image://a:1"}}}}'
        (refusal,) = marked(text, path="docker-bake.json").refused
        assert "no comment can stand here" in refusal.message

    def test_an_instruction_with_several_images_is_ambiguous(self) -> None:
        (refusal,) = marked("FROM x\nRUN --mount=from=a:1 --mount=from=b:1 true\n").refused
        assert "several images" in refusal.message

    def test_a_marker_needs_a_digest(self) -> None:
        (refusal,) = marked("FROM a:1\n", digest=None).refused
        assert refusal.message == "cannot change the marker of a:1: a marker needs a digest"

    def test_a_comment_that_would_become_part_of_the_value_is_refused(self) -> None:
        text = "services:\n  web:\n    image: >-\n      a:1\n"
        result = marked(text, path="compose.yaml")
        assert result.data.decode() in (text, text.replace("    image", f"    {MARKER_ONE}\n    image"))
