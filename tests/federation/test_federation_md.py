# SPDX-License-Identifier: Apache-2.0
"""FEDERATION.md shows what the translators really make.

`python -m tests.federation.test_federation_md` writes the examples in that page anew.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import deeds, endorsements, forums, members, moderation, posts
from federation.deeds import Deed
from federation.documents import collection
from federation.posts import SharedPost
from federation.practices import SharedPractice
from federation.quotes import stamps
from federation.registry import HANDLERS, UNDO_HANDLERS
from federation.signatures.keys import SigningKey, VerificationKey
from federation.signatures.proofs import add_proof, check_proof
from federation.urls import main_key, proof_key
from server import text
from server.library.restating import body_of
from server.practices import reporting
from server.records.editions import tags_of
from server.software import FORMS, SOFTWARE
from storage.forums import Forum, Visibility
from storage.keys import ActorKey
from storage.log import Form
from storage.members import Member
from storage.posts import Kind, Post
from tests.federation import event_examples, mentoring_examples, sample_resources
from tests.federation.practice_examples import RECORD
from tests.federation.sample_resources import brief
from tests.house.sources import ROOT

PAGE = ROOT / "FEDERATION.md"
BLOCK = re.compile(r"(<!-- example: ([a-z-]+) -->\n```json\n).*?(```\n)", re.DOTALL)
TABLE = re.compile(r"(<!-- table: software -->\n).*?(<!-- end of table -->\n)", re.DOTALL)

HOME, OTHER = "https://commons.lakeside.example.gov", "https://commons.riverton.example.gov"
FORUM, MAREK, ANA = f"{HOME}/f/permits", f"{HOME}/u/marek", f"{OTHER}/u/ana"
THREAD, REPLY = f"{HOME}/p/117665001000000001", f"{OTHER}/p/117665001900000002"
OPENER_ID, MORNING = 117665001000000001, datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
GONE = Post(uri=REPLY, id=2, thread_id=1, kind=Kind.REPLY, deleted=LATER, reason="")
# Published in this page, so of no use to anybody.
SEED = bytes(range(32))

OPENER = SharedPost(
    uri=THREAD,
    url=f"{THREAD}/how-we-cut-permit-times",
    author=MAREK,
    forum=FORUM,
    title="How we cut permit times",
    source="It took **21 days**. Now it takes 12.6.",
    html="<p>It took <strong>21 days</strong>. Now it takes 12.6.</p>",
    published=MORNING,
    context=f"{THREAD}/context",
    tags=("lead-times",),
)
ANSWER = SharedPost(
    uri=REPLY,
    url=REPLY,
    author=ANA,
    forum=FORUM,
    title="",
    source="Who does the ten minutes?",
    html="<p>Who does the ten minutes?</p>",
    published=LATER,
    context=OPENER.context,
    parent=THREAD,
    parent_author=MAREK,
    mentions=(("marek@commons.lakeside.example.gov", MAREK),),
)
PRACTICE = replace(
    OPENER,
    url=f"{THREAD}/digital-permits",
    title=RECORD.name,
    source=body_of(RECORD),
    html=text.render(body_of(RECORD), links={}),
    tags=tags_of(RECORD),
    updated=LATER,
    practice=SharedPractice(RECORD, 2, "The target is 14 days."),
)
REPORTED = reporting.parse(
    {
        "v": 1,
        "of": THREAD,
        "ofVersion": 2,
        "fidelity": "adapted",
        "changed": "Scanned drawings are taken at the counter.",
        "outcomes": [
            {
                "indicator": "Days from filing to permit",
                "unit": "days",
                "direction": "down",
                "baseline": {"value": 21, "date": "2025-11", "n": 300},
                "actual": {"value": 12.6, "date": "2026-09", "n": 310},
            }
        ],
    }
)
REPORT = replace(
    OPENER,
    uri=f"{OTHER}/p/117665002000000004",
    url=f"{OTHER}/p/117665002000000004/replication-digital-permits",
    author=ANA,
    title="Replication: Digital permits",
    source=reporting.markdown(REPORTED),
    html=text.render(reporting.markdown(REPORTED), links={}),
    context=f"{OTHER}/p/117665002000000004/context",
    tags=(),
    report=REPORTED,
)
TOLD = f"We did this. {reporting.sentence(REPORTED)} [The whole report]({REPORT.url})"
TELLING = replace(ANSWER, source=TOLD, html=text.render(TOLD, links={}), announces=REPORT.uri)
BY_AUTHOR = Deed(actor=ANA, post=REPLY, forum=FORUM, public=True)
BY_STEWARD = Deed(actor=MAREK, post=REPLY, forum=FORUM, public=True)
VERA = "https://social.example.org/users/vera"
QUOTE = stamps.Asked(f"{VERA}/quote_requests/1", VERA, f"{VERA}/statuses/1", THREAD)
ON_THREAD = Deed(actor=MAREK, post=THREAD, forum=FORUM, public=True)


def signing_key() -> SigningKey:
    """Ana's Ed25519 key in the examples."""
    pem = Ed25519PrivateKey.from_private_bytes(SEED).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return SigningKey.from_pkcs8_pem(pem)


