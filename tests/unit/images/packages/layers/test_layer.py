import contextlib
import io
import tarfile
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from backports.zstd import CompressionParameter, ZstdCompressor
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.images.packages.databases import places
from bot.images.packages.layers import layer
from bot.images.packages.layers import overlay as overlaying
from bot.images.packages.layers.inflate import Inflater
from bot.images.packages.layers.layer import LayerContents, LayerReader
from bot.images.packages.layers.overlay import overlay
from tests.unit.images.packages.archives import STATUS, archive, digest, entry, paragraph, read, zipped, zstd

WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": zipped, "zstd": zstd}
MIB = 1024 * 1024


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("chunk", [1, 700, 65_536])
def test_a_layer_is_read_in_chunks_of_any_size(wrap: Callable[[bytes], bytes], chunk: int) -> None:
    blob = wrap(archive({"etc/passwd": b"x" * 3000, STATUS: paragraph("a")}))
    assert read(blob, chunk).files == {STATUS: paragraph("a")}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_of_every_form_are_read(form: int) -> None:
    name = f"{'folder/' * 20}a.deps.json"
    assert list(read(archive({name: b"{}"}, form=form)).files) == [name]


def test_a_name_of_other_letters_and_a_size_in_a_pax_header_are_read() -> None:
    info = entry("ünïcode/a.deps.json", size=3)
    info.pax_headers = {"size": "3", "comment": "x"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"abc"))
        tar.addfile(entry(STATUS, size=1), io.BytesIO(b"x"))
    assert read(packed.getvalue()).files == {"ünïcode/a.deps.json": b"abc", STATUS: b"x"}


def test_an_empty_value_in_a_pax_header_takes_back_what_it_names_and_names_may_be_long() -> None:
    """An extended attribute of 255 letters has a name with its prefix in front."""
    info = entry(STATUS, size=3)
    info.pax_headers = {"path": "", "size": "", f"SCHILY.xattr.{'x' * 255}": "1"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"abc"))
    assert read(packed.getvalue()).files == {STATUS: b"abc"}


@pytest.mark.parametrize("name", [f"./{STATUS}", f"/{STATUS}", f".//{STATUS}", f"//{STATUS}"])
def test_names_from_the_root_and_from_here_are_one(name: str) -> None:
    assert list(read(archive({name: b"x"})).files) == [STATUS]


@pytest.mark.parametrize("name", [f"../{STATUS}", f"a/../../{STATUS}", f"a/../{STATUS}", f"/../{STATUS}"])
def test_a_name_that_leads_out_is_named_and_not_read(name: str) -> None:
    contents = read(archive({name: b"x"}))
    assert contents.files == {}
    assert "leads out of the image" in contents.problems[0]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_place_of_a_database_is_named_and_not_followed(kind: bytes) -> None:
    contents = read(archive(others=[entry(STATUS, kind, target="../../../../etc/shadow")]))
    assert contents.files == {}
    assert "which is not followed" in contents.problems[0]


@pytest.mark.parametrize(
    ("path", "target", "problems"),
    [
        ("lib", "usr/lib", 0),
        ("lib", "/usr/lib", 0),
        ("var/lib/rpm", "../../usr/lib/sysimage/rpm", 0),
        ("var/lib/rpm", "../../usr/share/rpm", 0),
        ("usr/lib/sysimage/rpm", "../../share/rpm", 0),
        ("usr/share/rpm", "/srv/rpm", 1),
        ("var/lib/dpkg", "/srv/dpkg", 1),
        ("var/lib/dpkg", "../../../../etc", 1),
        ("var/lib/dpkg/status.d", "../status", 1),
        ("bin", "/srv", 0),
        ("opt/shared/Microsoft.NETCore.App/8.0.11", "/srv/net", 1),
        ("opt/shared/Microsoft.NETCore.App", "/srv/net", 1),
        ("opt/shared/Microsoft.NETCore.App", "/srv/shared/Microsoft.NETCore.App/", 0),
        ("opt/shared", "/srv/shared", 0),
    ],
)
def test_a_linked_folder_is_named_where_it_leads_elsewhere(path: str, target: str, problems: int) -> None:
    assert len(read(archive(others=[entry(path, tarfile.SYMTYPE, target=target)])).problems) == problems


