# SPDX-License-Identifier: Apache-2.0
"""Too much of everything, and names that want to be markup."""

import orjson
import pytest
from sqlalchemy import func, inspect, select

from server import text
from storage.base import Base, Characters
from storage.members import Member
from storage.posts import Post, PostMention, PostTag
from tests import makers
from tests.hostile.commons import ORIGIN, Commons, doing, note
from tests.hostile.copy import copied
from tests.hostile.peer import PUBLIC, Json, ScriptedPeer, mallory, vera
from tests.statements import counted

MANY = 10_000
LONG = "n" * 600_000
MOST_SHOWN = 400_000


async def longest(gh: Commons) -> dict[str, int]:
    """The longest text of each column, received and sent bodies left out."""
    found: dict[str, int] = {}
    async with gh.instance.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Characters) and column.name != "body":
                    size = await session.execute(select(func.max(func.length(column))))
                    found[f"{table.name}.{column.name}"] = size.scalar_one() or 0
    return found


async def number_of(gh: Commons, table: type[Base], post: str) -> int:
    held = await gh.held(post)
    assert held is not None
    column = inspect(table).columns["post_id"]
    async with gh.instance.reading() as session:
        counted = select(func.count()).select_from(table).where(column == held.id)
        return (await session.execute(counted)).scalar_one()


def crowded(kind: str, number: int, person: str) -> list[Json]:
    """Ten thousand, or as many as fit, of whatever a post may hold several of."""
    parts: dict[str, list[Json]] = {
        "mentions": [
            {"type": "Mention", "href": f"{person}{n}", "name": "@x"} for n in range(number)
        ],
        "hashtags": [{"type": "Hashtag", "name": f"#tag{n}"} for n in range(number)],
        "emoji": [
            {"type": "Emoji", "name": f":e{n}:", "icon": {"type": "Image", "url": f"{person}{n}"}}
            for n in range(number)
        ],
        "attachments": [
            {"type": "Document", "mediaType": "image/png", "url": f"{person}{n}.png"}
            for n in range(number)
        ],
    }
    return parts[kind]


@pytest.mark.parametrize("kind", ["mentions", "hashtags", "emoji", "attachments"])
async def test_DOS_10_a_post_with_ten_thousand_parts_is_held_within_bounds(
    gh: Commons, evil: ScriptedPeer, kind: str
) -> None:
    parts = crowded(kind, MANY, mallory(evil))
    member = "attachment" if kind == "attachments" else "tag"
    said = note(f"{evil.origin}/p/1", mallory(evil), gh.forum.uri, type="Article", name="Much")
    said |= {member: parts, "content": "<p>" + "@sam " * MANY + "</p>"}
    while len(orjson.dumps(said)) > 900_000:
        said[member] = said[member][:-500]
    many = {"to": [PUBLIC, *(f"{evil.origin}/u/{n}" for n in range(500))]}
    with counted() as asked:
        row = await gh.sent(evil, doing("Create", mallory(evil), said | many, **many))
    assert row.state in {"applied", "refused", "ignored"}
    # Whom it is for is looked for at once, and not one by one.
    about = "FROM forums"
    assert sum(about in " ".join(one.split()) for one in asked) < 60
    assert evil.fetched in (["/u/mallory"], ["/u/mallory"] * 2)
    if row.state == "applied":
        assert await number_of(gh, PostMention, said["id"]) <= text.names.MAX_MENTIONS
        assert await number_of(gh, PostTag, said["id"]) <= text.names.MAX_TAGS
        held = await gh.held(said["id"])
        assert held is not None
        assert len(await gh.page(f"/p/{held.id}")) < MOST_SHOWN


async def test_DOS_10_names_of_any_length_are_cut(
    gh: Commons, evil: ScriptedPeer, vic: ScriptedPeer
) -> None:
    await gh.sent(vic, doing("Like", vera(vic), gh.thread.uri))
    members = ("name", "summary", "gh:roleTitle", "gh:agency", "url", "icon", "webfinger")
    for number, member in enumerate(members):
        more: Json = {member: LONG}
        actor = evil.actor(f"/u/long{number}", **more)
        row = await gh.sent(evil, doing("Follow", actor, gh.forum.uri))
        assert row.state in {"applied", "refused", "ignored"}, row.note
    for number, member in enumerate(("name", "summary", "content", "url", "context", "language")):
        actor = mallory(evil)
        said = note(f"{evil.origin}/p/{number}", actor, gh.forum.uri, type="Article", name="Long")
        said[member] = LONG
        row = await gh.sent(evil, doing("Create", actor, said, number))
        assert row.state in {"applied", "refused", "ignored"}, row.note
    evil.actor("/u/longer", preferredUsername=LONG)
    await gh.deliver(evil, doing("Follow", f"{evil.origin}/u/longer", gh.forum.uri))
    evil.actor(f"/u/{'x' * 3_000}")
    await gh.deliver(evil, doing("Follow", f"{evil.origin}/u/{'x' * 3_000}", gh.forum.uri))
    await gh.settled()
    sizes = {name: size for name, size in (await longest(gh)).items() if size > 2_048}
    assert sizes, "nothing was looked at"
    assert all(size <= 200_000 for size in sizes.values()), sizes
    narrow = ("name", "title", "handle", "role_title", "agency", "tag", "url", "uri", "note")
    assert not [name for name in sizes if name.rpartition(".")[2] in narrow]
    for path in ("/", f"/f/{gh.forum.handle}", "/search?q=long", "/agencies"):
        assert len(await gh.page(path)) < MOST_SHOWN


