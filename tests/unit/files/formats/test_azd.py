"""Services of azure.yaml."""

import pytest
from hypothesis import given

from bot.files.formats.azd import find, published
from tests.unit.files.formats.laws import any_text, spans_cover_what_they_claim

PATH = "app/azure.yaml"
SERVICE = """name: shop
services:
  api:
    project: ./src/api
    language: {language}
    host: {host}
{more}"""


def service(language: str = "dotnet", host: str = "containerapp", more: str = "") -> str:
    return SERVICE.format(language=language, host=host, more=more)


@pytest.mark.parametrize("language", ["dotnet", "csharp"])
@pytest.mark.parametrize("host", ["containerapp", "aks"])
def test_a_dotnet_service_in_a_container_is_published(language: str, host: str) -> None:
    assert [(each.name, each.project, each.line) for each in published(PATH, service(language, host))] == [
        ("api", "app/src/api", 4)
    ]


def test_a_project_may_be_written_with_the_separators_of_windows() -> None:
    [one] = published(PATH, service().replace("./src/api", ".\\src\\Api\\Api.csproj"))
    assert one.project == "app/src/Api/Api.csproj"


@pytest.mark.parametrize(
    "text",
    [
        service("js"),
        service(host="appservice"),
        service(more="    docker:\n      path: Dockerfile\n"),
        service(more="    image: a.example/x:1\n"),
        "services: [",
        "services: a",
        "",
    ],
)
def test_what_is_no_dotnet_service_that_azd_puts_into_a_container_is_not_published(text: str) -> None:
    assert published(PATH, text) == ()


def test_an_image_of_a_service_is_a_reference() -> None:
    text = service(more="    image: a.example/x:1\n")
    [usage] = find(PATH, text).usages
    assert (str(usage.reference), usage.line) == ("a.example/x:1", 7)


def test_an_image_from_the_environment_is_told() -> None:
    found = find(PATH, service(more="    image: ${IMAGE}\n"))
    assert found.usages == ()
    [problem] = found.problems
    assert (problem.line, "'${IMAGE}' is known only in azd's environment" in problem.message) == (7, True)


def test_a_file_that_is_no_yaml_is_one_problem() -> None:
    assert len(find(PATH, "services: [").problems) == 1


@given(any_text("services:\n", "  api:\n", "    image: ", "    project: ", "    language: dotnet\n"))
def test_any_text_is_read_and_every_span_is_exact(text: str) -> None:
    spans_cover_what_they_claim(text, find(PATH, text))
    published(PATH, text)