def test_a_sparse_database_is_named_by_its_own_name_and_hides_the_one_below() -> None:
    """GNU tar writes another name into the header, and the true one behind it."""
    sparse = entry(f"./GNUSparseFile.7/{STATUS}", size=5)
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": STATUS}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(sparse, io.BytesIO(b"1\n0\n0"))
    upper = read(packed.getvalue())
    assert f"{STATUS} is sparse; it is not read" in upper.problems[0]
    assert shown(upper, LOWER) == [APP]


def test_a_folder_in_the_place_of_a_database_is_named_and_hides_the_one_below() -> None:
    upper = read(archive(others=[entry(STATUS, tarfile.DIRTYPE)]))
    assert "is a folder in the place of a database" in upper.problems[0]
    assert shown(upper, LOWER) == [APP]


def test_a_hard_link_to_a_database_of_the_layer_is_that_database() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(entry("lib/apk/db/installed", size=3), io.BytesIO(b"P:a"))
        tar.addfile(entry("usr/lib/apk/db/installed", tarfile.LNKTYPE, target="lib/apk/db/installed"))
    assert set(read(packed.getvalue()).files) == {"lib/apk/db/installed", "usr/lib/apk/db/installed"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize(
    ("path", "target", "problems"),
    [
        ("var/lib/dpkg/status.d/openssl", "usr/share/openssl", 1),
        ("var/lib/dpkg/status.d/openssl.md5sums", "usr/share/openssl", 0),
        ("app/a.deps.json", "srv/store/0a1b2c", 1),
        ("usr/bin/a.deps.json", "srv/a.deps.json", 0),
        ("etc/os-release", "usr/lib/os-release", 0),
        ("usr/bin/a", "srv/a", 0),
    ],
)
def test_a_link_that_may_keep_a_package_from_being_seen_is_named(
    kind: bytes, path: str, target: str, problems: int
) -> None:
    assert len(read(archive(others=[entry(path, kind, target=target)])).problems) == problems


TARGET = "srv/store/a.deps.json"
HARD = "usr/bin/a.deps.json"


def linked(*targets: tuple[str, str]) -> LayerContents:
    """A layer with hard links alone."""
    return read(archive(others=[entry(path, tarfile.LNKTYPE, target=target) for path, target in targets]))


@pytest.mark.parametrize("upper", [{TARGET: b"new"}, {"srv/.wh.store": b""}, {f"{TARGET}/deeper": b""}, {}])
def test_what_a_hard_link_leads_to_in_a_layer_below_stays_when_a_later_layer_replaces_that(
    upper: dict[str, bytes],
) -> None:
    lower = read(archive({TARGET: b"old"}))
    files, problems = overlay([read(archive(upper)), linked((HARD, f"/{TARGET}")), lower])
    assert (files[HARD], problems) == (b"old", ())


def test_a_hard_link_leads_on_through_others_and_through_linked_folders() -> None:
    lower = read(archive({TARGET: b"old"}))
    chain = linked(("a/b.deps.json", TARGET), (HARD, "a/b.deps.json"))
    again = linked(("a/c.deps.json", HARD))
    files, problems = overlay([read(archive({TARGET: b"new", HARD: b"new"})), again, chain, lower])
    assert (files["a/c.deps.json"], files["a/b.deps.json"], problems) == (b"old", b"old", ())


@pytest.mark.parametrize("between", [{}, {"srv/.wh.store": b""}])
def test_a_hard_link_that_leads_to_nothing_that_was_read_is_told_as_not_read(between: dict[str, bytes]) -> None:
    lower = read(archive({TARGET: b"old"} if between else {}))
    files, problems = overlay([linked((HARD, TARGET)), read(archive(between)), lower])
    assert HARD not in files
    assert problems == (f"image: {HARD} is a hard link to {TARGET!r}, which no layer below has; it is not read",)


def test_a_hard_link_that_a_later_layer_takes_away_is_not_looked_for() -> None:
    assert overlay([read(archive({HARD: b"new"})), linked((HARD, TARGET))]) == ({HARD: b"new"}, ())
    assert overlay([read(archive({"usr/.wh.bin": b""})), linked((HARD, TARGET))]) == ({}, ())


def test_hard_links_to_what_the_layer_keeps_are_read_and_count_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(entry("a.deps.json", size=30), io.BytesIO(b"x" * 30))
        for number in range(3):
            tar.addfile(entry(f"{number}.deps.json", tarfile.LNKTYPE, target="a.deps.json"))
    assert len(read(packed.getvalue()).files) == 4
    monkeypatch.setattr(layer, "LARGEST_KEPT", 100)
    assert "more than 100 bytes" in refused(packed.getvalue())


def test_a_framework_whose_files_are_hard_links_is_one() -> None:
    folder = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11"
    linked = entry(f"{folder}/System.Runtime.dll", tarfile.LNKTYPE, target="srv/store/0a1b2c")
    assert list(read(archive(others=[linked])).files) == [folder]


def test_the_last_of_two_entries_counts() -> None:
    packed = archive({STATUS: b"old"})[:1024] + archive({STATUS: b"new"})
    assert read(packed).files == {STATUS: b"new"}


BESIDE = (*("md5sums", "preinst", "postrm", "conffiles", "list"), *("shlibs", "symbols", "config", "templates"))


def test_the_files_of_distroless_are_read_without_their_checksums_and_scripts() -> None:
    folder = "var/lib/dpkg/status.d"
    beside = {f"{folder}/base.{kind}": b"2" for kind in BESIDE}
    files = {f"{folder}/base": b"1", **beside, f"{folder}/sub/deep": b"3"}
    assert list(read(archive(files)).files) == [f"{folder}/base"]


def shown(*layers: LayerContents) -> list[str]:
    """What is left, the topmost layer first."""
    return sorted(overlay(layers)[0])


APP = "app/bin/a.deps.json"
LOWER = LayerContents({APP: b"lower", STATUS: b"lower"})


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ({}, [APP, STATUS]),
        ({"app/bin/.wh.a.deps.json": b""}, [STATUS]),
        ({"app/.wh.bin": b""}, [STATUS]),
        ({".wh.app": b""}, [STATUS]),
        ({"app/.wh..wh..opq": b""}, [STATUS]),
        ({".wh..wh..opq": b""}, []),
        ({"app/bin/.wh.b": b""}, [APP, STATUS]),
        ({"app/.wh..wh.plnk": b""}, [APP, STATUS]),
        ({"var/lib": b"a file"}, [APP]),
        ({"app/.wh.bin": b"", APP: b"upper"}, [APP, STATUS]),
    ],
)
def test_whiteouts_hide_what_lies_below_and_nothing_of_their_own_layer(
    upper: dict[str, bytes], left: list[str]
) -> None:
    assert shown(read(archive(upper)), LOWER) == left