def actor_keys(actor: str) -> list[ActorKey]:
    """The two public keys of an actor; the RSA one is shortened."""
    shortened = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B…\n-----END PUBLIC KEY-----\n"
    return [
        ActorKey(key_id=main_key(actor), owner=actor, kind="rsa", public=shortened),
        ActorKey(
            key_id=proof_key(actor),
            owner=actor,
            kind="ed25519",
            public=signing_key().public.pem(),
        ),
    ]


def group() -> dict[str, Any]:
    forum = Forum(
        uri=FORUM,
        handle="permits",
        peer=None,
        url=FORUM,
        title="Permits and licensing",
        agency="City of Lakeside",
        description_source="How permits are handled.",
        description_html="<p>How permits are handled.</p>",
        visibility=Visibility.PUBLIC,
        language="en",
        created=MORNING,
        updated=MORNING,
    )
    return forums.group(forum, actor_keys(FORUM), HOME)


def person() -> dict[str, Any]:
    member = Member(
        uri=ANA,
        url=ANA,
        handle="ana",
        name="Ana Ruiz",
        role_title="permit analyst",
        agency="City of Riverton",
        bio_html="<p>Sheds and fences.</p>",
        created=MORNING,
        updated=MORNING,
    )
    return members.person(member, actor_keys(ANA), OTHER, None)


def like() -> dict[str, Any]:
    uri = f"{ANA}#like-117665001000000001-1"
    return endorsements.like(uri, ANA, THREAD, FORUM, author=MAREK)


def signed_like() -> dict[str, Any]:
    return add_proof(like(), key=signing_key(), method=proof_key(ANA), created=LATER)


def follow_id() -> str:
    return f"{ANA}#follow-117665000500000003-1"


def announced(inner: dict[str, Any]) -> dict[str, Any]:
    return forums.announce_head(FORUM, str(inner["id"]), is_public=True) | {"object": inner}


def closed_thread() -> dict[str, Any]:
    shared = SharedPost(**{**vars(OPENER), "public": False})
    document = posts.to_wire(shared)
    return {name: document[name] for name in ("id", "type", "to", "cc", "audience")}


