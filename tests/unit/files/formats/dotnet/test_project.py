import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import FileLine, Findings, Role, Usage
from bot.files.formats.dotnet.project import find, find_project
from bot.files.formats.source.text import BOM
from tests.conftest import NO_SHARED_DATA, SHARED
from tests.unit.files.formats.laws import spans_cover_in_all_files

PATH = "src/App/App.csproj"
FRAMEWORK = "<TargetFramework>net8.0</TargetFramework>"
PUBLISHED = "<ContainerRepository>app</ContainerRepository>"


def project(properties: str, *, sdk: str = "Microsoft.NET.Sdk.Web", items: str = "") -> str:
    group = f"  <PropertyGroup>\n    {properties}\n  </PropertyGroup>\n"
    return f'<Project Sdk="{sdk}">\n{group}  <ItemGroup>{items}</ItemGroup>\n</Project>\n'


def only(findings: Findings) -> Usage:
    assert len(findings.usages) == 1, findings
    return findings.usages[0]


def implied(text: str, *, sdk: str | None = None) -> str:
    findings = find_project(PATH, text, (), sdk=sdk)
    assert findings.problems == ()
    usage = only(findings)
    assert usage.role is Role.IMPLICIT_BASE
    return str(usage.reference).removeprefix("mcr.microsoft.com/dotnet/")


def told(findings: Findings) -> str:
    assert findings.usages == ()
    assert len(findings.problems) == 1
    return findings.problems[0].message


# Named bases


def test_a_named_base_is_found_with_its_exact_place() -> None:
    text = project("<ContainerBaseImage> mcr.microsoft.com/dotnet/aspnet:8.0-noble </ContainerBaseImage>")
    usage = only(find(PATH, text))
    assert (usage.role, usage.line, str(usage.reference)) == (
        Role.BASE_IMAGE,
        3,
        "mcr.microsoft.com/dotnet/aspnet:8.0-noble",
    )
    assert usage.span is not None
    assert usage.span.of(text) == "mcr.microsoft.com/dotnet/aspnet:8.0-noble"
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "8.0-noble"


@pytest.mark.parametrize("before", [BOM, "<!-- été 🎉 -->\r\n", '<?xml version="1.0" encoding="utf-16"?>\r\n'])
def test_places_are_exact_behind_any_characters(before: str) -> None:
    text = before + project("<ContainerBaseImage>a.example/é/../x</ContainerBaseImage>").replace("é/../", "")
    usage = only(find(PATH, text))
    assert usage.span is not None
    assert usage.span.of(text) == "a.example/x"


def test_a_base_in_a_comment_is_none() -> None:
    assert find(PATH, project("<!-- <ContainerBaseImage>a.example/x:1</ContainerBaseImage> -->")) == Findings()


def test_a_property_of_the_same_file_is_put_in_and_can_be_rewritten_there() -> None:
    text = project(
        "<BaseTag>8.0-jammy</BaseTag>\n"
        "    <ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:$(BaseTag)</ContainerBaseImage>"
    )
    usage = only(find(PATH, text))
    assert (usage.assembled, usage.line, usage.reference.tag) == (True, 3, "8.0-jammy")
    assert usage.tag_span is not None
    assert usage.tag_span.of(text) == "8.0-jammy"


def test_a_property_that_is_not_in_the_file_leaves_the_base_undecided() -> None:
    text = project("<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:$(BaseTag)</ContainerBaseImage>")
    assert told(find(PATH, text)) == (
        "ContainerBaseImage is undecided: $(BaseTag) is not set here; write the image out in this file"
    )


def test_a_property_from_a_shared_file_is_put_in_and_stands_there() -> None:
    text = project("<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:$(BaseTag)</ContainerBaseImage>")
    shared = "<Project><PropertyGroup>\n<BaseTag>8.0-noble</BaseTag></PropertyGroup></Project>"
    usage = only(find_project(PATH, text, [("Directory.Build.props", shared)]))
    assert usage.reference.tag == "8.0-noble"
    assert (usage.path, usage.line, usage.named_at) == ("Directory.Build.props", 2, FileLine(PATH, 3))
    assert usage.span is not None
    assert usage.tag_span == usage.span
    assert usage.span.of(shared) == "8.0-noble"
    assert usage.paths == ("Directory.Build.props", PATH)