def test_a_link_hides_the_folder_that_it_takes_the_place_of() -> None:
    assert shown(read(archive(others=[entry("app", tarfile.SYMTYPE, target="opt")])), LOWER) == [STATUS]


FRAMEWORK = "opt/net/shared/Microsoft.NETCore.App/8.0.11"


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ({"app": b"a file"}, [FRAMEWORK]),
        ({"./app/bin": b""}, [FRAMEWORK]),
        ({"app/binary": b"", "ap": b"", "opt/net/shared/x": b""}, [APP, FRAMEWORK]),
        ({"opt/net": b""}, [APP]),
        ({FRAMEWORK: b""}, [APP]),
        ({"app": b"", "opt": b""}, []),
    ],
)
def test_a_file_hides_the_folder_that_it_takes_the_place_of(upper: dict[str, bytes], left: list[str]) -> None:
    lower = read(archive({APP: b"{}", f"{FRAMEWORK}/a.dll": b""}))
    assert shown(read(archive(upper)), lower) == left


def test_a_folder_that_comes_back_above_a_file_shows_what_it_brings_itself() -> None:
    again = read(archive({"app/b.deps.json": b"{}"}))
    assert shown(again, read(archive({"app": b""})), LOWER) == ["app/b.deps.json", STATUS]


def test_a_database_too_large_to_be_read_lets_none_of_a_lower_layer_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "largest", lambda path: 3)
    files, problems = overlay([read(archive({STATUS: b"larger"})), LayerContents({STATUS: b"old"})])
    assert files == {}
    assert "larger than 3 bytes" in problems[0]


