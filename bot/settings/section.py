"""What sections of the settings have in common: unknown keys are errors, and nothing changes once read."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator

Value = TypeVar("Value")


class Section(BaseModel):
    """One section of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ValueSection(Section, Generic[Value]):
    """A section that writes down a value of the domain: each of its keys is a field of `KIND`."""

    KIND: ClassVar[type[Any]]

    def value(self) -> Value:
        """The value; lists are tuples there, mappings pairs in the order of their keys."""
        value: Value = self.KIND(**{name: _value(getattr(self, name)) for name in type(self).model_fields})
        return value


def _value(written: object) -> object:
    match written:
        case ValueSection():
            return written.value()
        case list():
            return tuple(_value(item) for item in written)
        case dict():
            return tuple(sorted(written.items()))
        case _:
            return written


class RenamedSection(Section):
    """A section some keys of which had other names in earlier versions; each counts still."""

    FORMER: ClassVar[Mapping[str, str]] = {}
    """Names of earlier versions, and what they are called now."""
    _former: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _renamed(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """An old name counts as the new one, unless both are written."""
        if not isinstance(values, dict):
            return handler(values)
        found = tuple(name for name in cls.FORMER if name in values)
        for name in found:
            if cls.FORMER[name] in values:
                raise ValueError(f"{name} is the old name of {cls.FORMER[name]}; keep the new one alone")
        section = handler({cls.FORMER.get(name, name): value for name, value in values.items()})
        if found:
            section._former = found
        return section

    def former_names(self, section: str) -> list[str]:
        """What is set under an old name, a line each with the new one; `section` is what this one is called."""
        return [
            f"{section}.{name} is now called {section}.{self.FORMER[name]}; it counts still, rename it"
            for name in self._former
        ]
