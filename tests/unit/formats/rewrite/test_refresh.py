from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.domain.wanted_digest import WantedDigest, WantedDigests
from bot.formats.rewrite.refresh import refresh

OLD = "sha256:" + "a" * 64
NEW = "sha256:" + "b" * 64
SDK = Base("mcr.microsoft.com", "dotnet/sdk", "8.0")
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "8.0")
SDK_MOVES = WantedDigests((WantedDigest(SDK, NEW, "8.0.416"),), sdk="8.0.416")
GLOBAL_JSON = """{
  // the SDK of our images
  "sdk": {"version": "8.0.404", /* kept by hand */ "rollForward": "latestFeature"},
}
"""


def test_a_patch_pin_is_brought_to_the_patch_that_its_base_holds_now() -> None:
    done = refresh("Dockerfile", b"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n", SDK_MOVES)
    assert done.data == b"FROM mcr.microsoft.com/dotnet/sdk:8.0.416\n"
    assert done.met == {SDK}


def test_a_file_that_says_it_already_stays_and_meets_its_order() -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:8.0@{NEW}\n".encode()
    done = refresh("Dockerfile", text, SDK_MOVES)
    assert (done.data, done.met) == (text, {SDK})


def test_a_base_without_an_order_stays_as_it_is() -> None:
    text = f"FROM mcr.microsoft.com/dotnet/aspnet:8.0@{OLD}\n".encode()
    done = refresh("Dockerfile", text, SDK_MOVES)
    assert (done.data, done.met) == (text, frozenset())


def test_a_floating_tag_is_marked_where_the_order_says_so_and_the_mark_moves_along() -> None:
    marked = refresh("Dockerfile", b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n", _marks(OLD)).data
    assert marked == f"# base-digest: {OLD}\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n".encode()
    assert refresh("Dockerfile", marked, _marks(NEW)).data == marked.replace(OLD.encode(), NEW.encode())


def test_a_global_json_moves_along_and_every_other_character_stays() -> None:
    done = refresh("global.json", GLOBAL_JSON.encode(), SDK_MOVES)
    assert done.data.decode() == GLOBAL_JSON.replace("8.0.404", "8.0.416")
    assert done.met == frozenset()


def test_a_global_json_stays_where_no_sdk_is_ordered() -> None:
    orders = WantedDigests(SDK_MOVES.of_bases)
    assert refresh("global.json", GLOBAL_JSON.encode(), orders).data == GLOBAL_JSON.encode()


def test_a_patch_pin_whose_new_patch_is_not_known_is_refused_with_its_line() -> None:
    text = b"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n"
    done = refresh("Dockerfile", text, WantedDigests((WantedDigest(SDK, NEW),)))
    assert done.data == text
    assert [(problem.line, problem.message) for problem in done.refused] == [
        (1, "the patch version behind sha256:bbbbbbbbbbbb is not known yet")
    ]


@given(st.binary() | st.text().map(lambda text: f"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n{text}".encode()))
def test_carrying_out_an_order_twice_is_carrying_it_out_once(data: bytes) -> None:
    once = refresh("Dockerfile", data, SDK_MOVES)
    assert refresh("Dockerfile", once.data, SDK_MOVES).data == once.data


def _marks(digest: str) -> WantedDigests:
    return WantedDigests((WantedDigest(ASPNET, digest, "8.0.20", marks=True),))
