import time
from dataclasses import replace

import pytest

from bot.domain.images.claim_choice import MOST_CLAIMS, claims_of, contested
from bot.domain.images.claims import Claim, ImageRule, ImageRules, NamedImage, Source, TagRule

SHOP = "Contoso/Shop"
BUILT = NamedImage("ghcr.io/{owner}/{name}", "{branch}", "build.yml", 7)


def claimed(rules: ImageRules, *produces: str, named: tuple[NamedImage, ...] = ()) -> list[tuple[str, str, Source]]:
    claims, _ = claims_of(SHOP, "main", rules, produces, named)
    return [(each.name, each.tag.text, each.source) for each in claims]


def test_names_are_filled_in_lower_case() -> None:
    assert claimed(ImageRules(), named=(BUILT,)) == [("ghcr.io/contoso/shop", "main", Source.BUILD)]


def test_where_the_operator_says_it_nobody_else_is_asked() -> None:
    rules = ImageRules((ImageRule("contoso/*", "acr.io/{name}", TagRule("{sha}")),))
    assert claimed(rules, "ghcr.io/contoso/shop", named=(BUILT,)) == [("acr.io/shop", "{sha}", Source.SETTINGS)]


@pytest.mark.parametrize(
    ("rules", "produces"),
    [
        (ImageRules((ImageRule("contoso/*", "ghcr.io/contoso/{name}"),)), ()),
        (ImageRules(), ("ghcr.io/contoso/shop",)),
    ],
)
def test_an_image_that_somebody_says_is_produced_is_built_at_the_line_that_names_it(
    rules: ImageRules, produces: tuple[str, ...]
) -> None:
    """That line may be at fault where a build does not take the new base."""
    named = replace(BUILT, pulls=False, weakness="it is a default")
    [claim], _ = claims_of(SHOP, "main", rules, produces, [named])
    assert (claim.path, claim.line, claim.pulls, claim.weakness) == ("build.yml", 7, False, "")


def test_the_operator_may_say_that_a_repository_produces_none() -> None:
    assert claimed(ImageRules((ImageRule("contoso/shop", None),)), named=(BUILT,)) == []


def test_a_repository_claims_a_path_with_its_own_name_and_no_other() -> None:
    claims, refused = claims_of(SHOP, "main", ImageRules(), ["ghcr.io/x/shop:v*", "ghcr.io/x/bank"], ())
    assert [(each.name, each.tag.text, each.source) for each in claims] == [
        ("ghcr.io/x/shop", "v*", Source.PRODUCES)
    ]
    assert refused == ("produces: ghcr.io/x/bank is not one that this repository may claim; see images.claimable",)


@pytest.mark.parametrize(
    "tag", ["latest", "{sha}", "r{run_number}", "{date:%Y%m%d}", "v{date:%Y.%m}-{short_sha}", "v*"]
)
def test_a_repository_claims_an_image_with_any_kind_of_tag(tag: str) -> None:
    for name in ("ghcr.io/contoso/shop", "registry.contoso.example:5000/contoso/shop"):
        (claim,), refused = claims_of("contoso/shop", "main", ImageRules(), [f"{name}:{tag}"], ())
        assert (claim.name, claim.tag.text, refused) == (name, tag, ())


def test_its_own_word_weighs_more_than_its_builds() -> None:
    found = claimed(ImageRules(), "ghcr.io/contoso/shop:stable", named=(BUILT,))
    assert found == [("ghcr.io/contoso/shop", "stable", Source.PRODUCES)]


def test_of_several_tags_the_fixed_one_is_taken() -> None:
    tags = [NamedImage("ghcr.io/contoso/shop", tag, "build.yml", 7) for tag in ("*", "{sha}", "latest")]
    assert claimed(ImageRules(), named=tuple(tags)) == [("ghcr.io/contoso/shop", "latest", Source.BUILD)]


def test_weak_evidence_counts_only_where_there_is_no_better() -> None:
    weak = NamedImage("ghcr.io/contoso/shop", "latest", "docker-bake.hcl", 2, weakness="it is a default")
    strong = NamedImage("ghcr.io/contoso/shop", "{sha}", "build.yml", 7)
    assert claimed(ImageRules(), named=(weak, strong)) == [("ghcr.io/contoso/shop", "{sha}", Source.BUILD)]
    [only], _ = claims_of(SHOP, "main", ImageRules(), (), [weak])
    assert (only.tag.text, only.weakness) == ("latest", "it is a default")


