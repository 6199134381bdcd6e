"""What is pushed is signed.

What: the run that pushes an image also runs `cosign sign` or `notation sign`.

Example that fails::

    - uses: docker/build-push-action@…
      with: {push: true}

Fix: sigstore/cosign-installer, then `cosign sign --yes REPOSITORY@${{ steps.build.outputs.digest }}`.

Exceptions: pipelines that call workflows which are not read are unknown, by name. docker/github-builder signs
unless its input `sign` is false.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.coverage import left_out
from bot.files.audit.delivery.deliveries import SIGNERS, deliveries
from bot.files.audit.delivery.gates import about, elsewhere, signings_of_images
from bot.files.audit.delivery.statements import is_promotion, of_promotion
from bot.files.audit.delivery.unread import other_signers, scripts_called
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.steps import sign_after
from bot.files.audit.verdict import Verdict, fails, holds, unknown

_FIX = "sign the digest with cosign, keyless"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    unread = {each: list(dict.fromkeys(other_signers(each))) for each in own_deliveries.pushing()}
    called = {each: list(dict.fromkeys(scripts_called(repository, each, SIGNERS))) for each in unread}
    for push in own_deliveries.pushes:
        place = repository.where(push.step)
        signings = about(repository, push, own_deliveries.signings)
        strangers, scripts = unread[push.pipeline], called[push.pipeline]
        if missed := left_out(push, signings):
            why = f"{signings[0].tool} signs in other runs, and not for {missed}"
            yield unknown(place, push.subject, why, f"whether others pull what {missed} pushes")
        elif signings:
            yield holds(place, push.subject, f"{signings[0].tool} signs it")
        elif strangers:
            yield unknown(
                place,
                push.subject,
                f"no signature is seen, but {first_few(strangers)} may make one",
                f"what {first_few(strangers)} does",
            )
        elif scripts:
            yield unknown(
                place,
                push.subject,
                f"no signature is seen, but {first_few(scripts)} may make one",
                "the commands written in the workflow",
            )
        elif is_promotion(repository, push):
            why, settled_by = of_promotion(
                push, "signature", "signed", "a signature of the digest where others pull it"
            )
            yield unknown(place, push.subject, why, settled_by)
        elif later := elsewhere(push, signings_of_images(repository)):
            why = f"{later[0].tool} of {later[0].pipeline.path} signs an image, perhaps this one"
            yield unknown(place, push.subject, why, "which image that run signs")
        else:
            yield fails(place, push.subject, "nothing signs what is pushed", sign_after(repository, push, _FIX))
    for build in own_deliveries.remote_builds:
        place = repository.where(build.job)
        if build.is_signed:
            yield holds(place, build.subject, f"{build.job.remote} signs what it attests")
        elif any(each.pipeline is build.pipeline for each in own_deliveries.signings):
            yield holds(place, build.subject, "a job of the same workflow signs it")
        elif build.is_signed is None:
            why = f"sign is {build.input('sign')}, which only a run knows"
            yield unknown(place, build.subject, why, "the input written out")
        else:
            why = f"sign is {build.input('sign')}, and nothing else signs what is pushed"
            yield fails(place, build.subject, why, "leave the input sign at auto")


RULE = Rule(
    "image-signed",
    "What is pushed is signed",
    "A signature tells the pipeline's images from all others.",
    FindingSeverity.MEDIUM,
    judge,
)