async def test_DOS_10_a_form_with_too_much_is_refused_or_cut(gh: Commons) -> None:
    ana = await makers.member(gh.instance, "ana")
    forms: list[tuple[str, dict[str, str]]] = [
        ("/f/counters/new", {"title": "Much", "source": "@sam " * 9_000, "tags": ""}),
        ("/f/counters/new", {"title": LONG[:100_000], "source": "x", "tags": ""}),
        ("/f/counters/new", {"title": "Tags", "source": "x", "tags": "a1, " * MANY}),
        ("/f/counters/new", {"title": "Long", "source": "x" * 200_000, "tags": ""}),
        ("/me", {"name": LONG[:100_000], "role_title": "x", "bio": ""}),
        ("/me", {"name": "Ana", "role_title": LONG[:100_000], "bio": "x" * 200_000}),
    ]
    async with makers.browser(gh.app) as browser:
        await makers.sign_in(browser, gh.instance, ana)
        for path, fields in forms:
            answer = await makers.submit(browser, path, **fields)
            assert answer.status_code in {303, 413, 422}, (path, answer.status_code)
            if answer.status_code == 422:
                assert 'class="error' in answer.text or "aria-invalid" in answer.text
    sizes = {name: size for name, size in (await longest(gh)).items() if size > 2_048}
    assert all(size <= 200_000 for size in sizes.values()), sizes
    async with gh.instance.reading() as session:
        per_post = select(func.count()).select_from(PostMention).group_by(PostMention.post_id)
        assert max((await session.execute(per_post)).scalars(), default=0) <= 20
        longest_title = await session.execute(select(func.max(func.length(Post.title))))
        longest_name = await session.execute(select(func.max(func.length(Member.name))))
        assert longest_title.scalar_one() <= 500
        assert longest_name.scalar_one() <= 200


BREAKING = '"><img src=x onerror=alert(1)><i title="'


async def test_XSS_04_an_emoji_or_icon_with_quotes_stays_text(
    gh: Commons, evil: ScriptedPeer
) -> None:
    """Shortcodes, names, icons and pictures of a person, a post and a forum."""
    addresses = [
        f"{evil.origin}/e.png{BREAKING}",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        f"{ORIGIN}/sign-out",
    ]
    emoji = [
        {
            "type": "Emoji", "id": address, "name": f":{BREAKING}{number}:",
            "icon": {"type": "Image", "mediaType": BREAKING, "url": address},
        }
        for number, address in enumerate(addresses)
    ]  # fmt: skip
    shortcodes = " ".join(one["name"] for one in emoji)  # type: ignore[misc]
    for number, address in enumerate(addresses):
        icon = {"type": "Image", "mediaType": BREAKING, "url": address, "name": BREAKING}
        actor = evil.actor(
            f"/u/e{number}", name=f"Mallory {shortcodes}", icon=icon, image=icon, tag=emoji,
            preferredUsername=f"e{number}", summary=f"<p>{shortcodes}</p>", url=address,
        )  # fmt: skip
        said = note(
            f"{evil.origin}/p/{number}", actor, gh.forum.uri, type="Article", tag=emoji,
            name=f"Post {shortcodes}", content=f"<p>{shortcodes}<img src='{address}' alt='x'></p>",
            icon=icon, image=icon, url=address, attachment=[icon],
        )  # fmt: skip
        row = await gh.sent(evil, doing("Create", actor, said, number))
        assert row.state == "applied", row.note
        held = await gh.held(said["id"])
        assert held is not None
        for path in (f"/p/{held.id}", f"/u/e{number}@evil.localhost", "/f/counters", "/"):
            must_be_inert(await gh.page(path))
    forum = await copied(gh, evil)
    must_be_inert(await gh.page(f"/f/{forum.handle}@{forum.peer}"))


def must_be_inert(page: str) -> None:
    assert "<h1" in page
    lower = page.lower()
    assert "onerror=alert" not in lower.replace("onerror=alert(1)&gt;", "")
    for bad in ("<img src=x", 'src="javascript:', 'href="javascript:', 'src="data:', "<script>"):
        assert bad not in lower, bad
    for picture in lower.split("<img ")[1:]:
        tag = picture.partition(">")[0]
        assert "src=" not in tag or 'src="/media/' in tag, tag
