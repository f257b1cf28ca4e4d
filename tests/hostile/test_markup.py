# SPDX-License-Identifier: Apache-2.0
"""Whatever field it comes in, and from wherever, no markup acts in a page."""

import html5lib

from storage.members import Member
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing, note
from tests.hostile.copy import announce, copied, words
from tests.hostile.peer import Json, ScriptedPeer
from tests.server.test_text_sanitiser import PAYLOADS

EVERYTHING = " ".join(PAYLOADS)
ADDRESSES = ("href", "src", "action", "formaction", "data", "poster", "srcdoc", "xlink:href")
OURS = ("/", "?", "#", f"{ORIGIN}/", "http://", "https://", "mailto:")


def acting(page: str) -> list[str]:
    """What a browser would run or obey in a page and that we did not put there."""
    found = []
    for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in {"iframe", "object", "embed", "base", "style", "noscript", "template"}:
            found.append(f"<{element.tag}>")
        # What is there for search engines is read and never run; nothing of it may end it early.
        is_data = element.get("type") == "application/ld+json" and "<" not in (element.text or "")
        is_own = (element.get("src") or "").startswith("/static/")
        if element.tag == "script" and not is_data and not is_own:
            found.append("<script>")
        for name, value in element.items():
            if name.startswith("on") or name in {"style", "srcdoc", "formaction"}:
                found.append(f"{element.tag} {name}")
            if name in ADDRESSES and value and not value.lower().startswith(OURS):
                found.append(f"{element.tag} {name}={value}")
    return found


def person() -> Json:
    field = {"type": "PropertyValue", "name": EVERYTHING, "value": EVERYTHING}
    roles = [{"type": "PropertyValue", "name": n, "value": EVERYTHING} for n in ("Role", "Agency")]
    return {
        "name": EVERYTHING, "summary": EVERYTHING, "attachment": [field, *roles],
        "gh:roleTitle": EVERYTHING, "gh:agency": EVERYTHING, "url": PAYLOADS[3],
        "icon": {"type": "Image", "url": PAYLOADS[9], "name": EVERYTHING},
    }  # fmt: skip


def post() -> Json:
    """Its words in every field that anybody shows."""
    picture = {"type": "Image", "url": "https://evil.localhost/x.png", "name": EVERYTHING}
    return {
        "name": EVERYTHING, "content": EVERYTHING, "summary": EVERYTHING, "url": PAYLOADS[24],
        "language": {"identifier": EVERYTHING, "name": EVERYTHING}, "image": picture,
        "attachment": [picture, {"type": "Link", "href": PAYLOADS[24], "name": EVERYTHING}],
        "tag": [
            {"type": "Hashtag", "name": f"#{EVERYTHING}"},
            {"type": "Mention", "name": EVERYTHING, "href": ORIGIN},
        ],
        "source": {"content": "\n\n".join(PAYLOADS), "mediaType": "text/markdown"},
    }  # fmt: skip


async def pages(gh: Commons, *paths: str, who: Member | None = None) -> None:
    """Nothing acts in what visitors are shown, and a member (an admin unless named)."""
    async with makers.browser(gh.app) as browser:
        for signed_in in (False, True):
            if signed_in:
                await makers.sign_in(browser, gh.instance, who or gh.admin)
            for path in paths:
                answer = await browser.get(
                    path, headers={"Accept": "text/html"}, follow_redirects=True
                )
                assert answer.status_code == 200 or not signed_in, path
                assert acting(answer.text) == [], path