def test_of_tags_that_different_files_push_none_is_acted_upon() -> None:
    nightly = NamedImage("ghcr.io/contoso/shop", "nightly", "nightly.yml", 3)
    release = NamedImage("ghcr.io/contoso/shop", "latest", "release.yml", 7)
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [nightly, release])
    assert claim.weakness == (
        "nightly.yml pushes it as nightly and release.yml pushes it as latest: "
        "which of them a rebuild moves is not known"
    )


def test_a_tag_that_every_file_pushes_is_taken() -> None:
    named = [
        NamedImage("ghcr.io/contoso/shop", tag, path, 3)
        for path, tag in (("a.yml", "edge"), ("a.yml", "latest"), ("b.yml", "latest"), ("b.yml", "{sha}"))
    ]
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), named)
    assert (claim.tag.text, claim.weakness) == ("latest", "")


def test_what_a_file_only_names_counts_where_nothing_pushes_the_image() -> None:
    local = NamedImage("ghcr.io/contoso/shop", "dev", "compose.yaml", 3, is_pushed=False)
    build = NamedImage("ghcr.io/{owner}/{name}", "latest", "build.yml", 7)
    release = replace(build, weakness="only runs for tags or releases push it")
    for named, expected in (([local], "dev"), ([local, build], "latest"), ([local, release], "latest")):
        [claim], _ = claims_of(SHOP, "main", ImageRules(), (), named)
        assert (claim.tag.text, claim.weakness) == (expected, named[-1].weakness)


@pytest.mark.parametrize("text", ["ghcr.io/Contoso/UPPER", "not an image", "ghcr.io/contoso/shop:a b"])
def test_what_is_no_image_is_told(text: str) -> None:
    claims, refused = claims_of(SHOP, "main", ImageRules(), [text], ())
    assert claims == ()
    assert len(refused) == 1


def test_of_two_claims_the_weightier_counts_and_of_equals_none() -> None:
    def claim(source: Source) -> Claim:
        return Claim("ghcr.io/contoso/shop", TagRule("latest"), source)

    name = "ghcr.io/contoso/shop"
    assert contested([(1, claim(Source.BUILD)), (2, claim(Source.LABEL))]) == {(1, name)}
    assert contested([(1, claim(Source.BUILD)), (2, claim(Source.BUILD))]) == {(1, name), (2, name)}
    assert contested([(1, claim(Source.BUILD))]) == frozenset()
    weak = replace(claim(Source.BUILD), weakness="only releases push it")
    assert contested([(1, claim(Source.BUILD)), (2, weak)]) == {(2, name)}
    assert contested([(1, claim(Source.BUILD)), (2, replace(weak, source=Source.LABEL))]) == {(1, name)}


def test_a_branch_in_a_tag_has_a_hyphen_for_what_no_tag_may_have() -> None:
    named = NamedImage("ghcr.io/{owner}/{name}", "{branch}", "build.yml", 7)
    [claim], _ = claims_of(SHOP, "release/10.0", ImageRules(), (), [named])
    assert claim.tag.text == "release-10.0"


@pytest.mark.parametrize(
    ("branches", "is_weak"),
    [
        (("main",), False),
        (("canary",), True),
        (("m*",), False),
        (("**", "!main"), True),
        (("releases/**", "main"), False),
        (("*/main",), True),
        (("*/**",), True),
        (("**in", "x"), False),
        (("*a*n", "!*m"), False),
        (("mai",), True),
        (("m.in",), True),
        ((), False),
    ],
)
def test_what_only_pushes_to_other_branches_build_is_weak_evidence(
    branches: tuple[str, ...], is_weak: bool
) -> None:
    named = NamedImage("ghcr.io/contoso/shop", "canary", "build.yml", 7, branches=branches)
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [named])
    assert bool(claim.weakness) is is_weak


def test_patterns_of_branches_with_many_stars_are_gone_through_once() -> None:
    branches = ("*a" * 60 + "b",)
    named = NamedImage("ghcr.io/contoso/shop", "canary", "build.yml", 7, branches=branches)
    [claim], _ = claims_of(SHOP, "a" * 200, ImageRules(), (), [named])
    assert claim.weakness.endswith("build it, and rebuilds are of " + "a" * 200)


def golden(tag: str, path: str, built_from: str = "", variant: str = "") -> NamedImage:
    files = (built_from,) if built_from else ()
    return NamedImage("ghcr.io/contoso/golden", tag, path, 3, built_from=files, variant=variant)


