import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.domain.rollouts.pinning import Refreshed, WantedDigest, WantedDigests
from bot.domain.rollouts.terms import Pin
from bot.files.formats.rewrite.refresh import read_with, refresh

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


def refreshed(path: str, data: bytes, wanted: WantedDigests) -> Refreshed:
    return refresh({path: data}, {path: wanted})[path]


def test_a_patch_pin_is_brought_to_the_patch_that_its_base_holds_now() -> None:
    done = refreshed("Dockerfile", b"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n", SDK_MOVES)
    assert done.data == b"FROM mcr.microsoft.com/dotnet/sdk:8.0.416\n"
    assert done.met == {SDK}


def test_a_file_that_says_it_already_stays_and_meets_its_order() -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:8.0@{NEW}\n".encode()
    done = refreshed("Dockerfile", text, SDK_MOVES)
    assert (done.data, done.met) == (text, {SDK})


def test_a_base_without_an_order_stays_as_it_is() -> None:
    text = f"FROM mcr.microsoft.com/dotnet/aspnet:8.0@{OLD}\n".encode()
    done = refreshed("Dockerfile", text, SDK_MOVES)
    assert (done.data, done.met) == (text, frozenset())


def test_a_floating_tag_is_marked_where_the_order_says_so_and_the_mark_moves_along() -> None:
    marked = refreshed("Dockerfile", b"FROM mcr.microsoft.com/dotnet/aspnet:8.0\n", _marks(OLD)).data
    assert marked == f"# base-digest: {OLD}\nFROM mcr.microsoft.com/dotnet/aspnet:8.0\n".encode()
    assert refreshed("Dockerfile", marked, _marks(NEW)).data == marked.replace(OLD.encode(), NEW.encode())


def test_csharp_is_brought_along_with_the_project_that_tells_that_it_is_an_app_hosts() -> None:
    code = b'b.AddContainer("c", "mcr.microsoft.com/dotnet/aspnet", "8.0.1");'
    host = b'<Project Sdk="Aspire.AppHost.Sdk/13.0.0" />'
    shown = {"eng/Program.cs": code, "eng/Run.csproj": host, "README.md": b""}
    read = read_with(shown, ["eng/Program.cs"])
    assert read == {"eng/Program.cs", "eng/Run.csproj"}
    orders = WantedDigests((WantedDigest(ASPNET, NEW, "8.0.21"),))
    done = refresh({path: shown[path] for path in read}, {"eng/Program.cs": orders})
    assert done["eng/Program.cs"].data == code.replace(b"8.0.1", b"8.0.21")
    assert done["eng/Run.csproj"].data == host


def test_a_global_json_moves_along_and_every_other_character_stays() -> None:
    done = refreshed("global.json", GLOBAL_JSON.encode(), SDK_MOVES)
    assert done.data.decode() == GLOBAL_JSON.replace("8.0.404", "8.0.416")
    assert done.met == frozenset()


def test_a_global_json_stays_where_no_sdk_is_ordered() -> None:
    orders = WantedDigests(SDK_MOVES.of_bases)
    assert refreshed("global.json", GLOBAL_JSON.encode(), orders).data == GLOBAL_JSON.encode()


def test_a_patch_pin_whose_new_patch_is_not_known_is_refused_with_its_line() -> None:
    text = b"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n"
    done = refreshed("Dockerfile", text, WantedDigests((WantedDigest(SDK, NEW),)))
    assert done.data == text
    assert [(problem.line, problem.message) for problem in done.refused] == [
        (1, "the patch version behind sha256:bbbbbbbbbbbb is not known yet")
    ]


def _pinned(pin: Pin) -> WantedDigests:
    return WantedDigests((WantedDigest(SDK, NEW, "8.0.416", pin=pin),), sdk="8.0.416")


@pytest.mark.parametrize("tag", ["8.0.404", f"8.0@{OLD}", f"8.0.404@{OLD}"])
def test_a_pin_becomes_the_floating_tag_where_that_is_the_style(tag: str) -> None:
    done = refreshed("Dockerfile", f"FROM mcr.microsoft.com/dotnet/sdk:{tag}\n".encode(), _pinned(Pin.FLOATING))
    assert (done.data, done.met) == (b"FROM mcr.microsoft.com/dotnet/sdk:8.0\n", {SDK})


def test_a_pin_that_has_the_new_digest_already_is_not_loosened() -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:8.0@{NEW}\n".encode()
    done = refreshed("Dockerfile", text, _pinned(Pin.FLOATING))
    assert (done.data, done.met) == (text, {SDK})


@pytest.mark.parametrize(("tag", "becomes"), [("8.0", "8.0"), ("8.0.404", "8.0.416"), (f"8.0@{OLD}", "8.0")])
def test_tag_and_digest_are_written_where_that_is_the_style(tag: str, becomes: str) -> None:
    done = refreshed("Dockerfile", f"FROM mcr.microsoft.com/dotnet/sdk:{tag}\n".encode(), _pinned(Pin.DIGEST))
    assert done.data == f"FROM mcr.microsoft.com/dotnet/sdk:{becomes}@{NEW}\n".encode()
    assert done.met == {SDK}


