"""What a rule may ask for: which pull requests merge, and what a part of a monorepo builds."""

import pytest

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.terms import NEVER, AutoMerge, MergeMethod, PathWorkflow, part_of

SQUASH = MergeMethod.SQUASH


@pytest.mark.parametrize(
    ("merge", "cause", "severity", "accepts"),
    [
        (NEVER, Cause.OS_UPDATE, None, False),
        (AutoMerge(SQUASH), Cause.OS_UPDATE, None, True),
        (AutoMerge(SQUASH, (Cause.OS_UPDATE,)), Cause.OS_UPDATE, None, True),
        (AutoMerge(SQUASH, (Cause.OS_UPDATE,)), Cause.DOTNET_RELEASE, None, False),
        (AutoMerge(SQUASH, min_severity=Severity.HIGH), Cause.DOTNET_SECURITY, None, False),
        (AutoMerge(SQUASH, min_severity=Severity.HIGH), Cause.DOTNET_SECURITY, Severity.MODERATE, False),
        (AutoMerge(SQUASH, min_severity=Severity.HIGH), Cause.DOTNET_SECURITY, Severity.HIGH, True),
        (AutoMerge(SQUASH, min_severity=Severity.HIGH), Cause.DOTNET_SECURITY, Severity.CRITICAL, True),
        (AutoMerge(SQUASH, (Cause.OS_UPDATE,), Severity.HIGH), Cause.DOTNET_SECURITY, Severity.HIGH, False),
    ],
)
def test_only_what_a_rule_wants_merged_merges_by_itself(
    merge: AutoMerge, cause: Cause, severity: Severity | None, accepts: bool
) -> None:
    assert merge.accepts(cause, severity) is accepts


API = PathWorkflow(("api/*", "shared/*"), "api.yml", ("ghcr.io/contoso/api*",))
WEB = PathWorkflow(("web/*", "shared/*"), "web.yml")
REST = PathWorkflow((), "rest.yml", others=(API, WEB))


@pytest.mark.parametrize(
    ("path", "part"), [("api/Dockerfile", API), ("web/Dockerfile", WEB), ("shared/x", API), ("Dockerfile", None)]
)
def test_a_file_belongs_to_the_first_part_whose_globs_take_it(path: str, part: PathWorkflow | None) -> None:
    assert part_of((API, WEB), path) is part


@pytest.mark.parametrize(
    ("part", "image", "produces"),
    [
        (API, "ghcr.io/contoso/api-v2", True),
        (API, "ghcr.io/contoso/web", False),
        (WEB, "ghcr.io/contoso/web", True),
        (REST, "ghcr.io/contoso/api", False),
        (REST, "ghcr.io/contoso/web", True),
    ],
)
def test_an_image_comes_of_the_part_that_names_it_or_else_of_any_that_names_none(
    part: PathWorkflow, image: str, produces: bool
) -> None:
    assert part.produces(image) is produces