FILES = ("8.0/Dockerfile", "9.0/Dockerfile", "Dockerfile")


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        # two workflows, or two jobs of one, each with a Dockerfile of its own
        ([golden("8.0", "8.yml", FILES[0]), golden("9.0", "9.yml", FILES[1])], {"8.0": FILES[0], "9.0": FILES[1]}),
        ([golden("8.0", "a.yml", FILES[0]), golden("9.0", "a.yml", FILES[1])], {"8.0": FILES[0], "9.0": FILES[1]}),
        # one matrix, from one Dockerfile or from one that nothing tells
        (
            [golden("8.0", "a.yml", FILES[2], "line=8.0"), golden("9.0", "a.yml", FILES[2], "line=9.0")],
            {"8.0": FILES[2], "9.0": FILES[2]},
        ),
        ([golden("8.0", "a.yml", "", "line=8.0"), golden("9.0", "a.yml", "", "line=9.0")], {"8.0": "", "9.0": ""}),
        # several tags of each build
        (
            [
                golden(tag, f"{tag[0]}.yml", f"{tag[:3]}/Dockerfile")
                for tag in ("8.0-{sha}", "8.0", "9.0", "9.0-{sha}")
            ],
            {"8.0": FILES[0], "9.0": FILES[1]},
        ),
        # a tag that both push makes them one
        (
            [
                golden(tag, "a.yml", FILES[2], f"on={on}")
                for on in ("amd64", "arm64")
                for tag in ("latest", f"1-{on}")
            ],
            {"latest": FILES[2]},
        ),
        # the same Dockerfile in two jobs is one image under two tags
        ([golden("8.0", "a.yml", FILES[2]), golden("{sha}", "a.yml", FILES[2])], {"8.0": FILES[2]}),
    ],
)
def test_tags_of_one_name_are_images_of_their_own_where_each_has_a_build(
    named: list[NamedImage], expected: dict[str, str]
) -> None:
    claims, _ = claims_of(SHOP, "main", ImageRules(), (), named, FILES)
    assert {claim.tag.text: claim.built_from for claim in claims} == expected
    assert {claim.weakness for claim in claims} == {""}


@pytest.mark.parametrize("built_from", ["", FILES[2]])
def test_tags_of_two_workflows_that_build_from_the_same_file_or_an_unknown_one_are_not_told_apart(
    built_from: str,
) -> None:
    named = [golden("8.0", "8.yml", FILES[2]), golden("9.0", "9.yml", built_from)]
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), named, FILES)
    assert claim.weakness.endswith("which of them a rebuild moves is not known")


def test_weak_evidence_is_no_image_beside_tags_that_have_a_build_each() -> None:
    weak = replace(golden("latest", "mirror.yml"), weakness="it is a copy")
    named = [golden("8.0", "8.yml", FILES[0]), weak, golden("9.0", "9.yml", FILES[1])]
    claims, _ = claims_of(SHOP, "main", ImageRules(), (), named, FILES)
    assert [claim.tag.text for claim in claims] == ["8.0", "9.0"]


def test_whoever_has_the_weightiest_word_may_name_several_tags() -> None:
    name = "ghcr.io/contoso/shop"
    named = tuple(golden(tag, f"{tag}.yml", file) for tag, file in (("1", FILES[0]), ("2", FILES[1])))
    named = tuple(replace(each, name=name) for each in named)
    said = [f"{name}:1", f"{name}:stable", f"{name}:1"]
    claims, _ = claims_of(SHOP, "main", ImageRules(), said, named, FILES)
    assert [(each.tag.text, each.source, each.built_from) for each in claims] == [
        ("1", Source.PRODUCES, FILES[0]),
        ("stable", Source.PRODUCES, ""),
    ]
    rules = ImageRules(tuple(ImageRule("contoso/*", name, TagRule(tag)) for tag in ("8.0", "9.0")))
    assert claimed(rules, name) == [(name, "8.0", Source.SETTINGS), (name, "9.0", Source.SETTINGS)]


def test_thousands_of_builds_of_one_name_are_told_apart_in_a_moment() -> None:
    files = [f"{number}/Dockerfile" for number in range(4_000)]
    named = [golden(f"v{number}", f"{number % 8}.yml", file) for number, file in enumerate(files)]
    begun = time.thread_time()
    claims, _ = claims_of(SHOP, "main", ImageRules(), (), named, frozenset(files))
    assert time.thread_time() - begun < 3
    assert [claim.built_from for claim in claims] == files[:MOST_CLAIMS]


def test_builds_that_share_tags_by_way_of_others_are_one_image() -> None:
    pairs = [("a", "1"), ("b", "2"), ("c", "3"), ("b", "1"), ("c", "2"), ("d", "4")]
    named = [golden(tag, "a.yml", f"{folder}/Dockerfile") for folder, tag in pairs]
    files = {each.built_from[0] for each in named}
    claims, _ = claims_of(SHOP, "main", ImageRules(), (), named, files)
    assert [(claim.tag.text, claim.built_from) for claim in claims] == [("1", ""), ("4", "d/Dockerfile")]


