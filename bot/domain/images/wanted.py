"""What an image should be built on, as one value: it is due where it was built on anything else.

After docker-library/meta-scripts, whose `buildId` hashes a build's source with the digests of its parents. The
source is left out here: a commit alone makes nothing due.
"""

import hashlib
from collections.abc import Mapping

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base


def hash_of_parents(parents: Mapping[Base, Mapping[str, str]]) -> str:
    """A hash over what each parent shows for each platform that is built."""
    parents_as_text = "\n".join(
        f"{base} {platform} {content}"
        for base, platforms in sorted(parents.items())
        for platform, content in sorted(platforms.items())
    )
    return hashlib.sha256(parents_as_text.encode()).hexdigest()


def shown_by(observation: Observation) -> dict[str, str]:
    """What an observation shows for each of its platforms.

    That is the layers where they are known in full: a parent that was rebuilt with the same layers shows nothing
    new. Else it is the digest of the platform's manifest.
    """
    return {
        platform: " ".join(" ".join(image.diff_ids) or image.digest for image in images)
        for platform, images in observation.by_platform().items()
    }


def is_unchanged(before: Observation, after: Observation) -> bool:
    """Whether who stands on the one stands on the other as well: every platform has the same layers."""
    old, new = shown_by(before), shown_by(after)
    return bool(new) and all(old.get(platform) == content for platform, content in new.items())
