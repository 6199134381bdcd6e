"""What is pushed is scanned for known vulnerabilities in the same run.

What: the workflow that pushes an image runs Trivy, Grype or Docker Scout on an image, before or after the push.

Example that fails::

    - uses: docker/build-push-action@…
      with: {push: true, tags: contoso/api}

Fix: build with `load: true`, scan with `exit-code: '1'`, and push only then.

Exceptions: workflows and scanners that are not read are unknown, by name. Scans of the file system (`scan-type:
fs`) do not count. Builds for pull requests are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import SCANNERS, deliveries
from bot.files.audit.delivery.gates import scans_of
from bot.files.audit.delivery.statements import built_before, is_promotion
from bot.files.audit.delivery.unread import other_scanners, scripts_called
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.steps import scan_after
from bot.files.audit.verdict import Verdict, fails, holds, unknown


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    strangers = {each: list(dict.fromkeys(other_scanners(each))) for each in own_deliveries.pushing()}
    called = {each: list(dict.fromkeys(scripts_called(repository, each, SCANNERS))) for each in strangers}
    for push in own_deliveries.pushes:
        place = repository.where(push.step)
        scans = scans_of(repository, push)
        elsewhere, scripts = strangers[push.pipeline], called[push.pipeline]
        if missed := left_out(push, scans):
            why = f"{scans[0].tool} scans in other runs, and not for {missed}"
            yield unknown(place, push.subject, why, f"whether others pull what {missed} pushes")
        elif scans:
            yield holds(place, push.subject, f"{scans[0].tool} scans {scans[0].target or 'the image'}")
        elif elsewhere:
            why = f"no Trivy, Grype or Docker Scout looks at the image, but {first_few(elsewhere)} may"
            yield unknown(place, push.subject, why, f"what {first_few(elsewhere)} does")
        elif scripts:
            yield unknown(
                place,
                push.subject,
                f"no scan is seen, but {first_few(scripts)} may run one",
                "the commands written in the workflow",
            )
        elif is_promotion(repository, push):
            why, settled_by = _of_promotion(built_before(push))
            yield unknown(place, push.subject, why, settled_by)
        else:
            fix = scan_after(repository, push, "scan the image in the run that pushes it, with an exit code")
            yield fails(place, push.subject, "no scan looks at the image in the run that pushes it", fix)
    for build in own_deliveries.remote_builds:
        place = repository.where(build.job)
        scan = next((each for each in own_deliveries.scans if each.pipeline is build.pipeline), None)
        if scan is not None:
            yield holds(place, build.subject, f"{scan.tool} scans {scan.target or 'the image'}")
        elif elsewhere := list(dict.fromkeys(other_scanners(build.pipeline))):
            why = f"no Trivy, Grype or Docker Scout looks at the image, but {first_few(elsewhere)} may"
            yield unknown(place, build.subject, why, f"what {first_few(elsewhere)} does")
        else:
            yield fails(
                place,
                build.subject,
                "no scan looks at the image in the run that pushes it",
                "scan the image in a job that needs this one",
            )


def _of_promotion(builder: str) -> tuple[str, str]:
    """Why it is not told of an image that is only brought on, and what settles it.

    `builder` is the step of the same run that builds it, empty for none.
    """
    if builder:
        return (
            f"{builder} builds an image before, and no scan is seen in either job",
            "a scan in the job that builds",
        )
    return "the image was built before, and whether it was scanned then is not known here", "the run that builds it"


RULE = Rule(
    "image-scanned",
    "What is pushed is scanned",
    "Known vulnerabilities are otherwise found by others first.",
    FindingSeverity.HIGH,
    judge,
)
