"""Which names are those of secrets. Values are looked at only for whether there is one, and never shown."""

import re
from itertools import pairwise

_SECRET = re.compile(
    r"(?:^|[_.\-:])(?:(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRETS|TOKEN|PAT|(?:ACCESS|AUTH|API|BEARER|REFRESH|DEPLOY|GITHUB|NPM|NUGET|FEED)TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CLIENT_?SECRET"
    r"|CONNECTION_?STRINGS?|SECRET_?KEY|ACCOUNT_?KEY|DEV_ROOT_TOKEN_ID|ERLANG_?COOKIE|LICEN[CS]E_?KEY|(?:ENCRYPTION|SIGNING|MASTER|JWT|SECURITY|AUTH)_?KEY|SAS|PWD)(?:$|[_.\-:])"
    r"|(?:BIND|USER|DB|ROOT|ADMIN)PW$|PW$|CREDENTIALS?(?:_JSON|_B64|_BASE64|_?\d+)?$|(?<!BY_)(?<!BY-)PASS$|(?:DB|SQL|PG|SA|USER|ROOT|ADMIN|SMTP|MAIL|FTP|REDIS|RABBIT|MONGO)PASS$)|[A-Z](?:PASSW(?:OR)?D|(?<!NO)(?<!USE)(?<!IS)(?<!HAS)SECRET|APIKEY|ACCESSKEY|ACCESSTOKEN)$",
    re.IGNORECASE,
)
_IS_ITSELF = re.compile(r"(?:password|passwd|passphrase|pass|pwd|token|secret|pat|key|sas)$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OF_SECRETS = re.compile(
    r"(?:^|[_.\-])(?:SECRETS|PASSWORDS|API_?KEYS|CONNECTION_?STRINGS?)(?:$|[.\-])", re.IGNORECASE
)
"""Sections of .NET's configuration whose keys have names of their own."""
_LISTED = re.compile(r"(?:^|_)(?:TOKENS|SECRETS|PASSWORDS|API_?KEYS)$", re.IGNORECASE)
_PLAIN_KEY = re.compile(r"[A-Z][A-Za-z]*\d?|[a-z]+|[A-Z]+(?:_[A-Z]+)*|\d+|.*\$.*")
"""How .NET's configuration, people and variables write the keys of a section, and what is put in; a token is
written otherwise."""
_NO_KEY = re.compile(r"\d+|value|default|current|primary|secondary", re.IGNORECASE)
_ENDS_AS_SECRET = re.compile(
    rf"(?:{_SECRET.pattern})(?:[\W_]*(?:\d+|dev(?:elopment)?|test|prod(?:uction)?|stag(?:e|ing)|local|primary|secondary"
    r"|old|new|previous|current|default|value|json|b64|base64))*[\W_]*$",
    re.IGNORECASE,
)
"""The word that says what a name holds, with what may stand behind it and changes nothing of it."""
_LONGEST_ASKED = 200
_WORD = re.compile(
    r"[a-z]+(?:[ _.,:/-]+[a-z]+)*|[a-z]{2}\d{3}|sha-?\d{1,3}|P(?:T?\d+[YMWDHS])+|\d\d?(?::\d\d){1,2}|\d+(?:\.\d+)*[a-z]{0,2}|(?:https?|file)://[^@]*|\.{0,2}/\S*",
    re.IGNORECASE,
)
_TELLS_OF_ONE = (
    # where it is, and what it is called there
    r"FILES?|PATHS?|DIR|DIRECTORY|FOLDER|LOCATION|URLS?|URI|ENDPOINT|HOST|PORT|DOMAIN|REGION|NAMESPACE|MOUNT|TABLE|COLUMN"
    r"|FIELD|NAMES?|(?<!DEV_ROOT_TOKEN_)IDS?|ARN|REF|LABELS?|TAG|ALIAS|SYMBOL|ADDRESS(?:ES)?|ENV|VAR|VARIABLE|INDEX"
    r"|HEADER(?:_KEY)?|(?<!ERLANG_)COOKIE|PARAMS?|PARAMETERS?|CLAIMS?|SCOPES?|PREFIX|SUFFIX|TEMPLATE"
    # how many, how long, how often
    r"|SIZE|COUNT|LENGTH|LIMIT|MAX|MIN|CAPACITY|ATTEMPTS|RETRIES|THRESHOLD|ROUNDS|ITERATIONS|COST|VALIDITY|EXPIR\w*|TTL"
    r"|LIFETIME|DURATION|AGE|LEEWAY|INTERVAL|PERIOD|TIMEOUT|TIME|MILLIS|MS|MINUTES|MINS|HOURS|DAYS|SECONDS|SECS?|BYTES|MB"
    # how it is made, checked and read
    r"|MODE|FORMAT|ENCODING|ENCRYPTION|ALGORITHM|ALGO?|HASH(?:ER|ING)|METHOD|TYPE|KIND|CLASS|ISSUER|AUDIENCE|REALM|STORE|MODULES?"
    r"|PROVIDER|MANAGER|BACKEND|ENGINE|DRIVER|SOURCE|STRATEGY|READER|HANDLER|VALIDAT(?:OR|ION)|FACTORY|SERVICE|COMMAND|CMD"
    r"|PERMISSIONS?|ROLES?|GRANT|ENABLED|REQUIRED|POLICY|VERSION|OPTIONS?|OPTS|REGEXP?|PATTERN|CHARSET|COMPLEXITY|STRENGTH"
)
"""Last words of names that tell of a secret, and hold none."""
_NO_SECRET = re.compile(
    rf"_(?:{_TELLS_OF_ONE})$|(?:^|_)TOKENS_PER_\w+$"
    r"|^PUBLIC_|_PUBLIC_|(?:^|_)(?:CLIENT|TENANT)_?ID_(?:\w+_)?CREDENTIALS?$|^(?:OLD)?PWD$|DISABLE|^(?:ALLOW|ENABLE)_|ALLOW_?EMPTY|RANDOM_(?:ROOT_)?PASSWORD",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"(?:^|;)\s*(?:password|pwd|accountkey|sharedaccesskey|(?:access)?token)\s*=\s*[\"']?(?P<of_pair>[^;\s\"'][^;\n\"']*)"
    r"|\b(?:USER|ROLE|LOGIN)\b[^;\n]{0,200}?\b(?:PASSWORD|IDENTIFIED\s{1,9}BY)[\s=]{1,9}N?'(?P<of_sql>[^'$\n{}%<]+)'"
    r"|[?&]password=(?P<of_query>[^&;\s\"'$]+)"
    r"|://(?:\$\{[^{}\s]*\}|[^/\s:@$])+:(?P<of_url>[^/\s@$]+)@"
    r"|(?:^|[\s\"'=])[\w${}-]*[.:][\w.:${}-]*(?:,[\w.:=-]{1,200}){0,20},\s?password=(?P<of_list>[^,\s\"';]+)(?=[,\s\"';]|$)",
    re.IGNORECASE,
)
"""The password or token of a connection string, of SQL, of a URL, or of Redis' list (`redis:6379,password=…`)."""
_OF_EMULATOR = re.compile(
    r"(?:^|;)\s*(?:UseDevelopment(?:Emulator|Storage)\s*=\s*true|AccountName\s*=\s*devstoreaccount1)\s*(?:;|$)",
    re.IGNORECASE,
)
"""Connections to emulators, whose keys their makers publish."""
_CHOSEN = re.compile(r"pass|pwd", re.IGNORECASE)
_CHOSEN_WORD = re.compile(
    r"(?i:change[-_ ]?(?:me|it|this)|dummy)|(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)[Yy]our[-_]?\S{6,}"
)
"""What people do choose as passwords, and a server then takes (`Your_password123` of SQL Server's documentation);
nobody is given such a token."""
_FILLED_IN = r"x{3,}|<.*>|\{\{.*\}\}|\{[^{}\"':]*\}|\[[^\[\]\"':,]*\]|#\{.*\}#?|__\w+__|%\w+%|\*+"
_STANDS_IN = re.compile(_FILLED_IN, re.IGNORECASE)
_OF_MORE = re.compile(r"[\n\"]")
"""By its shape alone: a word such as `changeme` may be the password of a connection, as it is written."""
_PLACEHOLDER = re.compile(
    rf"^(?:|{_FILLED_IN}|changeme|empty|none|null|n/?a|not[-_ ]set|true|false|yes|no|\d{{1,4}}|https?://[^@]*|/\S*"
    r"|(?:replace|change|fill|set|insert|update|enter|put|add|use)"
    r"[-_ ]?(?:me|this|here|it|with|by|in|your|the)(?:[-_ ,.!…].*)?"
    r"|(?:\w{1,8}[-_])?(?:x+|x{3,}(?:-x{3,})*|\.{3}|…)|[a-z]+(?:[-_ ][a-z]+){0,5}[-_ ]here|@@\w+@@"
    r"|(?:todo|tbd|fixme)(?:[-_ :].*)?|placeholder|dummy|redacted|your[-_ ].*"
    r"|@Microsoft\.KeyVault\(.*\)|\S+@azurekeyvault)$",
    re.IGNORECASE,
)
_OF_VARIABLE = re.compile(
    r"(?:^|;)\s*(?:password|pwd|accountkey|sharedaccesskey|(?:access)?token)\s*=\s*[\"']?(?:\$[({\w]|#\{|__\w)"
    r"|[?&]password=\$[({\w]|://(?:\$\{[^{}\s]*\}|[^/\s:@])*:\$[({\w][^/\s@]*@|[^\s=],\s?password=\$[({\w]",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[\w.\- ]+")
_OWN = re.compile(r"^(?:my|some|an?|the|example|sample|fake|dummy|test)[-_ ]", re.IGNORECASE)
_SENTENCE = re.compile(r"[A-Za-z]+(?:[ ][A-Za-z]+)+")
_GIVEN_OUT = re.compile(r"(?:API|ACCESS|ACCOUNT|LICEN[CS]E)_?KEY$|TOKEN$", re.IGNORECASE)
"""What a server gives out, which never is a few words."""
_STANDS_FOR_ONE = re.compile(r"[A-Z]+(?:_[A-Z\d]+)+")


def is_secret_name(name: str) -> bool:
    """`DB_PASSWORD`, `ApiKey`, `ConnectionStrings__Shop`; not `PASSWORD_FILE`, `TOKEN_URL`, `Credential__Mode`."""
    spaced = _CAMEL.sub("_", _key(name)).replace("__", "_")
    return _SECRET.search(spaced) is not None and _NO_SECRET.search(spaced) is None


def ends_as_secret(name: str) -> bool:
    """Whether the last word of a name says that it is a secret, as that of `DB_PASSWORD` and `API_KEY_2` does.

    What another word ends (`JWT_TOKEN_AUTH_PLUGIN`) may as well tell of one: its value says which.
    """
    key = _key(name)
    spaced = _CAMEL.sub("_", key).replace("__", "_")
    is_of_section = any(_OF_SECRETS.search(_CAMEL.sub("_", part)) for part in key.split("__")[:-1])
    return is_of_section or _ENDS_AS_SECRET.search(spaced[-_LONGEST_ASKED:]) is not None


def is_word(value: str) -> bool:
    """Whether a value is one that people read, such as a mode, a module or an algorithm, and no random text."""
    return _WORD.fullmatch(value.strip().strip("\"'")) is not None


def is_secret_itself(name: str) -> bool:
    """Whether what is called so is the secret: others tell of one, as `token-lifetime` does."""
    return _IS_ITSELF.search(name) is not None and is_secret_name(name) and not is_connection(name)


def _key(name: str) -> str:
    """The last part of a name of .NET's configuration that says what it holds, from a section of secrets on."""
    parts = name.split("__")
    while len(parts) > 1 and _NO_KEY.fullmatch(parts[-1]):
        parts.pop()
    last = -2 if parts[-1].lower() == "key" else -1
    section = next((number for number, part in enumerate(parts) if _OF_SECRETS.search(_CAMEL.sub("_", part))), last)
    return "__".join(parts[section:])


def keyed_by_secret(name: str) -> str:
    """The section of secrets in a variable's name whose key may be the secret itself; empty where none may."""
    parts = name.split("__")
    sections = (
        section
        for section, key in pairwise(parts)
        if _LISTED.search(_CAMEL.sub("_", section)) and not _PLAIN_KEY.fullmatch(key)
    )
    return next(sections, "")


def is_connection(name: str) -> bool:
    """Whether a name is that of a connection string, which need not hold a password."""
    return "CONNECTION" in name.upper()


def holds_secret(name: str, value: str) -> bool:
    """Whether a literal is one that nobody else should read, by its name and shape."""
    text = value.strip().strip("\"'")
    if (is_filled_in := _takes_what_is_filled_in(text)) is not None:
        return not is_filled_in
    if (_PLACEHOLDER.match(text) and not is_chosen(name, text)) or names_what_to_put(name, text):
        return False
    is_told = ends_as_secret(name) or not is_word(text)
    return is_told and is_secret_name(name) and not is_connection(name)


def is_chosen(name: str, text: str) -> bool:
    """Whether a word that stands for another one elsewhere (`changeit`) is the password itself here."""
    return _CHOSEN.search(name) is not None and _CHOSEN_WORD.fullmatch(text) is not None


def as_a_placeholder(name: str, value: str) -> str:
    """What to add where a secret that is written out stands for another one, and works all the same; else empty."""
    return ", as a placeholder that is taken as it stands" if is_chosen(name, value.strip().strip("\"'")) else ""


def names_what_to_put(name: str, text: str) -> bool:
    """Whether a literal tells the secret that is meant: its own name, which no server gives out (people do choose
    such passwords), or words such as `YOUR_SENTRY_DSN`."""
    own, plain = _plain(name), _plain(_OWN.sub("", text.strip()))
    if own == plain and _WORDS.fullmatch(text):
        return _CHOSEN.search(name) is None
    if _SENTENCE.fullmatch(text) and _GIVEN_OUT.search(name):
        return True
    return _STANDS_FOR_ONE.fullmatch(text) is not None and (is_secret_name(text) or own in plain)


def _plain(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()


def is_placeholder(value: str) -> bool:
    """Whether a literal only stands for what somebody else puts in."""
    text = value.strip().strip("\"'")
    return _takes_what_is_filled_in(text) is True or any(
        each.match(text) for each in (_PLACEHOLDER, _TELLS_WHAT_TO_PUT)
    )


def _takes_what_is_filled_in(text: str) -> bool | None:
    """Whether each password within a connection string or URL stands for another one; None where it has none, or is
    a part of more, which may hold other secrets."""
    if _OF_EMULATOR.search(text) and not _OF_MORE.search(text):
        return True
    passwords = _passwords(text)
    if not all(_STANDS_IN.fullmatch(each.strip()) for each in passwords):
        return False
    return True if passwords and not _OF_MORE.search(text) else None


def _passwords(text: str) -> list[str]:
    """What stands where a connection string or URL has its password."""
    return [next(filter(None, match.groups()), "") for match in _PASSWORD.finditer(text)]


def writes_password(text: str) -> bool:
    """Whether a connection string in a text of more, such as a template's line, writes its password out."""
    passwords = (each.strip() for each in _passwords(text))
    return any(not each.startswith("$") and not _PLACEHOLDER.match(each) and "{{" not in each for each in passwords)


_TELLS_WHAT_TO_PUT = re.compile(
    r"(?:put|enter|insert|replace|paste|add|fill)\s+\S+\s.*\b(?:here|with|in)\b", re.IGNORECASE | re.DOTALL
)


def takes_a_password(value: str) -> bool:
    """Whether a connection is written out but for its password, which comes from a variable."""
    text = value.strip().strip("\"'")
    written = (each.strip() for each in _passwords(text) if not each.startswith("$"))
    return _OF_VARIABLE.search(text) is not None and all(_STANDS_IN.fullmatch(each) for each in written)
