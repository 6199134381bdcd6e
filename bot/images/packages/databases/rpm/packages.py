"""What rpm says of a package, and `container-manifest-2`, the list that Azure Linux's distroless images have.

Its columns, parted by tabs: NAME, VERSION-RELEASE, INSTALLTIME, BUILDTIME, VENDOR, EPOCH, SIZE, ARCH, EPOCHNUM,
SOURCERPM.
"""

from bot.domain.packages.package import Inventory, Package, PackageType
from bot.images.packages.reading import Collection, lines

_COLUMNS = 10
_NONE = "(none)"


def read_manifest(data: bytes, place: str) -> Inventory:
    """Reads the packages that the manifest lists. Raises `Failure` where no line can be read."""
    collection = Collection(place)
    for number, line in enumerate(lines(data), 1):
        if not line.strip():
            continue
        columns = line.rstrip("\r").split("\t")
        if len(columns) < _COLUMNS or "-" not in columns[1]:
            collection.refuse(f"line {number} is not of the {_COLUMNS} columns of a container manifest")
            continue
        name, version, *_, epoch, _size, architecture, _number, source = columns[:_COLUMNS]
        if epoch != _NONE and not epoch.isascii():
            collection.refuse(f"line {number} has an epoch that is no number")
        elif epoch == _NONE or epoch.isdigit():
            add(collection, name, version, 0 if epoch == _NONE else int(epoch[:10]), architecture, source)
        else:
            collection.refuse(f"line {number} has an epoch that is no number")
    return collection.inventory()


def add(
    collection: Collection, name: str, version: str, epoch: int, architecture: str | None, source: str | None
) -> None:
    """Takes in a package of `version-release`; an epoch of 0 and none are one, and not written.

    `source` is the file name of the source package, `openssl-3.3.0-3.azl3.src.rpm`.
    """
    source_name, source_version = _source(source or _NONE)
    collection.add(
        Package(
            PackageType.RPM,
            name,
            f"{epoch}:{version}" if epoch else version,
            None if architecture in (None, "", _NONE) else architecture,
            source_name,
            source_version,
        )
    )


def _source(file_name: str) -> tuple[str | None, str | None]:
    stem = file_name.removesuffix(".rpm").removesuffix(".src").removesuffix(".nosrc")
    parts = stem.rsplit("-", 2)
    if stem == file_name or len(parts) < 3:
        return None, None
    return parts[0], f"{parts[1]}-{parts[2]}"
