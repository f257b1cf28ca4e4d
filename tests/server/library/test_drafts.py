# SPDX-License-Identifier: Apache-2.0
"""Drafts: whose they are, and two people at one of them."""

import pytest

from server.errors import Invalid, NotAllowed, NotFound, Refusal
from server.library import drafts
from server.library.drafts import Saved
from server.practices.merging import Clash
from server.practices.typed import part_keys
from storage.members import Member
from tests import makers
from tests.server.library.bench import PERMITS, begun
from tests.server.town import Town


async def typed(town: Town, number: int, member: Member | None = None) -> dict[str, str]:
    async with town.instance.reading() as session:
        return (await drafts.opened(session, member or town.ana, number)).typed


async def save(
    town: Town, member: Member, number: int, base: dict[str, str], values: dict[str, str]
) -> Saved:
    async with town.instance.transaction() as tx:
        return await drafts.save(tx, member, number, base, values)


async def test_a_draft_is_there_for_those_who_write_it_and_for_nobody_else(town: Town) -> None:
    number = await begun(town.instance, town.ana)
    stranger = await makers.person_elsewhere(town.instance)
    async with town.instance.reading() as session:
        for nobody in (town.dee, town.sam, stranger, None):
            with pytest.raises(NotFound):
                await drafts.opened(session, nobody, number)
        assert await drafts.mine(session, town.sam) == []
    async with town.instance.transaction() as tx:
        await drafts.invite(tx, town.ana, number, "@dee")
    async with town.instance.reading() as session:
        shared = await drafts.opened(session, town.dee, number)
        assert [member.handle for member in shared.others] == ["ana", "dee"]
        assert [draft.id for draft in await drafts.mine(session, town.dee)] == [number]
    async with town.instance.transaction() as tx:
        await drafts.uninvite(tx, town.dee, number, town.dee.id)
    async with town.instance.reading() as session:
        with pytest.raises(NotFound):
            await drafts.opened(session, town.dee, number)


async def test_only_the_owner_shares_and_discards(town: Town) -> None:
    number = await begun(town.instance, town.ana)
    async with town.instance.transaction() as tx:
        await drafts.invite(tx, town.ana, number, "dee")
    for deed in (
        lambda tx: drafts.invite(tx, town.dee, number, "sam"),
        lambda tx: drafts.uninvite(tx, town.dee, number, town.ana.id),
        lambda tx: drafts.discard(tx, town.dee, number),
    ):
        with pytest.raises(NotAllowed):
            async with town.instance.transaction() as tx:
                await deed(tx)
    for handle in ("nobody", "", "ana", "marek@lakeside.example.gov"):
        with pytest.raises(Invalid) as refused:
            async with town.instance.transaction() as tx:
                await drafts.invite(tx, town.ana, number, handle)
        assert "handle" in refused.value.fields
    async with town.instance.transaction() as tx:
        await drafts.discard(tx, town.ana, number)
    with pytest.raises(Refusal):
        await typed(town, number)


async def test_different_fields_of_two_people_are_put_together(town: Town) -> None:
    number = await begun(town.instance, town.ana, name="A", summary="B", problem="C")
    async with town.instance.transaction() as tx:
        await drafts.invite(tx, town.ana, number, "dee")
    shown = {"name": "A", "summary": "B", "problem": "C"}
    await save(town, town.ana, number, shown, {**shown, "name": "A by Ana"})
    saved = await save(town, town.dee, number, shown, {**shown, "problem": "C by Dee"})
    assert saved.clashes == {}
    now = await typed(town, number)
    assert (now["name"], now["summary"], now["problem"]) == ("A by Ana", "B", "C by Dee")


async def test_of_one_field_changed_by_two_both_texts_are_kept_until_somebody_decides(
    town: Town,
) -> None:
    number = await begun(town.instance, town.ana, problem="C")
    async with town.instance.transaction() as tx:
        await drafts.invite(tx, town.ana, number, "dee")
    await save(town, town.ana, number, {"problem": "C"}, {"problem": "C by Ana"})
    saved = await save(town, town.dee, number, {"problem": "C"}, {"problem": "C by Dee"})
    assert saved.clashes == {"problem": Clash("C by Dee", "C by Ana")}
    assert saved.by is not None
    assert saved.by.handle == "ana"
    assert (await typed(town, number))["problem"] == "C by Ana"
    held = await typed(town, number)
    assert drafts.set_aside(held, town.dee) == {"problem": "C by Dee"}
    assert drafts.set_aside(held, town.ana) == {}
    # Having seen both, Dee decides.
    decided = await save(town, town.dee, number, {"problem": "C by Ana"}, {"problem": "C by both"})
    assert decided.clashes == {}
    assert drafts.set_aside(await typed(town, number), town.dee) == {}
    assert (await typed(town, number))["problem"] == "C by both"


async def test_steps_keep_their_names_when_their_order_changes(town: Town) -> None:
    number = await begun(town.instance, town.ana)
    async with town.instance.transaction() as tx:
        added = await drafts.add_part(tx, town.ana, number, "steps")
        await drafts.move_part(tx, town.ana, number, "steps", added, -1)
        await drafts.remove_part(tx, town.ana, number, "steps", "1")
    now = await typed(town, number)
    assert part_keys(now, "steps") == ["2", added, "3"]
    assert not [name for name in now if name.startswith("steps.1.")]
    with pytest.raises(NotFound):
        async with town.instance.transaction() as tx:
            await drafts.move_part(tx, town.ana, number, "steps", "1", 1)
    async with town.instance.transaction() as tx:
        again = await drafts.add_part(tx, town.ana, number, "steps")
    assert again not in {"1", "2", "3", added}


async def test_a_draft_has_bounds(town: Town) -> None:
    number = await begun(town.instance, town.ana, steps=" ".join(map(str, range(50))))
    with pytest.raises(Invalid, match="50 steps"):
        async with town.instance.transaction() as tx:
            await drafts.add_part(tx, town.ana, number, "steps")
    shown = {"problem": PERMITS["problem"]}
    with pytest.raises(Invalid, match="too long"):
        await save(town, town.ana, number, shown, {"problem": "x" * 1_000_001})