def test_more_folders_than_are_compared_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlaying, "_MOST_FOLDERS", 1)
    assert "is not noticed" in overlay([LOWER])[1][0]


def test_a_folder_hides_nothing_but_a_file_that_it_takes_the_place_of() -> None:
    assert shown(read(archive(others=[entry("app", tarfile.DIRTYPE)])), LOWER) == [APP, STATUS]
    assert shown(read(archive(others=[entry(STATUS, tarfile.DIRTYPE)])), LOWER) == [APP]


OLD_APK, APK = "lib/apk/db/installed", "usr/lib/apk/db/installed"
LINK = entry("lib", tarfile.SYMTYPE, target="usr/lib")
LINKED = read(archive({APK: b"lower"}, others=[LINK]))


@pytest.mark.parametrize(
    ("upper", "others", "left"),
    [
        ({OLD_APK: b"upper"}, [], {APK: b"upper"}),
        ({"lib/apk/db/.wh.installed": b""}, [], {}),
        ({"lib/apk/.wh..wh..opq": b"", OLD_APK: b"upper"}, [], {APK: b"upper"}),
        ({"lib/.wh..wh..opq": b""}, [], {}),
        ({"lib/.wh.apk": b""}, [], {}),
        ({OLD_APK: b"upper"}, [entry("lib", tarfile.DIRTYPE)], {APK: b"lower", OLD_APK: b"upper"}),
        ({".wh.lib": b"", OLD_APK: b"upper"}, [], {APK: b"lower", OLD_APK: b"upper"}),
        ({"lib": b"a file"}, [], {APK: b"lower"}),
        ({OLD_APK: b"upper"}, [LINK], {APK: b"upper"}),
        ({"library": b""}, [], {APK: b"lower"}),
    ],
)
def test_what_a_layer_writes_through_a_linked_folder_of_a_lower_one_is_where_the_link_leads(
    upper: dict[str, bytes], others: list[tarfile.TarInfo], left: dict[str, bytes]
) -> None:
    assert overlay([read(archive(upper, others)), LINKED])[0] == left


@pytest.mark.parametrize("folder", ["usr/lib/sysimage/rpm", "usr/share/rpm"])
def test_a_database_of_rpm_is_written_through_its_linked_folder_with_its_log(folder: str) -> None:
    link = entry("var/lib/rpm", tarfile.SYMTYPE, target=f"../../{folder}")
    names = ("rpmdb.sqlite", "rpmdb.sqlite-wal")
    lower = read(archive({f"{folder}/{name}": b"lower" for name in names}, others=[link]))
    upper = read(archive({f"var/lib/rpm/{name}": b"upper" for name in names}))
    assert overlay([upper, LayerContents(), lower])[0] == {f"{folder}/{name}": b"upper" for name in names}


def test_a_database_is_written_through_links_that_lead_to_one_another() -> None:
    """As ostree makes them."""
    links = [
        entry("var/lib/rpm", tarfile.SYMTYPE, target="../../usr/lib/sysimage/rpm"),
        entry("usr/lib/sysimage/rpm", tarfile.SYMTYPE, target="../../share/rpm"),
    ]
    lower = read(archive({"usr/share/rpm/rpmdb.sqlite": b"lower"}, others=links))
    upper = read(archive({"var/lib/rpm/rpmdb.sqlite": b"upper"}))
    assert overlay([upper, lower]) == ({"usr/share/rpm/rpmdb.sqlite": b"upper"}, ())


def test_links_that_lead_to_one_another_in_a_circle_come_to_an_end() -> None:
    links = [
        entry("var/lib/rpm", tarfile.SYMTYPE, target="/usr/share/rpm"),
        entry("usr/share/rpm", tarfile.SYMTYPE, target="/var/lib/rpm"),
    ]
    upper = read(archive({"var/lib/rpm/rpmdb.sqlite": b"upper"}))
    assert len(overlay([upper, read(archive(others=links))])[0]) == 1


def test_what_a_layer_takes_away_beside_a_link_of_its_own_lies_below() -> None:
    lower = read(archive({APK: b"lower", OLD_APK: b"lower"}))
    assert overlay([read(archive({"lib/.wh.apk": b""}, [LINK])), lower])[0] == {APK: b"lower"}