def test_a_version_from_a_shared_file_is_the_place_and_not_the_ending_beside_it() -> None:
    text = project("<ContainerBaseImage>a.example/x:$(V)-alpine@sha256:" + "a" * 64 + "</ContainerBaseImage>")
    shared = "<Project><PropertyGroup><V>8.0.1</V></PropertyGroup></Project>"
    usage = only(find_project(PATH, text, [("Directory.Build.props", shared)]))
    assert usage.path == "Directory.Build.props"
    assert usage.span is not None
    assert usage.span.of(shared) == "8.0.1"


def test_a_registry_from_a_shared_file_leaves_the_tag_where_it_is() -> None:
    text = project("<ContainerBaseImage>$(Registry)/x:1.2</ContainerBaseImage>")
    shared = "<Project><PropertyGroup><Registry>a.example</Registry></PropertyGroup></Project>"
    usage = only(find_project(PATH, text, [("Directory.Build.props", shared)]))
    assert (usage.path, usage.named_at, str(usage.reference)) == (PATH, None, "a.example/x:1.2")
    assert usage.paths == (PATH, "Directory.Build.props")


@pytest.mark.parametrize("name", ["Directory.Build.props", "Directory.Packages.props", "src/eng/versions.props"])
def test_a_version_is_found_in_whichever_file_msbuild_imports(name: str) -> None:
    text = project("<ContainerBaseImage>a.example/x:$(V)</ContainerBaseImage>")
    line = r'<Import Project="$(MSBuildThisFileDirectory)..\eng\versions.props" />'
    text = text.replace("  <PropertyGroup>", f"{line}<PropertyGroup>", 1)
    usage = only(find_project(PATH, text, [(name, "<Project><PropertyGroup><V>1</V></PropertyGroup></Project>")]))
    assert (usage.path, str(usage.reference)) == (name, "a.example/x:1")


def test_a_property_that_holds_a_folder_leads_to_an_import() -> None:
    shared = [
        (
            "Directory.Build.props",
            "<Project><PropertyGroup><Root>$(MSBuildThisFileDirectory)</Root></PropertyGroup>"
            '<Import Project="$(Root)eng/v.props" /></Project>',
        ),
        ("eng/v.props", "<Project><PropertyGroup><V>1</V></PropertyGroup></Project>"),
    ]
    text = project("<ContainerBaseImage>a.example/x:$(V)</ContainerBaseImage>")
    assert only(find_project(PATH, text, shared)).path == "eng/v.props"


def test_a_folder_above_is_found_by_a_file_in_it() -> None:
    text = project("<ContainerBaseImage>a.example/x:$(V)</ContainerBaseImage>").replace(
        "  <PropertyGroup>",
        '<Import Project="$([MSBuild]::GetDirectoryNameOfFileAbove($(MSBuildThisFileDirectory), '
        "'root.txt.props'))/eng/v.props\" /><PropertyGroup>",
        1,
    )
    shared = [
        ("root.txt.props", "<Project/>"),
        ("eng/v.props", "<Project><PropertyGroup><V>1</V></PropertyGroup></Project>"),
    ]
    assert only(find_project(PATH, text, shared)).path == "eng/v.props"


@pytest.mark.parametrize(
    "tag",
    [
        "$([System.DateTime]::Now.Year)",
        "$([MSBuild]::ValueOrDefault('$(Tag)', '10.0'))-$(Flavor.Trim('(x'))",
        "$(TargetFramework.Substring(3))",
        "$(Tag[0])",
    ],
)
def test_a_function_of_msbuild_leaves_the_base_undecided(tag: str) -> None:
    found = find(
        PATH, project(FRAMEWORK + PUBLISHED + f"<ContainerBaseImage>a.example/x:{tag}</ContainerBaseImage>")
    )
    assert "takes MSBuild to compute" in told(found)
    [place] = found.open_references
    assert place.may_be(Reference.parse("a.example/x:10.0-alpine"))
    assert not place.may_be(Reference.parse("a.example/y:10.0-alpine"))


def test_a_base_under_a_condition_that_is_not_known_is_found_and_the_condition_told() -> None:
    text = project("""<ContainerBaseImage Condition="'$(OS)' == 'Unix'">a.example/x:1</ContainerBaseImage>""")
    findings = find(PATH, text)
    assert only(findings).reference.tag == "1"
    assert "'$(OS)' == 'Unix'" in findings.problems[0].message


