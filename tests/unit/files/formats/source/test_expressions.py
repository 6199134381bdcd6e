"""Expressions in workflows and pipelines, `${{ … }}`."""

import pytest

from bot.files.formats.dotenv.variables import variables
from bot.files.formats.finding import find_usages
from bot.files.formats.shell.commands import MOST_PUT_IN, commands
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.spanned import Spanned

MANY = 100_000
"""Read in a moment one after the other; each against all others would take minutes."""


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a ${{ env.A }} ${{ b }}", [" env.A ", " b "]),
        ("${{ format('{0}', x) }}", [" format('{0}', x) "]),
        ("${{\n  a\n}}}", ["\n  a\n"]),
        ("${{ '$' }} ${ {{ $} }}", [" '$' "]),
        ("${{ a ${{ b }}", [" b "]),
        ("${{}} }} ${{", [""]),
    ],
)
def test_an_expression_goes_from_its_opening_to_the_next_closing(text: str, inside: list[str]) -> None:
    assert [found["inside"] for found in EXPRESSION.finditer(text)] == inside


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    container: a/",
            "  b:\n    runs-on: x\n    container: ubuntu:24.04\n",
        ),
        ("azure-pipelines.yml", "jobs:\n- job: a\n  container: a/", "- job: b\n  container: ubuntu:24.04\n"),
    ],
)
def test_expressions_that_are_never_closed_do_not_hold_up_the_others(path: str, before: str, after: str) -> None:
    found = find_usages(path, f"{before}{'${{' * MANY}\n{after}".encode())
    assert [str(usage.reference) for usage in found.usages] == ["ubuntu:24.04"]


def test_blanks_in_an_environment_file_do_not_hold_up_the_others() -> None:
    blanks = " " * MANY
    found = variables(f'A="x"{blanks}z\nB=y{blanks}z{blanks}\nC=a b # c\nD=\nE=#f\nF=a#b "c"\n')
    assert {name: value.text for name, value in found.items()} == {
        "A": f'"x"{blanks}z',
        "B": f"y{blanks}z",
        "C": "a b",
        "D": "",
        "E": "#f",
        "F": 'a#b "c"',
    }


def test_blanks_behind_a_powershell_variable_do_not_hold_up_the_others() -> None:
    text = f'$a = "x"{" " * MANY}z\n$b = "y" ; \ndocker pull $b\n'
    (*_, last) = commands(Spanned(text, range(len(text))))
    assert [word.text for word in last.words] == ["docker", "pull", "y"]


DOUBLINGS = 40


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".github/workflows/a.yml",
            "on: push\nenv:\n  A0: a/b\n"
            + "".join(f"  A{n + 1}: ${{{{ env.A{n} }}}}${{{{ env.A{n} }}}}\n" for n in range(DOUBLINGS))
            + f"jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: docker push ${{{{ env.A{DOUBLINGS} }}}}\n"
            + "  b:\n    runs-on: x\n    container: ubuntu:24.04\n",
        ),
        (
            "azure-pipelines.yml",
            "variables:\n  A0: a/b\n"
            + "".join(f"  A{n + 1}: {f'$(A{n})' * 1_000}\n" for n in range(5))
            + "jobs:\n- job: a\n  container: $(A5)\n- job: b\n  container: ubuntu:24.04\n",
        ),
    ],
)
def test_variables_that_multiply_one_another_fill_no_memory(path: str, text: str) -> None:
    assert [str(usage.reference) for usage in find_usages(path, text.encode()).usages] == ["ubuntu:24.04"]


def test_variables_of_a_script_that_double_one_another_fill_no_memory() -> None:
    text = "A0=a/b\n" + "".join(f"A{n + 1}=$A{n}$A{n}\n" for n in range(DOUBLINGS))
    text += f"docker push $A{DOUBLINGS}\ndocker pull $A1\n"
    found = commands(Spanned(text, range(len(text))))
    assert [word.text for word in found[-1].words[:2]] == ["docker", "pull"]
    assert all(len(word.text) <= MOST_PUT_IN for command in found for word in command.words)
