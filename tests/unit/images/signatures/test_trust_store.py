"""Trust stores in Notation's layout."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bot.domain.failure import Failure
from bot.images.signatures.notation.trust_store import load_stores
from tests.unit.images.signatures.making import ROOT, Shape, chain_of_three, issue

SIGNER = chain_of_three()
LEAF, AUTHORITY, TOP = SIGNER.chain


def put(folder: Path, store: str, **files: bytes) -> None:
    place = folder / "x509" / store
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).write_bytes(content)


def test_stores_are_read_by_type_and_name_from_pem_and_der(tmp_path: Path) -> None:
    other = issue(ROOT).certificate
    both = TOP.public_bytes(Encoding.PEM) + b"a comment\n" + AUTHORITY.public_bytes(Encoding.PEM)
    twice = issue(ROOT).certificate
    put(tmp_path, "ca/contoso", both=both, der=other.public_bytes(Encoding.DER) + twice.public_bytes(Encoding.DER))
    put(tmp_path, "tsa/stamps", root=other.public_bytes(Encoding.PEM))

    store = load_stores(tmp_path, ["ca:contoso", "tsa:stamps", "ca:contoso"])

    assert set(store.ca) == {TOP, AUTHORITY, other, twice}
    assert (store.tsa, store.has_tsa, store.signing_authority) == ((other,), True, ())


def test_a_mounted_secret_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "ca/contoso")
    folder = tmp_path / "x509" / "ca" / "contoso"
    (folder / "..data").mkdir()
    (folder / "..data" / "root.pem").write_bytes(TOP.public_bytes(Encoding.PEM))
    (folder / "root.pem").symlink_to("..data/root.pem")

    assert load_stores(tmp_path, ["ca:contoso"]).ca == (TOP,)


@pytest.mark.parametrize(
    ("store", "files", "says"),
    [
        ("ca:absent", {}, "cannot be read"),
        ("ca:contoso", {}, "no certificates"),
        ("ca:contoso", {"readme": b"hello"}, "cannot be read|ASN.1"),
        ("ca:contoso", {"leaf": LEAF.public_bytes(Encoding.PEM)}, "neither an authority nor self-signed"),
        ("tsa:contoso", {"middle": AUTHORITY.public_bytes(Encoding.PEM)}, "not a root"),
        ("tsa:contoso", {"alone": issue(Shape()).certificate.public_bytes(Encoding.PEM)}, "not a root authority"),
        ("other:contoso", {}, "no trust store"),
        ("ca:../ca", {}, "no trust store"),
        ("ca:..", {}, "no trust store"),
        ("contoso", {}, "no trust store"),
    ],
)
def test_a_store_that_is_not_as_it_must_be_is_told(
    tmp_path: Path, store: str, files: dict[str, bytes], says: str
) -> None:
    for kind in ("ca", "tsa"):
        put(tmp_path, f"{kind}/contoso", **files)

    with pytest.raises(Failure, match=says) as failure:
        load_stores(tmp_path, [store])

    assert failure.value.advice
