from textwrap import dedent

import pytest

from tests.mutants.mutants import Key, Source


def changes(code: str, operator: str) -> list[tuple[str, str]]:
    source = Source("bot/rule.py", dedent(code))
    keys = [source.written(mutant).key for mutant in source.mutants if mutant.operator == operator]
    return [(key.was, key.becomes) for key in keys]


def becomes(expression: str, operator: str) -> list[str]:
    return [after.removeprefix("said = ") for _, after in changes(f"said = {expression}\n", operator)]


@pytest.mark.parametrize(
    ("condition", "without_a_part"),
    [
        ("a and b", ["a", "b"]),
        ("a or b or c", ["a or b", "a or c", "b or c"]),
        ("a and (b or c)", ["a", "(b or c)", "a and (b)", "a and (c)"]),
        ("not (a and b)", ["not (a)", "not (b)"]),
    ],
)
def test_each_part_of_a_condition_is_dropped(condition: str, without_a_part: list[str]) -> None:
    assert sorted(becomes(condition, "drop_part")) == sorted(without_a_part)


def test_each_filter_of_a_comprehension_is_dropped() -> None:
    assert becomes("[x for x in xs if a(x) if b(x)]", "drop_comprehension_filter") == [
        "[x for x in xs if b(x)]",
        "[x for x in xs if a(x)]",
    ]


def test_each_condition_of_a_where_is_dropped_and_a_sole_one_with_it() -> None:
    assert becomes("select(A).where(x, y)", "drop_where") == ["select(A).where(y)", "select(A).where(x, )"]
    assert becomes("select(A).where(x).limit(1)", "drop_where") == ["select(A).limit(1)"]


def test_the_guard_of_a_case_is_dropped() -> None:
    code = """
        def said(x):
            match x:
                case 1 if ready:
                    return True
    """
    assert changes(code, "drop_case_guard") == [("case 1 if ready:", "case 1:")]


def test_a_branch_is_taken_always_and_never() -> None:
    code = """
        if(ready):
            go()
    """
    assert changes(code, "decide_branch") == [
        ("if(ready):", "if (ready) or True:"),
        ("if(ready):", "if (ready) and False:"),
    ]


def test_named_arguments_are_dropped_and_others_are_left() -> None:
    assert becomes("call(a, b=1, c=2)", "drop_keyword") == ["call(a, c=2)", "call(a, b=1, )"]


def test_a_text_is_changed_once() -> None:
    assert becomes("'Text'", "first_string") == ["'XXTextXX'"]


@pytest.mark.parametrize(
    "code",
    [
        'Item = TypeVar("Item", bound=1)',
        'Make = Callable[["Said", int], Awaitable[str | None]]',
        "Moment = datetime | None",
        "def said(x: Literal[1] | None) -> Literal[2]: ...",
        "assert x is not None and y",
        "@dataclass(frozen=True)\nclass Said: ...",
        "class Port(Protocol):\n    def said(self, x: int = 1) -> None: ...",
        "class Port(Protocol[T]):\n    x = 1",
        '"A docstring"',
    ],
)
def test_what_types_hold_has_no_mutants(code: str) -> None:
    assert Source("bot/rule.py", code).mutants == []


CODE = """
TABLE = 1


class Rule:
    @property
    def said(self):
        def inner():
            return 1
        return (
            x and
            y
        )
"""


def test_a_mutant_names_the_outermost_function_and_the_lines_of_its_statement() -> None:
    mutants = {mutant.operator: mutant for mutant in Source("bot/rule.py", CODE).mutants}
    part = mutants["drop_part"]
    assert (part.function, part.first, part.last) == ("Rule.said", 10, 13)
    number = mutants["operator_number"]
    assert (number.function, number.first, number.last) == ("Rule.said", 9, 9)
    assert mutants["operator_assignment"].function == ""


def test_of_a_compound_statement_only_the_head_counts() -> None:
    code = "def said():\n    if (\n        x > 1\n    ):\n        go()\n    else:\n        stay()\n"
    assert {(mutant.first, mutant.last) for mutant in Source("bot/rule.py", code).mutants} == {(2, 4)}


def test_a_mutant_keeps_its_key_when_lines_above_it_move() -> None:
    def keys(text: str) -> list[Key]:
        source = Source("bot/rule.py", text)
        return [source.written(mutant).key for mutant in source.mutants]

    assert keys(f"# A comment\n{CODE}") == keys(CODE)


def test_a_sample_keeps_a_mutant_when_another_function_changes() -> None:
    def ranks(text: str) -> list[str]:
        return [mutant.rank(1) for mutant in Source("bot/rule.py", text).mutants if mutant.function]

    assert ranks(CODE.replace("TABLE = 1", "TABLE = 1 + 2")) == ranks(CODE)


def test_the_whole_text_of_a_mutant_differs_in_the_line_that_it_names() -> None:
    source = Source("bot/rule.py", CODE)
    (written,) = [source.written(mutant) for mutant in source.mutants if mutant.operator == "operator_number"][1:]
    assert written.text == CODE.replace("return 1", "return 2")
    assert (written.line, written.key.difference) == (9, "  - return 1\n  + return 2")


@pytest.mark.parametrize("code", ["first = several[0]", "_ENDS = TABLE[0]", "both = left | right"])
def test_a_value_that_is_taken_out_or_joined_is_no_name_of_a_type(code: str) -> None:
    assert Source("bot/rule.py", code).mutants
