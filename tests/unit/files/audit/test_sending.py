"""Whether a command that asks a server for something sends something too."""

import pytest

from bot.files.audit.delivery.sending import carries_body, sends
from bot.files.formats.shell.commands import commands
from bot.files.formats.source.spanned import Spanned


def words_of(line: str) -> tuple[str, ...]:
    *_, command = commands(Spanned(line, range(len(line))))
    return tuple(word.text for word in command.words)


@pytest.mark.parametrize(
    "line",
    [
        "curl -sX POST https://contoso.com",
        "curl -fsSXDELETE https://contoso.com",
        "curl -X DELETE -G https://contoso.com",
        "curl -X POST -I https://contoso.com",
        "curl -X POST -d 'say --method=get' https://contoso.com",
        "curl --request=PUT https://contoso.com",
        "curl --request PATCH https://contoso.com",
        'curl -X "$METHOD" https://contoso.com',
        "curl -d@file https://contoso.com",
        "curl -dfoo=1 https://contoso.com",
        "curl -sd a=1 https://contoso.com",
        "curl -F file=@a https://contoso.com",
        "curl -sST a.zip https://contoso.com",
        "curl --json '{}' https://contoso.com",
        "curl --data-urlencode a=1 https://contoso.com",
        "curl -G -F a=b https://contoso.com",
        "curl -X GET https://contoso.com --next -d a=1 https://contoso.com",
        "curl -X GET -X POST https://contoso.com",
        "curl -H '-XGET' -d a=1 https://contoso.com",
        "/usr/bin/curl -sX POST https://contoso.com",
        "curl.exe -sX POST https://contoso.com",
        "wget --post-data=a https://contoso.com",
        "wget --post-file a https://contoso.com",
        "wget --method=PUT https://contoso.com",
        "wget --method DELETE https://contoso.com",
        "Invoke-RestMethod -Method:Post https://contoso.com",
        "Invoke-RestMethod -Method Post https://contoso.com",
        "irm -Me post https://contoso.com",
        "iwr https://contoso.com -InFile a.zip",
        "Invoke-WebRequest -CustomMethod PURGE https://contoso.com",
        "Invoke-RestMethod @call",
        "curl -Method Post -Uri https://contoso.com",
        "gh api -XPOST repos/contoso/api/dispatches",
        "gh api repos/contoso/api/dispatches -fevent_type=a",
        "gh api --method=DELETE repos/contoso/api",
        "curl $ARGS",
        'curl "$@"',
        'curl "${ARGS[@]}" https://contoso.com',
        "curl -fsSL $ARGS https://contoso.com",
        'curl "$OPTION" https://contoso.com',
        "ARGS='--data a=1'; curl $ARGS https://contoso.com",
        "wget -e post_data=a https://contoso.com",
        "wget --execute=method=PUT https://contoso.com",
        "wget --config=own.wgetrc https://contoso.com",
        "gh api $ARGS",
    ],
)
def test_a_body_or_a_method_that_does_more_than_read_is_sent(line: str) -> None:
    assert sends(words_of(line))


@pytest.mark.parametrize(
    "line",
    [
        "curl -sSfL -o data https://contoso.com",
        "curl -LodT https://contoso.com",
        "curl -G -d q=1 https://contoso.com",
        "curl -Gd q=1 https://contoso.com",
        "curl -X GET -d '{}' https://contoso.com",
        "curl -sXHEAD https://contoso.com",
        "curl -H 'X-Method: POST' -A '-d' https://contoso.com",
        "curl --user-agent '-XPOST' https://contoso.com",
        "wget -T 30 -X /a -d https://contoso.com",
        "wget -qO- https://contoso.com",
        "Invoke-RestMethod -Method Get -Body $query https://contoso.com",
        "iwr -Uri https://contoso.com -OutFile Form.zip",
        "gh api -X GET search/issues -f q=a",
        "gh api repos/contoso/api --jq .name",
        'gh api "$ENDPOINT" --jq .name',
        'curl -fsSL "$URL" -o a.zip',
        'curl --retry 3 --speed-time 5 "$URL"',
        'curl -H "Authorization: $TOKEN" --cacert "$AUTHORITY" https://contoso.com',
        "curl -fsSL $HOST/version",
        "NONE=; curl $NONE https://contoso.com",
        "wget -e robots=off https://contoso.com",
        "Invoke-RestMethod $url -OutFile a.zip",
    ],
)
def test_what_only_reads_is_not_sent(line: str) -> None:
    assert not sends(words_of(line))


@pytest.mark.parametrize(
    ("line", "carries"),
    [
        ("curl -X POST https://contoso.com", False),
        ("curl -fsSd a https://contoso.com", True),
        ("wget --post-data=a https://contoso.com", True),
        ("irm -Method Post -Body a https://contoso.com", True),
    ],
)
def test_a_message_is_told_from_a_method(line: str, *, carries: bool) -> None:
    assert carries_body(words_of(line)) is carries
