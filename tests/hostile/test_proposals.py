# SPDX-License-Identifier: Apache-2.0
"""What a server elsewhere sees of each enhancement proposal that is claimed."""

import re
from urllib.parse import quote

import pytest

from federation.signatures.keys import VerificationKey
from federation.signatures.proofs import check_proof
from federation.vocabulary.terms import LD_JSON_PROFILE, PUBLIC
from tests import makers
from tests.hostile.commons import HOST, ORIGIN, Commons, doing, note
from tests.hostile.copy import announce, collection, follow, held_in, serve_forum, words
from tests.hostile.peer import Json, ScriptedPeer, mallory, vera


async def followed(gh: Commons, vic: ScriptedPeer) -> None:
    """Vera follows our forum from software that reads forums."""
    vic.software = "piefed"
    vic.describe()
    assert (await gh.sent(vic, doing("Follow", vera(vic), gh.forum.uri))).state == "applied"
    await gh.settled()


def wrapped(vic: ScriptedPeer, kind: str) -> list[Json]:
    """What the forum announced of a kind, as it came."""
    inner = [one["object"] for one in vic.delivered if one["type"] == "Announce"]
    return [one for one in inner if isinstance(one, dict) and one["type"] == kind]


async def document(gh: Commons, url: str, peer: ScriptedPeer) -> Json:
    answer = await gh.get(url.removeprefix(ORIGIN), peer)
    assert answer.status_code == 200, url
    found: Json = answer.json()
    return found


async def webfinger(gh: Commons, resource: str) -> Json:
    path = f"/.well-known/webfinger?resource={quote(resource, safe='')}"
    answer = await gh.get(path, accept="application/jrd+json")
    assert answer.headers["content-type"].startswith("application/jrd+json")
    found: Json = answer.json()
    return found


@pytest.mark.fep("1b12")
async def test_a_forum_accepts_wraps_and_lists_its_stewards(gh: Commons, vic: ScriptedPeer) -> None:
    await followed(gh, vic)
    accept = next(one for one in vic.delivered if one["type"] == "Accept")
    assert (accept["actor"], accept["object"]["actor"]) == (gh.forum.uri, vera(vic))
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    create = doing("Create", vera(vic), said, odd={"kept": [1, None]})
    assert (await gh.sent(vic, create)).state == "applied"
    assert wrapped(vic, "Create")[-1] == create
    announce = next(one for one in vic.delivered if one["object"] == create)
    assert announce["actor"] == gh.forum.uri
    assert announce["to"] == [PUBLIC]
    await makers.thread(gh.instance, gh.admin, gh.forum, "Longer hours")
    await gh.settled()
    opened = wrapped(vic, "Create")[-1]
    assert opened["object"]["name"] == "Longer hours"
    assert opened["audience"] == opened["object"]["audience"] == gh.forum.uri
    group = await document(gh, gh.forum.uri, vic)
    stewards = await document(gh, group["attributedTo"], vic)
    assert stewards["orderedItems"] == [gh.admin.uri]


@pytest.mark.fep("7888", "11dd", "f228")
async def test_a_thread_is_read_from_its_context(gh: Commons, vic: ScriptedPeer) -> None:
    await followed(gh, vic)
    said = note(f"{vic.origin}/p/1", vera(vic), gh.forum.uri, inReplyTo=gh.thread.uri)
    said["published"] = "2026-11-23T09:01:00Z"
    await gh.sent(vic, doing("Create", vera(vic), said))
    held = await gh.held(said["id"])
    assert held is not None
    answer = await makers.reply(gh.instance, gh.admin, held)
    await gh.settled()
    sent = wrapped(vic, "Create")[-1]["object"]
    opener = await document(gh, gh.thread.uri, vic)
    assert sent["context"] == opener["context"]
    context = await document(gh, sent["context"], vic)
    assert context["type"] == "OrderedCollection"
    assert context["orderedItems"] == [gh.thread.uri, said["id"], answer.uri]
    assert context["attributedTo"] == gh.forum.uri


