"""What settles that a name holds a secret: its last word, else the shape of its value; a doubt is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.finding import Outcome
from bot.files.audit.secrets.names import ends_as_secret, holds_secret, is_secret_name
from tests.unit.files.audit.world import DEPLOYMENT, deployment, findings

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
LETTERS = "abcdefghijklmnopqrstuvwxyz"
RANDOM = "x7Kp2mQz9vLr4T"


def of_compose(name: str, value: str) -> Outcome:
    text = f"services:\n  api:\n    image: contoso/api\n    environment:\n      {name}: '{value}'\n"
    (found,) = findings("runtime-secrets", {"compose.yaml": text})
    return found.outcome


def of_deployment(name: str, value: str) -> Outcome:
    variable = f"env:\n- name: {name}\n  value: '{value}'"
    (found,) = findings("runtime-secrets", {DEPLOYMENT: deployment(variable)})
    return found.outcome


@pytest.mark.parametrize(
    "name",
    [
        "LDAP_BINDPW",
        "LDAP_BIND_PW",
        "ROOTPW",
        "Ldap__BindPw",
        "DB_PASSWORD",
        "DB_PASSWORD_2",
        "JWT_SECRET_KEY",
        "Jwt__SecretKey",
        "STORAGE_ACCOUNT_KEY_1",
        "GITHUB_ACCESS_TOKEN",
        "OAuth__ClientSecret",
        "API_KEY_PROD",
        "AWS_SECRET_ACCESS_KEY",
        "Secrets__Mail__0",
        "ConnectionStrings__Shop",
        "GOOGLE_CREDENTIALS_JSON",
    ],
)
def test_the_last_word_of_a_name_says_that_it_is_a_secret(name: str) -> None:
    assert is_secret_name(name)
    assert ends_as_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN_COUNT",
        "MAX_TOKENS",
        "TOKEN_EXPIRY",
        "JWT_EXPIRES_IN",
        "TOKEN_REFRESH_INTERVAL",
        "PASSWORD_MIN_LENGTH",
        "TOKEN_LIMIT",
        "TOKENIZER",
        "TOKENS_PER_MINUTE",
        "RateLimit__TokensPerPeriod",
        "SECRET_NAME",
        "SECRET_REF",
        "DB_SECRET_ARN",
        "SECRET_NAMESPACE",
        "VAULT_SECRET_MOUNT",
        "SECRET_ENGINE",
        "PASSWORD_READER",
        "PASSWORD_OPTIONS",
        "TOKEN_OPTIONS",
        "SECRET_PROVIDER_CLASS",
        "PASSWORD_REGEX",
        "TOKEN_ADDRESS",
        "TOKEN_SYMBOL",
        "AuthTokenCookie",
        "API_KEY_PARAM",
        "ApiKeyHeader",
        "PASSWORD_COMMAND",
        "PASSWORD_ENCRYPTION",
        "PasswordHasher",
        "TOKEN_ENDPOINT_AUTH_METHOD",
        "AWS_SECRET_REGION",
        "PASSWORD_ENV_VAR",
        "SECRET_LABEL",
    ],
)
def test_a_last_word_that_counts_names_or_configures_is_no_secrets(name: str) -> None:
    assert not holds_secret(name, RANDOM)
    assert of_compose(name, "${VALUE}") is HOLDS


@pytest.mark.parametrize("name", ["RABBITMQ_ERLANG_COOKIE", "VAULT_DEV_ROOT_TOKEN_ID", "TokenOptions__SecurityKey"])
def test_what_is_a_secret_whole_stays_one(name: str) -> None:
    assert holds_secret(name, RANDOM)


@pytest.mark.parametrize(
    "value",
    [
        "CHANGE_ME",
        "<your-key>",
        "YOUR_API_KEY",
        "insert-key-here",
        "replace-with-your-key",
        "REPLACE_WITH_REAL_KEY",
        "xxxx-xxxx",
        "sk-xxxxxxxx",
        "sk-...",
        "...",
        "N/A",
        "not-set",
        "TODO:set",
        "@@API_KEY@@",
        "my-api-key",
        "example-api-key",
    ],
)
def test_what_stands_for_a_key_is_none(value: str) -> None:
    assert not holds_secret("API_KEY", value)
    assert of_compose("API_KEY", value) is HOLDS


@pytest.mark.parametrize("value", ["CHANGE_ME", "changeit", "Your_password123", "yourStrong(!)Passw0rd"])
def test_a_placeholder_that_a_server_takes_is_told_as_one(value: str) -> None:
    text = f"services:\n  db:\n    image: contoso/db\n    environment: {{SA_PASSWORD: '{value}'}}\n"
    (found,) = findings("runtime-secrets", {"compose.yaml": text})
    assert (found.outcome, found.message) == (
        FAILS,
        "SA_PASSWORD is written out, as a placeholder that is taken as it stands",
    )


OPEN = ("JWT_TOKEN_AUTH_PLUGIN", "SECRET_ENGINE_KIND", "Jwt__TokenValidator", "PASSWORD_HASHER", "TOKEN_COOKIE")


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("token_verification", HOLDS),
        ("RS256", HOLDS),
        ("sha-256", HOLDS),
        ("15", HOLDS),
        ("30m", HOLDS),
        ("true", HOLDS),
        ("/etc/tokens/a.json", HOLDS),
        ("https://login.contoso.com/token", HOLDS),
        (RANDOM, FAILS),
        ("postgres://u:hunter2@db/shop", FAILS),
        ("${SHOP}", UNKNOWN),
    ],
)
def test_another_last_word_leaves_it_to_the_value(name: str, value: str, expected: Outcome) -> None:
    if not is_secret_name(name) and value in {RANDOM, "${SHOP}"}:
        expected = HOLDS
    assert of_compose(name, value) is expected
    assert of_deployment(name, value) is expected


@given(
    st.text(LETTERS, min_size=3, max_size=12), st.sampled_from(["_", "-", " ", "."]), st.text(LETTERS, min_size=2)
)
def test_no_words_are_a_secret_under_a_name_that_only_speaks_of_one(first: str, between: str, second: str) -> None:
    assert not holds_secret("JWT_TOKEN_AUTH_PLUGIN", f"{first}{between}{second}")


@given(st.from_regex(r"[A-Z]{1,8}_(?:PASSWORD|API_KEY|CLIENT_SECRET)(?:_(?:DEV|PROD|[0-9]))?", fullmatch=True))
def test_a_name_that_ends_as_a_secret_needs_no_evidence_of_its_value(name: str) -> None:
    if is_secret_name(name):
        assert ends_as_secret(name)
        assert holds_secret(name, "hunter")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("level", "debug", UNKNOWN),
        ("Embedding__Kind", "contoso", UNKNOWN),
        ("retries", "3", HOLDS),
        ("enabled", "true", HOLDS),
        ("anything", RANDOM, FAILS),
        ("password", "hunter", FAILS),
        ("token", RANDOM, FAILS),
    ],
)
def test_a_word_in_a_secret_is_no_fact(key: str, value: str, expected: Outcome) -> None:
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  {key}: '{value}'\n"
    (found,) = findings("secrets-in-manifests", {"a.yaml": text})
    assert found.outcome is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('sqlcmd -U sa -P "$${SA_PASSWORD:-YourStrong@Passw0rd}"', FAILS),
        ('sqlcmd -U sa -P "$${SA_PASSWORD-YourStrong@Passw0rd}"', FAILS),
        ('sqlcmd -U sa -P "$${SA_PASSWORD}"', HOLDS),
        ('sqlcmd -U sa -P "$${SA_PASSWORD:-$$OTHER}"', HOLDS),
    ],
)
def test_a_default_of_a_health_check_is_told_as_the_literal_is(test: str, expected: Outcome) -> None:
    text = f"services:\n  db:\n    image: contoso/db\n    healthcheck:\n      test: '{test}'\n"
    (found,) = findings("runtime-secrets", {"compose.yaml": text})
    assert (found.outcome, "is written out in its health check" in found.message) == (expected, expected is FAILS)
