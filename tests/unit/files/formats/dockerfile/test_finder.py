"""What a Dockerfile names, resolved as BuildKit resolves it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.usage import Role, Usage
from bot.files.formats.dockerfile.finder import find
from bot.files.formats.source.spanned import Spanned
from tests.unit.files.formats.dockerfile.texts import DIGEST, dockerfiles
from tests.unit.files.formats.laws import spans_cover_what_they_claim


def usages(text: str, **args: str) -> tuple[Usage, ...]:
    found = find("Dockerfile", text, {name: Spanned(value, (~0,) * len(value)) for name, value in args.items()})
    spans_cover_what_they_claim(text, found)
    return found.usages


def references(text: str, **args: str) -> list[str]:
    return [str(usage.reference) for usage in usages(text, **args)]


def only(text: str, **args: str) -> Usage:
    (usage,) = usages(text, **args)
    return usage


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in find("Dockerfile", text).problems]


@given(dockerfiles())
def test_spans_cover_what_they_claim(text: str) -> None:
    spans_cover_what_they_claim(text, find("Dockerfile", text))


@given(st.text())
def test_no_text_raises(text: str) -> None:
    find("Dockerfile", text)


def test_a_reference_in_one_piece_has_a_span_for_each_part() -> None:
    text = f"FROM --platform=linux/arm64 mcr.microsoft.com/dotnet/aspnet:10.0@{DIGEST} AS web\n"
    usage = only(text)
    assert usage.span is not None
    assert usage.span.of(text) == str(usage.reference)
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "10.0"
    assert usage.digest_span is not None
    assert usage.digest_span.of(text) == DIGEST
    assert (usage.stage, usage.platforms, usage.assembled, usage.line) == ("web", ("linux/arm64",), False, 1)


class TestRoles:
    def test_the_last_from_makes_the_final_image(self) -> None:
        build, final = usages("FROM sdk:1 AS build\nFROM aspnet:1\n")
        assert (build.role, final.role) == (Role.BUILD_STAGE, Role.FINAL_STAGE)
        assert (build.stage, final.stage) == ("build", "1")

    def test_the_final_image_is_the_one_that_the_last_stage_stands_on_in_the_end(self) -> None:
        text = "FROM aspnet:1 AS base\nFROM sdk:1 AS build\nFROM base AS runtime\nFROM runtime\n"
        assert [(str(usage.reference), usage.role) for usage in usages(text)] == [
            ("aspnet:1", Role.FINAL_STAGE),
            ("sdk:1", Role.BUILD_STAGE),
        ]

    def test_sources_of_copies_and_mounts_belong_to_their_stage(self) -> None:
        text = (
            "FROM a AS one\nCOPY --from=b:1 / /\n"
            "FROM a AS two\nRUN --mount=from=c:1,target=/c --mount=type=bind,target=/d,from=d:1 true\n"
        )
        assert [(str(usage.reference), usage.role, usage.stage) for usage in usages(text)] == [
            ("a", Role.BUILD_STAGE, "one"),
            ("b:1", Role.COPIED_FROM, "one"),
            ("a", Role.FINAL_STAGE, "two"),
            ("c:1", Role.MOUNTED_FROM, "two"),
            ("d:1", Role.MOUNTED_FROM, "two"),
        ]

    def test_add_and_onbuild_count_too(self) -> None:
        assert references("FROM a\nONBUILD COPY --from=b:1 / /\nADD --from=c:1 / /\n") == ["a", "b:1", "c:1"]

    def test_the_syntax_directive_names_an_image(self) -> None:
        syntax, _ = usages("# Syntax = docker/dockerfile:1 // more\nFROM a\n")
        assert (str(syntax.reference), syntax.role, syntax.stage) == ("docker/dockerfile:1", Role.SYNTAX, None)

    @pytest.mark.parametrize("head", ["\n", "# note\n", " ", "# escape=\\\n# other=1\n"])
    def test_a_comment_further_down_is_no_directive(self, head: str) -> None:
        assert references(f"{head}# syntax=docker/dockerfile:1\nFROM a\n") == ["a"]


class TestStages:
    def test_stages_are_no_images_whatever_their_case(self) -> None:
        assert references("FROM a AS Build\nFROM BUILD AS x\nCOPY --from=BuIlD / /\nCOPY --from=0 / /\n") == ["a"]

    def test_from_knows_only_the_stages_above(self) -> None:
        assert references("FROM later\nFROM a AS later\n") == ["later", "a"]

    def test_copies_and_mounts_know_all_stages(self) -> None:
        assert references("FROM a\nCOPY --from=later / /\nRUN --mount=from=later true\nFROM a AS later\n") == [
            "a",
            "a",
        ]

    def test_a_number_without_a_stage_is_a_problem(self) -> None:
        text = "FROM a\nCOPY --from=7 / /\n"
        assert references(text) == ["a"]
        assert problems(text) == [(2, "COPY from=7: there is no stage with this number")]

    def test_scratch_is_no_image(self) -> None:
        assert references("FROM scratch\nCOPY --from=scratch / /\n") == []

    def test_a_stage_can_be_chosen_by_the_platform(self) -> None:
        text = "FROM a AS base-arm64\nFROM b AS base-amd64\nFROM base-${TARGETARCH}\n"
        assert [(str(usage.reference), usage.role) for usage in usages(text)] == [
            ("a", Role.FINAL_STAGE),
            ("b", Role.FINAL_STAGE),
        ]
        assert references("FROM a AS base-arm64\nFROM base-${TARGETARCH}\n") == ["a"]

    @pytest.mark.parametrize("line", ["FROM", "FROM a b", "FROM a as", "FROM a AS b c", "FROM a AS 1x"])
    def test_what_docker_refuses_is_a_problem(self, line: str) -> None:
        assert [line_number for line_number, _ in problems(f"FROM x\n{line}\n")] == [2]


class TestArguments:
    def test_a_tag_from_an_argument_is_rewritten_at_its_default(self) -> None:
        text = "ARG TAG=10.0\nFROM aspnet:${TAG}\n"
        usage = only(text)
        assert str(usage.reference) == "aspnet:10.0"
        assert usage.tag_span is not None
        assert usage.tag_span.of(text) == "10.0"
        assert (usage.line, usage.statement, usage.assembled) == (1, 2, True)

    def test_a_whole_reference_from_an_argument_is_in_one_piece(self) -> None:
        usage = only("ARG BASE=aspnet:10.0\nFROM $BASE\n")
        assert (usage.line, usage.assembled) == (1, False)

    def test_a_default_in_the_word_is_rewritten_there(self) -> None:
        text = "FROM ${BASE:-aspnet:10.0}\n"
        usage = only(text)
        assert usage.span is not None
        assert usage.span.of(text) == "aspnet:10.0"

    def test_several_arguments_chain(self) -> None:
        text = (
            "ARG REGISTRY=mcr.microsoft.com MAJOR=10\nARG TAG=$MAJOR.0\nFROM $REGISTRY/dotnet/sdk:${TAG}-alpine\n"
        )
        assert references(text) == ["mcr.microsoft.com/dotnet/sdk:10.0-alpine"]
        assert [piece.span.of(text) for piece in only(text).pieces] == [
            "mcr.microsoft.com",
            "/dotnet/sdk:",
            "10",
            ".0",
            "-alpine",
            "",
        ]

    def test_arguments_of_a_stage_do_not_reach_from(self) -> None:
        assert references("ARG T=1\nFROM a:$T\nARG T=2\nARG U=3\nFROM b:$T$U\n") == ["a:1", "b:1"]

    def test_an_argument_counts_from_its_line_on(self) -> None:
        assert references("ARG A=x$B\nARG B=1\nFROM $A\n") == ["x"]

    def test_an_argument_without_a_default_keeps_an_earlier_one(self) -> None:
        assert references("ARG T=1\nARG T\nFROM a:$T\n") == ["a:1"]

    def test_an_argument_without_any_default_is_empty(self) -> None:
        assert references("ARG MIRROR\nFROM ${MIRROR}alpine\n") == ["alpine"]

    def test_what_cannot_be_resolved_is_a_problem(self) -> None:
        text = "ARG VERSION\nFROM node:$VERSION\n"
        assert references(text) == []
        ((line, message),) = problems(text)
        assert line == 2
        assert message.startswith("FROM node:$VERSION is 'node:' without build arguments; give its ARGs defaults")

    def test_an_argument_that_docker_refuses_is_a_problem(self) -> None:
        assert problems("ARG A=${x\nFROM a\n") == [(1, "ARG A has no value: '}' is missing")]

    def test_without_another_wish_the_stage_built_is_called_default(self) -> None:
        assert references("FROM a:1 AS base-default\nFROM base-${TARGETSTAGE}\nFROM b:$TARGETSTAGE\n") == [
            "a:1",
            "b:default",
        ]

    def test_build_arguments_take_the_place_of_defaults(self) -> None:
        text = "ARG TAG=10.0\nFROM aspnet:$TAG\nFROM sdk:$OTHER\n"
        usage = only(text, TAG="9.0", OTHER="1")
        assert str(usage.reference) == "aspnet:9.0"
        assert usage.tag_span is None
        assert usage.fixed_because == "a build argument or the platform supplies what would have to change"

    def test_variables_expand_neither_in_copies_nor_in_mounts(self) -> None:
        text = "ARG B=b\nFROM a\nCOPY --from=$B / /\nRUN --mount=from=$B true\n"
        assert references(text) == ["a"]
        assert [line for line, _ in problems(text)] == [3, 4]


class TestPlatforms:
    @pytest.mark.parametrize(
        ("flag", "platforms"),
        [
            ("", ()),
            ("--platform=linux/arm/v7 ", ("linux/arm/v7",)),
            ("--platform=arm64 ", ("linux/arm64",)),
            ("--platform=linux/arm64/v8 ", ("linux/arm64",)),
            ("--platform=linux/arm ", ("linux/arm/v7",)),
            ("--platform=windows(10.0.20348)/amd64 ", ("windows/amd64",)),
            ("--platform=linux ", ()),
            ("--platform=windows ", ("windows/amd64",)),
            ("--platform=linux/x86_64 ", ("linux/amd64",)),
            ("--platform=${P} ", ("windows/amd64",)),
            ("--platform=$BUILDPLATFORM ", ()),
            ("--platform=linux/$TARGETARCH ", ()),
        ],
    )
    def test_platforms_are_told_where_the_file_alone_tells_them(
        self, flag: str, platforms: tuple[str, ...]
    ) -> None:
        assert only(f"ARG P=windows/amd64\nFROM {flag}alpine\n").platforms == platforms

    def test_a_name_that_depends_on_the_platform_is_told_for_one(self) -> None:
        usage = only("FROM aspnet:10.0-$TARGETARCH\n")
        assert (str(usage.reference), usage.platforms) == ("aspnet:10.0-amd64", ("linux/amd64",))


class TestLines:
    def test_a_word_can_go_on_in_the_next_line(self) -> None:
        text = "FROM asp\\\n# note\n\nnet:10.0\n"
        usage = only(text)
        assert str(usage.reference) == "aspnet:10.0"
        assert (usage.line, usage.statement, usage.assembled) == (4, 1, True)

    def test_here_documents_are_no_instructions(self) -> None:
        text = "FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-'X' <<Y /\nFROM c\n\tX\nFROM d\nY\nFROM e\n"
        assert references(text) == ["a", "e"]

    def test_blanks_may_stand_before_the_name_of_a_here_document(self) -> None:
        text = "FROM a\nRUN cat <<  X 3<<\t'Y' > /z\nFROM b\nX\nFROM c\nY\nFROM d\nRUN cat <<- X\nFROM e\n"
        assert references(text) == ["a", "d", "e"]

    def test_a_here_document_without_end_is_a_problem(self) -> None:
        assert problems("FROM a\nRUN <<EOF\nFROM b\n") == [(2, "the here-document EOF has no end")]

    def test_the_escape_directive_changes_the_continuation(self) -> None:
        assert references("# escape=`\nFROM a `\n  AS b\nRUN dir C:\\\nFROM c\n") == ["a", "c"]

    def test_carriage_returns_and_a_byte_order_mark_do_not_matter(self) -> None:
        assert references("\ufeffFROM a:1 \\\r\n  AS b\r\n\r\nFROM b\r\n") == ["a:1"]

    def test_a_file_that_is_no_dockerfile_is_one_problem(self) -> None:
        assert problems("hello there\n") == [(1, "'hello' is no instruction, Docker would refuse the file")]
        assert problems("RUN true\n") == [(1, "there is no FROM: this is no Dockerfile that can be built")]
        assert problems("") == []

    def test_usages_are_bounded(self) -> None:
        text = "FROM a\nRUN " + " ".join(f"--mount=from=b{number}" for number in range(3000))
        assert len(references(text)) == 2000
        assert problems(text)[0][1].startswith("more than 2000 instructions")

    def test_problems_are_bounded(self) -> None:
        assert len(problems("FROM :\n" * 1000)) == 20


class TestTemplates:
    @pytest.mark.parametrize(
        "text",
        [
            "FROM {{ .Base }} AS build\nFROM {{ .Other }}\nCOPY --from=build / /\n",
            "{% for v in versions %}\nFROM a:{{ v }}\n{% endfor %}\n",
            "FROM <%= base %>\nFROM <%= other %>\n",
            "FROM a\nCOPY --from={{ .X }} / /\nRUN x\n{{ .Y }}\n",
        ],
    )
    def test_a_template_is_one_line(self, text: str) -> None:
        [(_, message)] = problems(text)
        assert "template of another program" in message

    def test_a_stage_whose_from_is_a_template_is_a_stage_all_the_same(self) -> None:
        text = "FROM {{ .Base }} AS build\nFROM a:1\nCOPY --from=build / /\n"
        assert references(text) == ["a:1"]

    def test_braces_in_a_command_are_no_template(self) -> None:
        assert [line for line, _ in problems("FROM a\nRUN docker info -f '{{.ID}}'\nCOPY --from=7 / /\n")] == [3]
