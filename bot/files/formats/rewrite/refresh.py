"""Files brought to what their bases are now, from whatever they say at this moment."""

from collections.abc import Iterable, Mapping

from bot.domain.bases.followed_base import Unknown, base_among
from bot.domain.reference import Base, Reference
from bot.domain.repositories.usage import Replacement, SourceProblem, Usage
from bot.domain.rollouts.pinning import Refreshed, WantedDigest, WantedDigests, wanted_reference
from bot.files.formats.memory import File, Memory
from bot.files.formats.repository import is_read_together, needs_projects, read_files
from bot.files.formats.rewrite.rewrite import rewrite_files


def refresh(files: Mapping[str, bytes], digests_by_path: Mapping[str, WantedDigests]) -> Mapping[str, Refreshed]:
    """Carries out what `digests_by_path` asks of the files of one repository, by path; never raises.

    A file that `digests_by_path` does not name is only read with the others: a project takes properties from many
    files (`read_with` names them). What cannot be done is in `refused`; a base that takes several files counts as
    met in each of them.
    """
    by_base = {path: {one.base: one for one in each.of_bases} for path, each in digests_by_path.items()}
    replacements: dict[str, dict[tuple[object, bool], Replacement]] = {path: {} for path in digests_by_path}
    refused: dict[str, dict[SourceProblem, None]] = {path: {} for path in digests_by_path}
    new_tags: dict[str, dict[Reference, None]] = {path: {} for path in digests_by_path}
    for usage in _usages(files):
        for path in digests_by_path.keys() & set(usage.paths):
            item = _replacement(usage, by_base[path], digests_by_path[path].sdk)
            if isinstance(item, SourceProblem):
                refused.setdefault(item.path, {})[item] = None
            elif item is not None:
                replacements[path][(item.old, item.marker)] = item
                if item.new.tag != item.old.tag and usage.sdk_pin is None:
                    new_tags[path][item.new] = None
    done = rewrite_files(files, {path: tuple(each.values()) for path, each in replacements.items()})
    met = _met({path: done[path].data for path in files}, by_base)
    return {
        path: Refreshed(
            done[path].data,
            frozenset(met.get(path, ())),
            (*refused.get(path, ()), *done[path].refused),
            done[path].moved,
            tuple(new_tags.get(path, ())) if done[path].data != files[path] else (),
        )
        for path in files
    }


def read_with(paths: Iterable[str], aim_paths: Iterable[str]) -> frozenset[str]:
    """The files among `paths` that are to be read to rewrite those of `aim_paths`: these, and all of MSBuild's with
    one of them or with C#."""
    chosen = frozenset(aim_paths)
    if not any(needs_projects(path) for path in chosen):
        return chosen
    return chosen | {path for path in paths if is_read_together(path, b"")}


def _usages(files: Mapping[str, bytes]) -> tuple[Usage, ...]:
    findings, _ = read_files((File(path, path, data) for path, data in files.items()), Memory())
    return findings.usages


def _replacement(
    usage: Usage, digests_by_base: Mapping[Base, WantedDigest], sdk: str | None
) -> Replacement | SourceProblem | None:
    if usage.sdk_pin is not None:
        if sdk is None or not usage.sdk_pin.must_move(sdk, image_is_pinned=True):
            return None
        return Replacement(usage.reference, usage.reference.with_tag(sdk, None))
    base = base_among(usage.reference, digests_by_base)
    one = digests_by_base.get(base) if base is not None else None
    if one is None:
        return None
    target = _target(usage, one)
    if isinstance(target, Unknown):
        return None if target.is_ahead else SourceProblem(usage.path, usage.line, target.reason)
    if target != usage.reference:
        return Replacement(usage.reference, target)
    if one.marks and not usage.is_pinned:
        return Replacement(target, target.with_tag(target.tag, one.digest), marker=True)
    return None


def _target(usage: Usage, one: WantedDigest) -> Reference | Unknown:
    return wanted_reference(
        *(usage.reference, one.base, one.digest, one.version, one.pin), may_go_back=one.may_go_back
    )


def _met(
    files: Mapping[str, bytes], digests_by_path: Mapping[str, Mapping[Base, WantedDigest]]
) -> Mapping[str, set[Base]]:
    """The bases that some usage of each file follows and now stands on, by its reference or by its marker, or that
    it is ahead of."""
    bases_by_path: dict[str, set[Base]] = {}
    for usage in _usages(files):
        for path in usage.paths:
            base = base_among(usage.reference, digests_by_path.get(path, ()))
            one = digests_by_path.get(path, {}).get(base) if base is not None else None
            if one is None or usage.sdk_pin is not None:
                continue
            stands_on = usage.reference.digest or usage.marker
            target = _target(usage, one)
            is_ahead = isinstance(target, Unknown) and target.is_ahead
            is_written = stands_on is None and target == usage.reference and not one.marks
            if stands_on == one.digest or is_ahead or is_written:
                bases_by_path.setdefault(path, set()).add(one.base)
    return bases_by_path
