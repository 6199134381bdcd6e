"""Packages of a source, and versions compared line by line; nothing is stored."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bot.clients.folders.image import OciLayout, is_layout, paths_below, read_below
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Inventory
from bot.domain.packages.versions import BadVersion, compare_versions
from bot.domain.reference import InvalidReference, Reference
from bot.domain.wording.words import first_few
from bot.images.packages.databases import dotnet, places
from bot.images.packages.databases.places import packages_in
from bot.images.packages.image import check_one_is_meant, read_image
from bot.images.packages.layers.inflate import is_zstd
from bot.images.packages.layers.layer import LARGEST_KEPT
from bot.images.sbom.reading import LARGEST_SBOM, read_sbom

_LONGEST_LINE = 64 * 1024
_STANDARD_INPUT = Path("-")
_IMAGE_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 4 * 1024 * 1024
_ROOT_OF_BUNDLE = "rootfs"
_ROOT_OF_PLATFORM = re.compile(r"(?:linux|windows)_[a-z0-9]+(?:_v[0-9]+)?")


def read_source(source: Path, platform: str | None, config: Path | None = None) -> Inventory:
    """What is inside a folder with an OCI layout, a folder like a root file system, an SBOM file, or an image.

    An image is asked for where there is no such file, with the access in the settings file; without one only
    Microsoft's registry is. Raises `Failure` where it is none of them, and where it cannot be told which.
    """
    try:
        image, is_file, has_layout = named_image(source), source.is_file(), is_layout(source)
    except OSError as error:
        raise Failure(Trouble.DENIED, f"cannot be looked at: {error.strerror}", where=str(source)) from error
    if image is not None:
        from bot.commands.images.registry_image import read_registry_image

        return read_registry_image(image, platform, config)
    if is_file:
        _refuse_archive(source)
        return read_sbom(read_file(source, LARGEST_SBOM), str(source))
    if has_layout:
        return _read_layout(source, platform)
    if not source.exists():
        advice = "name an image with its registry, such as ghcr.io/contoso/shop:1"
        raise Failure(Trouble.MISSING, "there is no such file or folder", where=str(source), advice=advice)
    _refuse_image_folder(source)
    _refuse_folder_of_roots(source)
    return _read_folder(source)


def check_platform_is_of_image(platform: str | None, *sources: Path) -> None:
    """Raises `Failure` where a platform is asked for and no source is an image: a folder and an SBOM are of one,
    and do not say which."""
    if platform is None or not all(map(_is_of_one_platform, sources)):
        return
    fault = f"is no image, and does not say whether it is for {platform}"
    raise Failure(Trouble.MALFORMED, fault, where=str(sources[0]), advice="leave --platform out to read it")


def _is_of_one_platform(source: Path) -> bool:
    """Whether it is a folder like a root file system, or a file; what cannot be looked at is refused when read."""
    try:
        return source.exists() and not is_layout(source)
    except OSError:
        return False


def named_image(source: Path) -> Reference | None:
    """The image that is named with its registry; None where it may only be a path."""
    text = str(source)
    if source.exists():
        return None
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return None
    return reference if text.startswith(f"{reference.registry}/") else None


def read_file(path: Path, largest: int) -> bytes:
    """A whole file, or standard input for `-`. Raises `Failure` where it is not there, not readable, or larger than
    `largest`."""
    with _opened(path) as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Failure(Trouble.MALFORMED, f"is larger than {largest} bytes", where=str(path))
    return data


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read, or standard input for `-`. Raises `Failure` where it cannot be, then or later."""
    if path == _STANDARD_INPUT:
        if sys.stdin is None:
            raise Failure(Trouble.MISSING, "there is no standard input", where=str(path), advice="name a file")
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except IsADirectoryError as error:
        raise Failure(Trouble.MALFORMED, "is a folder, not a file", where=str(path)) from error
    except OSError as error:
        trouble = Trouble.MISSING if isinstance(error, FileNotFoundError) else Trouble.DENIED
        raise Failure(trouble, f"cannot be read: {error.strerror}", where=str(path)) from error


def _refuse_archive(path: Path) -> None:
    """Raises `Failure` for what `docker save` and its kin write: a tar archive, plain or packed."""
    with _opened(path) as file:
        start = file.read(512)
    if start[257:262] == b"ustar" or start.startswith(b"\x1f\x8b") or is_zstd(start):
        raise Failure(
            Trouble.MALFORMED,
            "is an archive or packed, and of files only SBOMs are read",
            where=str(path),
            advice="make a layout of an image (skopeo copy docker-archive:FILE oci:FOLDER, or oci-archive:FILE "
            "where it holds a layout), or unpack it",
        )


def _refuse_image_folder(folder: Path) -> None:
    """Raises `Failure` for an archive of `docker save` that was unpacked, and for what skopeo writes to `dir:`."""
    document = _document(folder, _IMAGE_MANIFEST)
    is_saved = isinstance(document, list) and any(isinstance(each, dict) and "Layers" in each for each in document)
    # Docker before 1.10 wrote the names of its images alone, with a folder for each layer.
    if is_saved or (document is None and _is_saved_long_ago(folder)):
        fault, place = "holds what `docker save` writes", "docker-archive:FILE"
    elif isinstance(document, dict) and {"schemaVersion", "layers"} <= document.keys():
        fault, place = "holds an image as skopeo copies it to `dir:`", "dir:FOLDER"
    else:
        return
    advice = f"make a layout of it (skopeo copy {place} oci:OTHER)"
    raise Failure(Trouble.MALFORMED, f"{fault}, which is not read", where=str(folder), advice=advice)


