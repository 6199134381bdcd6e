"""An image carries the list of what it is made of.

What: `sbom: true` of build-push-action or Bake, `--sbom` of Buildx, or an SBOM that is attested to the image
(`cosign attest --type spdxjson`, actions/attest-sbom).

Example that fails::

    - uses: docker/build-push-action@…
      with: {push: true, tags: contoso/api}

Fix: `sbom: true`, which build-push-action knows from v3.3 on; an older one is raised with it.

Exceptions: unknown without a builder of its own (docker/setup-buildx-action, `docker buildx create`), and for an
SBOM that is only a file of the run.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.engine_images import stands_on_engine
from bot.files.audit.delivery.gates import about, elsewhere
from bot.files.audit.delivery.statements import (
    ENGINES_WITH_BUILDX,
    JOINED,
    ON_BUILDER,
    is_manifest,
    is_of_windows,
    told_of,
)
from bot.files.audit.delivery.unread import other_attesters
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.splicing.keys import with_key
from bot.files.audit.suggestions.steps import sbom_on
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.formats.source.nodes import Mapping


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for push in own_deliveries.pushes:
        place = repository.where(push.step)
        made = about(repository, push, own_deliveries.attestations)
        attested = next((each for each in made if each.what == "sbom"), None)
        sbom_file = next((each for each in made if each.what == "sbom-file"), None)
        missed = left_out(push, [each for each in made if each.what == "sbom"])
        by = f"{attested.tool} attaches an SBOM" if attested else ""
        verdict, why = told_of(repository, push, "sbom", by, missed)
        if verdict is not None:
            yield verdict
        elif sbom_file is not None:
            yield unknown(
                place,
                push.subject,
                f"{sbom_file.tool} makes an SBOM, but nothing attaches it to the image",
                "where the SBOM goes",
            )
        elif later := [
            each for each in elsewhere(push, own_deliveries.attestations) if each.what == "sbom" and each.is_signed
        ]:
            why = f"{later[0].tool} of {later[0].pipeline.path} attaches an SBOM, perhaps to this image"
            yield unknown(place, push.subject, why, "which image that run attaches it to")
        elif strangers := list(dict.fromkeys(other_attesters(push.pipeline))):
            why = f"{why}, and whether {first_few(strangers)} attaches one is not told"
            yield unknown(place, push.subject, why, f"what {first_few(strangers)} does")
        else:
            yield fails(place, push.subject, f"the image gets no SBOM: {why}", _fix(repository, push))
    for build in own_deliveries.remote_builds:
        place = repository.where(build.job)
        attested = next(
            (e for e in own_deliveries.attestations if e.pipeline is build.pipeline and e.what == "sbom"), None
        )
        if attested is not None:
            yield holds(place, build.subject, f"{attested.tool} attaches an SBOM")
        elif build.gets_sbom:
            yield holds(place, build.subject, f"{build.job.remote} is asked for an SBOM")
        elif build.gets_sbom is None:
            why = f"sbom is {build.input('sbom')}, which only a run knows"
            yield unknown(place, build.subject, why, "the input written out")
        else:
            inputs = build.job.mapping.get("with")
            fix = (
                with_key(repository, inputs, "sbom", ["true"], "set sbom: true")
                if isinstance(inputs, Mapping)
                else "set sbom: true"
            )
            yield fails(place, build.subject, "the image gets no SBOM: its builder is not asked for one", fix)


def _fix(repository: RepositoryTexts, push: Push) -> Fix:
    if stands_on_engine(repository, push):
        return Fix(_BY_DIGEST)
    inputs = push.step.mapping.get("with")
    if push.step.action in BUILDKIT_ACTIONS and isinstance(inputs, Mapping):
        return sbom_on(repository, push, inputs)
    if push.command is not None and is_manifest(push.command):
        return Fix(f"set sbom: true where its images are built, and {JOINED}")
    if push.command is not None and push.command.name in ENGINES_WITH_BUILDX and not is_of_windows(push):
        return Fix(f"build and push in one, with `docker buildx build --sbom=true --push`, {ON_BUILDER}")
    return Fix(_BY_DIGEST)


_BY_DIGEST = "attach it to what is pushed, by its digest: `cosign attest --type spdxjson`"


RULE = Rule(
    "sbom",
    "Images carry an SBOM",
    "It says which images have a library, without pulling one.",
    FindingSeverity.MEDIUM,
    judge,
)
