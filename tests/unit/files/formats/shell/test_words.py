"""Which words a shell makes of what is written."""

import pytest

from bot.files.formats.shell.commands import SEVERAL, UNKNOWN, commands
from bot.files.formats.source.spanned import Spanned


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ('OPTIONS="--push -t api"; docker build $OPTIONS .', ["docker", "build", "--push", "-t", "api", "."]),
        ('OPTIONS="--push -t api"; docker build "$OPTIONS" .', ["docker", "build", "--push -t api", "."]),
        ("NONE=; docker build $NONE .", ["docker", "build", "."]),
        ("docker build $OPTIONS .", ["docker", "build", SEVERAL, "."]),
        ("docker build $(cat options) .", ["docker", "build", SEVERAL, "."]),
        ('docker build "$FOLDER"', ["docker", "build", UNKNOWN]),
        ('docker build "${OPTIONS[@]}" .', ["docker", "build", SEVERAL, "."]),
        ('$folder = "my app"\ndotnet publish $folder', ["dotnet", "publish", "my app"]),
        ('$env:FOLDER = "my app"\ndotnet publish $env:FOLDER', ["dotnet", "publish", "my app"]),
    ],
)
def test_a_variable_without_quotes_is_none_or_several_words_of_bash_and_one_of_powershell(
    script: str, words: list[str]
) -> None:
    of_docker_or_dotnet = next(
        each for each in commands(Spanned(script, range(len(script)))) if each.name in {"docker", "dotnet"}
    )
    assert [word.text for word in of_docker_or_dotnet.words] == words


def test_each_word_of_a_variable_keeps_its_place_in_the_file() -> None:
    script = 'OPTIONS="--push -t api:8"; docker build $OPTIONS .'
    command = commands(Spanned(script, range(len(script))))[0]
    name = next(word for word in command.words if word.text == "api:8")
    assert name.span(0, len(name)) is not None
    assert name.place(0) == script.index("api:8")