def _refuse_folder_of_roots(folder: Path) -> None:
    """Raises `Failure` for what holds a root file system one folder below: a bundle that a runtime is given, and
    what BuildKit writes with `type=local` for several platforms. Of those only applications would be found."""
    bundle = _document(folder, "config.json")
    if isinstance(bundle, dict) and "ociVersion" in bundle and (folder / _ROOT_OF_BUNDLE).is_dir():
        roots = [_ROOT_OF_BUNDLE]
    else:
        roots = _only_folders(folder)
        if not all(map(_ROOT_OF_PLATFORM.fullmatch, roots)):
            return
    if roots:
        fault = f"is no root file system, but holds some: {first_few(roots)}"
        raise Failure(Trouble.MALFORMED, fault, where=str(folder), advice=f"name {folder / roots[0]}")


def _only_folders(folder: Path) -> list[str]:
    """Lists the names of its folders, in order, where it holds nothing else."""
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
        is_all = all(entry.is_dir(follow_symlinks=False) for entry in entries)
    except OSError:
        return []
    return sorted(entry.name for entry in entries) if is_all else []


def _document(folder: Path, name: str) -> object:
    """Reads what a file of JSON in the folder holds; None where there is none."""
    try:
        return json.loads(read_below(folder, name, _LARGEST_MANIFEST))
    except (Failure, ValueError, RecursionError):
        return None


def _is_saved_long_ago(folder: Path) -> bool:
    return isinstance(_document(folder, "repositories"), dict) and any(folder.glob("*/layer.tar"))


def _read_layout(folder: Path, platform: str | None) -> Inventory:
    """What is inside the image of a layout; a manifest that is gone or damaged is a problem, as a layer is."""
    layout = OciLayout(folder)
    index = layout.index()
    check_one_is_meant(index, platform)
    try:
        return asyncio.run(read_image(index, layout, platform=platform))
    except Failure as failure:
        if not failure.where.startswith(str(folder)):
            raise
        return Inventory(problems=(str(failure),))


def _read_folder(root: Path) -> Inventory:
    files: dict[str, bytes] = {}
    folders = sorted(path for path in places.DATABASES if os.path.isdir(root / path))
    problems = [f"{path}: is a folder in the place of a database" for path in folders]
    left = LARGEST_KEPT
    for path, target in paths_below(root, _is_wanted, problems.append):
        if target is not None:
            if places.hides_packages(path, target):
                problems.append(f"{path}: is a symbolic link to {target[:80]!r}, which is not followed")
            continue
        folder = dotnet.framework_folder(path)
        if folder is not None:
            files[folder] = b""
        if path in places.NOT_READ:
            files[path] = b""
        largest = places.largest(path)
        if not largest:
            continue
        try:
            data = read_below(root, path, largest)
        except Failure as failure:
            problems.append(str(failure))
            continue
        if len(data) > largest:
            problems.append(f"{path}: is larger than {largest} bytes; it is not read")
        elif len(data) > left:
            fault = f"{path}: with it there are more than {LARGEST_KEPT} bytes of package databases"
            problems.append(f"{fault}; neither it nor what follows is read")
            break
        else:
            files[path] = data
            left -= len(data)
    return packages_in(files, problems)


def _is_wanted(path: str) -> bool:
    return (
        bool(places.largest(path))
        or path in places.NOT_READ
        or path in places.FOLDERS_TO_FIXED
        or dotnet.framework_folder(path) is not None
        or dotnet.is_framework_place(path)
    )


def compared_lines(file: Path | None) -> Iterator[dict[str, Any]]:
    """Each line of JSON with its `order`; None, and a `problem`, where the line cannot be compared.

    Reads standard input where no file is named, or `-`.
    Raises `Failure` where the file cannot be read.
    """
    with _opened(file or _STANDARD_INPUT) as lines:
        yield from _compared(lines)


def _compared(lines: BinaryIO) -> Iterator[dict[str, Any]]:
    number = 0
    while line := lines.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            yield {"line": number, "order": None, "problem": f"has more than {_LONGEST_LINE} bytes"}
        elif line.strip():
            yield _compared_line(line, number)
        while len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            line = lines.readline(_LONGEST_LINE)


def _compared_line(line: bytes, number: int) -> dict[str, Any]:
    try:
        pair = json.loads(line)
    except (ValueError, RecursionError):
        pair = None
    if not isinstance(pair, dict) or not all(isinstance(pair.get(key), str) for key in ("type", "a", "b")):
        return {"line": number, "order": None, "problem": 'is no JSON object with the texts "type", "a" and "b"'}
    try:
        return {**pair, "order": compare_versions(pair["type"], pair["a"], pair["b"])}
    except BadVersion as error:
        return {**pair, "order": None, "problem": str(error)}