def test_a_link_that_a_layer_in_between_replaced_is_none() -> None:
    between = read(archive(others=[entry("lib", tarfile.DIRTYPE)]))
    found, _ = overlay([read(archive({OLD_APK: b"upper"})), between, LINKED])
    assert found == {APK: b"lower", OLD_APK: b"upper"}


def test_a_database_too_large_to_be_read_hides_the_one_that_it_is_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upper = read(archive(others=[entry(OLD_APK, b"S")]))
    files, problems = overlay([upper, LINKED])
    assert (files, len(problems)) == ({}, 1)


def test_the_upper_layer_wins() -> None:
    assert overlay([read(archive({STATUS: b"upper"})), LOWER])[0][STATUS] == b"upper"


def test_what_a_layer_in_between_removed_stays_removed() -> None:
    assert shown(LayerContents(), read(archive({"var/lib/dpkg/.wh.status": b""})), LOWER) == [APP]


def test_a_framework_is_gone_with_all_that_its_folder_held() -> None:
    folder = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11"
    lower = read(archive({f"{folder}/a.dll": b""}))
    assert overlay([read(archive({f"{folder}/.wh..wh..opq": b""})), lower])[0] == {}


def test_a_framework_is_gone_with_its_folder() -> None:
    folder = "usr/share/dotnet/shared/Microsoft.NETCore.App"
    lower = read(archive({f"{folder}/8.0.10/a.dll": b"", f"{folder}/8.0.10/b.dll": b""}))
    assert shown(lower) == [f"{folder}/8.0.10"]
    upper = read(archive({f"{folder}/.wh.8.0.10": b"", f"{folder}/8.0.11/a.dll": b""}))
    assert shown(upper, lower) == [f"{folder}/8.0.11"]


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        (("a.dll", "b.dll", "de/c.dll"), []),
        (("a.dll", "b.dll", "de"), []),
        (("a.dll", "b.dll"), [FRAMEWORK]),
        (("a.dll", "de/c.dll", "other.dll"), [FRAMEWORK]),
    ],
)
def test_a_framework_is_gone_once_each_of_its_files_is(removed: tuple[str, ...], left: list[str]) -> None:
    lower = read(archive({f"{FRAMEWORK}/{name}": b"x" for name in ("a.dll", "b.dll", "de/c.dll")}))
    places_of = [f"{FRAMEWORK}/{name}".rpartition("/") for name in removed]
    upper = [read(archive({f"{folder}/.wh.{name}": b""})) for folder, _, name in places_of]
    assert shown(*upper, lower) == left
    assert shown(read(archive({f"{FRAMEWORK}/a.dll": b""})), *upper, lower) == [FRAMEWORK]


def test_a_framework_whose_files_two_layers_brought_is_there_until_all_are_gone() -> None:
    lowest, lower = (read(archive({f"{FRAMEWORK}/{name}.dll": b"x"})) for name in "ab")
    upper = read(archive({f"{FRAMEWORK}/.wh.b.dll": b""}))
    assert shown(upper, lower, lowest) == [FRAMEWORK]
    assert shown(read(archive({f"{FRAMEWORK}/.wh.a.dll": b""})), upper, lower, lowest) == []


def test_what_a_framework_says_of_its_packages_is_kept_beside_its_folder() -> None:
    said = {f"{FRAMEWORK}/Microsoft.NETCore.App.deps.json": b"{}"}
    assert overlay([read(archive(said))])[0] == said | {FRAMEWORK: b""}


def test_a_framework_of_a_layer_kept_without_its_names_stays() -> None:
    upper = read(archive({f"{FRAMEWORK}/.wh.a.dll": b""}))
    assert shown(upper, LayerContents({FRAMEWORK: b""})) == [FRAMEWORK]


def test_a_link_behind_the_files_of_a_framework_takes_their_place() -> None:
    link = entry(FRAMEWORK, tarfile.SYMTYPE, target="/srv/net")
    contents = read(archive(others=[entry(f"{FRAMEWORK}/a.dll"), link]))
    assert (contents.files, len(contents.problems)) == ({}, 1)


def test_names_in_frameworks_count_among_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "LARGEST_KEPT", 20)
    with pytest.raises(Failure, match="more than 20 bytes"):
        read(archive({f"{FRAMEWORK}/{name}.dll": b"" for name in "abcdef"}))


