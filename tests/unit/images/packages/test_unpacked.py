"""Layers laid over each other show what unpacking them one after the other leaves (OCI image specification)."""

import io
import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from bot.images.packages.databases import dotnet, places
from bot.images.packages.layers.overlay import overlay
from tests.unit.images.packages.archives import STATUS, entry, read

RUNTIME = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1"
LIBRARIES = (f"{RUNTIME}/a.dll", f"{RUNTIME}/de/b.dll", f"{RUNTIME}/a.deps.json")
DATABASES = (STATUS, "var/lib/dpkg/status.d/a", "lib/apk/db/installed", "app/a.deps.json")
FILES = (*DATABASES, *LIBRARIES)
FOLDERS = sorted(
    {path[:end] for path in (*DATABASES, LIBRARIES[0]) for end, sign in enumerate(path) if sign == "/"}
)
DEVICE = None

Entry = tuple[str, str, bytes]
"""What it is, where, and the content of a file."""
Tree = dict[str, bytes | str | None]
"""A file's content, `folder`, or a device, by path."""


def parents(path: str) -> list[str]:
    return [path[:end] for end, sign in enumerate(path) if sign == "/"]


def fitting(entries: list[Entry]) -> list[Entry]:
    """Those that one layer can have: each path once, and nothing below what is no folder."""
    kinds: dict[str, str] = {}
    kept = []
    for kind, path, content in entries:
        above = any(kinds.get(folder, "folder") not in ("folder", "opaque") for folder in parents(path))
        below = kind not in ("folder", "opaque") and any(other.startswith(f"{path}/") for other in kinds)
        if path not in kinds and not above and not below:
            kinds[path] = kind
            kept.append((kind, path, content))
    return kept


ENTRIES = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(FILES), st.sampled_from((b"1", b"2"))),
    st.tuples(
        st.sampled_from(("file", "device", "folder", "removed", "opaque")),
        st.sampled_from([*FOLDERS, *DATABASES]),
        st.just(b""),
    ),
    st.tuples(st.just("removed"), st.sampled_from(LIBRARIES), st.just(b"")),
)
LAYERS = st.lists(st.lists(ENTRIES, max_size=5).map(fitting), min_size=1, max_size=4)


def packed(entries: list[Entry]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for kind, path, content in entries:
            folder, _, name = path.rpartition("/")
            match kind:
                case "file":
                    tar.addfile(entry(path, size=len(content)), io.BytesIO(content))
                case "removed":
                    tar.addfile(entry(f"{folder}/.wh.{name}".lstrip("/")))
                case "opaque":
                    tar.addfile(entry(f"{path}/.wh..wh..opq"))
                case _:
                    tar.addfile(entry(path, tarfile.DIRTYPE if kind == "folder" else tarfile.CHRTYPE))
    return archive.getvalue()


def unpack(entries: list[Entry], tree: Tree) -> None:
    """Whiteouts hide what lower layers have only, wherever they stand in the archive."""

    def remove(path: str, *, itself: bool) -> None:
        for other in [each for each in tree if each.startswith(f"{path}/") or (itself and each == path)]:
            del tree[other]

    for kind, path, _ in entries:
        if kind in ("removed", "opaque"):
            remove(path, itself=kind == "removed")
    for kind, path, content in entries:
        if kind == "removed":
            continue
        folders = [*parents(path), path] if kind in ("folder", "opaque") else parents(path)
        for folder in folders:
            if tree.get(folder) != "folder":
                remove(folder, itself=True)
            tree[folder] = "folder"
        if kind in ("file", "device"):
            remove(path, itself=True)
            tree[path] = content if kind == "file" else DEVICE


@given(LAYERS)
@example([[("device", "lib", b"")], [("file", "lib/apk/db/installed", b"1")]])
def test_the_layers_show_what_unpacking_them_would_leave(layers: list[list[Entry]]) -> None:
    tree: Tree = {}
    for entries in layers:
        unpack(entries, tree)
    left = {path: content for path, content in tree.items() if isinstance(content, bytes)}
    told = {path: content for path, content in left.items() if places.largest(path)}
    told |= {folder: b"" for path in left if (folder := dotnet.framework_folder(path)) is not None}
    assert overlay([read(packed(entries)) for entries in reversed(layers)])[0] == told