EXAMPLES: dict[str, Callable[[], dict[str, Any]]] = {
    **event_examples.examples(OPENER, ANA),
    "like": signed_like,
    "group": group,
    "person": person,
    "create-thread": lambda: posts.create(OPENER, posts.to_wire(OPENER)),
    "create-reply": lambda: posts.create(ANSWER, posts.to_wire(ANSWER)),
    "practice": lambda: posts.to_wire(PRACTICE),
    "replication": lambda: brief(REPORT, "name", "summary", "content", "gh:replication"),
    "announcing": lambda: brief(TELLING, "inReplyTo", "content", "gh:announces"),
    **sample_resources.examples(OPENER, ANSWER),
    "closed-thread": closed_thread,
    "follow": lambda: forums.follow(follow_id(), ANA, FORUM),
    "accept": lambda: forums.answer("Accept", FORUM, ANA, follow_id()),
    "reject": lambda: forums.refusal(
        FORUM, ANA, f"{ANA}#create-117665001900000002", "This thread is closed to new replies."
    ),
    "wrapped": lambda: announced(like()),
    "boost": lambda: forums.boost(FORUM, OPENER_ID, THREAD, members.moment(MORNING)),
    "undo-boost": lambda: forums.undo_boost(FORUM, OPENER_ID, THREAD, members.moment(MORNING)),
    "undo": lambda: forums.undo(ANA, like(), [MAREK, FORUM]) | {"audience": FORUM},
    "delete": lambda: deeds.delete(BY_AUTHOR, "Note", LATER, None),
    "remove": lambda: deeds.delete(BY_STEWARD, "Note", LATER, "Off topic."),
    "tombstone": lambda: deeds.tombstone(GONE, ANA, OPENER.context, FORUM),
    "lock": lambda: deeds.lock(ON_THREAD, 1),
    "pin": lambda: deeds.pin(ON_THREAD, 1, pinned=True),
    "block": lambda: moderation.block(f"{MAREK}#block-5", MAREK, ANA, FORUM, "Noise.", public=True),
    "flag": lambda: moderation.flag(f"{ANA}#flag-6", ANA, [THREAD], "A name.", FORUM, FORUM),
    "quote-accepted": lambda: stamps.accept(QUOTE, 117665002000000004, MAREK),
    "quote-refused": lambda: stamps.reject(QUOTE, MAREK, "This post was deleted."),
    "quote-stamp": lambda: stamps.stamp(QUOTE, 117665002000000004, MAREK),
    "quote-revoked": lambda: stamps.revoke(QUOTE, 117665002000000004, MAREK),
    **mentoring_examples.examples(MAREK, ANA, LATER),
    "context": lambda: collection(OPENER.context, "OrderedCollection", 2, [THREAD, REPLY]),
}
WHOLE = {"like"}


def shown(name: str) -> str:
    """An example as the page prints it; all but the whole ones without their contexts."""
    made = EXAMPLES[name]()
    document = made if name in WHOLE else _without_contexts(made)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _without_contexts(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_contexts(v) for k, v in value.items() if k != "@context"}
    if isinstance(value, list):
        return [_without_contexts(item) for item in value]
    return value


def software_table() -> str:
    """Who is sent which forms, as the page prints it."""
    rows = ["", "| kind | by its name in NodeInfo | forms |", "|---|---|---|"]
    for profile, forms in FORMS.items():
        names = ", ".join(f"`{name}`" for name, of in SOFTWARE.items() if of == profile)
        taken = ", ".join(form for form in Form if form in forms)
        rows.append(f"| {profile} | {names or 'everything else'} | {taken} |")
    return "\n".join([*rows, "", ""])


def with_examples(page: str) -> str:
    """The page with its examples and its table as the code makes them now."""
    page = TABLE.sub(lambda found: found[1] + software_table() + found[2], page)
    return BLOCK.sub(lambda found: found[1] + shown(found[2]) + found[3], page)


def named_in_a_table(page: str, heading: str) -> set[str]:
    """The first column of the table below a heading, without its quotes."""
    section = page.partition(f"## {heading}\n")[2].partition("\n##")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def test_every_example_is_what_the_code_makes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_examples(page) == page, "Run: python -m tests.federation.test_federation_md"


def test_a_changed_table_is_seen() -> None:
    old = "<!-- table: software -->\n| kind |\n<!-- end of table -->\n"
    assert with_examples(old) != old
    assert len(TABLE.findall(PAGE.read_text(encoding="utf-8"))) == 1


def test_every_example_is_shown_once() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert sorted(found[1] for found in BLOCK.findall(page)) == sorted(EXAMPLES)


@pytest.mark.fep("67ff")
def test_every_activity_that_is_accepted_is_listed() -> None:
    undone = {f"Undo{{{kind}}}" for kind in UNDO_HANDLERS}
    listed = named_in_a_table(PAGE.read_text(encoding="utf-8"), "Activities we accept")
    assert listed == set(HANDLERS) | undone


def test_the_proof_in_the_page_holds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    printed = next(found[0] for found in BLOCK.finditer(page) if found[2] == "like")
    document = json.loads(printed.partition("```json\n")[2].removesuffix("```\n"))
    key = VerificationKey.from_multikey(person()["assertionMethod"][0]["publicKeyMultibase"])
    check_proof(document, key, now=LATER)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_changed_example_is_seen(name: str) -> None:
    old = f"<!-- example: {name} -->\n```json\n{{}}\n```\n"
    assert with_examples(old) != old


if __name__ == "__main__":
    PAGE.write_text(with_examples(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
