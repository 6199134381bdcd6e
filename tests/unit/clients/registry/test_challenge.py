import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.registry.challenge import (
    Challenge,
    RegistryToken,
    basic,
    challenges,
    is_related,
    read_token,
    token_url,
)
from bot.domain.failure import Failure
from tests.growth import LINEAR, growth

NOW = datetime(2025, 11, 11, 18, 0, tzinfo=UTC)


def test_docker_hubs_challenge_is_read() -> None:
    header = (
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'
    )
    assert challenges(header) == (
        Challenge(
            "bearer",
            {
                "realm": "https://auth.docker.io/token",
                "service": "registry.docker.io",
                "scope": "repository:a/b:pull,push",
            },
        ),
    )


def test_several_challenges_stand_in_one_header() -> None:
    found = challenges('Negotiate, Basic realm="a, b", Bearer realm=x , charset="UTF-8"')
    assert [each.scheme for each in found] == ["negotiate", "basic", "bearer"]
    assert found[1].parameters == {"realm": "a, b"}
    assert found[2].parameters == {"realm": "x", "charset": "UTF-8"}


def test_a_challenge_may_carry_a_token68() -> None:
    assert [each.scheme for each in challenges("NTLM TlRMTVNTUAAC==, Basic realm=a")] == ["ntlm", "basic"]


def test_names_are_read_in_any_case_and_quotes_are_undone() -> None:
    assert challenges(r'BEARER Realm = "a\"b\\c"') == (Challenge("bearer", {"realm": 'a"b\\c'}),)


def test_the_first_of_two_equal_parameters_counts() -> None:
    assert challenges("Bearer realm=a, realm=b")[0].parameters == {"realm": "a"}


@pytest.mark.parametrize("header", ["", "   ", ",,,", '"', "=", "Bearer realm"])
def test_nonsense_gives_no_realm(header: str) -> None:
    assert all("realm" not in each.parameters for each in challenges(header))


@given(st.text(max_size=200) | st.text(alphabet='Bearer realm=",\\ ', max_size=200))
def test_no_header_makes_the_reader_fail(header: str) -> None:
    challenges(header)


@pytest.mark.parametrize("first", ["", 'Bearer a="', "Bearer a", "Bearer "])
@pytest.mark.parametrize("repeated", [" ", "a", "\\", '\\"', ",", "a=b,", "= "])
def test_the_time_for_a_header_grows_with_its_length(first: str, repeated: str) -> None:
    def read(size: int) -> None:
        challenges(first + repeated * (size // len(repeated)))

    assert growth(read, 2000, tries=20) < LINEAR


def test_a_token_is_asked_for_one_repository_and_pull_alone() -> None:
    challenge = Challenge(
        "bearer", {"realm": "https://auth.example/t?a=1", "service": "s p", "scope": "registry:*:*"}
    )
    url = token_url(challenge, "repository:a/b:pull", "here")
    assert url == "https://auth.example/t?a=1&scope=repository%3Aa%2Fb%3Apull&service=s+p"


@pytest.mark.parametrize(
    "realm",
    [
        *("", "/token", "file:///etc/passwd", "https://", "https://a@b/", "javascript:x"),
        *("https://[::1/token", "https://auth.example:99999/token", "https://auth.example:abc/", "https://a:0/"),
        *("https://xn--.example/token", "https://\x7f/token", "https://auth\u3002example\u2100/token"),
    ],
)
def test_a_realm_must_be_an_address(realm: str) -> None:
    with pytest.raises(Failure, match="without saying where"):
        token_url(Challenge("bearer", {"realm": realm}), "repository:a:pull", "here")


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("ghcr.io", "ghcr.io"),
        ("registry-1.docker.io", "auth.docker.io"),
        ("registry.gitlab.com", "gitlab.com"),
        ("localhost:5000", "localhost:5001"),
        ("127.0.0.1:5000", "127.0.0.1:5001"),
    ],
)
def test_a_password_may_be_shown_within_the_registrys_domain(registry: str, realm: str) -> None:
    assert is_related(registry, realm)


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("ghcr.io", "evil.io"),
        ("registry-1.docker.io", "auth.docker.io.evil.example"),
        ("registry-1.docker.io", "evildocker.io"),
        ("10.0.0.1:5000", "10.0.0.2"),
        ("registry.internal", "evil.internal"),
    ],
)
def test_a_password_is_shown_to_nobody_else(registry: str, realm: str) -> None:
    assert not is_related(registry, realm)


def test_a_token_is_good_until_shortly_before_it_expires() -> None:
    token = read_token(json.dumps({"token": "t", "expires_in": 300}).encode(), NOW, "here")
    assert token.is_good(NOW + timedelta(seconds=294))
    assert not token.is_good(NOW + timedelta(seconds=295))


@pytest.mark.parametrize("answer", [{"token": "t"}, {"access_token": "t"}, {"token": "t", "expires_in": "soon"}])
def test_a_token_without_a_lifetime_is_good_for_a_minute(answer: dict[str, object]) -> None:
    assert read_token(json.dumps(answer).encode(), NOW, "here") == RegistryToken("t", NOW + timedelta(seconds=55))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"token": 5}',
        b'{"token": "a\\r\\nX: y"}',
        b'{"token": "%s"}' % (b"a" * 20_000),
        b"[" * 10**5,
    ],
)
def test_an_answer_without_a_usable_token_is_one_clear_line(body: bytes) -> None:
    with pytest.raises(Failure, match=r"answered a token request with"):
        read_token(body, NOW, "here")


def test_secrets_do_not_show() -> None:
    assert "secret" not in repr(RegistryToken("secret", NOW))


def test_basic_credentials_are_those_of_the_rfc() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
