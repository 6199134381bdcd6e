"""Puts a mutant's code into the function that runs: everything that has imported it runs the mutant then."""

import importlib
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any


class NotSwapped(Exception):
    """The function is not to be found as it stands in the text; its module has to be imported anew."""


def swap(path: str, function: str, text: str) -> None:
    """From now on `function` of the module at `path`, as it is imported from there, does what `text` says."""
    live = _live(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."), function)
    try:
        module = compile(text, live.__code__.co_filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise NotSwapped(f"{function}: {error}") from error
    for code in _codes(module):
        if (code.co_qualname, code.co_firstlineno) == (function, live.__code__.co_firstlineno):
            break
    else:
        raise NotSwapped(function)
    try:
        live.__code__ = code
    except ValueError as error:
        raise NotSwapped(f"{function}: {error}") from error


def _live(module: str, function: str) -> FunctionType:
    """The function beneath its decorators, whose caches are emptied."""
    owner: Any = importlib.import_module(module)
    for name in function.split("."):
        owner = vars(owner).get(name)
        if owner is None:
            raise NotSwapped(function)
    for wrapped in _unwrapped(owner):
        if hasattr(wrapped, "cache_clear"):
            wrapped.cache_clear()
        if isinstance(wrapped, FunctionType) and wrapped.__qualname__ == wrapped.__code__.co_qualname == function:
            return wrapped
    raise NotSwapped(function)


def _unwrapped(wrapper: Any) -> Iterator[Any]:
    while wrapper is not None:
        yield wrapper
        inside = (getattr(wrapper, name, None) for name in ("__wrapped__", "__func__", "fget", "func"))
        wrapper = next((found for found in inside if found is not None), None)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
