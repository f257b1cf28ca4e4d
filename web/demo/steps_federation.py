# SPDX-License-Identifier: Apache-2.0
"""Does what is said at one agency arrive at the other?"""

from web.demo.pages import Page, SeenPost
from web.demo.readers import Reader
from web.demo.scene import EARLIER, EARLIER_REPLY, NEWS, NEWS_TEXT, REPLY, Scene, expect
from web.demo.waiting import until

ANSWER = "Two people take turns, ten minutes a case."
NEW_TITLE = "How we cut permit times from 21 days to 12.6, corrected"
NEW_TEXT = "Forty per cent less; the reviews themselves take as long as before."
WRONG = "Fees for sheds: please ignore"
WRONG_TEXT = "The xylographic table below belongs to another year."
RARE_WORD = "xylographic"


async def follow_accepted(scene: Scene) -> str:
    path = await scene.followed()
    page = await (await scene.person("ana")).browser.open(path)
    expect(page.follow == "accepted", f"the forum page says the follow is “{page.follow}”")
    return f"Ana Ruiz at Riverton follows “{page.title}” of Lakeside: accepted"


async def backfill(scene: Scene) -> str:
    path = await scene.followed()
    thread, reply = await scene.earlier()
    ana = await scene.person("ana")

    async def filled() -> Page | None:
        page = await ana.browser.open(path)
        return page if page.copy[0] == "current" and thread in page.threads else None

    page = await until(f"the thread “{EARLIER}” in a current copy at Riverton", filled)
    seen = await ana.seen(page.threads[thread], reply)
    expect(seen.body == EARLIER_REPLY, f"the earlier reply reads “{seen.body}”")
    expect(seen.parent == thread, "the earlier reply does not stand under its thread")
    return f"the earlier thread “{EARLIER}” and its reply “{seen.body}” by {seen.author} are here"


async def thread_arrives(scene: Scene) -> str:
    thread = await scene.thread()
    ana = await scene.person("ana")
    page = await ana.browser.open(thread.at_riverton)
    post = page.posts[thread.uri]
    expect(page.title == NEWS, f"the title is “{page.title}”")
    expect(post.body == NEWS_TEXT, f"the text is “{post.body}”")
    author = f"marek@{scene.lakeside.netloc}"
    expect(post.author == author, f"the author is {post.author}")
    by_command = await scene.lakeside.command(
        *("post", "add", "permits", "--as", "marek", "--title", "From the command line"),
        *("--file", "-"),
        stdin="Written without a browser.\n",
    )
    uri = by_command.splitlines()[0].rpartition("/p/")
    wanted = f"{uri[0]}/p/{uri[2].partition('/')[0]}"
    await ana.thread(scene.lakeside, "permits", wanted)
    return f"“{page.title}” by {post.author}, and one from the command line, are listed"


async def reply_arrives(scene: Scene) -> str:
    thread, reply = await scene.thread(), await scene.reply()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    seen = await marek.seen(thread.at_lakeside, reply)
    expect(seen.body == REPLY, f"the reply reads “{seen.body}”")
    expect(seen.author == f"ana@{scene.riverton.netloc}", f"its author is {seen.author}")

    async def confirmed() -> SeenPost | None:
        own = await ana.seen(thread.at_riverton, reply)
        expect(own.status != "refused", f"Ana's page says “{own.status_text}”")
        return own if own.state == "live" and not own.status else None

    await until("the confirmation of Ana's reply at Riverton", confirmed)
    return f"“{seen.body}” by {seen.author} is at Lakeside, and confirmed at Riverton"