async def test_XSS_01_no_field_of_anything_from_elsewhere_acts(
    gh: Commons, evil: ScriptedPeer
) -> None:
    """People, threads, replies, polls, events and forums; seen by visitors and by an admin."""
    actor = evil.actor("/u/odd", **person())
    choices = [{"type": "Note", "name": payload} for payload in PAYLOADS]
    said = [
        note(f"{evil.origin}/p/1", actor, gh.forum.uri, type="Article", **post()),
        note(f"{evil.origin}/p/2", actor, gh.forum.uri, inReplyTo=gh.thread.uri, **post()),
        note(f"{evil.origin}/p/3", actor, gh.forum.uri, type="Question", oneOf=choices, **post()),
    ]
    meeting: Json = {
        "type": "Event", "startTime": "2026-12-01T10:00:00Z", "endTime": "2026-12-01T11:00:00Z",
        "timezone": "Europe/Paris", "externalParticipationUrl": PAYLOADS[24],
        "location": {"type": "Place", "name": EVERYTHING, "address": EVERYTHING},
    }  # fmt: skip
    said.append(note(f"{evil.origin}/p/6", actor, gh.forum.uri, **post() | meeting))
    for number, one in enumerate(said):
        row = await gh.sent(evil, doing("Create", actor, one, number))
        assert row.state == "applied", row.note
    await gh.sent(evil, doing("Update", actor, said[0] | {"updated": "2026-11-23T09:30:00Z"}))
    await gh.sent(evil, doing("Delete", actor, said[2]["id"], 9, summary=EVERYTHING))
    evil.actor("/u/vera", name=EVERYTHING)
    forum = await copied(gh, evil)
    thread = words(evil, forum.uri, 4, **post() | {"attributedTo": actor})
    evil.put(thread["id"], thread)
    await announce(gh, evil, forum.uri, thread["id"], 1)
    group: Json = {"name": EVERYTHING, "summary": EVERYTHING, "gh:agency": EVERYTHING}
    parts = {**group, "attributedTo": f"{forum.uri}/moderators"}
    evil.actor("/f/permits", "Group", **parts)
    await gh.sent(evil, doing("Update", forum.uri, {"id": forum.uri, "type": "Group", **parts}))
    flag = doing("Flag", actor, gh.thread.uri, 11, summary=EVERYTHING)
    assert (await gh.sent(evil, flag)).state == "applied"
    quoting = note(f"{evil.origin}/p/5", actor, gh.forum.uri, inReplyTo=gh.thread.uri, **post())
    await gh.sent(evil, doing("Create", actor, quoting | {"quote": said[0]["id"]}, 12))
    assert "data-quotes" in await gh.page(f"/p/{gh.thread.id}")
    held = [found for one in [*said, thread] if (found := await gh.held(one["id"])) is not None]
    assert len(held) == 5
    paths = [f"/p/{one.id}" for one in held] + [f"/p/{held[0].id}/history"]
    paths += [f"/u/odd@{evil.host}", f"/f/permits@{evil.host}", f"/agencies/{evil.host}"]
    paths += [f"/p/{gh.thread.id}", "/f/counters/reports", "/admin/record", "/notifications"]
    paths += [f"/p/{held[0].id}/report", f"/p/{held[0].id}/shut-out", "/tags/a"]
    await pages(
        gh, *paths, "/", "/forums", "/f/counters", "/search?q=alert", "/agencies", "/events"
    )


async def test_XSS_02_what_a_member_writes_does_not_act_either(gh: Commons) -> None:
    """Posts, their preview and history, profiles, forums, and words that are looked for."""
    ana = await makers.member(gh.instance, "ana")
    source = "\n\n".join(PAYLOADS)
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, ana)
        shown = await makers.submit(browser, "/preview", source=source)
        assert shown.status_code == 200
        assert acting(shown.text) == []
        title = {"title": EVERYTHING[:150], "tags": "", "language": "en"}
        posted = await makers.submit(browser, "/f/counters/new", source=source, **title)
        assert posted.status_code == 303
        path = posted.headers["location"].partition("#")[0].partition("?")[0]
        bio = {"name": EVERYTHING[:90], "role_title": EVERYTHING[:90], "bio": source[:1_500]}
        assert (await makers.submit(browser, "/me", **bio)).status_code == 303
        looked = await browser.get("/search", params={"q": PAYLOADS[2]})
        assert acting(looked.text) == []
        refused = await makers.submit(browser, "/f/counters/new", source="", **title)
        assert (refused.status_code, acting(refused.text)) == (422, [])
    await pages(gh, path, "/u/ana", "/f/counters", "/", "/search?q=alert")


def test_what_acts_is_seen() -> None:
    page = "<p onclick=x><script>1</script><a href='javascript:1'>a</a><iframe></iframe>"
    assert len(acting(page)) == 4
    assert acting("<script src=/static/a.js></script><a href=/p/1>a</a>") == []
