# SPDX-License-Identifier: Apache-2.0
"""The home page, and the pages that explain the site."""

import re

import httpx
import pytest

from server.instance import Instance
from storage.members import Member
from tests import makers
from tests.web.page import Page

# What the content policy would keep a browser from running or applying.
FORBIDDEN = re.compile(r"<script(?! src)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


async def test_a_visitor_reads_what_is_public_and_nothing_else(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    counters = await makers.forum(instance, admin)
    staff = await makers.forum(instance, admin, "staff", title="Staff", visibility="instance")
    await makers.thread(instance, admin, counters, "A shorter queue")
    await makers.thread(instance, admin, staff, "The new badge")
    page = Page(await client.get("/"))
    assert page.status == 200
    assert "A shorter queue" in page.main
    assert "badge" not in page.main
    assert "Staff" not in page.main


async def test_a_member_sees_what_is_new_in_the_forums_they_follow(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    counters = await makers.forum(instance, admin)
    other = await makers.forum(instance, admin, "other", title="Other matters")
    ana = await makers.member(instance)
    await makers.follow(instance, ana, counters)
    thread = await makers.thread(instance, admin, counters, "A shorter queue")
    await makers.thread(instance, admin, other, "Not followed")
    await makers.sign_in(client, instance, ana)

    page = Page(await client.get("/"))
    assert "Not followed" not in page.main
    assert page.one("li", data_thread=thread.uri)
    assert page.one("h3", class_="unread")
    assert "1 thread below has something new." in page.main
    assert "up to date" not in page.main

    await client.get(f"/p/{thread.id}")
    page = Page(await client.get("/"))
    assert page.all("h3", class_="unread") == []
    assert "You are up to date." in page.main
    assert "something new" not in page.main
    await makers.reply(instance, admin, thread)
    assert Page(await client.get("/")).one("h3", class_="unread")


async def test_a_member_who_follows_nothing_is_told_what_to_do(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    await makers.sign_in(client, instance, admin)
    page = Page(await client.get("/"))
    assert "You follow no forum yet" in page.main
    assert page.one("a", class_="main").get("href") == "/forums"


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("path", ["/help", "/privacy", "/accessibility"])
async def test_the_pages_that_explain_the_site_answer(client: httpx.AsyncClient, path: str) -> None:
    page = Page(await client.get(path))
    assert page.status == 200
    assert len(page.all("h1")) == 1
    assert page.one("a", class_="skip").get("href") == "#main"


@pytest.mark.parametrize("after", ["x", "1-2", "9-9-9-9", "1-99999999999999999999-1", "-1--1"])
async def test_a_place_that_is_none_is_the_beginning(
    client: httpx.AsyncClient, instance: Instance, admin: Member, after: str
) -> None:
    await makers.thread(instance, admin, await makers.forum(instance, admin), "A shorter queue")
    page = Page(await client.get(f"/?after={after}"))
    assert page.status == 200
    assert "A shorter queue" in page.main


async def test_no_page_holds_what_the_content_policy_forbids(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    counters = await makers.forum(instance, admin)
    thread = await makers.thread(instance, admin, counters)
    answer = await makers.reply(instance, admin, thread)
    await makers.sign_in(client, instance, admin)
    paths = [
        *("/", "/forums", "/forums/new", "/f/counters", "/f/counters/new", "/f/counters/edit"),
        *("/f/counters/people", f"/p/{thread.id}", f"/p/{answer.id}", f"/p/{answer.id}/reply"),
        *(f"/p/{thread.id}/{page}" for page in ("edit", "delete", "history")),
        *("/me/drafts", "/help", "/privacy", "/accessibility", "/p/1"),
    ]
    for path in paths:
        response = await client.get(path)
        assert response.status_code == (404 if path == "/p/1" else 200), path
        assert FORBIDDEN.search(response.text) is None, path
        assert "default-src 'none'" in response.headers["content-security-policy"]