def test_every_branch_of_a_choice_is_found() -> None:
    text = (
        "<Project><Choose>"
        "<When Condition=\"'$(Flavor)' == 'small'\"><PropertyGroup>"
        "<ContainerBaseImage>a.example/small:1</ContainerBaseImage></PropertyGroup></When>"
        "<Otherwise><PropertyGroup><ContainerBaseImage>a.example/large:1</ContainerBaseImage></PropertyGroup></Otherwise>"
        "</Choose></Project>"
    )
    findings = find("Directory.Build.props", text)
    assert [usage.reference.name for usage in findings.usages] == ["a.example/small", "a.example/large"]


CHOICE = (
    "<PropertyGroup><Flavor>large</Flavor></PropertyGroup><Choose>"
    "<When Condition=\"'$(Flavor)' == 'small'\"><PropertyGroup>"
    "<ContainerBaseImage>a.example/small:$([System.DateTime]::Now.Year)</ContainerBaseImage></PropertyGroup></When>"
    "<When Condition=\"'$(Flavor)' == 'large'\"><PropertyGroup>"
    "<ContainerBaseImage>a.example/large:1</ContainerBaseImage></PropertyGroup></When>"
    "<Otherwise><PropertyGroup><ContainerBaseImage>a.example/other:1</ContainerBaseImage></PropertyGroup></Otherwise>"
    "</Choose>"
)


@pytest.mark.parametrize("path", [PATH, "Directory.Build.props"])
def test_branches_of_a_choice_that_never_hold_are_no_bases(path: str) -> None:
    found = find(path, f"<Project>{CHOICE}</Project>")
    assert (only(found).reference.name, found.problems, found.open_references) == ("a.example/large", (), ())


@pytest.mark.parametrize(
    "flavor",
    [
        "",
        "<Flavor Condition=\"'$(Flavor)' == ''\">large</Flavor>",
        "<Size Condition=\"'$(Size)' == ''\">large</Size><Flavor>$(Size)</Flavor>",
        "<Flavor>large</Flavor><Flavor Condition=\"'$(Size)' == 's'\">small</Flavor>",
    ],
)
def test_a_branch_that_a_build_may_be_given_a_value_for_is_a_base(flavor: str) -> None:
    text = CHOICE.replace("<Flavor>large</Flavor>", flavor).replace("$([System.DateTime]::Now.Year)", "1")
    names = [usage.reference.name for usage in find(PATH, f"<Project>{text}</Project>").usages]
    assert names == ["a.example/small", "a.example/large", "a.example/other"]


def test_a_base_for_debugging_is_none_of_what_is_published() -> None:
    text = project(
        """<ContainerBaseImage>a.example/x:1</ContainerBaseImage>
        <ContainerBaseImage Condition="'$(Configuration)' == 'Debug'">a.example/debug:1</ContainerBaseImage>"""
    )
    assert only(find(PATH, text)).reference.name == "a.example/x"


def test_a_base_that_a_target_sets_is_found_and_nothing_is_implied() -> None:
    text = project(FRAMEWORK + PUBLISHED).replace(
        "</Project>",
        '<Target Name="T"><PropertyGroup><ContainerBaseImage>a.example/x:1</ContainerBaseImage></PropertyGroup>'
        "</Target></Project>",
    )
    assert only(find(PATH, text)).role is Role.BASE_IMAGE


def test_text_that_is_no_image_is_told() -> None:
    text = project("<ContainerBaseImage>not an image</ContainerBaseImage>")
    assert told(find(PATH, text)) == "'not an image' is no image reference; correct it"


# Implied bases


