"""Distinguished names as RFC 4514 writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.images.signatures.notation.names import read_identity, read_name
from bot.images.signatures.verdict import Refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CN=a,O=b,ST=c,C=d", {"CN": "a", "O": "b", "ST": "c", "C": "d"}),
        (" C=US, ST=WA , O=Notary ", {"C": "US", "ST": "WA", "O": "Notary"}),
        ("s=Washington", {"ST": "Washington"}),
        (r"O=Foo\, Inc.", {"O": "Foo, Inc."}),
        (r"O=Foo\2C Inc.", {"O": "Foo, Inc."}),
        (r"O=\C3\A9t\C3\A9", {"O": "été"}),
        ("O=été", {"O": "été"}),
        (r"O=\ padded\ ", {"O": " padded "}),
        ("O=  inner  space  ", {"O": "inner  space"}),
        ('O="Foo, Inc." ,C=US', {"O": "Foo, Inc.", "C": "US"}),
        (r'O="a \"b\" c"', {"O": 'a "b" c'}),
        (r"O=a\+b\;c\=d", {"O": "a+b;c=d"}),
        ("O=a=b", {"O": "a=b"}),
        ("2.5.4.3=a", {"2.5.4.3": "a"}),
    ],
)
def test_a_name_is_read(text: str, expected: dict[str, str]) -> None:
    assert read_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CN",
        "=a",
        "CN=",
        "CN=a,",
        "CN=a,,O=b",
        "CN=a+O=b",
        "CN=a,CN=b",
        "ST=a,S=b",
        "CN=#0401",
        r"CN=a\x",
        "CN=a\\",
        'CN="a',
        'CN="a"b',
        'CN=a"b',
        "CN=a;O=b",
        r"CN=\FF",
        "CN=" + "a" * 2000,
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CN=a,O=b,ST=c,C=d",
        "x509.subject",
        "x509.subject:",
        "x509.subject:CN=a,O=b,C=d",
        "x509.issuer:C=a,O=b,ST=c",
    ],
)
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_identity(text)


def test_an_identity_covers_subjects_with_at_least_its_attributes() -> None:
    identity = read_identity("x509.subject: C=US,S=WA,O=Notary")

    assert identity.covers({"C": "US", "ST": "WA", "O": "Notary", "CN": "anything"})
    assert not identity.covers({"C": "US", "O": "Notary", "CN": "anything"})
    assert read_identity("*").is_anybody


@given(value=st.text(min_size=1, max_size=30))
def test_a_value_with_everything_escaped_is_read_as_it_was(value: str) -> None:
    escaped = "".join(f"\\{byte:02X}" for byte in value.encode("utf-8", "surrogatepass"))
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    assert read_name(f"O={escaped}") == {"O": value}


@given(text=st.text(max_size=60))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    try:
        found = read_name(text)
    except Refused:
        return
    assert all(name and value for name, value in found.items())
