import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants.swapping import NotSwapped, swap

CODE = """
from functools import cache, cached_property

def plain():
    return 1

@cache
def kept():
    return 1

def made():
    return lambda: 1

generated = made()

class Rule:
    def method(self):
        return 1

    @property
    def read(self):
        return 1

    @cached_property
    def read_once(self):
        return 1

    @classmethod
    def of(cls):
        return 1

    @staticmethod
    def alone():
        return 1

    def above(self):
        return [super().__hash__() and 1 for _ in "1"][0]
"""


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "swapped_rule.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("swapped_rule")
    yield module
    monkeypatch.delitem(sys.modules, "swapped_rule")


ANSWERS: dict[str, Callable[[ModuleType], object]] = {
    "plain": lambda module: module.plain(),
    "kept": lambda module: module.kept(),
    "Rule.method": lambda module: module.Rule().method(),
    "Rule.read": lambda module: module.Rule().read,
    "Rule.read_once": lambda module: module.Rule().read_once,
    "Rule.of": lambda module: module.Rule.of(),
    "Rule.alone": lambda module: module.Rule.alone(),
}


@pytest.mark.parametrize("function", ANSWERS)
def test_a_function_does_what_the_text_says_for_all_that_have_imported_it(rule: ModuleType, function: str) -> None:
    answer = ANSWERS[function]
    assert answer(rule) == 1
    swap("swapped_rule.py", function, CODE.replace("return 1", "return 2"))
    assert answer(rule) == 2


@pytest.mark.parametrize("function", ["generated", "Rule.missing", "Other.method"])
def test_what_is_no_function_of_the_text_is_not_swapped(rule: ModuleType, function: str) -> None:
    with pytest.raises(NotSwapped):
        swap("swapped_rule.py", function, CODE)


def test_a_function_that_sees_other_variables_around_it_is_not_swapped(rule: ModuleType) -> None:
    with pytest.raises(NotSwapped):
        swap("swapped_rule.py", "Rule.above", CODE.replace("super().__hash__() and ", ""))
