"""What holds of an image and of evidence where nobody says otherwise."""

from dataclasses import MISSING, Field, fields
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.answers import ImageAnswer
from bot.domain.images.claim_choice import MOST_CLAIMS
from bot.domain.images.claims import CLAIMABLE, LONGEST_TAG
from bot.domain.images.image import GITHUB, Builder, ProducedImage, SeenImage
from bot.domain.images.named_bases import NamedBase, NamedBases
from bot.domain.images.proof import Proof
from bot.domain.images.seen_config import MOST_NAMES, SeenConfig
from bot.domain.images.standing import LAW, UNPROVED, Basis, Declaration, ImageStanding, Publication, RuntimeInside
from bot.domain.images.trust import Lack, Trust

UNSAID: dict[type[Any], dict[str, object]] = {
    Builder: {"repository": ""},
    Declaration: {"digests": frozenset(), "is_stage": False},
    ImageAnswer: {"counts": True},
    ImageStanding: {
        "strength": Strength.UNKNOWN,
        "basis": Basis.NOTHING,
        "publications": (),
        "layers": 0,
        "named": "",
        "disagreement": "",
        "doubt": None,
        "built_from": None,
        "inside": None,
        "unjudged": "",
        "is_left_out": False,
    },
    Lack: {"may_come": False},
    NamedBases: {"final": (), "stages": (), "is_open": False},
    ProducedImage: {
        "found_tag": None,
        "digest": None,
        "seen_at": None,
        "standings": (),
        "sourced_from": None,
        "is_contested": False,
        "error": None,
        "builder": None,
        "law": LAW,
        "not_judged": (),
        "judged_by": None,
    },
    Proof: {"awaits_base": False},
    Publication: {"until": None},
    RuntimeInside: {"version": "", "by": "", "is_current": False, "behind_since": None, "is_signed": False},
    SeenConfig: {"user": "", "variables": (), "arguments": (), "tag": ""},
    SeenImage: {
        "created": None,
        "declared": {},
        "sourced_from": None,
        "builder": None,
        "unseen": "",
        "not_judged": (),
        "fetched": {},
        "judged_by": None,
        "judged_until": None,
    },
    Trust: {"is_there": True, "until": None},
}


def of_field(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@pytest.mark.parametrize("kind", UNSAID, ids=lambda kind: kind.__name__)
def test_what_nobody_says_of_it_is_not_made_up(kind: type[Any]) -> None:
    unsaid = {field.name: default for field in fields(kind) if (default := of_field(field)) is not MISSING}
    assert unsaid == UNSAID[kind]


def test_a_file_that_names_a_base_is_the_only_one_where_no_other_is_said() -> None:
    assert NamedBase._field_defaults == {"named_at": ""}


def test_limits_names_and_the_edition_of_the_law_stay_what_they_were() -> None:
    """The edition of law 1 is kept with every image: another one has all of them judged anew."""
    assert (LAW, LONGEST_TAG, MOST_CLAIMS, MOST_NAMES) == (1, 128, 100, 500)
    assert (GITHUB, CLAIMABLE) == ("github.com", "*/{name}")
    assert UNPROVED == "its .deps.json or signed provenance that names the SDK would tell"
