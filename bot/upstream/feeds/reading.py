"""What all feed parsers share: documents within bounds, entries of a stated shape, problems by name.

A document that is not what it should be raises `Failure`. A field that is not counts as unknown, an entry without
what it cannot do without is skipped, and either is named: the rest of the document counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)
from pydantic_core import from_json

from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES
from bot.domain.wording.misfits import misfit

MAX_NODES = 500_000
"""Objects, arrays, elements and attributes of a document; the largest real one has 100,000. A node of three bytes
takes some hundred bytes of memory, so the size alone bounds too little."""
KEPT = "the last good copy stays in use"
MAX_ENTRIES = 10_000
MAX_PROBLEMS = 20
MAX_LINE = 300
_MOST_FIELDS = 50
"""So many fields of one entry may be bad before the entry is."""

_CONTROL_OR_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")

Item = TypeVar("Item")
Shape = TypeVar("Shape", bound="FeedShape")


@dataclass(frozen=True, slots=True)
class FeedProblem:
    """One entry, or several of them, that could not be read."""

    document: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.document}: {self.where}: {self.what}" if self.where else f"{self.document}: {self.what}"


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Item]):
    """`entries` counts what the document lists, `items` holds what of it matters here and could be read.

    A document that lists only the newest of all reaches back to `since`; None where that is not told.
    """

    items: tuple[Item, ...]
    problems: tuple[FeedProblem, ...] = ()
    entries: int = 0
    since: datetime | None = None


def one_line(text: str) -> str:
    """Untrusted text on one line: no control or direction characters, at most `MAX_LINE` characters."""
    line = _CONTROL_OR_SPACE.sub(" ", text[: 10 * MAX_LINE]).strip()
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"


def _text_only(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("should be text")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Microsoft's documents leave the zone out and mean UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside of the calendar") from error


VERSION = r"[0-9]{1,5}(?:\.[0-9]{1,9}){1,3}(?:-[0-9A-Za-z]{1,20}(?:\.[0-9A-Za-z]{1,20}){0,5})?"
CVE = r"CVE-[0-9]{4}-[0-9]{4,12}"
LINK = r"https://[A-Za-z0-9.-]{1,250}(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]{0,400})?"

OneLine = Annotated[str, AfterValidator(one_line)]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$", max_length=64)]
ChannelNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}$")]
Cve = Annotated[str, StringConstraints(pattern=f"^{CVE}$")]
Day = Annotated[date, BeforeValidator(_text_only)]
UtcMoment = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]

_LINK = re.compile(LINK)
_ADDRESS = re.compile(r"https?://[!-~]{1,1000}")
_VERSION = re.compile(VERSION)
_CVE_IN_TEXT = re.compile(CVE, re.IGNORECASE)


class FeedShape(BaseModel):
    """A shape as documented by its publisher, as far as it is used here; unknown keys are left alone.

    A field that has a default may be unknown; `unread` names those that were there and could not be read. Where
    `needs_all` says so, a bad field costs the entry: what is left of it would say less than its publisher does.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)
    needs_all: ClassVar[bool] = False
    _unread: frozenset[str] = PrivateAttr(frozenset())

    @property
    def unread(self) -> frozenset[str]:
        return self._unread


class HyphenatedShape(FeedShape):
    """The same for .NET's release metadata, whose keys are written `release-version`."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))


@dataclass(slots=True)
class Notes:
    """Collects what one document could not tell; beyond `MAX_PROBLEMS` it only counts."""

    document: str
    _problems: list[FeedProblem] = field(default_factory=list)
    _more: int = 0

    def add(self, place: str, message: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(FeedProblem(self.document, one_line(place), one_line(message)))
        else:
            self._more += 1

    @property
    def count(self) -> int:
        return len(self._problems) + self._more

    @property
    def problems(self) -> tuple[FeedProblem, ...]:
        if not self._more:
            return tuple(self._problems)
        return (*self._problems, FeedProblem(self.document, "", f"{self._more} more entries could not be read"))

    def shaped(self, shape: type[Shape], value: object, place: str) -> Shape | None:
        """The value in its shape, without the fields that do not fit; None where it cannot be read for all that.

        Either is noted.
        """
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            entry = None if shape.needs_all else _without_misfits(shape, value)
            outcome = "the entry is skipped" if entry is None else "that counts as unknown"
            self.add(place, f"{misfit(error)}; {outcome}")
            return entry

    def each(self, shape: type[Shape], values: object, list_place: str) -> Iterator[tuple[str, Shape]]:
        """The entries of a list that fit the shape, each with its place in the document.

        None is an empty list: publishers write either.
        """
        if values is None:
            return
        if not isinstance(values, list):
            self.add(list_place, "should be a list; it is skipped")
            return
        for index, value in enumerate(values[:MAX_ENTRIES]):
            place = f"{list_place}[{index}]"
            entry = self.shaped(shape, value, place)
            if entry is not None:
                yield place, entry
        if len(values) > MAX_ENTRIES:
            self.add(list_place, f"has {len(values)} entries; those after the first {MAX_ENTRIES} are skipped")

    def all_of(self, shape: type[Shape], values: object, place: str) -> list[tuple[str, Shape]]:
        """Reads each entry as `each` does, for the list that the document is about.

        Raises `Failure` where it is no list, or where none of its entries can be read: then the format has
        changed, and one line says so rather than one for each entry.
        """
        if not isinstance(values, list):
            raise malformed_feed(self.document, f"{place or 'it'} should be a list")
        entries = list(self.each(shape, values, place))
        if values and not entries:
            first = self._problems[0] if self._problems else ""
            raise malformed_feed(self.document, f"none of its {len(values)} entries can be read, first {first}")
        return entries


def whole(shape: type[Shape], value: object, notes: Notes) -> Shape:
    """The document itself in its shape, less what does not fit. Raises `Failure` where it cannot be read so."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        entry = _without_misfits(shape, value)
        if entry is None:
            raise malformed_feed(notes.document, misfit(error)) from error
        notes.add("", f"{misfit(error)}; that counts as unknown")
        return entry


