"""What sections of the settings have in common: unknown keys are errors, and nothing changes once read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

Value = TypeVar("Value")
_LONGEST = 4096
"""Characters of any one text; a path may have as many."""


class Section(BaseModel):
    """One section of the settings file. A text that says nothing is refused, whatever it would have been taken for:
    an empty path is the folder that one is in, an empty issuer is everybody."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        if isinstance(value, str) and not value.strip():
            raise ValueError("empty; write a value, or leave the key out")
        if isinstance(value, str) and len(value) > _LONGEST:
            raise ValueError(f"longer than {_LONGEST:,} characters")
        return value


class ValueSection(Section, Generic[Value]):
    """How a value of the domain is written down: each of its keys is a field of `KIND`."""

    KIND: ClassVar[type[Any]]

    def value(self) -> Value:
        """The value; lists are tuples there, mappings pairs in the order of their keys."""
        value: Value = self.KIND(**{name: _value(getattr(self, name)) for name in type(self).model_fields})
        return value

    @classmethod
    def written(cls, value: Value) -> "ValueSection[Value]":
        """The section that writes this value down."""
        kept: dict[str, Any] = {
            name: _written(getattr(value, name), field) for name, field in cls.model_fields.items()
        }
        return cls.model_construct(**kept)


@dataclass(frozen=True, slots=True)
class WrittenAs:
    """Marks a value of the domain that an operator writes as such a section.

    Settings hold the value; the schema, and what is said of defects, are those of the section.
    """

    section: type[ValueSection[Any]]

    def __get_pydantic_core_schema__(self, _kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            self._validate,
            handler.generate_schema(self.section),
            serialization=core_schema.wrap_serializer_function_ser_schema(self._serialize),
        )

    def _validate(self, written: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        return written if isinstance(written, self.section.KIND) else validate(written).value()

    def _serialize(self, value: Any, serialize: SerializerFunctionWrapHandler) -> Any:
        return serialize(self.section.written(value))


def _value(written: object) -> object:
    match written:
        case list():
            return tuple(written)
        case dict():
            return tuple(sorted(written.items()))
        case _:
            return written


def _written(value: object, field: FieldInfo) -> object:
    if not isinstance(value, tuple):
        return value
    return dict(value) if get_origin(field.annotation) is dict else list(value)


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
        former_names = tuple(name for name in cls.FORMER if name in values)
        for name in former_names:
            if cls.FORMER[name] in values:
                raise ValueError(f"{name} is the old name of {cls.FORMER[name]}; keep the new one alone")
        section = handler({cls.FORMER.get(name, name): value for name, value in values.items()})
        if former_names:
            section._former = former_names
        return section

    def former_names(self, section: str) -> list[str]:
        """What is set under an old name, a line each with the new one; `section` is what this one is called."""
        return [
            f"{section}.{name} is now called {section}.{self.FORMER[name]}; it counts still, rename it"
            for name in self._former
        ]
