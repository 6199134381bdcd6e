"""Mutations of branches."""

from typing import Any

from sandbox.github.graphql.git import ref_thing
from sandbox.github.graphql.mutations.writing import mutates, subject
from sandbox.github.graphql.playing import Playing
from sandbox.github.refusals import Refused
from sandbox.github.repositories.git import ZEROS

Json = Any


@mutates("createRef", "contents")
async def create_ref(playing: Playing, repository_id: str, name: str, oid: str) -> Json:
    repository = await subject(playing, repository_id, "Repository")
    if not name.startswith("refs/"):
        raise Refused(422, f"{name} is not a valid ref name.", kind="UNPROCESSABLE")
    await playing.parts.refs.create(playing.request, repository.name, name, oid)
    return {"ref": ref_thing(playing, repository, name, oid)}


@mutates("updateRef", "contents")
async def update_ref(playing: Playing, ref_id: str, oid: str, force: bool = False) -> Json:
    thing = await subject(playing, ref_id, "Ref")
    await playing.parts.refs.move(playing.request, thing.name, thing.data["ref"], oid, force=force)
    return {"ref": ref_thing(playing, thing.of_repository(), thing.data["ref"], oid)}


@mutates("deleteRef", "contents")
async def delete_ref(playing: Playing, ref_id: str) -> Json:
    thing = await subject(playing, ref_id, "Ref")
    await playing.parts.refs.delete(playing.request, thing.name, thing.data["ref"])
    return {}


@mutates("updateRefs", "contents")
async def update_refs(playing: Playing, repository_id: str, ref_updates: list[Json]) -> Json:
    """All or none, each only from where it is expected to be: the one compare-and-swap that GitHub has."""
    repository = await subject(playing, repository_id, "Repository")
    refs, name = playing.parts.refs, repository.name
    if len({update["name"] for update in ref_updates}) < len(ref_updates):
        raise _failed()
    async with refs.locks[name]:
        for update in ref_updates:
            await _check(playing, name, update)
        for update in ref_updates:
            ref, after = update["name"], update["afterOid"]
            now = await playing.parts.git.ref(name, ref)
            if after == ZEROS:
                await refs.delete(playing.request, name, ref)
            elif now is None:
                await refs.create(playing.request, name, ref, after)
            elif now != after:
                await refs.move(playing.request, name, ref, after, force=bool(update.get("force")))
    return {}


async def _check(playing: Playing, name: str, update: Json) -> None:
    """Raises `Refused` where the update would fail, so that none is begun."""
    git, before, after = playing.parts.git, update.get("beforeOid"), update["afterOid"]
    now = await git.ref(name, update["name"])
    if before is not None and before != (now or ZEROS):
        raise _failed()
    if after == ZEROS:
        if now is None:
            raise _failed()
        await playing.parts.refs.check(playing.request, name, update["name"], now, None)
        return
    await playing.parts.refs.check(playing.request, name, update["name"], now, after)
    if await git.commit(name, after) is None:
        raise _failed()
    if now is not None and not update.get("force"):
        compared = await git.compare(name, now, after)
        if compared is None or compared["behind_by"]:
            raise Refused(422, "Update is not a fast-forward", kind="UNPROCESSABLE")


def _failed() -> Refused:
    return Refused(422, "Reference update failed", kind="UNPROCESSABLE")
