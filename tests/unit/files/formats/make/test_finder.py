"""Makefiles and justfiles."""

import pytest
from hypothesis import given

from bot.domain.repositories.usage import Findings
from bot.files.formats.make import finder as make
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import read_files
from bot.files.formats.table import kind_of
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

SDK = "mcr.microsoft.com/dotnet/sdk:8.0"
RUN = "docker run --rm"


def find(text: str, path: str = "Makefile") -> Findings:
    findings = make.find(path, text)
    spans_cover_what_they_claim(text, findings)
    return findings


def found(text: str, path: str = "Makefile") -> list[tuple[str, int]]:
    return [(str(usage.reference), usage.line) for usage in find(text, path).usages]


@pytest.mark.parametrize(
    "path",
    ["Makefile", "src/makefile", "GNUmakefile", "Makefile.docker", "a/b.mk", "justfile", ".justfile", "a.just"],
)
def test_which_files_are_of_the_kind(path: str) -> None:
    assert kind_of(path) == "make"


@pytest.mark.parametrize(
    "text",
    [
        f"t:\n\t@{RUN} {SDK}\n",
        f"t: ; echo\n\t-{RUN} -v $$PWD:/src {SDK}\n",
        f"t:\n\t{RUN} \\\n\t  -v $(CURDIR):/src \\\n\t  {SDK} dotnet test\n",
        f"t:\n\tcd src && \\\n{RUN} {SDK}\n",
        f"ENGINE := docker\nt:\n\t$(ENGINE) run --rm {SDK}\n",
        f"t:\r\n\t{RUN} {SDK}\r\n",
    ],
)
def test_commands_of_recipes_are_read(text: str) -> None:
    assert [name for name, _ in found(text)] == [SDK]


@pytest.mark.parametrize("sign", [":=", "=", "?=", "::="])
def test_a_variable_that_is_set_once_is_put_in_where_it_stands(sign: str) -> None:
    assert found(f"IMAGE {sign} {SDK} # the SDK\nt:\n\t{RUN} $(IMAGE) x\n\t{RUN} ${{IMAGE}} y\n") == [(SDK, 1)]


@pytest.mark.parametrize(
    "text",
    [
        f"IMAGE = {SDK}\nIMAGE += x\nt:\n\t{RUN} $(IMAGE)\n",
        f"IMAGE = {SDK}\nIMAGE = other\nt:\n\t{RUN} $(IMAGE)\n",
        f"IMAGE = $(IMAGE)\nt:\n\t{RUN} $(IMAGE)\n",
        f"t:\n\t{RUN} $(shell cat image)\n",
        f"all:\n# {RUN} {SDK}\n{RUN} {SDK}\n",
    ],
)
def test_what_only_a_run_knows_and_what_is_no_recipe_names_nothing(text: str) -> None:
    assert found(text) == []


def test_a_justfile_has_its_own_variables() -> None:
    text = f'image := "{SDK}"\n\ntest *args:\n    {RUN} -v $PWD:/src {{{{image}}}} dotnet test {{{{ args }}}}\n'
    assert found(text, "justfile") == [(SDK, 1)]


def test_values_that_a_recipe_gives_to_a_build_count_there() -> None:
    texts = {
        "Makefile": f"image:\n\tdocker build --build-arg BASE={SDK} -t api .\n",
        "Dockerfile": "ARG BASE\nFROM $BASE\n",
    }
    findings, _ = read_files((File(path, path, text.encode()) for path, text in texts.items()), Memory())
    assert [(usage.path, str(usage.reference)) for usage in findings.usages] == [("Makefile", SDK)]


@given(any_text("t:\n\t", RUN, " $(", "$(A)", "A := ", "A = ", "$$", "{{A}}", "\\\n", "\t@", "define A\n", "    "))
def test_any_text_gives_findings_that_hold(text: str) -> None:
    find(text)
    find(text, "justfile")
    find(f"t:\n\t{RUN} {text}")
    find(f"A := {text}\nt:\n\t{RUN} $(A)\n")


@pytest.mark.parametrize("piece", ["\tdocker run $(A)\n", "A = $(A)$(A)\n", "\t$((((", "\tx \\\n", "define A\n"])
def test_it_takes_time_in_proportion(piece: str) -> None:
    def read(size: int) -> None:
        make.find("Makefile", "t:\n\tdocker run x\n" + piece * (size // len(piece)))

    read(100)
    assert growth(read, 20_000) < LINEAR