def refused(blob: bytes, named: str | None = None) -> str:
    with pytest.raises(Failure) as raised:
        read(blob, named=named)
    return str(raised.value)


@pytest.mark.parametrize("wrap", [bytes, zipped, zstd])
def test_a_layer_is_known_again_by_what_it_is_unpacked(wrap: Callable[[bytes], bytes]) -> None:
    plain = archive({STATUS: paragraph("p")})
    assert read(wrap(plain), chunk=7).diff_id == digest(plain)


def test_a_link_or_a_device_behind_a_file_of_the_same_name_takes_its_place() -> None:
    info = entry(STATUS, tarfile.SYMTYPE, target="elsewhere")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(entry(STATUS, size=len(paragraph("p"))), io.BytesIO(paragraph("p")))
        tar.addfile(info)
    found = read(packed.getvalue())
    assert (found.files, len(found.problems)) == ({}, 1)


def test_of_many_entries_that_lead_out_some_are_told() -> None:
    found = read(archive(others=[entry(f"../{number}") for number in range(100)]))
    assert 1 < len(found.problems) < 20


@pytest.mark.parametrize("mark", [".wh.", "usr/.wh."])
def test_a_whiteout_of_no_name_takes_nothing_away(mark: str) -> None:
    lower = read(archive({STATUS: paragraph("p")}))
    found, _ = overlay([read(archive({mark: b""})), lower])
    assert list(found) == [STATUS]


@pytest.mark.parametrize(
    "gone",
    [
        {"var/lib/.wh.rpm": b""},
        {"var/.wh.lib": b""},
        {".wh.var": b""},
        {"var/lib/.wh..wh..opq": b""},
        {".wh..wh..opq": b""},
    ],
    ids=["itself", "its folder", "the folder of that", "all of its folder", "all"],
)
def test_a_link_that_a_layer_took_away_leads_nowhere_any_more(gone: dict[str, bytes]) -> None:
    linked = read(archive(others=[entry("var/lib/rpm", tarfile.SYMTYPE, target="../../usr/lib/sysimage/rpm")]))
    upper = read(archive({"var/lib/rpm/rpmdb.sqlite": b"x"}))
    assert list(overlay([upper, linked])[0]) == ["usr/lib/sysimage/rpm/rpmdb.sqlite"]
    assert list(overlay([upper, read(archive(gone)), linked])[0]) == ["var/lib/rpm/rpmdb.sqlite"]


def test_a_layer_with_another_digest_is_refused() -> None:
    blob = archive({STATUS: b"x"})
    assert "is not what its digest names" in refused(blob, digest(b"something else"))


@pytest.mark.parametrize("named", ["sha256:", "md5:0", "../../etc/passwd", ""])
def test_what_is_no_digest_is_refused(named: str) -> None:
    assert "no sha256 or sha512 digest" in refused(b"", named or "x")


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.6])
def test_a_layer_cut_short_is_refused(wrap: Callable[[bytes], bytes], share: float) -> None:
    blob = wrap(archive({STATUS: bytes(range(256)) * 100}))
    assert "cut short" in refused(blob[: int(len(blob) * share)])


def bomb(form: str, size: int) -> Iterator[bytes]:
    """Zeros behind an honest start, packed as small as they become."""
    start = entry("a").tobuf()
    zeros = entry("zeros", size=size).tobuf()
    if form == "gzip":
        packer: zlib._Compress | ZstdCompressor = zlib.compressobj(1, wbits=31)
    else:
        packer = ZstdCompressor()
    yield packer.compress(start + zeros)
    for _ in range(size // MIB):
        yield packer.compress(bytes(MIB))
    yield packer.flush()


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_a_bomb_is_refused_early_in_little_memory(form: str) -> None:
    blob = b"".join(bomb(form, 128 * MIB))
    tracemalloc.start()
    begun = time.thread_time()
    assert "times its size" in refused(blob)
    took = time.thread_time() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 5
    assert peak < 64 * MIB


def test_a_zstd_window_larger_than_images_have_is_refused() -> None:
    packer = ZstdCompressor(
        options={CompressionParameter.window_log: 30, CompressionParameter.enable_long_distance_matching: 1}
    )
    assert "is damaged" in refused(packer.compress(archive({STATUS: b"x"})) + packer.flush())


def test_entries_without_end_are_refused_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "_MOST_ENTRIES", 20_000)
    headers = entry("a/b").tobuf() * 1000
    reader = LayerReader(digest(b""))
    begun = time.thread_time()
    for _ in range(20):
        reader.feed(headers)
    with pytest.raises(Failure, match="more than 20000 entries"):
        reader.feed(headers)
    assert time.thread_time() - begun < 3