@pytest.mark.parametrize(
    ("sdk", "properties", "base"),
    [
        ("Microsoft.NET.Sdk.Web", "", "aspnet:8.0"),
        ("Microsoft.NET.Sdk.Worker", "", "runtime:8.0"),
        ("Microsoft.NET.Sdk", "<OutputType>Exe</OutputType>", "runtime:8.0"),
        ("Microsoft.NET.Sdk.Web", "<SelfContained>true</SelfContained>", "runtime-deps:8.0"),
        ("Microsoft.NET.Sdk.Web", "<PublishSelfContained>true</PublishSelfContained>", "runtime-deps:8.0"),
        ("Microsoft.NET.Sdk.Web", "<PublishSingleFile>true</PublishSingleFile>", "runtime-deps:8.0"),
        ("Microsoft.NET.Sdk.Web", "<PublishAot>true</PublishAot>", "runtime-deps:8.0-noble-chiseled-extra"),
        ("Microsoft.NET.Sdk.Web", "<PublishTrimmed>true</PublishTrimmed>", "runtime-deps:8.0-noble-chiseled-extra"),
        (
            "Microsoft.NET.Sdk.Web",
            "<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization>",
            "runtime-deps:8.0-noble-chiseled",
        ),
        ("Microsoft.NET.Sdk.Web", "<RuntimeIdentifier>linux-musl-x64</RuntimeIdentifier>", "aspnet:8.0-alpine"),
        (
            "Microsoft.NET.Sdk.Web",
            "<RuntimeIdentifier>linux-musl-x64</RuntimeIdentifier><PublishAot>true</PublishAot>",
            "runtime-deps:8.0-alpine-extra",
        ),
        ("Microsoft.NET.Sdk.Web", "<ContainerFamily>alpine</ContainerFamily>", "aspnet:8.0-alpine"),
        (
            "Microsoft.NET.Sdk.Web",
            "<ContainerFamily>noble-chiseled</ContainerFamily>",
            "aspnet:8.0-noble-chiseled-extra",
        ),
        (
            "Microsoft.NET.Sdk.Web",
            "<ContainerFamily>noble-chiseled</ContainerFamily><InvariantGlobalization>true</InvariantGlobalization>",
            "aspnet:8.0-noble-chiseled",
        ),
    ],
)
def test_the_base_that_the_sdk_chooses(sdk: str, properties: str, base: str) -> None:
    assert implied(project(FRAMEWORK + PUBLISHED + properties, sdk=sdk)) == base


def test_a_framework_reference_makes_a_console_application_an_aspnet_one() -> None:
    text = project(
        FRAMEWORK + PUBLISHED + "<OutputType>Exe</OutputType>",
        sdk="Microsoft.NET.Sdk",
        items='<FrameworkReference Include="Microsoft.AspNetCore.App" />',
    )
    assert implied(text) == "aspnet:8.0"


@pytest.mark.parametrize(
    ("framework", "base"),
    [("net7.0", "runtime-deps:7.0"), ("net8.0", "aspnet:8.0")],
)
def test_a_runtime_identifier_meant_self_contained_before_net_8(framework: str, base: str) -> None:
    text = project(
        f"<TargetFramework>{framework}</TargetFramework>{PUBLISHED}<RuntimeIdentifier>linux-x64</RuntimeIdentifier>"
    )
    assert implied(text) == base


@pytest.mark.parametrize(
    ("framework", "sdk", "base"),
    [
        ("net8.0", "8.0.204", "runtime-deps:8.0-jammy-chiseled-extra"),
        ("net8.0", "8.0.404", "runtime-deps:8.0-noble-chiseled-extra"),
        ("net10.0", "10.0.100-rc.1.25451.107", "runtime-deps:10.0.0-rc.1-noble-chiseled-extra"),
        ("net10.0", "10.0.200-preview.0.1", "runtime-deps:10.0-noble-chiseled-extra"),
        ("net9.0", "10.0.100-rc.1.25451.107", "runtime-deps:9.0-noble-chiseled-extra"),
        ("net11.0", None, "runtime-deps:11.0-resolute-chiseled-extra"),
    ],
)
def test_a_pinned_sdk_decides_the_ubuntu_release_and_the_preview(
    framework: str, sdk: str | None, base: str
) -> None:
    text = project(f"<TargetFramework>{framework}</TargetFramework>{PUBLISHED}<PublishAot>true</PublishAot>")
    assert implied(text, sdk=sdk) == base


def test_an_implied_base_needs_a_rebuild_and_no_edit() -> None:
    usage = only(find(PATH, project(FRAMEWORK + PUBLISHED)))
    assert usage.span is None
    assert usage.fixed_because == "dotnet publish chooses this base; a rebuild takes the current one"
    assert usage.line == 3


