"""Images that the C# of an AppHost names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Findings, Replacement, Role
from bot.files.formats.aspire.finder import find, is_file_based_app_host, referenced_projects
from bot.files.formats.rewrite.rewrite import rewrite
from tests.growth import LINEAR, growth
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

PATH = "src/Shop.AppHost/Program.cs"
SHA = "a" * 64


def named(text: str) -> list[str]:
    findings = find(PATH, text)
    assert findings.problems == ()
    spans_cover_what_they_claim(text, findings)
    return [str(usage.reference) for usage in findings.usages]


def told(findings: Findings) -> str:
    assert findings.usages == ()
    [problem] = findings.problems
    return problem.message


@pytest.mark.parametrize(
    ("code", "image"),
    [
        ('b.AddContainer("c", "ghcr.io/x/y", "1.2")', "ghcr.io/x/y:1.2"),
        ('b.AddContainer("c", "x/y:1.2")', "x/y:1.2"),
        ('b.AddContainer("c", "x/y")', "x/y"),
        ('b.AddContainer(name: "c", tag: "1.2", image: "x/y")', "x/y:1.2"),
        ('b.AddContainer("c", @"x/y", """1.2""")', "x/y:1.2"),
        ('b.AddContainer("c", "x/y", $"1.2")', "x/y:1.2"),
        ('b.AddContainer("c", "x/y", "1.2").WithImageTag("1.3")', "x/y:1.3"),
        ('b.AddContainer("c", "y").WithImageRegistry("a.example").WithHttpEndpoint()', "a.example/y"),
        (f'b.AddContainer("c", "x/y", "1.2").WithImageSHA256("{SHA}")', f"x/y@sha256:{SHA}"),
        ('b.AddPostgres("db").WithImage("ankane/pgvector").WithImageTag("latest")', "ankane/pgvector:latest"),
        ('b.AddPostgres("db").WithImage("pgvector/pgvector", "pg17")', "pgvector/pgvector:pg17"),
        ('b.AddRedis("cache").WithImageTag("7.4")', "docker.io/library/redis:7.4"),
        ('b.AddRedis("cache").WithImageRegistry("a.example").WithImageTag("7")', "a.example/library/redis:7"),
        ('b.AddSqlServer("s").WithImageTag("2022-latest")', "mcr.microsoft.com/mssql/server:2022-latest"),
        ('b.AddSqlServer("s").WithImage("mssql/server", "2022")', "mcr.microsoft.com/mssql/server:2022"),
        ('b.AddKeycloak("k").WithImageTag("26.4")', "quay.io/keycloak/keycloak:26.4"),
        ('b.AddOracle("o").WithImageTag("23.9")', "container-registry.oracle.com/database/free:23.9"),
        ('b.AddPostgres("p").WithPgAdmin(c => c.WithImageTag("9.8"))', "docker.io/dpage/pgadmin4:9.8"),
        ('p.WithPgWeb((c) => { c.WithHostPort(1).WithImageTag("0.16.2"); })', "docker.io/sosedoff/pgweb:0.16.2"),
        (
            'b.AddAzureStorage("s").RunAsEmulator(e => e.WithImageTag("3.34.0").WithLifetime(x))',
            "mcr.microsoft.com/azure-storage/azurite:3.34.0",
        ),
        (
            'var s = b.AddAzureSqlServer("s"); s.RunAsContainer((IResourceBuilder<X> c) => c.WithImageTag("2022"))',
            "mcr.microsoft.com/mssql/server:2022",
        ),
        ('const string Tag = "1.2"; b.AddContainer("c", "x/y", Tag)', "x/y:1.2"),
        ('b.AddContainer("c", Images.Web); static class Images { public const string Web = "x/y:3"; }', "x/y:3"),
    ],
)
def test_literal_arguments_name_an_image(code: str, image: str) -> None:
    assert named(f"// é 🎉\nvar b = DistributedApplication.CreateBuilder(args);\n{code};\n") == [image]


def test_an_image_is_found_at_the_place_of_its_tag() -> None:
    text = 'var x = b.AddContainer("c",\n  "ghcr.io/x/y",\n  "1.2");\n'
    [usage] = find(PATH, text).usages
    assert (usage.role, usage.line, usage.assembled) == (Role.IMAGE, 3, True)
    assert usage.span is not None
    assert usage.span.of(text) == "1.2"


def test_a_later_call_on_the_variable_counts() -> None:
    assert named('var x = b.AddContainer("c", "x/y", "1");\nx.WithImageTag("2");\n') == ["x/y:2"]


def test_a_call_under_a_condition_is_another_possibility() -> None:
    text = 'var x = b.AddContainer("c", "x/y", "1");\nif (isPublish) { x.WithImageTag("2"); }\n'
    assert named(text) == ["x/y:1", "x/y:2"]


def test_a_resource_whose_image_the_text_leaves_to_its_package_is_no_reference() -> None:
    assert find(PATH, 'b.AddRedis("cache"); b.AddProject<Projects.Api>("api");') == Findings()


@pytest.mark.parametrize(
    "code",
    [
        'var db = b.AddAzureCosmosDB("c").AddCosmosDatabase("d"); db.AddContainer("e", "/id");',
        'b.AddAzureCosmosDB("c").AddCosmosDatabase("d").AddContainer("e", "/id");',
        'd.AddContainer("e", ["/user", "/id"]);',
        'b.AddContainer("c", "built-here").WithDockerfile(".");',
        'var x = b.AddContainer("c", "built-here"); x.WithDockerfileFactory(".", f);',
    ],
)
def test_what_is_no_image_or_built_here_is_none(code: str) -> None:
    assert find(PATH, code) == Findings()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('b.AddContainer("c", config["image"])', 'AddContainer is given config["image"]'),
        ('b.AddContainer("c", "x/y", $"{version}")', 'AddContainer is given the tag $"{version}"'),
        ('b.AddContainer("c", "x/y", "1\\u002e2")', "AddContainer is given the tag"),
        ('b.AddContainer("c", "x/y", tag); tag = "1"; tag = "2"', "AddContainer is given the tag tag"),
        ('b.AddRedis("c").WithImageTag(tag)', "WithImageTag is given tag"),
        ('b.AddMine("c").WithImageTag("1")', "AddMine takes its image from elsewhere"),
        ('b.AddMine("c").WithImage("x/y")', "the registry of 'x/y' comes with AddMine"),
        ('b.AddContainer("c", "x/y", "1@2")', "'1@2' is no tag"),
        ('b.AddRedis("c").WithImageTag("1@sha256:2")', "is no tag: pin the digest with WithImageSHA256"),
        (f'b.AddRedis("c").WithImageSHA256("sha256:{"a" * 64}")', "write its 64 digits without sha256: in front"),
        ('b.AddContainer("c", "X Y")', "'X Y' is no image reference"),
        ('b.AddContainer("c", "x").WithImageSHA256("1")', "'1' is no SHA-256"),
    ],
)
def test_what_the_text_does_not_decide_is_told_with_the_reason(code: str, why: str) -> None:
    message = told(find(PATH, f"\n{code};\n"))
    assert message.startswith("1 image not known from the text (line 2: ")
    assert why in message


def test_all_of_a_file_is_told_in_one_line() -> None:
    message = told(find(PATH, 'b.AddContainer("c", a);\n' * 9))
    assert message.startswith("9 images not known from the text (line 1: ")
    assert "; and 4 more)" in message


def test_a_tag_is_rewritten_and_back_to_the_same_bytes() -> None:
    text = 'b.AddContainer("é", "x/y", "1.2") // 1.2\n  .WithImageRegistry("a.example");\n'.encode()
    old, new = Reference.parse("a.example/x/y:1.2"), Reference.parse("a.example/x/y:1.3")
    there = rewrite(PATH, text, [Replacement(old, new)])
    assert (there.data, there.edits) == (text.replace(b'"1.2"', b'"1.3"'), 1)
    assert rewrite(PATH, there.data, [Replacement(new, old)]).data == text


def test_a_digest_that_no_tag_can_hold_is_refused() -> None:
    text = b'b.AddContainer("c", "x/y", "1.2");\n'
    old = Reference.parse("x/y:1.2")
    done = rewrite(PATH, text, [Replacement(old, old.with_tag("1.2", f"sha256:{SHA}"))])
    assert (done.data, len(done.refused)) == (text, 1)


def test_an_app_host_may_be_one_file() -> None:
    lines = (
        "#!/usr/bin/env dotnet",
        "#:sdk Aspire.AppHost.Sdk@13.0.0",
        "#:project ../Api/Api.csproj",
        "var b = 1;",
    )
    text = "\ufeff" + "\r\n".join(lines)
    assert is_file_based_app_host(text)
    assert referenced_projects(text) == ("../Api/Api.csproj",)
    assert not is_file_based_app_host('var x = "\n#:sdk Aspire.AppHost.Sdk@1\n";')


@given(
    any_text(
        "AddContainer(",
        ".WithImage(",
        ".WithImageTag(",
        '"x/y:1"',
        '"1.2"',
        "b",
        "var x = ",
        ");",
        "if (a) {",
        "$@",
        '"""',
    )
)
def test_any_text_is_read_and_every_span_is_exact(text: str) -> None:
    spans_cover_what_they_claim(text, find(PATH, text))


