"""Azure Linux's OVAL (https://oval.mitre.org, 5.11): each definition read as the record that OSV makes of it.

A definition is about one CVE of one source package. It names a test; the test names an object, which is the
package, and a state, with which the package's version is compared. The three stand behind all definitions, so the
document is read as a stream, and of each part is kept what a record needs.

`AZL-35400` of OSV is the definition `oval:com.microsoft.azurelinux:def:35400`: records have that name here as well.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse
from pydantic import TypeAdapter, ValidationError

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.cves.vulnerability import AffectedPackage, VersionRange, Vulnerability
from bot.domain.packages.package import PackageType
from bot.upstream.feeds.reading import UtcMoment, cves_in, one_line
from bot.upstream.osv.dump import DumpReading
from bot.upstream.osv.record import UNNAMED, RecordNotes, WantedPackages
from bot.upstream.osv.severity import rating_of

LARGEST_OVAL = 256 * 1024**2
"""Of a document; that of Azure Linux 3 had 2 MB in its first year."""
LARGEST_PART = 4 * 1024**2
MOST_PARTS = 500_000
_MOST_CRITERIA = 200
_LONGEST_NAME = 256
_ADVISED_WITHIN = timedelta(days=45)
"""A document written anew without any newer advisory tells nothing new after that: in 2024 there were up to 30 days
between an advisory and the next one."""
_SPACE = "{http://oval.mitre.org/XMLSchema/oval-definitions-5}"
_TAGS = {"Azure Linux:3": ".azl3", "Azure Linux:2": ".cm2"}
"""What ends the versions of each release."""
_ID = re.compile(r"oval:[a-z0-9.-]{1,100}:def:([0-9]{1,12})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,255}")
_VERSION = re.compile(r"[A-Za-z0-9._+~^:-]{1,256}")
_NOT_APPLICABLE = "not applicable"
_SOME = frozenset({"at least one", "all", "only one"})
_BELOW, _UP_TO = "less than", "less than or equal"
_LOWER = frozenset({"greater than", "greater than or equal"})
_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcMoment)


@dataclass(frozen=True, slots=True)
class _Definition:
    """`tests` are those that tell together what is affected, where `is_plain`; `is_any` where one of them does."""

    number: str
    title: str
    cves: tuple[str, ...]
    severity: str
    advised_at: datetime | None
    is_applicable: bool
    tests: tuple[str, ...]
    is_any: bool
    is_plain: bool


@dataclass(slots=True)
class _Parts:
    """What stands in a document, by its ids; a state is the operation and the version that it compares with."""

    written_at: datetime | None = None
    definitions: list[_Definition | Failure] = field(default_factory=list)
    tests: dict[str, tuple[str, str]] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    states: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def newest_at(self) -> datetime | None:
        """When it told something new last: it is written anew each day, whether or not there is anything."""
        moments = [each.advised_at for each in self.definitions if isinstance(each, _Definition)]
        document_time = self.written_at
        advised = max(
            (moment for moment in moments if moment and (document_time is None or moment <= document_time)),
            default=None,
        )
        if document_time is None or advised is None:
            return advised or document_time
        return document_time if document_time - advised <= _ADVISED_WITHIN else advised


def read_oval(file: IO[bytes], packages: WantedPackages, release: str, place: str) -> DumpReading:
    """Reads all definitions; one that cannot be read is noted, a line each, with the package that it is about.

    What is told to be not applicable is kept with no version that is affected. Raises `Failure` where it is no such
    document, where no definition can be read, and where the versions are those of another release: all packages
    would be free of everything.
    """
    parts = _parts(file, place)
    _check_release(parts, release, place)
    notes = RecordNotes(place)
    records: dict[str, Vulnerability] = {}
    unread = 0
    for definition in parts.definitions:
        if isinstance(definition, Failure):
            unread += 1
            notes.add(definition.where or "", f"{definition.what}; the definition is skipped")
            notes.unread.add(UNNAMED)
            continue
        try:
            record = _record(definition, parts, packages, release, notes)
        except Failure as failure:
            unread += 1
            notes.add(f"definition {definition.number}", f"{failure.what}; the definition is skipped")
            continue
        if record is not None:
            earlier = records.get(record.id)
            records[record.id] = record if earlier is None else _join_records(earlier, record)
    count = len(parts.definitions)
    if not count:
        raise _oval_failure("holds no definition", place)
    if unread == count:
        raise _oval_failure(f"none of its {count} definitions can be read, first {notes.problems[0]}", place)
    unread_packages = frozenset(notes.unread)
    return DumpReading(
        tuple(records.values()), notes.problems, count, unread=unread_packages, newest_at=parts.newest_at
    )


def _parts(file: IO[bytes], place: str) -> _Parts:
    size = file.seek(0, 2)
    file.seek(0)
    if size > LARGEST_OVAL:
        raise _oval_failure(f"has {size:,} bytes, more than {LARGEST_OVAL:,}", place)
    parts = _Parts()
    for count, element in enumerate(_elements(file, place), 1):
        if count > MOST_PARTS:
            raise _oval_failure(f"has more than {MOST_PARTS:,} parts", place)
        match element.tag.rpartition("}")[2]:
            case "timestamp":
                parts.written_at = _moment(element.text)
            case "definition":
                if (definition := _definition(element)) is not None:
                    parts.definitions.append(definition)
            case "rpminfo_test":
                parts.tests[_id(element)] = _refs(element)
            case "rpminfo_object":
                parts.objects[_id(element)] = _text(element, "name")
            case "rpminfo_state":
                parts.states[_id(element)] = _comparison(element)
    return parts


class _Pieces:
    """The file, read in pieces of which no more may come than a part has."""

    def __init__(self, file: IO[bytes], place: str) -> None:
        self._file = file
        self._place = place
        self.since_part = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.since_part += len(piece)
        if self.since_part > LARGEST_PART:
            raise _oval_failure(f"has a part of more than {LARGEST_PART:,} bytes", self._place)
        return piece


def _elements(file: IO[bytes], place: str) -> Iterator[Element]:
    """The elements two below the root, one after the other; each is gone from memory when the next comes."""
    pieces = _Pieces(file, place)
    above: list[Element] = []
    try:
        for event, element in iterparse(pieces, ("start", "end"), forbid_dtd=True):
            if event == "start":
                if not above and element.tag != f"{_SPACE}oval_definitions":
                    raise _oval_failure(f"is no OVAL of version 5: its root is {element.tag[:100]}", place)
                above.append(element)
                continue
            above.pop()
            if len(above) == 2:
                yield element
                above[-1].remove(element)
                pieces.since_part = 0
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _oval_failure(f"is no XML that can be read: {type(error).__name__}: {error}", place) from error


def _definition(element: Element) -> _Definition | Failure | None:
    """None for one that is about no vulnerability, or that counts no more."""
    if element.get("class") not in ("vulnerability", "patch") or element.get("deprecated") in ("true", "1"):
        return None
    number = _ID.fullmatch(_id(element))
    metadata, criteria = element.find(f"{_SPACE}metadata"), element.find(f"{_SPACE}criteria")
    if number is None or metadata is None or criteria is None:
        message = "has no id, no metadata or no criteria, as a definition has"
        return Failure(Trouble.MALFORMED, message, where=one_line(_id(element)) or "definition")
    references = metadata.findall(f"{_SPACE}reference")[:_MOST_CRITERIA]
    tests = [each.get("test_ref", "") for each in criteria.iter(f"{_SPACE}criterion")]
    operator, children = criteria.get("operator", "AND"), list(criteria)
    return _Definition(
        number[1],
        one_line(_text(metadata, "title")),
        cves_in(" ".join(each.get("ref_id", "") for each in references if each.get("source") == "CVE")),
        _text(metadata, "severity")[:40],
        _moment(_text(metadata, "advisory_date")),
        _text(metadata, "patchable").strip().lower() != _NOT_APPLICABLE,
        tuple(tests[:_MOST_CRITERIA]),
        operator == "OR",
        operator in ("AND", "OR")
        and 0 < len(tests) == len(children) <= _MOST_CRITERIA
        and not any(each.get("negate") in ("true", "1") for each in (criteria, *children)),
    )


def _record(
    definition: _Definition, parts: _Parts, packages: WantedPackages, release: str, notes: RecordNotes
) -> Vulnerability | None:
    """None where none of its packages is wanted. Raises `Failure` where it cannot be told which versions are
    affected, and notes which packages those are."""
    names = [parts.objects.get(parts.tests.get(test, ("", ""))[0], "") for test in definition.tests]
    if not names or not all(map(_NAME.fullmatch, names)):
        notes.unread.add(UNNAMED)
        raise _oval_failure("names no package")
    about: dict[str, list[str]] = {name: [] for name in names if packages.looks_for(release, name)}
    if not about:
        return None
    for name, test in zip(names, definition.tests, strict=True):
        if name in about:
            about[name].append(parts.tests[test][1])
    try:
        affected = [_read_affected(name, release, states, definition, parts) for name, states in about.items()]
    except Failure:
        notes.unread |= {(release, name.lower()) for name in about}
        raise
    name = f"AZL-{definition.number}"
    rating = rating_of(name, None, [{"severity": definition.severity}])
    description = (definition.title, rating.severity, rating.by, rating.score, definition.advised_at)
    return Vulnerability(name, definition.cves, *description, tuple(affected))


def _read_affected(
    name: str, release: str, states: Sequence[str], definition: _Definition, parts: _Parts
) -> AffectedPackage:
    if not definition.is_applicable:
        return AffectedPackage(PackageType.RPM, name, release)
    if not definition.is_plain:
        raise _oval_failure("has criteria that are not read")
    compared = [parts.states.get(state, ("", "")) for state in states]
    several = [[each] for each in compared] if definition.is_any else [compared]
    return AffectedPackage(PackageType.RPM, name, release, tuple(map(_range, several)))


def _range(compared: Sequence[tuple[str, str]]) -> VersionRange:
    """The versions that fit all of these comparisons: one from below and one from above at most.

    Of what is greater than a version that version counts too, since no range begins behind one.
    """
    lower = [version for operation, version in compared if operation in _LOWER]
    upper = [each for each in compared if each[0] in (_BELOW, _UP_TO)]
    if len(lower) + len(upper) != len(compared) or len(lower) > 1 or len(upper) > 1:
        operations = ", ".join(sorted({operation or "nothing that can be read" for operation, _ in compared}))
        raise _oval_failure(f"compares versions by {operations[:100]}")
    operation, version = upper[0] if upper else ("", "")
    return VersionRange(
        "".join(lower), version if operation == _BELOW else "", version if operation == _UP_TO else ""
    )


def _join_records(first: Vulnerability, second: Vulnerability) -> Vulnerability:
    """What two definitions of one number say: neither takes anything away from the other."""
    cves = tuple(dict.fromkeys((*first.cves, *second.cves)))
    return replace(first, cves=cves, affected=tuple(dict.fromkeys((*first.affected, *second.affected))))


def _refs(element: Element) -> tuple[str, str]:
    """The object and the state of a test, empty where it asks for something else than that some version fits."""
    if element.get("check", "at least one") not in _SOME:
        return "", ""
    return _child(element, "object").get("object_ref", ""), _child(element, "state").get("state_ref", "")


def _comparison(element: Element) -> tuple[str, str]:
    """An epoch of 0 and none are one, and not written, as in the records of OSV; nor are blanks, of which some are
    behind the epoch of a few."""
    evr = _child(element, "evr")
    version = "".join((evr.text or "")[:_LONGEST_NAME].split())
    if not _VERSION.fullmatch(version) or evr.get("datatype", "evr_string") != "evr_string":
        return "", ""
    return evr.get("operation", "equals"), version.removeprefix("0:")


def _check_release(parts: _Parts, release: str, place: str) -> None:
    own, versions = _TAGS[release], [version for _, version in parts.states.values() if version]
    if versions and not any(each.endswith(own) for each in versions):
        message = f"none of its versions ends with {own}, as those of {release} do, the first one is {versions[0]}"
        raise _oval_failure(message, place)


def _child(element: Element, name: str) -> Element:
    """The child of that name, whatever its namespace; an empty one where there is none."""
    children: Iterable[Any] = (each for each in element if each.tag.rpartition("}")[2] == name)
    return next(iter(children), Element(name))


def _text(element: Element, name: str) -> str:
    return (_child(element, name).text or "").strip()


def _id(element: Element) -> str:
    return element.get("id", "")[:_LONGEST_NAME]


def _moment(text: str | None) -> datetime | None:
    try:
        return _MOMENT.validate_python((text or "").strip()[:64])
    except ValidationError:
        return None


def _oval_failure(message: str, place: str = "") -> Failure:
    return Failure(Trouble.MALFORMED, message, where=place, advice="what was read before stays in use")
