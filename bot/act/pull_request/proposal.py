"""One open pull request for each repository and branch, brought to the wanted content from wherever it stands."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.act.ports import ActOptions, ActStore, Host, Job, Refresher
from bot.act.pull_request.declined import less_declined, was_closed_by_us
from bot.act.pull_request.labels_and_reviews import add_labels, ask_for_review
from bot.act.pull_request.wording import body, closing, commit_message, is_replaceable, title, what_moved
from bot.domain.backoff import rest_at_age
from bot.domain.clock import Clock
from bot.domain.forge import FileChange, PullRequest
from bot.domain.rebuild import Rebuild, State
from bot.domain.reference import Base
from bot.domain.repository import Tree, TreeEntry, blob_name
from bot.domain.wanted_digest import WantedDigests, wanted_digests_of
from bot.formats.rewrite.refresh import read_with

_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Edits:
    files: tuple[FileChange, ...] = ()
    refused: tuple[str, ...] = ()
    unmet: tuple[Base, ...] = ()
    """The targets that no file names, or that no file stands on even after the edits."""


async def open_or_update(
    job: Job, store: ActStore, host: Host, refresh: Refresher, options: ActOptions, clock: Clock
) -> Rebuild:
    """The rebuild in its next state. Every step looks first, so that it can be repeated after any crash."""
    rebuild, repository = job.rebuild, job.rebuild.repository
    assert rebuild.branch is not None
    if not job.member.config.enabled and rebuild.state.awaits_action:
        return rebuild.moved(State.SKIPPED, "the repository opted out in .github/freshness.yaml", at=clock.now())
    found = await host.pull_requests(repository, rebuild.branch)
    current = next((request for request in found if request.is_open), None)
    if current is None and rebuild.state is State.OPEN and not was_closed_by_us(found, rebuild):
        return replace(rebuild, text_version=rebuild.facts_version, due_at=clock.now())  # verify tells how it ended
    declined = less_declined(found, job)
    if current is None and declined.left is None:
        return rebuild.moved(State.CANCELLED, declined.told[0], at=clock.now())
    job, slips = (declined.left, declined.told) if declined.left is not None else (job, ())
    is_more = current is None and rebuild.state.awaits_action
    if is_more and await store.open_pull_requests(repository) >= options.open_pull_requests:
        return _waiting(rebuild, options, clock, "other pull requests of the bot are still open here")
    if rebuild.attempted_at is None:
        rebuild = replace(rebuild, attempted_at=clock.now())
        await store.save_progress(rebuild)
    trunk, job = await _trunk(job, host)
    edits = await _edits(job, store, host, refresh, trunk, clock) if trunk is not None else _Edits()
    if trunk is None or not edits.files:
        ended = _without_edits(job, rebuild, edits, trunk, options, clock)
        if current is not None and trunk is not None and not edits.refused:
            # Somebody was faster, the base went back to what the branch already has, or is not used any more.
            await host.close_pull_request(repository, current.number, body=closing(current.body, ended.reason))
        return ended
    merged = {request.head for request in found if request.is_merged}
    job = replace(job, paths=tuple(file.path for file in edits.files))
    await _bring_branch(job, store, host, refresh, trunk, edits, merged, clock)
    request, refused = await _bring_request(job, host, options, current, edits)
    opened = rebuild.moved(State.OPEN, _reason(job, request, [*slips, *refused]), at=clock.now())
    return replace(
        opened,
        pull_request=request.number,
        url=request.url,
        text_version=rebuild.facts_version,
        due_at=clock.now() + rest_at_age(rebuild.age(clock.now()), options.follow_every),
    )


async def _trunk(job: Job, host: Host) -> tuple[str | None, Job]:
    """The tip of the default branch, which may have got another name since the fleet was listed."""
    repository = job.rebuild.repository
    trunk = await host.branch_head(repository, job.default_branch)
    if trunk is not None:
        return trunk, job
    named = await host.default_branch(repository)
    if named == job.default_branch:
        return None, job
    return await host.branch_head(repository, named), replace(job, default_branch=named)


def _reason(job: Job, request: PullRequest, slips: Sequence[str]) -> str:
    """Why there is a pull request; what it waited for is over, what it lacks is told."""
    rebuild = job.rebuild
    if rebuild.state is State.OPEN:
        return rebuild.reason
    is_new = rebuild.state is State.PLANNED
    reason = rebuild.reason if is_new else f"{what_moved(job)}; pull request #{request.number} is open"
    return "; ".join([reason, *slips])


def _without_edits(
    job: Job, rebuild: Rebuild, edits: _Edits, trunk: str | None, options: ActOptions, clock: Clock
) -> Rebuild:
    """Nothing that the default branch lacks can be brought to it."""
    if rebuild.state is State.OPEN and (trunk is None or edits.refused):
        rest = rest_at_age(rebuild.age(clock.now()), options.follow_every)
        return replace(rebuild, text_version=rebuild.facts_version, due_at=clock.now() + rest)
    if trunk is None:
        return rebuild.moved(State.SKIPPED, f"there is no branch {job.default_branch}", at=clock.now())
    if edits.refused:
        return rebuild.moved(State.SKIPPED, f"nothing could be edited: {edits.refused[0]}", at=clock.now())
    if edits.unmet:
        names = ", ".join(base.short for base in edits.unmet)
        ended = State.CANCELLED if rebuild.state is State.OPEN else State.SKIPPED
        return rebuild.moved(ended, f"no file of the default branch names {names} any more", at=clock.now())
    return rebuild.moved(State.SUCCEEDED, "the default branch already stands on the new base", at=clock.now())


def _waiting(rebuild: Rebuild, options: ActOptions, clock: Clock, reason: str) -> Rebuild:
    return replace(rebuild.moved(State.WAITING, reason, at=clock.now()), due_at=clock.now() + options.follow_every)


async def _edits(job: Job, store: ActStore, host: Host, refresh: Refresher, ref: str, clock: Clock) -> _Edits:
    """The files of `ref` that must change, with their new content."""
    tree = await host.tree(job.rebuild.repository, ref)
    paths = read_with((entry.path for entry in tree.entries), job.paths) if tree is not None else job.paths
    entries = await _entries(job.rebuild.repository, tree, sorted(paths), host)
    readable = [entry for entry in entries if entry.size <= _LARGEST_FILE]
    contents = dict(await store.known_blobs([entry.sha for entry in readable]))
    for entry in readable:
        if entry.sha not in contents:
            contents[entry.sha] = await host.blob(job.rebuild.repository, entry.sha)
    orders = wanted_digests_of(job.rebuild, job.changes)
    wanted = {path: _heeded(orders, path, job, clock) for path in job.paths}
    before = {entry.path: contents[entry.sha] for entry in readable}
    results = await asyncio.to_thread(refresh, before, wanted)
    files = [
        FileChange(entry.path, results[entry.path].data, entry.mode)
        for entry in readable
        if results[entry.path].data != before[entry.path]
    ]
    refused = [
        f"{problem.path}:{problem.line}: {problem.message}" for path in before for problem in results[path].refused
    ]
    met = {base for result in results.values() for base in result.met}
    unmet = {target.base for target in job.rebuild.targets} - met
    return _Edits(tuple(files), tuple(refused), tuple(sorted(unmet)))


def _heeded(wanted: WantedDigests, path: str, job: Job, clock: Clock) -> WantedDigests:
    """Less what the repository has asked to leave alone, perhaps since the plan was made."""
    today, config = clock.now().date(), job.member.config
    return replace(
        wanted,
        of_bases=tuple(one for one in wanted.of_bases if config.ignored_by(path, str(one.base), today) is None),
    )


async def _entries(repository: str, tree: Tree | None, paths: Sequence[str], host: Host) -> list[TreeEntry]:
    wanted = set(paths)
    if tree is None:
        return []
    if not tree.truncated:
        return [entry for entry in tree.entries if entry.is_file and entry.path in wanted]
    folders: dict[str, Tree] = {"": await host.subtree(repository, tree.sha)}
    found = [await _entry(repository, path, folders, host) for path in sorted(wanted)]
    return [entry for entry in found if entry is not None and entry.is_file]


async def _entry(repository: str, path: str, folders: dict[str, Tree], host: Host) -> TreeEntry | None:
    """Folder by folder, where the host cut the whole listing short; `folders` keeps those already seen."""
    place = ""
    for name in path.split("/"):
        entry = next((item for item in folders[place].entries if item.path == name), None)
        if entry is None:
            return None
        place = f"{place}/{name}".lstrip("/")
        if entry.kind != "tree":
            return replace(entry, path=place) if place == path else None
        if place not in folders:
            folders[place] = await host.subtree(repository, entry.sha)
    return None


async def _bring_branch(
    job: Job,
    store: ActStore,
    host: Host,
    refresh: Refresher,
    trunk: str,
    edits: _Edits,
    merged: Collection[str],
    clock: Clock,
) -> None:
    """Moves the branch to the wanted content; people's commits on it are kept and built upon.

    `merged` are heads of merged pull requests: a branch that still stands there holds nothing of its own.
    """
    repository, branch = job.rebuild.repository, job.rebuild.branch
    assert branch is not None
    head = await host.branch_head(repository, branch)
    if head is None:
        commit = await _commit(job, host, trunk, edits.files, commit_message(job))
        await host.create_branch(repository, branch, commit)
        return
    _, parents, message, is_amended = await host.commit(repository, head)
    is_ours = is_replaceable(message) and not is_amended
    if is_ours and parents[:1] == (trunk,) and _holds(await host.tree(repository, head), edits.files):
        return
    if is_ours or head == trunk or head in merged:
        commit = await _commit(job, host, trunk, edits.files, commit_message(job))
        await host.move_branch(repository, branch, commit)
        return
    onto = await _edits(job, store, host, refresh, head, clock)
    if onto.files:
        commit = await _commit(job, host, head, onto.files, commit_message(job, replaceable=False))
        await host.move_branch(repository, branch, commit)


async def _commit(job: Job, host: Host, parent: str, files: Sequence[FileChange], message: str) -> str:
    tree, _, _, _ = await host.commit(job.rebuild.repository, parent)
    return await host.create_commit(job.rebuild.repository, parent=parent, tree=tree, files=files, message=message)


def _holds(tree: Tree | None, files: Sequence[FileChange]) -> bool:
    shas = {entry.path: entry.sha for entry in tree.entries} if tree else {}
    return all((sha := shas.get(file.path, "")) == blob_name(file.content, sha) for file in files)


async def _bring_request(
    job: Job, host: Host, options: ActOptions, current: PullRequest | None, edits: _Edits
) -> tuple[PullRequest, list[str]]:
    """The pull request as wanted, and what the host refused of that which it can do without."""
    repository, branch = job.rebuild.repository, job.rebuild.branch
    assert branch is not None
    wanted_title, wanted_body = title(job), body(job, edits.refused)
    if current is None:
        current = await host.create_pull_request(
            repository, branch=branch, onto=job.default_branch, title=wanted_title, body=wanted_body
        )
    elif (current.title, current.body) != (wanted_title, wanted_body):
        await host.update_pull_request(repository, current.number, title=wanted_title, body=wanted_body)
    is_new = job.rebuild.pull_request != current.number
    slips = await ask_for_review(job, host, current.number) if is_new else []
    return current, [*slips, *await add_labels(job, host, options, current)]