names = st.sampled_from(["x/y", "ghcr.io/x/y", "mcr.microsoft.com/dotnet/monitor"])
tags = st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}(-[a-z]{1,8})?", fullmatch=True)


@given(names, tags, tags, st.sampled_from(["", '.WithImageRegistry("a.example")', ".WithHttpEndpoint(80)"]))
def test_there_and_back_gives_the_same_bytes(name: str, old: str, new: str, behind: str) -> None:
    text = f'// {old}\r\nb.AddContainer("c", "{name}", "{old}"){behind};\r\n'.encode()
    [usage] = find(PATH, text.decode()).usages
    target = usage.reference.with_tag(new, None)
    there = rewrite(PATH, text, [Replacement(usage.reference, target)])
    assert not there.refused
    assert rewrite(PATH, there.data, [Replacement(target, usage.reference)]).data == text


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "f(",
        'b.AddContainer("c", "x/y");',
        ".WithImageTag(",
        '.WithImageTag("1")',
        "if (a) {",
        '"',
        "var x = x.A();",
    ],
)
def test_hostile_texts_cost_no_more_than_their_length(piece: str) -> None:
    begin = 'b.AddContainer("c", "x")'
    assert growth(lambda size: find(PATH, begin + piece * (size // len(piece))), 20_000) < LINEAR
