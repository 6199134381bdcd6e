"""One advisory of each CVE out of what several sources say about it."""

from collections.abc import Iterable
from dataclasses import fields

from bot.domain.feeds.advisory import Advisory, worst
from bot.upstream.feeds.packages import LINUX, versions_in_order

SOURCES = ("msrc", "dotnet-cve", "github", "dotnet-announcements", "dotnet-docker")
"""In order of whose title is used; Microsoft's own first."""
WITHOUT_C_LIBRARY = frozenset({"msrc", "dotnet-cve"})
"""Sources that say `Linux` and do not tell glibc from musl."""


def combine_all(advisories: Iterable[Advisory]) -> dict[str, Advisory]:
    """Returns all advisories by CVE, each combined."""
    by_cve: dict[str, list[Advisory]] = {}
    for advisory in advisories:
        by_cve.setdefault(advisory.cve, []).append(advisory)
    return {cve: combine(advisories_of_cve) for cve, advisories_of_cve in sorted(by_cve.items())}


def combine(advisories: Iterable[Advisory]) -> Advisory:
    """Combines the advisories of one CVE into one; the order in which they are given makes no difference.

    The highest severity and score count, the earliest publication, and everything that any source touches, so
    that no fix looks narrower or milder than a source says; with one exception: where Microsoft names Linux as
    such, a source that tells glibc from musl is the more exact one. A source that says nothing of a field has
    no vote on it. Contradictions are kept as sentences. Raises `ValueError` for no advisory or several CVEs.
    """
    unique_advisories = sorted(set(advisories), key=_order)
    if len({advisory.cve for advisory in unique_advisories}) != 1:
        raise ValueError("advisories of exactly one CVE can be combined")
    if len(unique_advisories) == 1:
        return unique_advisories[0]
    scores = [advisory.score for advisory in unique_advisories if advisory.score is not None]
    return Advisory(
        cve=unique_advisories[0].cve,
        title=next((advisory.title for advisory in unique_advisories if advisory.title), ""),
        severity=worst(advisory.severity for advisory in unique_advisories),
        score=max(scores, default=None),
        published_at=min((a.published_at for a in unique_advisories if a.published_at), default=None),
        families=frozenset().union(*(advisory.families for advisory in unique_advisories)),
        systems=_systems(unique_advisories),
        fixed_versions=versions_in_order(
            version for advisory in unique_advisories for version in advisory.fixed_versions
        ),
        links=tuple(dict.fromkeys(link for advisory in unique_advisories for link in advisory.links)),
        evidence=tuple(dict.fromkeys(proof for advisory in unique_advisories for proof in advisory.evidence)),
        disagreements=tuple(
            dict.fromkeys(
                (
                    *(line for advisory in unique_advisories for line in advisory.disagreements),
                    *_disagreements(unique_advisories),
                )
            )
        ),
    )


def _order(advisory: Advisory) -> tuple[int, str]:
    """The source's place, then the content: the same in every process, which the repr of a set is not."""
    source = _source(advisory)
    values = (getattr(advisory, each.name) for each in fields(advisory))
    content = [sorted(value) if isinstance(value, frozenset) else value for value in values]
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), repr(content))


def _source(advisory: Advisory) -> str:
    return advisory.evidence[0].source if advisory.evidence else ""


def _systems(advisories: list[Advisory]) -> frozenset[str]:
    """The union, with Linux as such narrowed to the C libraries that a more exact source names."""
    vague = [advisory.systems for advisory in advisories if _source(advisory) in WITHOUT_C_LIBRARY]
    exact = [advisory.systems for advisory in advisories if _source(advisory) not in WITHOUT_C_LIBRARY]
    exact_systems: frozenset[str] = frozenset().union(*exact)
    if not exact_systems & LINUX:
        return exact_systems.union(*vague)
    return exact_systems.union(*(systems - LINUX for systems in vague))


def _disagreements(advisories: list[Advisory]) -> list[str]:
    return [
        *_describe_difference("severity", [(_source(a), a.severity.told) for a in advisories if a.severity]),
        *_describe_difference("score", [(_source(a), f"{a.score:g}") for a in advisories if a.score is not None]),
        *_describe_difference(
            "image families", [(_source(a), _join_values(a.families)) for a in advisories if a.families]
        ),
        *_describe_difference(
            "operating systems",
            [(_source(a), _join_values(_by_kernel(a, advisories))) for a in advisories if a.systems],
        ),
        *_describe_difference(
            "fixed versions", [(_source(a), _join_values(a.fixed_versions)) for a in advisories if a.fixed_versions]
        ),
    ]


def _describe_difference(field_name: str, votes: list[tuple[str, str]]) -> list[str]:
    if len({vote for _, vote in votes}) < 2:
        return []
    return [f"{field_name}: " + "; ".join(f"{source or 'unnamed source'} says {vote}" for source, vote in votes)]


def _by_kernel(advisory: Advisory, advisories: list[Advisory]) -> frozenset[str]:
    """Systems as they compare: a source that does not know C libraries contradicts none that does."""
    if _source(advisory) in WITHOUT_C_LIBRARY and advisory.systems & LINUX:
        return advisory.systems - LINUX | (_systems(advisories) & LINUX)
    return advisory.systems


def _join_values(values: Iterable[str]) -> str:
    return ", ".join(versions_in_order(values)) if isinstance(values, tuple) else ", ".join(sorted(values))