@given(
    st.sampled_from(Pin),
    st.binary() | st.text().map(lambda text: f"FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n{text}".encode()),
)
def test_carrying_out_an_order_twice_is_carrying_it_out_once(pin: Pin, data: bytes) -> None:
    once = refreshed("Dockerfile", data, _pinned(pin))
    assert refreshed("Dockerfile", once.data, _pinned(pin)).data == once.data


def _marks(digest: str) -> WantedDigests:
    return WantedDigests((WantedDigest(ASPNET, digest, "8.0.20", marks=True),))


PROPS = b"<Project><PropertyGroup>\n<AspNetVersion>8.0.1</AspNetVersion>\n</PropertyGroup></Project>\n"
API = f"""<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:$(AspNetVersion)@{OLD}</ContainerBaseImage>
</PropertyGroup></Project>
""".encode()
ASPNET_MOVES = WantedDigests((WantedDigest(ASPNET, NEW, "8.0.4"),))


def test_a_version_is_moved_in_the_file_that_sets_it_and_the_digest_where_it_stands() -> None:
    files = {"Directory.Build.props": PROPS, "src/Api.csproj": API}
    done = refresh(files, dict.fromkeys(files, ASPNET_MOVES))
    assert done["Directory.Build.props"].data == PROPS.replace(b"8.0.1", b"8.0.4")
    assert done["src/Api.csproj"].data == API.replace(OLD.encode(), NEW.encode())
    assert done["Directory.Build.props"].met == {ASPNET}
    assert [each.message for each in done["Directory.Build.props"].moved] == [
        f"moves mcr.microsoft.com/dotnet/aspnet:8.0.1@{OLD} of src/Api.csproj:2"
        f" to mcr.microsoft.com/dotnet/aspnet:8.0.4@{NEW}"
    ]


def test_a_file_that_is_to_stay_keeps_those_that_share_its_property_as_they_are() -> None:
    files = {"Directory.Build.props": PROPS, "src/Api.csproj": API}
    done = refresh(files, {"src/Api.csproj": ASPNET_MOVES})
    assert {path: each.data for path, each in done.items()} == files
    [refused] = done["Directory.Build.props"].refused
    assert "it stands in Directory.Build.props too, which is to stay as it is" in refused.message


def test_files_of_msbuild_are_read_with_each_other_and_others_by_themselves() -> None:
    tree = ["Directory.Build.props", "src/A.csproj", "src/B.csproj", "Dockerfile", "deploy/x.yaml"]
    assert read_with(tree, ["Dockerfile"]) == {"Dockerfile"}
    assert read_with(tree, ["src/A.csproj", "Dockerfile"]) == set(tree) - {"deploy/x.yaml"}


def test_a_file_that_is_ahead_of_its_order_stays_and_meets_it() -> None:
    text = b"FROM mcr.microsoft.com/dotnet/sdk:8.0.417\n"
    done = refreshed("Dockerfile", text, SDK_MOVES)
    assert (done.data, done.met, done.refused) == (text, {SDK}, ())


@pytest.mark.parametrize("pin", Pin)
def test_no_pin_style_takes_a_file_back(pin: Pin) -> None:
    text = f"FROM mcr.microsoft.com/dotnet/sdk:8.0.417@{OLD}\n".encode()
    orders = WantedDigests((WantedDigest(SDK, NEW, "8.0.416", pin=pin),))
    assert refreshed("Dockerfile", text, orders).data == text


def test_a_tag_put_together_from_an_argument_is_not_taken_back_either() -> None:
    text = b"ARG VERSION=8.0.417\nFROM mcr.microsoft.com/dotnet/sdk:${VERSION}\n"
    assert refreshed("Dockerfile", text, SDK_MOVES).data == text


def test_a_chart_is_not_taken_back_either() -> None:
    text = b"image:\n  repository: mcr.microsoft.com/dotnet/sdk\n  tag: 8.0.417\n"
    assert refreshed("chart/values.yaml", text, SDK_MOVES).data == text


def test_a_rule_may_have_a_file_taken_back() -> None:
    orders = WantedDigests((WantedDigest(SDK, NEW, "8.0.416", may_go_back=True),))
    done = refreshed("Dockerfile", b"FROM mcr.microsoft.com/dotnet/sdk:8.0.417\n", orders)
    assert done.data == b"FROM mcr.microsoft.com/dotnet/sdk:8.0.416\n"


def test_the_tags_that_take_the_place_of_others_are_told() -> None:
    patch = "FROM mcr.microsoft.com/dotnet/sdk:8.0.404\n"
    done = refreshed("Dockerfile", patch.encode(), SDK_MOVES)
    assert [str(each) for each in done.new_tags] == ["mcr.microsoft.com/dotnet/sdk:8.0.416"]
    floating = f"FROM mcr.microsoft.com/dotnet/sdk:8.0@{OLD}\n"
    assert refreshed("Dockerfile", floating.encode(), SDK_MOVES).new_tags == ()
    assert refreshed("global.json", GLOBAL_JSON.encode(), SDK_MOVES).new_tags == ()