def test_runtime_identifiers_tell_the_platforms() -> None:
    rids = "<ContainerRuntimeIdentifiers>linux-x64;linux-arm64</ContainerRuntimeIdentifiers>"
    assert only(find(PATH, project(FRAMEWORK + PUBLISHED + rids))).platforms == ("linux/amd64", "linux/arm64")


def test_musl_beside_glibc_is_refused_by_the_sdk() -> None:
    rids = "<RuntimeIdentifiers>linux-x64;linux-musl-x64</RuntimeIdentifiers>"
    assert "mix linux-musl with others" in told(find(PATH, project(FRAMEWORK + PUBLISHED + rids)))


def test_each_target_framework_has_its_own_base() -> None:
    text = project(
        "<TargetFrameworks>net8.0;net10.0</TargetFrameworks>"
        + PUBLISHED
        + "<PublishAot Condition=\"'$(TargetFramework)' == 'net10.0'\">true</PublishAot>"
    )
    tags = [usage.reference.tag for usage in find(PATH, text).usages]
    assert tags == ["8.0", "10.0-noble-chiseled-extra"]


def test_a_setting_for_release_counts_for_a_publish() -> None:
    text = project(
        FRAMEWORK + PUBLISHED + "<PublishAot Condition=\"'$(Configuration)'=='Release'\">true</PublishAot>"
    )
    assert implied(text) == "runtime-deps:8.0-noble-chiseled-extra"


def test_a_setting_that_changes_nothing_may_stay_undecided() -> None:
    text = project(
        FRAMEWORK
        + PUBLISHED
        + "<InvariantGlobalization Condition=\"'$(OS)' == 'Unix'\">true</InvariantGlobalization>"
    )
    assert implied(text) == "aspnet:8.0"


def test_a_setting_that_changes_the_base_and_is_not_known_leaves_all_candidates() -> None:
    text = project(FRAMEWORK + PUBLISHED + "<PublishAot Condition=\"'$(OS)' == 'Unix'\">true</PublishAot>")
    findings = find(PATH, text)
    assert [usage.reference.base.short for usage in findings.usages] == [
        "runtime-deps:8.0-noble-chiseled-extra",
        "aspnet:8.0",
    ]
    assert {usage.role for usage in findings.usages} == {Role.IMPLICIT_BASE}
    [problem] = findings.problems
    assert problem.message.startswith(
        "the base that dotnet publish chooses is undecided: PublishAot: whether "
        "\"'$(OS)' == 'Unix'\" holds is not known here; "
    )


def test_without_a_target_framework_the_base_is_undecided() -> None:
    assert "TargetFramework is not set here" in told(
        find(PATH, project("<ContainerFamily>alpine</ContainerFamily>"))
    )


@pytest.mark.parametrize(
    ("sdk", "properties", "items"),
    [
        ("Microsoft.NET.Sdk.Web", "", ""),
        ("Microsoft.NET.Sdk.Web", f"{PUBLISHED}<OutputType>Library</OutputType>", ""),
        ("Microsoft.NET.Sdk", PUBLISHED, ""),
        ("Microsoft.NET.Sdk.Web", f"{PUBLISHED}<IsTestProject>true</IsTestProject>", ""),
        ("Microsoft.NET.Sdk.Web", PUBLISHED, '<PackageReference Include="Microsoft.NET.Test.Sdk" />'),
        ("Microsoft.NET.Sdk.Web", f"{PUBLISHED}<IsPackable>true</IsPackable>", ""),
        ("Microsoft.NET.Sdk.Web", f"{PUBLISHED}<IsPublishable>false</IsPublishable>", ""),
        ("Microsoft.NET.Sdk.Web", "<ContainerDevelopmentMode>Fast</ContainerDevelopmentMode>", ""),
        ("Microsoft.NET.Sdk.Web", "<EnableSdkContainerSupport>false</EnableSdkContainerSupport>", ""),
    ],
)
def test_nothing_is_implied_for_what_is_not_published_as_a_container(sdk: str, properties: str, items: str) -> None:
    assert find(PATH, project(FRAMEWORK + properties, sdk=sdk, items=items)) == Findings()


