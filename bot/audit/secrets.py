"""Which names are those of secrets. Values are looked at only for whether there is one, and never shown."""

import re

_SECRET = re.compile(
    r"(?:^|[_.\-:])(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRETS|TOKEN|PAT|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CLIENT_?SECRET"
    r"|CONNECTION_?STRINGS?|CREDENTIALS?|SECRET_?KEY|ACCOUNT_?KEY|SAS|PWD)(?:$|[_.\-:])",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET = re.compile(
    r"(?:_FILE|_PATH|_DIR|_URL|_URI|_ENDPOINT|_NAME|_ID|_HEADER|_LENGTH|_EXPIR\w*|_TTL|_LIFETIME|_ISSUER|_AUDIENCE|_TYPE"
    r"|_ENABLED|_REQUIRED|_POLICY|_ALGORITHM|_VERSION|_HASH_ROUNDS|_TIMEOUT|_MINUTES|_HOURS|_DAYS|_SECONDS)$"
    r"|^PUBLIC_|_PUBLIC_|^(?:OLD)?PWD$|DISABLE|^(?:ALLOW|ENABLE)_|ALLOW_EMPTY|RANDOM_(?:ROOT_)?PASSWORD",
    re.IGNORECASE,
)
_CONNECTION = re.compile(r"(?:^|;)\s*(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*[^;\s]", re.IGNORECASE)
_IN_URL = re.compile(r"://[^/\s:@]+:[^/\s@$]+@")
_PLACEHOLDER = re.compile(
    r"^(?:|<.*>|changeme|none|null|true|false|yes|no|\d{1,4}|x+|\*+|https?://[^@]*|/\S*)$", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """`DB_PASSWORD`, `ApiKey`, `ConnectionStrings__Shop`; not `PASSWORD_FILE`, `TOKEN_URL`."""
    spaced = _CAMEL.sub("_", name).replace("__", "_")
    return _SECRET.search(spaced) is not None and _NO_SECRET.search(spaced) is None


def is_connection(name: str) -> bool:
    """Whether a name is that of a connection string, which need not hold a password."""
    return "CONNECTION" in name.upper()


def holds_secret(name: str, value: str) -> bool:
    """Whether a literal is one that nobody else should read, by its name and shape."""
    text = value.strip().strip("\"'")
    if _CONNECTION.search(text) or _IN_URL.search(text):
        return True
    return is_secret_name(name) and not is_connection(name) and not _PLACEHOLDER.match(text)