def test_a_claim_is_built_where_its_own_tag_is_named() -> None:
    moving = NamedImage("ghcr.io/contoso/shop", "*", "build.yml", 3, pulls=True)
    fixed = NamedImage("ghcr.io/contoso/shop", "latest", "build.yml", 7, pulls=False)
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [moving, fixed])
    assert (claim.tag.text, claim.line, claim.pulls) == ("latest", 7, False)


def test_where_weak_evidence_has_an_image_built_from_another_file_nothing_tells_from_which() -> None:
    sure = golden("8.0", "8.yml", FILES[0])
    weak = replace(golden("latest", "mirror.yml", FILES[1]), weakness="it is a copy")
    [alone], _ = claims_of(SHOP, "main", ImageRules(), (), [sure], FILES)
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [sure, weak], FILES)
    assert (alone.built_from, claim.tag.text, claim.built_from) == (FILES[0], "8.0", "")


def test_what_is_no_image_is_told_by_its_first_hundred_characters() -> None:
    _, [told] = claims_of(SHOP, "main", ImageRules(), ["X" * 101], ())
    assert told == f"produces: {'X' * 100!r} is no image name"


def test_images_of_several_names_are_contested_each_on_its_own() -> None:
    claims = [Claim(name, TagRule("latest"), Source.BUILD) for name in ("acr.io/a", "acr.io/b")]
    pairs = [(repository, claim) for repository in (1, 2) for claim in claims]
    assert contested(pairs) == {(repository, claim.name) for repository, claim in pairs}


def test_variants_of_two_workflows_that_build_from_one_known_file_are_images_of_their_own() -> None:
    named = [golden(tag, f"{tag}.yml", FILES[2], f"line={tag}") for tag in ("8.0", "9.0")]
    claims, _ = claims_of(SHOP, "main", ImageRules(), (), named, FILES)
    assert [(claim.tag.text, claim.weakness) for claim in claims] == [("8.0", ""), ("9.0", "")]


def test_which_branches_build_it_is_told_after_what_else_is_weak() -> None:
    def weakness(*branches: str, weakness: str = "") -> str:
        named = replace(BUILT, branches=branches, weakness=weakness)
        [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [named])
        return claim.weakness

    assert weakness("canary", "next") == "only pushes to canary, next build it, and rebuilds are of main"
    assert weakness("x" * 101) == f"only pushes to {'x' * 100} build it, and rebuilds are of main"
    assert weakness("canary", weakness="it is a default") == "it is a default"
    assert weakness("main", weakness="it is a default") == "it is a default"


def test_a_branch_in_a_name_is_written_in_lower_case() -> None:
    named = replace(BUILT, name="ghcr.io/{owner}/{name}-{branch}", tag="latest")
    [claim], _ = claims_of(SHOP, "Main", ImageRules(), (), [named])
    assert claim.name == "ghcr.io/contoso/shop-main"


def test_of_what_a_branch_may_not_have_in_a_tag_many_make_one_hyphen() -> None:
    [claim], _ = claims_of(SHOP, "feature/ä b_1.x", ImageRules(), (), [BUILT])
    assert claim.tag.text == "feature-b_1.x"


def test_an_image_is_built_from_the_first_of_its_files_that_is_there() -> None:
    named = replace(BUILT, built_from=("missing/Dockerfile", FILES[1], FILES[0]))
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), [named], FILES)
    assert claim.built_from == FILES[1]


def test_of_many_files_that_push_other_tags_two_are_named_each_with_one_of_its_own() -> None:
    tags = (("c.yml", "3"), ("b.yml", "22"), ("b.yml", "21"), ("a.yml", "1"))
    named = [golden(tag, path) for path, tag in tags]
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), named)
    assert claim.weakness == (
        "a.yml pushes it as 1 and b.yml pushes it as 21: which of them a rebuild moves is not known"
    )
    long = [golden("1", "a" * 301), golden("2", "b")]
    [claim], _ = claims_of(SHOP, "main", ImageRules(), (), long)
    assert claim.weakness == f"{'a' * 300}: which of them a rebuild moves is not known"


def test_an_image_that_nothing_builds_is_claimed_without_a_place() -> None:
    [claim], _ = claims_of(SHOP, "main", ImageRules(), ["ghcr.io/contoso/shop"], ())
    assert claim == Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.PRODUCES)


@pytest.mark.parametrize(("name", "tag"), [("not an image", "latest"), ("ghcr.io/contoso/shop", "a b")])
def test_a_build_that_names_no_image_claims_none(name: str, tag: str) -> None:
    assert claimed(ImageRules(), named=(replace(BUILT, name=name, tag=tag),)) == []