def _without_misfits(shape: type[Shape], value: object) -> Shape | None:
    """The value without its members that do not fit, the innermost first; None where it needs one of these."""
    remainder, lost = value, set[str]()
    for _ in range(_MOST_FIELDS):
        try:
            entry = shape.model_validate(remainder)
        except ValidationError as error:
            place = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
            there = _as_far_as_there(remainder, place)
            if not there:
                return None
            remainder = _without(remainder, there)
            lost.add(str(there[0]))
        else:
            names = ((name, field.alias or name) for name, field in shape.model_fields.items())
            entry._unread = frozenset(name for name, alias in names if alias in lost)
            return entry
    return None


_Place = tuple[int | str, ...]


def _as_far_as_there(value: object, place: _Place) -> _Place:
    """What can be followed of a place; of a member that is missing, the place of what lacks it."""
    for depth, step in enumerate(place):
        if not isinstance(value, dict) or step not in value:
            return place[:depth]
        value = value[step]
    return place


def _without(value: Any, place: _Place) -> dict[str, Any]:
    """A copy without the member at that place, which shares all else."""
    head, inner_place = place[0], place[1:]
    if inner_place:
        return {**value, head: _without(value[head], inner_place)}
    return {key: each for key, each in value.items() if key != head}


def malformed_feed(document: str, message: str) -> Failure:
    return Failure(Trouble.MALFORMED, one_line(message), where=one_line(document), advice=KEPT)


def json_document(data: bytes, document: str) -> Any:
    """The value of a JSON text (RFC 8259: no NaN, no infinity). Raises `Failure` with line and column."""
    _check_size(data, document, nodes=data.count(b"{") + data.count(b"["))
    try:
        return from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise malformed_feed(document, f"is no JSON: {error}") from error


def json_object(data: bytes, document: str) -> dict[str, Any]:
    value = json_document(data, document)
    if not isinstance(value, dict):
        raise malformed_feed(document, f"should be a JSON object, is {_kind(value)}")
    return value


def xml_document(data: bytes, document: str) -> Element:
    """The root element. A DTD, and with it every entity of the document's own, is refused."""
    _check_size(data, document, nodes=data.count(b"<") + data.count(b"="))
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except ParseError as error:
        raise malformed_feed(document, f"is no well-formed XML: {error}") from error
    except DefusedXmlException as error:
        raise malformed_feed(document, f"declares a DTD or entities, which is not read: {error}") from error
    except (ValueError, LookupError) as error:
        raise malformed_feed(document, f"cannot be decoded: {error}") from error
    return root


def _check_size(data: bytes, document: str, nodes: int) -> None:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise malformed_feed(
            document, f"has {len(data):,} bytes, more than the {MAX_DOCUMENT_BYTES:,} that are read"
        )
    if nodes > MAX_NODES:
        raise malformed_feed(document, f"has {nodes:,} nodes, more than the {MAX_NODES:,} that are read")


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", type(None): "null", bool: "true or false"}.get(type(value), "a number")


def links(*candidates: object) -> tuple[str, ...]:
    """The plain https addresses among the candidates, at most ten, each once. Others are not worth a problem."""
    addresses = (text for text in candidates if isinstance(text, str) and _LINK.fullmatch(text))
    return tuple(dict.fromkeys(addresses))[:10]


def cves_in(text: str) -> tuple[str, ...]:
    """Returns the CVE numbers in a text, written in whatever case, in order, each once."""
    return tuple(dict.fromkeys(match.upper() for match in _CVE_IN_TEXT.findall(text)))


def is_version(text: object) -> bool:
    return isinstance(text, str) and len(text) <= 64 and _VERSION.fullmatch(text) is not None


def web_address(text: object) -> str | None:
    """An address to fetch from; whether its host and plain http are permitted is the client's to say."""
    return text if isinstance(text, str) and _ADDRESS.fullmatch(text) else None