@pytest.mark.parametrize(
    ("properties", "items"),
    [
        ("<EnableSdkContainerSupport>true</EnableSdkContainerSupport>", ""),
        ("<ContainerImageName>app</ContainerImageName>", ""),
        ("<PublishProfile>DefaultContainer</PublishProfile>", ""),
        ("", '<ContainerPort Include="8080" Type="tcp" />'),
        ("", '<PackageReference Include="Microsoft.NET.Build.Containers" Version="8.0.0" />'),
    ],
)
def test_signs_of_a_container_publish(properties: str, items: str) -> None:
    text = project(FRAMEWORK + "<OutputType>Exe</OutputType>" + properties, sdk="Microsoft.NET.Sdk", items=items)
    assert implied(text) == "runtime:8.0"


# Shared files

SHARED_PROPS = (
    "<Project><PropertyGroup><TargetFramework>net9.0</TargetFramework>"
    "<ContainerRegistry>a.example</ContainerRegistry></PropertyGroup></Project>"
)


def test_the_nearest_shared_file_feeds_the_project() -> None:
    near = "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>"
    findings = find_project(
        PATH, project(PUBLISHED), [("Directory.Build.props", SHARED_PROPS), ("src/Directory.Build.props", near)]
    )
    assert only(findings).reference.tag == "10.0"


@pytest.mark.parametrize(
    "imported",
    [
        "$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))",
        "$([MSBuild]::GetPathOfFileAbove($(MSBuildThisFile), $(MSBuildThisFileDirectory)..))",
        "..\\Directory.Build.props",
        "$(MSBuildThisFileDirectory)../Directory.Build.props",
    ],
)
def test_a_shared_file_may_import_the_one_above_it(imported: str) -> None:
    near = f'<Project><Import Project="{imported}" /></Project>'
    shared = [("Directory.Build.props", SHARED_PROPS), ("src/Directory.Build.props", near)]
    assert only(find_project(PATH, project(PUBLISHED), shared)).reference.tag == "9.0"


@pytest.mark.parametrize("start", ["", ", '$(MSBuildThisFileDirectory)'", ", $(MSBuildThisFileDirectory)../"])
def test_a_project_may_import_any_file_above_it_by_name(start: str) -> None:
    line = f"""<Import Project="$([MSBuild]::GetPathOfFileAbove('images.props'{start}))" />"""
    text = project(FRAMEWORK + PUBLISHED).replace("</Project>", f"{line}</Project>")
    shared = [
        ("Directory.Build.props", "<Project />"),
        (
            "images.props",
            "<Project><PropertyGroup><ContainerBaseImage>x:1</ContainerBaseImage></PropertyGroup></Project>",
        ),
    ]
    assert find_project(PATH, text, shared).usages == ()


def test_a_shared_sign_counts_for_web_projects_alone() -> None:
    shared = [("Directory.Build.props", SHARED_PROPS)]
    console = project("<OutputType>Exe</OutputType>", sdk="Microsoft.NET.Sdk")
    assert find_project(PATH, console, shared) == Findings()
    assert only(find_project(PATH, project(""), shared)).reference.tag == "9.0"


def test_a_shared_file_that_names_the_base_leaves_nothing_to_imply() -> None:
    shared = (
        "<Project><PropertyGroup><ContainerBaseImage>a.example/x:1</ContainerBaseImage></PropertyGroup></Project>"
    )
    assert find_project(PATH, project(FRAMEWORK + PUBLISHED), [("Directory.Build.props", shared)]) == Findings()
    assert only(find("Directory.Build.props", shared)).role is Role.BASE_IMAGE


def test_files_that_import_each_other_come_to_an_end() -> None:
    shared = [
        ("Directory.Build.props", '<Project><Import Project="a.props" /></Project>'),
        ("a.props", '<Project><Import Project="Directory.Build.props" /></Project>'),
    ]
    assert only(find_project(PATH, project(FRAMEWORK + PUBLISHED), shared)).reference.tag == "8.0"


def test_a_shared_file_that_cannot_be_read_is_told() -> None:
    findings = find_project(PATH, project(FRAMEWORK + PUBLISHED), [("Directory.Build.props", "<Project>")])
    assert [problem.message for problem in findings.problems] == [
        "what Directory.Build.props sets is not known here: the file is not valid XML: no element found"
    ]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252"])
