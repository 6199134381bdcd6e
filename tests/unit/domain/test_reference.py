"""Image references as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import DEFAULT_REGISTRY, Base, InvalidReference, Reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "Not/An/Image",
        "a:b:c",
        "a@sha256:abc",
        f"a:1@{DIGEST}0",
        f"a@{DIGEST[:-1]}",
        "a@md9:" + "0" * 64,
        "ab" * 32,
        "a" * 248,
        "ubuntu\n",
        "a:1\n",
        f"a@{DIGEST}\n",
        f"a@{DIGEST.upper()}",
        f"a@SHA256:{'a' * 64}",
        f"a@sha1:{'a' * 40}",
        f"a@sha256+b64u:{'a' * 64}",
        f"a@sha512:{'a' * 64}",
        f"@{DIGEST}",
        ":1",
        "a:",
        "a:" + "t" * 129,
        "a:-1",
        "a:é",
        "a..b",
        "a___b",
        "a-",
        "a//b",
        "/a",
        "a/",
        "a/Asd/b",
        "-a.b/c",
        "a-.b/c",
        "a_b.c/d",
        "a.b:/c",
        "a.b:x/c",
        "[::1/c",
        "[fe80::1%25eth0]:5000/c",
        "a.b/" + "c/" * 126 + "cccc",
    ],
)
def test_what_docker_refuses_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReference):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", None, None),
        ("contoso/shop:1", "docker.io", "contoso/shop", "1", None),
        ("docker.io/ubuntu", "docker.io", "library/ubuntu", None, None),
        ("index.docker.io/ubuntu", "docker.io", "library/ubuntu", None, None),
        ("index.docker.io/contoso/api:1", "docker.io", "contoso/api", "1", None),
        ("localhost/shop", "localhost", "shop", None, None),
        ("test:5000/shop", "test:5000", "shop", None, None),
        ("LOCAL/shop", "LOCAL", "shop", None, None),
        ("xn--n3h.com/a__b.c--d/e_f:xn--n3h", "xn--n3h.com", "a__b.c--d/e_f", "xn--n3h", None),
        ("192.168.1.1/shop:V_1.0-x", "192.168.1.1", "shop", "V_1.0-x", None),
        ("[2001:db8::1]:5000/shop", "[2001:db8::1]:5000", "shop", None, None),
        (f"ghcr.io/contoso/shop:1@{DIGEST}", "ghcr.io", "contoso/shop", "1", DIGEST),
        (f"a@sha384:{'0' * 96}", "docker.io", "library/a", None, f"sha384:{'0' * 96}"),
        (f"a@sha512:{'0' * 128}", "docker.io", "library/a", None, f"sha512:{'0' * 128}"),
        ("a:" + "t" * 128, "docker.io", "library/a", "t" * 128, None),
        ("a" * 247, "docker.io", "library/" + "a" * 247, None, None),
    ],
)
def test_a_name_is_read_as_docker_reads_it(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = Reference.parse(text)
    assert (reference.registry, reference.repository) == (registry, repository)
    assert (reference.tag, reference.digest) == (tag, digest)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a b", "invalid reference format"),
        ("Shop", "repository name must be lowercase"),
        ("a" * 248, "repository name must not be more than 255 characters"),
        (f"a@md9x:{'0' * 64}", "unsupported digest algorithm"),
        (f"a@{DIGEST}0", "invalid checksum digest length"),
        (f"a@sha256:{'A' * 64}", "invalid digest"),
        ("ab" * 32, "64 hexadecimal digits are an image id; name the image"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_name(text: str, why: str) -> None:
    with pytest.raises(InvalidReference, match=f"is no image reference: {why}$"):
        Reference.parse(text)


LABEL = st.from_regex(r"[aB1]([aB1-]{0,3}[aB1])?", fullmatch=True)
PORT = st.from_regex(r"(:[0-9]{1,5})?", fullmatch=True)
HOST = st.builds("{}.{}{}".format, LABEL, LABEL, PORT) | st.builds("[{}]{}".format, st.ip_addresses(v=6), PORT)
PATH = st.lists(st.from_regex(r"[a1]{1,4}((\.|_|__|-{1,3})[a1]{1,4}){0,2}", fullmatch=True), min_size=1, max_size=4)
TAG = st.from_regex(r"[aB1_][aB1_.-]{0,9}", fullmatch=True)


@given(host=HOST | st.just(DEFAULT_REGISTRY), path=PATH, tag=st.none() | TAG, digest=st.none() | st.just(DIGEST))
def test_what_the_grammar_makes_is_read_into_what_it_was_made_of(
    host: str, path: list[str], tag: str | None, digest: str | None
) -> None:
    name = "/".join([host, *path])
    reference = Reference.parse(str(Reference(name, tag, digest)))
    assert reference == Reference(name, tag, digest)
    assert reference.registry == host
    assert reference.repository.removeprefix("library/") == "/".join(path)


@pytest.mark.parametrize("part", ["a", "a-", "a.", "a_", "A", "A-", "a/", "a:", "[", "1@a."])
def test_no_name_takes_long_to_read(part: str) -> None:
    """A grammar that tried each split of a long name would not end."""
    with pytest.raises(InvalidReference):
        Reference.parse((part * 1024)[:1023] + "!")


@given(
    st.text(alphabet="aB1.:/@-_ ", max_size=30) | st.from_regex(r"[a-z/:]{1,9}@[a-z0-9+]{1,7}:[0-9a-fA-F]{1,70}")
)
def test_any_text_is_a_reference_or_refused_as_one(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return
    assert str(reference) == text


NOBLE = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0-noble")


@pytest.mark.parametrize(
    "name",
    [
        "mcr.microsoft.com/dotnet/aspnet:10.0-noble",
        "dotnet/aspnet:10.0-noble",
        "aspnet:10.0-noble",
        f"aspnet:10.0-noble@sha256:{'0' * 64}",
    ],
)
def test_a_base_is_called_by_the_last_parts_of_its_name(name: str) -> None:
    assert NOBLE.is_called(name)


@pytest.mark.parametrize(
    "name", ["", "10.0-noble", "net:10.0-noble", "aspnet", "aspnet:10.0", "noble", ":10.0-noble"]
)
def test_a_base_is_called_by_no_part_of_a_word(name: str) -> None:
    assert not NOBLE.is_called(name)
