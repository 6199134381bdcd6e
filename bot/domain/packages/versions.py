"""Which of two package versions is newer, by the rules of the package manager that wrote them.

Each type has a key that is ordered as its package manager orders versions: the parts of the text, by their kinds.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bot.domain.packages.package import PackageType

_LONGEST = 256
_KEPT = 4_096
"""Keys: what is compared with a version is mostly compared with many."""
_LARGEST_DEB_EPOCH = 2**31 - 1
_LARGEST_RPM_EPOCH = 2**32 - 1
_DEB = re.compile(
    r"(?:(?P<epoch>[0-9]{1,10}):)?(?P<upstream>[A-Za-z0-9][A-Za-z0-9.+~:-]*?)(?:-(?P<revision>[A-Za-z0-9.+~]+))?(?<!-)"
)
_DEB_PART = re.compile(r"([^0-9]*)([0-9]*)")
_RPM = re.compile(r"(?:(?P<epoch>[0-9]{1,10}):)?(?P<version>[A-Za-z0-9._+~^]+)(?:-(?P<release>[A-Za-z0-9._+~^]+))?")
_RPM_PART = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_RPM_TAG = re.compile(r"\.(?=[A-Za-z])")
"""Where the tag of a distribution, or another word, begins in a release."""
_APK = re.compile(
    r"(?P<first>[0-9]+)(?P<rest>(?:\.[0-9]+)*)(?P<letter>[a-z]?)"
    r"(?P<suffixes>(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)"
    r"(?:~(?P<commit>[0-9a-f]+))?(?:-r(?P<revision>[0-9]+))?"
)
_APK_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")
_APK_BEFORE_RELEASE = ("alpha", "beta", "pre", "rc")
_APK_AFTER_RELEASE = ("cvs", "svn", "git", "hg", "p")
_NUGET = re.compile(
    r"(?P<numbers>[0-9]+(?:\.[0-9]+){0,3})(?:-(?P<labels>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_INT32 = range(-(2**31), 2**31)


class BadVersion(ValueError):
    """A text that the package manager would not take as a version."""


def compare_versions(package_type: str, first: str, second: str) -> int:
    """-1 where `first` is older, 0 where both are equal, 1 where it is newer.

    Raises `BadVersion` for a text that is no version of that type, and for a type whose rules are not known.
    """
    compare = _COMPARE.get(package_type)
    if compare is None:
        raise BadVersion(f"versions of type {package_type!r} cannot be compared; known are {', '.join(_COMPARE)}")
    return compare(first, second)


def compare_to_named(package_type: str, version: str, named_version: str) -> int:
    """The same of an installed version and of one that a publisher names, which may stand for several builds.

    Azure Linux names `8.11.1-11` what is installed as `8.11.1-11.azl3`: of rpm's, a release without the tag of its
    distribution takes in all builds of that release, and a version without a release all releases of it. To rpm
    both come before what they take in, so that a last affected version would leave out the build that it means.
    Raises `BadVersion` as well where the installed one is the bare one: which build that is nobody knows.
    """
    order = compare_versions(package_type, version, named_version)
    if package_type != PackageType.RPM or not order:
        return order
    installed_parts, named_parts = _matched(_RPM, version, "rpm"), _matched(_RPM, named_version, "rpm")
    if _rpm_epoch(installed_parts) != _rpm_epoch(named_parts) or _rpm_parts(
        installed_parts["version"]
    ) != _rpm_parts(named_parts["version"]):
        return order
    if _takes_in(named_parts["release"], installed_parts["release"]):
        return 0
    if _takes_in(installed_parts["release"], named_parts["release"]):
        raise BadVersion(
            f"which build of {version!r} is installed cannot be told, and {named_version!r} is one of them"
        )
    return order


def _takes_in(release: str | None, build: str | None) -> bool:
    """Whether a release of rpm's is the start of another up to a tag, such as `.azl3`; one that is missing is that
    of all."""
    if release is None or build is None:
        return release is None
    return any(_rpm_parts(build[: tag.start()]) == _rpm_parts(release) for tag in _RPM_TAG.finditer(build))


def _compare_deb(first: str, second: str) -> int:
    return _order(_deb_key(first), _deb_key(second))


@lru_cache(maxsize=_KEPT)
def _deb_key(text: str) -> tuple[Any, ...]:
    """Debian policy 5.6.12: `[epoch:]upstream[-revision]`; a colon may stand in upstream where an epoch does.

    Blanks around it do not count, as for dpkg.
    """
    match = _matched(_DEB, text.strip(" \t"), "Debian")
    upstream, revision = match["upstream"], match["revision"]
    if ":" in upstream and match["epoch"] is None:
        raise BadVersion(f"{text!r} is no Debian version: its epoch is no number")
    if revision is None and "-" in upstream:
        raise BadVersion(f"{text!r} is no Debian version: no revision has a colon")
    return _epoch(match["epoch"], text, _LARGEST_DEB_EPOCH), _deb_parts(upstream), _deb_parts(revision or "0")


def _deb_parts(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Words and numbers in turn, as dpkg's `verrevcmp` has it: of two words the one that ends is older but for a
    tilde behind it, and letters come before all else."""
    parts = _DEB_PART.findall(text)
    return tuple(((*map(_deb_letter, word), 0), int(digits or 0)) for word, digits in parts)