@pytest.mark.fep("f228")
async def test_a_copy_is_filled_from_the_contexts_of_its_threads(
    gh: Commons, vic: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    opener = words(vic, group, 1)
    reply = words(vic, group, 2, type="Note", inReplyTo=opener["id"], context=opener["context"])
    for one in (opener, reply):
        vic.put(one["id"], one)
    vic.put(f"{group}/outbox", collection(f"{group}/outbox", [opener["id"]]))
    vic.put(opener["context"], collection(opener["context"], [opener["id"], reply["id"]]))
    forum = await follow(gh, vic, group, await makers.member(gh.instance, "ana"))
    held = {post.uri for post in await held_in(gh, forum)}
    assert held == {opener["id"], reply["id"]}


@pytest.mark.fep("8b32", "521a")
async def test_what_is_sent_carries_a_proof_by_a_key_of_its_actor(
    gh: Commons, vic: ScriptedPeer
) -> None:
    await followed(gh, vic)
    await makers.thread(gh.instance, gh.admin, gh.forum)
    await gh.settled()
    announce = next(one for one in reversed(vic.delivered) if isinstance(one["object"], dict))
    create = announce["object"]
    for signed, actor in (
        (announce, gh.forum.uri),
        (create, gh.admin.uri),
        (create["object"], gh.admin.uri),
    ):
        [method] = (await document(gh, actor, vic))["assertionMethod"]
        assert method["type"] == "Multikey"
        assert method["controller"] == actor
        assert signed["proof"]["verificationMethod"] == method["id"]
        assert signed["proof"]["cryptosuite"] == "eddsa-jcs-2022"
        key = VerificationKey.from_multikey(method["publicKeyMultibase"])
        check_proof(signed, key, now=gh.clock.now())


@pytest.mark.fep("2c59")
async def test_an_actors_handle_leads_back_to_it(gh: Commons, vic: ScriptedPeer) -> None:
    for actor in (gh.forum.uri, gh.admin.uri, f"{ORIGIN}/instance"):
        named = (await document(gh, actor, vic))["webfinger"]
        found = await webfinger(gh, f"acct:{named}")
        assert found["subject"] == f"acct:{named}"
        links = {link["rel"]: link.get("href") for link in found["links"]}
        assert actor in links.values()


@pytest.mark.fep("d556", "f1d5", "844e")
async def test_a_server_says_what_it_is(gh: Commons, vic: ScriptedPeer) -> None:
    found = await webfinger(gh, f"{ORIGIN}/")
    service = "https://www.w3.org/ns/activitystreams#Service"
    [href] = [link["href"] for link in found["links"] if link["rel"] == service]
    for peer in (vic, None):
        actor = (await gh.get(href.removeprefix(ORIGIN), peer)).json()
        assert (actor["id"], actor["type"]) == (href, "Application")
    known = await gh.get("/.well-known/nodeinfo", accept="application/json")
    for link in known.json()["links"]:
        info = await gh.get(link["href"].removeprefix(ORIGIN), accept="application/json")
        assert info.headers["access-control-allow-origin"] == "*"
        assert link["rel"].endswith(info.json()["version"])
        assert re.fullmatch(r"[a-z0-9-]+", info.json()["software"]["name"])
        assert info.json()["protocols"] == ["activitypub"]
    for uri in (gh.forum.uri, gh.admin.uri, href):
        implemented = (await document(gh, uri, vic))["generator"]["implements"]
        assert any("rfc9421" in item["href"] for item in implemented)


@pytest.mark.fep("b2b8", "e232")
async def test_a_thread_is_an_article_with_its_links(gh: Commons, vic: ScriptedPeer) -> None:
    await followed(gh, vic)
    closed = await makers.forum(gh.instance, gh.admin, "closed", visibility="instance")
    hidden = await makers.thread(gh.instance, gh.admin, closed)
    written = f"See [here]({gh.thread.url}), {gh.thread.uri}, [x]({hidden.uri}) and {ORIGIN}/p/7."
    await makers.thread(gh.instance, gh.admin, gh.forum, "Longer hours", f"**New.** {written}")
    await gh.settled()
    article = wrapped(vic, "Create")[-1]["object"]
    assert article["type"] == "Article"
    assert article["name"] == "Longer hours"
    assert "<strong>New.</strong>" in article["content"]
    assert article["summary"]
    assert article["source"]["mediaType"] == "text/markdown"
    assert article["preview"]["type"] == "Note"
    assert {"url", "published"} <= article.keys()
    links = [tag for tag in article["tag"] if tag["type"] == "Link"]
    assert {link["href"] for link in links} == {gh.thread.uri}
    assert {link["name"] for link in links} == {gh.thread.url, gh.thread.uri}
    assert all(link["mediaType"] == LD_JSON_PROFILE for link in links)
    assert await document(gh, article["id"], vic) == article


@pytest.mark.fep("3b86")
async def test_a_page_elsewhere_leads_a_member_here_to_follow(
    gh: Commons, vic: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    thread = words(vic, group, 1)
    vic.put(thread["id"], thread)
    ana = await makers.member(gh.instance, "ana")
    links = (await webfinger(gh, f"acct:ana@{HOST}"))["links"]
    intents = {
        link["rel"].rpartition("/")[2]: link["template"]
        for link in links
        if link["rel"].startswith("https://w3id.org/fep/3b86/")
    }
    assert {"Follow", "Object"} <= intents.keys()
    for name, thing in (("Follow", group), ("Object", group)):
        template = intents[name]
        assert template.startswith(f"{ORIGIN}/")
        filled = re.sub(r"\{\w+\}", "", template.replace("{object}", quote(thing, safe="")))
        async with makers.browser(gh.app) as browser:
            asked = await browser.get(filled.removeprefix(ORIGIN))
            assert asked.status_code == 200
            await makers.sign_in(browser, gh.instance, ana)
            page = await browser.get(filled.removeprefix(ORIGIN))
        assert page.status_code == 200
        assert f"/f/permits@{vic.host}" in page.text.replace("%40", "@")
    await gh.settled()
    assert vic.delivered == []


@pytest.mark.fep("5feb")
async def test_who_does_not_say_so_is_found_in_forums_of_ours_only(
    gh: Commons, vic: ScriptedPeer
) -> None:
    group = serve_forum(vic)
    vic.actor("/u/vera", indexable=True)
    for actor in (gh.admin.uri, gh.forum.uri):
        assert (await document(gh, actor, vic))["indexable"] is True
    forum = await follow(gh, vic, group, await makers.member(gh.instance, "ana"))
    for number, author in ((1, vera(vic)), (2, mallory(vic))):
        thread = words(vic, group, number, name=f"Zebra {number}", attributedTo=author)
        vic.put(thread["id"], thread)
        await announce(gh, vic, group, thread["id"], number)
        said = note(f"{vic.origin}/p/1{number}", author, gh.forum.uri, inReplyTo=gh.thread.uri)
        said["content"] = f"<p>Okapi {number}</p>"
        row = await gh.sent(vic, doing("Create", author, said))
        assert row.state == "applied", row.note
    assert len(await held_in(gh, forum)) == 2
    held = sorted(await held_in(gh, forum), key=lambda post: post.uri)
    both = [f"/p/{post.id}" for post in held]
    page = await gh.page("/search?q=zebra")
    assert [path in page for path in both] == [True, False]
    assert "Okapi 1" in strip(await gh.page("/search?q=okapi"))
    assert "Okapi 2" in strip(await gh.page("/search?q=okapi"))
    vic.actor("/u/vera", indexable=False)
    person = {"id": vera(vic), "type": "Person", "inbox": f"{vera(vic)}/inbox"}
    person["preferredUsername"] = "vera"
    assert (await gh.sent(vic, doing("Update", vera(vic), person))).state == "applied"
    page = await gh.page("/search?q=zebra")
    assert [path in page for path in both] == [False, False]


def strip(page: str) -> str:
    return re.sub(r"</?mark>|</?strong>", "", page)