def test_a_project_may_be_written_in_an_encoding_that_it_declares(encoding: str) -> None:
    text = f"""<?xml version="1.0" encoding="{encoding}"?>
<Project><PropertyGroup><Company>Caf\udce9</Company>
<ContainerBaseImage>r.io/x:1</ContainerBaseImage></PropertyGroup></Project>"""
    usage = only(find(PATH, text))
    assert (str(usage.reference), usage.line) == ("r.io/x:1", 3)
    assert usage.span is not None
    assert usage.span.of(text) == "r.io/x:1"


# Hostile texts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<Container", "the file is not valid XML: unclosed token"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Container>&a;</Container>', "the file has a document type declaration"),
        ('<!DOCTYPE x SYSTEM "http://a.example/x"><Container/>', "the file has a document type declaration"),
        ("<Container>" * 200, "the file nests deeper than"),
        ("<Container/>\ud800", "the file is not valid XML"),
        ("<Container>\udcff</Container>", "the file is not valid XML"),
        (f"<Container>{' ' * 1_048_576}</Container>", "the file has more than 1,048,576 characters"),
        (f"<Container>{'<a/>' * 20_000}</Container>", "the file has more than 20,000 elements"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(text: str, why: str) -> None:
    assert told(find(PATH, text)).startswith(why)


def test_properties_that_double_each_other_come_to_an_end() -> None:
    doubling = "<A>xxxxxxxxxx</A>" + "<A>$(A)$(A)</A>" * 5000
    findings = find(PATH, project(doubling + "<ContainerBaseImage>a.example/x:$(A)</ContainerBaseImage>"))
    assert "too long" in told(findings)


def test_a_file_that_names_a_base_without_end_is_cut() -> None:
    assert len(find(PATH, project("<ContainerBaseImage>a.example/x:1</ContainerBaseImage>\n" * 9000)).usages) == 100


names = st.sampled_from(
    [
        "ContainerBaseImage",
        "ContainerFamily",
        "TargetFramework",
        "TargetFrameworks",
        "A",
        "PublishAot",
        "OutputType",
    ]
)
values = st.sampled_from(
    [
        "net8.0",
        "net8.0;net9.0",
        "true",
        "$(A)",
        "a.example/x:1",
        "a.example/$(A):$(A)",
        "x&amp;y",
        "$(B",
        "Exe",
        " ",
        "é",
    ]
)
conditions = st.sampled_from(
    [
        "",
        "'$(A)' == ''",
        "$(A)",
        "Exists('x')",
        "!('$(A)' != 'true') or '1' < '2'",
        "(",
        "'",
        "'$(OS)' == 'x' and false",
    ]
)
settings = st.builds('<{0} Condition="{2}">{1}</{0}>'.format, names, values, conditions)
projects = st.lists(settings, max_size=8).map(lambda lines: project("\n".join([PUBLISHED, *lines])))


@given(st.text().map(lambda text: f"container{text}") | projects, st.lists(projects | st.text(), max_size=2))
def test_any_text_is_read_and_every_span_is_exact(text: str, shared: list[str]) -> None:
    props = [(f"{'src/' * depth}Directory.Build.props", each) for depth, each in enumerate(shared)]
    spans_cover_in_all_files({**dict(props), PATH: text}, find_project(PATH, text, props))


# Cases


def cases() -> list[Any]:
    path = SHARED / "cases" / "discover.jsonl"
    if not path.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=NO_SHARED_DATA))]
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [pytest.param(row, id=row["id"]) for row in rows if row["kind"] == "csproj"]


@pytest.mark.parametrize("case", cases())
def test_cases_from_the_sdks_documentation(case: dict[str, Any]) -> None:
    found = {
        (usage.reference.name, usage.reference.tag, usage.reference.digest, usage.line)
        for usage in find(case["filename"], case["content"]).usages
    }
    expected, optional = keys(case["expect"]), keys(case["optional"])
    assert all(any(key in found for key in alternatives) for alternatives in expected)
    assert found <= {key for alternatives in (*expected, *optional) for key in alternatives}


def keys(references: list[dict[str, Any]]) -> list[set[tuple[Any, ...]]]:
    return [
        {(each["image"], each["tag"], each["digest"], line) for line in (each["line"], *each.get("also_lines", []))}
        for each in references
    ]