@pytest.mark.parametrize(
    ("bound", "others"),
    [
        ("_MOST_MARKS", [entry(f"a/.wh.{number}") for number in range(9)]),
        ("_MOST_MARKS", [entry(f"a/{number}", tarfile.SYMTYPE, target="b") for number in range(9)]),
        ("_MOST_FILES", [entry(f"{number}.deps.json") for number in range(9)]),
    ],
)
def test_what_would_be_kept_without_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, bound: str, others: list[tarfile.TarInfo]
) -> None:
    monkeypatch.setattr(layer, bound, 9)
    assert read(archive(others=others)) is not None
    monkeypatch.setattr(layer, bound, 8)
    assert "more than 8" in refused(archive(others=others))


def test_many_large_databases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "LARGEST_KEPT", 100)
    assert "more than 100 bytes" in refused(archive({f"{number}.deps.json": b"x" * 30 for number in range(4)}))


def test_a_long_header_is_refused_before_it_is_read() -> None:
    info = entry("././@LongLink", b"L", size=2**40)
    assert "header of" in refused(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))


def test_headers_without_end_are_refused() -> None:
    block = entry("././@LongLink", b"L", size=2).tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")
    assert "header of" in refused(block * 20)


def test_a_database_larger_than_any_is_not_kept() -> None:
    info = entry("app/a.deps.json", size=9 * MIB)
    contents = read(info.tobuf() + bytes(9 * MIB) + bytes(1024))
    assert contents.files == {}
    assert "is larger than" in contents.problems[0]


def test_a_name_of_many_folders_is_not_followed() -> None:
    contents = read(archive({f"{'a/' * 500}b.deps.json": b"{}"}))
    assert contents.files == {}


@pytest.mark.parametrize(
    "blob",
    [
        b"x" * 512,
        b"",
        b"short",
        entry("a").tobuf()[:-200],
        entry("a", size=1).tobuf().replace(b"0000644", b"0000645"),
        b"\x1f\x8b" + b"\xff" * 600,
        b"\x28\xb5\x2f\xfd" + b"\xff" * 600,
        bytes(512) + entry("a").tobuf(),
    ],
)
def test_what_is_no_archive_is_refused_in_one_line(blob: bytes) -> None:
    if blob:
        assert "\n" not in refused(blob)
    else:
        assert read(blob).files == {}


@given(st.binary(max_size=2000), st.sampled_from(["", "gzip", "zstd", "header"]))
def test_any_bytes_are_read_or_refused(data: bytes, wrap: str) -> None:
    blob = {"": data, "gzip": zipped(data), "zstd": zstd(data), "header": entry("a").tobuf() + data}[wrap]
    with contextlib.suppress(Failure):
        read(blob, chunk=100)


@given(st.integers(0, 4000), st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(position: int, value: int) -> None:
    blob = bytearray(archive({STATUS: paragraph("a"), APP: b"{}"}, [entry("x", tarfile.SYMTYPE, target="y")]))
    blob[position % len(blob)] = value
    with contextlib.suppress(Failure):
        read(bytes(blob))


def inflated(data: bytes) -> bytes:
    inflater = Inflater("here")
    return b"".join([*inflater.feed(data), *inflater.finish()])


def test_members_frames_and_padding_follow_each_other() -> None:
    skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    assert inflated(zipped(b"a") + zipped(b"") + zipped(b"b") + bytes(20)) == b"ab"
    assert inflated(skippable + zstd(b"a") + skippable + zstd(b"b")) == b"ab"


def test_something_behind_a_gzip_member_is_refused() -> None:
    with pytest.raises(Failure, match="something follows its end"):
        inflated(zipped(b"a") + bytes(4) + b"x")
