"""Archives that workflows leave behind: any workflow may have made one."""

import contextlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.failure import Failure
from bot.fleet.verify.reports.archive import MOST_FILES, ArtifactFile, report_files


def archive(*names: str, data: bytes = b"{}", kind: int = stat.S_IFREG, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as packed:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            info.compress_type = how
            packed.writestr(info, data)
    return file.getvalue()


def read(data: bytes) -> list[ArtifactFile]:
    return list(report_files(data, "run 1, trivy"))


def test_files_that_may_be_reports_are_read_whatever_their_folder() -> None:
    found = read(archive("trivy.json", "results/shop.SARIF", "readme.txt", "folder/"))
    assert [(each.name, each.data) for each in found] == [("trivy.json", b"{}"), ("results/shop.SARIF", b"{}")]


def test_names_are_shown_and_lead_nowhere() -> None:
    [one, other] = read(archive("../../etc/passwd.json", "/abs\x1b[2J.json"))
    assert (one.name, other.name) == ("../../etc/passwd.json", "/abs\N{REPLACEMENT CHARACTER}[2J.json")


def test_a_bomb_is_left_packed() -> None:
    [found] = read(archive("bomb.json", data=b"0" * 40_000_000))
    assert found.data == b""
    assert found.problem is not None
    assert found.problem.startswith("becomes more than")


def test_all_files_together_become_no_more_than_is_allowed() -> None:
    text = "".join(f"{number:0>60x}" for number in range(200_000)).encode()
    found = read(archive(*(f"{number}.json" for number in range(6)), data=text))
    assert sum(len(each.data) for each in found) <= 64 * 1024**2
    assert [each.problem is None for each in found] == [True] * 5 + [False]


def test_links_and_odd_ways_to_pack_are_told() -> None:
    [link] = read(archive("link.json", kind=stat.S_IFLNK))
    assert link.problem == "is no regular file"
    [odd] = read(archive("odd.json", how=zipfile.ZIP_BZIP2))
    assert odd.problem == "is packed in a way that no artifact is"


def test_no_more_reports_are_read_than_a_scan_leaves() -> None:
    found = read(archive(*(f"{number}.json" for number in range(MOST_FILES + 5))))
    assert [each.problem for each in found[MOST_FILES:]] == [f"more than {MOST_FILES} reports"]


def test_a_list_of_a_million_entries_is_not_read() -> None:
    honest = archive("a.json")
    end = honest.rindex(b"PK\x05\x06")
    fields = list(struct.unpack_from("<4s4H2LH", honest, end))
    fields[5] = 60_000_000
    with pytest.raises(Failure, match="lists its entries in"):
        read(honest[:end] + struct.pack("<4s4H2LH", *fields))
    with pytest.raises(Failure, match="more than 1,000"):
        read(archive(*(f"{number}.txt" for number in range(1_001)), data=b""))


def test_a_damaged_file_keeps_no_other_from_being_read() -> None:
    data = bytearray(archive("one.json", "two.json", data=b"a scanner found nothing at all, twice, twice"))
    at = data.index(b"one.json") + len("one.json")
    data[at : at + 4] = b"\xff\xff\xff\xff"
    one, two = read(bytes(data))
    assert one.problem is not None
    assert one.problem.startswith("cannot be unpacked")
    assert two.problem is None


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: archive("a.json") + tail))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(Failure):
        read(data)
