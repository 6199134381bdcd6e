"""Rewriting the MSBuild files of a repository together."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement, Rewritten
from bot.files.formats.rewrite.rewrite import rewrite_files

ONE = "sha256:" + "1" * 64
TWO = "sha256:" + "2" * 64


def shared(**properties: str) -> str:
    lines = "".join(f"\r\n  <{name}>{value}</{name}>" for name, value in properties.items())
    return f"<!-- é -->\r\n<Project><PropertyGroup>{lines}\r\n</PropertyGroup></Project>\r\n"


def naming(base: str) -> str:
    return (
        '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>\n'
        f"<ContainerBaseImage>{base}</ContainerBaseImage></PropertyGroup></Project>\n"
    )


def rewritten(
    files: Mapping[str, str], *pairs: tuple[str, str], paths: Sequence[str] | None = None
) -> Mapping[str, Rewritten]:
    wanted = [Replacement(Reference.parse(old), Reference.parse(new)) for old, new in pairs]
    asked = dict.fromkeys(files if paths is None else paths, wanted)
    return rewrite_files({path: text.encode() for path, text in files.items()}, asked)


def texts(done: Mapping[str, Rewritten]) -> dict[str, str]:
    return {path: each.data.decode() for path, each in done.items()}


def refusals(done: Mapping[str, Rewritten]) -> list[str]:
    return [f"{each.path}:{each.line}: {each.message}" for one in done.values() for each in one.refused]


TWO_PROJECTS = {
    "Directory.Build.props": shared(V="8.0.1"),
    "a/A.csproj": naming("x/aspnet:$(V)"),
    "b/B.csproj": naming("x/aspnet:$(V)"),
}


def test_a_property_of_another_file_is_edited_there_and_all_that_it_moves_is_told() -> None:
    done = rewritten(TWO_PROJECTS, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"))
    assert texts(done) == {**TWO_PROJECTS, "Directory.Build.props": shared(V="8.0.4")}
    assert refusals(done) == []
    assert done["Directory.Build.props"].edits == 1
    assert [(each.line, each.message) for each in done["Directory.Build.props"].moved] == [
        (3, "moves x/aspnet:8.0.1 of a/A.csproj:2 to x/aspnet:8.0.4"),
        (3, "moves x/aspnet:8.0.1 of b/B.csproj:2 to x/aspnet:8.0.4"),
    ]


def test_what_else_uses_the_property_is_told() -> None:
    packages = shared(V="8.0.1").replace("</Project>", '\n<PackageVersion Include="P" Version="$(V)" /></Project>')
    files = {"Directory.Packages.props": packages, "a/A.csproj": naming("x/aspnet:$(V)")}
    told = rewritten(files, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"))["Directory.Packages.props"].moved
    assert [each.message for each in told] == [
        "moves x/aspnet:8.0.1 of a/A.csproj:2 to x/aspnet:8.0.4",
        "V is used in Directory.Packages.props:5 too, which move along",
    ]


def test_the_version_and_a_digest_beside_the_name_move_together() -> None:
    files = {"Directory.Build.props": shared(V="8.0.1"), "a/A.csproj": naming(f"x/aspnet:$(V)-alpine@{ONE}")}
    done = rewritten(files, (f"x/aspnet:8.0.1-alpine@{ONE}", f"x/aspnet:8.0.4-alpine@{TWO}"))
    assert texts(done) == {
        "Directory.Build.props": shared(V="8.0.4"),
        "a/A.csproj": naming(f"x/aspnet:$(V)-alpine@{TWO}"),
    }
    assert [one.edits for one in done.values()] == [1, 1]


def test_a_digest_alone_is_moved_in_the_project() -> None:
    files = {"Directory.Build.props": shared(V="8.0"), "a/A.csproj": naming(f"x/aspnet:$(V)@{ONE}")}
    done = rewritten(files, (f"x/aspnet:8.0@{ONE}", f"x/aspnet:8.0@{TWO}"))
    assert texts(done) == {**files, "a/A.csproj": naming(f"x/aspnet:$(V)@{TWO}")}


def test_a_digest_is_added_where_the_name_stands() -> None:
    files = {"Directory.Build.props": shared(V="8.0"), "a/A.csproj": naming("x/aspnet:$(V)")}
    done = rewritten(files, ("x/aspnet:8.0", f"x/aspnet:8.0@{TWO}"))
    assert texts(done) == {**files, "a/A.csproj": naming(f"x/aspnet:$(V)@{TWO}")}


def test_a_whole_image_in_another_file_is_edited_there() -> None:
    files = {"eng/images.props": shared(Image="x/aspnet:8.0.1"), "Directory.Build.props": "<Project />"}
    files["Directory.Build.props"] = '<Project><Import Project="eng/images.props" /></Project>'
    files["a/A.csproj"] = naming("$(Image)")
    done = rewritten(files, ("x/aspnet:8.0.1", f"y/aspnet:8.0.4@{TWO}"))
    assert texts(done) == {**files, "eng/images.props": shared(Image=f"y/aspnet:8.0.4@{TWO}")}


def test_a_property_that_would_move_another_image_too_is_refused_and_that_one_named() -> None:
    files = {**TWO_PROJECTS, "b/B.csproj": naming("x/runtime:$(V)")}
    done = rewritten(files, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"))
    assert texts(done) == files
    assert refusals(done) == [
        "Directory.Build.props:3: cannot change x/aspnet:8.0.1 to x/aspnet:8.0.4 for a/A.csproj:2: "
        "this would change x/runtime:8.0.1 in b/B.csproj:2 too; change both alike"
    ]


def test_both_are_moved_where_both_are_asked_for() -> None:
    files = {**TWO_PROJECTS, "b/B.csproj": naming("x/runtime:$(V)")}
    done = rewritten(files, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"), ("x/runtime:8.0.1", "x/runtime:8.0.4"))
    assert texts(done) == {**files, "Directory.Build.props": shared(V="8.0.4")}


def test_a_property_that_would_move_an_implicit_base_too_is_refused() -> None:
    published = (
        '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net$(V)</TargetFramework>'
        "<ContainerRepository>b</ContainerRepository></PropertyGroup></Project>"
    )
    files = {
        "Directory.Build.props": shared(V="8.0"),
        "a/A.csproj": naming("x/aspnet:$(V)"),
        "b/B.csproj": published,
    }
    done = rewritten(files, ("x/aspnet:8.0", "x/aspnet:9.0"))
    assert texts(done) == files
    assert "this would change mcr.microsoft.com/dotnet/aspnet:8.0 in b/B.csproj:1 too" in refusals(done)[0]


def test_a_file_that_is_to_stay_refuses_what_would_change_it() -> None:
    done = rewritten(TWO_PROJECTS, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"), paths=["a/A.csproj"])
    assert texts(done) == TWO_PROJECTS
    assert len(refusals(done)) == 1
    assert "it stands in Directory.Build.props too, which is to stay as it is" in refusals(done)[0]


def test_a_base_that_the_texts_leave_open_is_refused_where_it_may_be_meant() -> None:
    files = {"a/A.csproj": naming("x/aspnet:$(V)"), "b/B.csproj": naming("y/aspnet:$(V)")}
    done = rewritten(files, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"))
    assert texts(done) == files
    assert refusals(done) == [
        "a/A.csproj:2: cannot tell whether x/aspnet:8.0.1 stands here: "
        "ContainerBaseImage is undecided: $(V) is not set here"
    ]


def test_other_files_are_rewritten_by_themselves() -> None:
    files = {**TWO_PROJECTS, "Dockerfile": "FROM x/aspnet:8.0.1\n", "b/Dockerfile": "FROM x/other:1\n"}
    done = rewritten(files, ("x/aspnet:8.0.1", "x/aspnet:8.0.4"))
    assert texts(done)["Dockerfile"] == "FROM x/aspnet:8.0.4\n"
    assert texts(done)["b/Dockerfile"] == files["b/Dockerfile"]


def test_what_is_no_text_stays_as_it_is() -> None:
    files = {"a/A.csproj": b"\0", "b/B.csproj": b"<", "c/Dockerfile": b"FROM \xff"}
    wanted = (Replacement(Reference("a"), Reference("b")),)
    done = rewrite_files(files, dict.fromkeys(files, wanted))
    assert {path: each.data for path, each in done.items()} == files


versions = st.from_regex(r"[0-9]{1,2}\.[0-9]\.[0-9]{1,2}(-[a-z]{1,6})?", fullmatch=True)
digests = st.sampled_from(["", f"@{ONE}", f"@{TWO}"])
bases = st.sampled_from(["x/a:$(V)", "x/a:$(V)-z", "$(Registry)x/a:$(V)", "$(Whole)", "x/a:$(Major).$(Minor)"])


@given(versions, versions, bases, digests, st.booleans())
def test_there_and_back_gives_the_same_bytes(old: str, new: str, base: str, digest: str, is_near: bool) -> None:
    major, _, minor = old.partition(".")
    properties = shared(V=old, Registry="a.example/", Whole=f"x/a:{old}", Major=major, Minor=minor)
    files = {
        "src/Directory.Build.props" if is_near else "Directory.Packages.props": properties,
        "src/A/A.csproj": naming(base + digest),
        "src/B/B.csproj": naming(base + digest),
    }
    ending = "-z" if base.endswith("-z") else ""
    name = "a.example/x/a" if base.startswith("$(Registry)") else "x/a"
    before = f"{name}:{old}{ending}{digest}"
    after = f"{name}:{new}{ending}{f'@{TWO}' if digest else ''}"
    there = rewritten(files, (before, after))
    if before == after or refusals(there):
        assert texts(there) == files
        return
    assert texts(rewritten(texts(there), (after, before))) == files
