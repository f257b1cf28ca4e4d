# SPDX-License-Identifier: Apache-2.0
"""Notices reach whom they concern, and nobody else."""

import re

import httpx
import pytest

from server import endorsements, notifications
from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests import makers


@pytest.fixture
async def place(instance: Instance, admin: Member) -> Forum:
    return await makers.forum(instance, admin)


@pytest.fixture
async def ana(instance: Instance) -> Member:
    return await makers.member(instance)


@pytest.fixture
async def question(instance: Instance, ana: Member, place: Forum) -> Post:
    return await makers.thread(instance, ana, place)


async def notices(client: httpx.AsyncClient) -> list[str]:
    """What the page says happened, the newest first."""
    page = await client.get("/notifications")
    assert page.status_code == 200
    titles = re.findall(r'<h2 class="title[^>]*><a href="[^"]+">([^<]+)</a>', page.text)
    return [title.partition(" How do you")[0] for title in titles]


async def test_visitors_are_asked_to_sign_in(client: httpx.AsyncClient, admin: Member) -> None:
    answer = await client.get("/notifications")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=%2Fnotifications",
    )


async def test_an_answer_a_name_and_an_endorsement_are_told(
    client: httpx.AsyncClient, instance: Instance, ana: Member, question: Post
) -> None:
    dee = await makers.member(instance, "dee")
    marek = await makers.person_elsewhere(instance)
    reply = await makers.reply(instance, dee, question)
    await makers.reply(instance, marek, reply, "Ask @ana, she knows.")
    async with instance.transaction() as tx:
        await endorsements.endorse(tx, dee, question)
    await makers.sign_in(client, instance, ana)
    assert await notices(client) == [
        "Dee Okafor endorsed what you wrote in",
        "Marek Nowak named you in",
        "Dee Okafor answered you in",
    ]
    page = (await client.get("/notifications")).text
    assert f'href="/p/{question.id}#p-{reply.id}"' in page
    assert '<span class="badge-count">3' in page
    await makers.sign_in(client, instance, dee)
    assert await notices(client) == ["Marek Nowak answered you in"]


async def test_notices_are_read_one_by_one_or_all_at_once(
    client: httpx.AsyncClient, instance: Instance, ana: Member, question: Post
) -> None:
    dee = await makers.member(instance, "dee")
    for _ in range(3):
        await makers.reply(instance, dee, question)
    await makers.sign_in(client, instance, ana)
    page = (await client.get("/notifications")).text
    first = re.findall(r'name="notice" value="(\d+)"', page)[0]
    await makers.submit(client, "/notifications", notice=first)
    assert (await client.get("/notifications")).text.count("(new)") == 2
    done = await makers.submit(client, "/notifications")
    assert done.headers["location"] == "/notifications"
    page = (await client.get("/notifications")).text
    assert "(new)" not in page
    assert "badge-count" not in page


async def test_nobody_reads_the_notices_of_another(
    client: httpx.AsyncClient, instance: Instance, ana: Member, question: Post
) -> None:
    dee = await makers.member(instance, "dee")
    await makers.reply(instance, dee, question)
    async with instance.reading() as session:
        (line,) = await notifications.page(session, ana)
    await makers.sign_in(client, instance, dee)
    await makers.submit(client, "/notifications", notice=str(line.notice.id))
    await makers.submit(client, "/notifications")
    async with instance.reading() as session:
        assert await notifications.unread_count(session, ana) == 1


async def test_what_one_does_oneself_is_no_news(
    client: httpx.AsyncClient, instance: Instance, ana: Member, question: Post
) -> None:
    await makers.reply(instance, ana, question, "I answer myself, @ana.")
    await makers.sign_in(client, instance, ana)
    assert await notices(client) == []
    assert "Nothing yet" in (await client.get("/notifications")).text


async def test_an_endorsement_taken_back_is_no_longer_told(
    client: httpx.AsyncClient, instance: Instance, ana: Member, question: Post
) -> None:
    dee = await makers.member(instance, "dee")
    async with instance.transaction() as tx:
        await endorsements.endorse(tx, dee, question)
        await endorsements.withdraw(tx, dee, question)
    await makers.sign_in(client, instance, ana)
    assert await notices(client) == []


async def test_many_notices_go_on_over_pages(
    client: httpx.AsyncClient,
    instance: Instance,
    ana: Member,
    question: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notifications, "PAGE", 2)
    dee = await makers.member(instance, "dee")
    for number in range(3):
        await makers.reply(instance, dee, question, f"Answer number {number}.")
    await makers.sign_in(client, instance, ana)
    first = (await client.get("/notifications")).text
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found is not None
    second = (await client.get(found[1])).text
    assert ("Answer number 0" in first, "Answer number 0" in second) == (False, True)