def _deb_letter(letter: str) -> int:
    return -1 if letter == "~" else ord(letter) + (0 if letter.isalpha() else 256)


def _compare_rpm(first: str, second: str) -> int:
    return _order(_rpm_key(first), _rpm_key(second))


@lru_cache(maxsize=_KEPT)
def _rpm_key(text: str) -> tuple[Any, ...]:
    """rpm-version(7): `[epoch:]version[-release]`; a version without a release is older than the same with any."""
    match = _matched(_RPM, text, "rpm")
    version, release = match["version"], match["release"]
    return _rpm_epoch(match), _rpm_parts(version), release is not None, _rpm_parts(release or "")


def _rpm_parts(text: str) -> tuple[tuple[int, int | str], ...]:
    """The parts of a version or release as (rank of its kind, value), with an end; separators do not count.

    Where two differ in the kind of their next part, the kind decides: a tilde is older than the end, a caret newer
    than the end and older than all else, and a number newer than a word.
    """
    return (*map(_rpm_part, _RPM_PART.findall(text)), (1, ""))


def _rpm_part(part: str) -> tuple[int, int | str]:
    if part in "~^":
        return (0 if part == "~" else 2), part
    return (4, int(part)) if part.isdigit() else (3, part)


def _rpm_epoch(match: re.Match[str]) -> int:
    return _epoch(match["epoch"], match.string, _LARGEST_RPM_EPOCH)


def _compare_apk(first: str, second: str) -> int:
    return _order(_apk_key(first), _apk_key(second))


@lru_cache(maxsize=_KEPT)
def _apk_key(text: str) -> tuple[tuple[int, Any], ...]:
    """The parts of an Alpine version as (rank of its kind, value), with an end.

    Where two versions differ in the kind of their next part, the kind decides: a pre-release suffix is older than
    the end, and any other part is newer than it, a further number most (apk-tools, apk-version(8)).
    """
    match = _matched(_APK, text, "Alpine")
    parts: list[tuple[int, Any]] = [(7, int(match["first"]))]
    parts += [(6, _apk_number(digits)) for digits in match["rest"].split(".")[1:]]
    if match["letter"]:
        parts.append((5, match["letter"]))
    for name, digits in _APK_SUFFIX.findall(match["suffixes"]):
        is_early = name in _APK_BEFORE_RELEASE
        names = _APK_BEFORE_RELEASE if is_early else _APK_AFTER_RELEASE
        parts.append((-1 if is_early else 4, names.index(name)))
        if digits:
            parts.append((3, int(digits)))
    if match["commit"]:
        parts.append((2, match["commit"]))
    if match["revision"]:
        parts.append((1, int(match["revision"])))
    return (*parts, (0, 0))


def _apk_number(digits: str) -> tuple[int, str]:
    """A number behind the first dot: one with a leading zero is ordered as text, before every other."""
    return (0, digits) if digits.startswith("0") else (int(digits), "")


def _compare_nuget(first: str, second: str) -> int:
    return _order(_nuget_key(first), _nuget_key(second))


@lru_cache(maxsize=_KEPT)
def _nuget_key(text: str) -> tuple[Any, ...]:
    """Four numbers, then the labels of a pre-release without case; metadata behind `+` does not count.

    A label is a number where it fits into 32 bits, as NuGet.Versioning has it, and numbers come before words.
    Blanks around the whole do not count.
    """
    match = _matched(_NUGET, text.strip(" \t\r\n"), "NuGet")
    numbers = [int(digits) for digits in match["numbers"].split(".")]
    if any(number not in _INT32 for number in numbers):
        raise BadVersion(f"{text!r} is no NuGet version: a number is larger than {_INT32.stop - 1}")
    labels = match["labels"]
    is_release = labels is None
    return (*(numbers + [0] * 4)[:4], is_release, tuple(_nuget_label(label) for label in (labels or "").split(".")))


def _nuget_label(label: str) -> tuple[int, int, str]:
    if re.fullmatch(r"-?[0-9]{1,64}", label) and int(label) in _INT32:
        return (0, int(label), "")
    return (1, 0, label.lower())


def _matched(form: re.Pattern[str], text: str, whose: str) -> re.Match[str]:
    match = form.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise BadVersion(f"{text[:80]!r} is no {whose} version")
    return match


def _epoch(digits: str | None, text: str, largest: int) -> int:
    epoch = int(digits or 0)
    if epoch > largest:
        raise BadVersion(f"{text!r} has an epoch larger than {largest}")
    return epoch


def _order(first: Any, second: Any) -> int:
    return bool(first > second) - bool(first < second)


_COMPARE: dict[str, Callable[[str, str], int]] = {
    PackageType.DEB: _compare_deb,
    PackageType.RPM: _compare_rpm,
    PackageType.APK: _compare_apk,
    PackageType.NUGET: _compare_nuget,
}