async def nested_reply(scene: Scene) -> str:
    thread, reply = await scene.thread(), await scene.reply()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    await marek.seen(thread.at_lakeside, reply)
    answer = await marek.reply(thread.at_lakeside, reply, ANSWER)
    seen = await ana.seen(thread.at_riverton, answer)
    expect(seen.body == ANSWER, f"the answer reads “{seen.body}”")
    expect(seen.parent == reply, f"the answer stands under {seen.parent or 'nothing'}")
    told = await scene.riverton.command("post", "show", thread.uri)
    expect(f"    {ANSWER}" in told, "`guildhall post show` does not nest the answer")
    return f"“{seen.body}” by {seen.author} stands under Ana's reply at Riverton"


async def _counted(reader: Reader, path: str, uri: str, count: int) -> None:
    async def probe() -> SeenPost | None:
        post = await reader.seen(path, uri)
        return post if post.endorsements == count else None

    where = reader.agency.sign.agency
    await until(f"an endorsement count of {count} at {where}", probe)


async def endorsement_counted(scene: Scene) -> str:
    thread = await scene.thread()
    await scene.once("endorsed", lambda: _endorse(scene))
    await _counted(await scene.person("marek"), thread.at_lakeside, thread.uri, 1)
    await _counted(await scene.person("ana"), thread.at_riverton, thread.uri, 1)
    return f"Ana endorsed “{NEWS}”: 1 at Lakeside, 1 at Riverton"


async def _endorse(scene: Scene) -> None:
    thread = await scene.thread()
    await (await scene.person("ana")).endorse(thread.at_riverton, thread.uri)
    await _counted(await scene.person("marek"), thread.at_lakeside, thread.uri, 1)


async def endorsement_withdrawn(scene: Scene) -> str:
    thread = await scene.thread()
    await scene.once("endorsed", lambda: _endorse(scene))
    ana = await scene.person("ana")
    await ana.withdraw(thread.at_riverton, thread.uri)
    await _counted(await scene.person("marek"), thread.at_lakeside, thread.uri, 0)
    await _counted(ana, thread.at_riverton, thread.uri, 0)
    return "Ana withdrew it: 0 at Lakeside, 0 at Riverton"


async def edit_followed(scene: Scene) -> str:
    thread = await scene.thread()
    marek, ana = await scene.person("marek"), await scene.person("ana")
    await marek.edit(thread.at_lakeside, thread.uri, title=NEW_TITLE, source=NEW_TEXT)

    async def changed() -> Page | None:
        page = await ana.browser.open(thread.at_riverton)
        return page if page.posts[thread.uri].body == NEW_TEXT else None

    page = await until("the edited text at Riverton", changed)
    expect(page.title == NEW_TITLE, f"the title at Riverton is “{page.title}”")
    identifier = page.posts[thread.uri].id
    history = await ana.browser.open(f"/p/{identifier}/history")
    expect(NEWS_TEXT in history.words, "the history at Riverton does not show the first text")
    return f"the title is now “{page.title}”, and the history shows “{NEWS_TEXT}”"


async def delete_followed(scene: Scene) -> str:
    thread = await scene.placed(WRONG, WRONG_TEXT)
    marek, ana = await scene.person("marek"), await scene.person("ana")
    found = await ana.browser.open(f"/search?q={RARE_WORD}")
    expect(WRONG in found.words, "the search at Riverton did not find the thread to begin with")
    await marek.delete(thread.at_lakeside, thread.uri)

    async def gone() -> Page | None:
        page = await ana.browser.look(thread.at_riverton)
        post = page.posts.get(thread.uri)
        return page if post is None or post.state == "deleted" else None

    page = await until("the tombstone at Riverton", gone)
    expect(RARE_WORD not in page.html, "the text is still on the page at Riverton")
    for reader in (ana, marek):
        found = await reader.browser.open(f"/search?q={RARE_WORD}")
        still = WRONG in found.words or WRONG_TEXT in found.words
        expect(not still, f"the search at {reader.agency.netloc} still finds it")
    left = page.posts[thread.uri].state if thread.uri in page.posts else str(page.status)
    return f"“{WRONG}” is {left} at Riverton; neither page nor search holds its text"
