# SPDX-License-Identifier: Apache-2.0
"""Posts are read in the shapes peers write them."""

from datetime import UTC, datetime
from typing import Any

from federation.vocabulary.documents import Attachment, Tag, parse_post
from federation.vocabulary.terms import PUBLIC

ANA = "https://a.example/u/ana"
FORUM = "https://a.example/f/permits"
POST = "https://a.example/p/1"
NOTE: dict[str, Any] = {"id": POST, "type": "Note", "attributedTo": ANA, "content": "<p>x</p>"}


def test_a_posts_members_are_read() -> None:
    post = parse_post(
        {
            **NOTE,
            "type": ["as:Article", "schema:Article"],
            "name": "Leak audits",
            "summary": "",
            "audience": FORUM,
            "to": ["as:Public", {"id": FORUM}, "not an id"],
            "cc": ANA + "/followers",
            "published": "2026-11-23T10:00:00Z",
            "likes": {"type": "Collection", "totalItems": 3},
            "replies": {"id": POST + "/replies", "type": "Collection"},
            "commentsEnabled": False,
            "sensitive": True,
            "quoteUri": "https://b.example/p/2",
        }
    )
    assert (post.id, post.type, post.author, post.name) == (POST, "Article", ANA, "Leak audits")
    assert (post.html, post.markdown, post.summary) == ("<p>x</p>", None, "")
    assert post.audience == (FORUM,)
    assert post.to == (PUBLIC, FORUM)
    assert post.cc == (ANA + "/followers",)
    assert post.published == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert (post.likes_total, post.replies) == (3, POST + "/replies")
    assert (post.comments_enabled, post.sensitive) == (False, True)
    assert post.quote == "https://b.example/p/2"


def test_missing_and_foreign_shapes_fall_back() -> None:
    post = parse_post({**NOTE, "replies": [NOTE], "likes": 3, "inReplyTo": None, "to": {}})
    assert (post.replies, post.likes_total, post.in_reply_to, post.to) == (None, None, None, ())
    assert post.comments_enabled
    assert not parse_post({**NOTE, "repliesModerationOption": "closed"}).comments_enabled


def test_the_author_among_several_is_the_person() -> None:
    channel = {"type": "Group", "id": FORUM}
    person = {"type": "Person", "id": ANA}
    assert parse_post({**NOTE, "attributedTo": [channel, person]}).author == ANA
    assert parse_post({**NOTE, "attributedTo": [channel, ANA]}).author == ANA
    assert parse_post({**NOTE, "attributedTo": [channel]}).author == FORUM
    event = {**NOTE, "type": "Event", "attributedTo": FORUM, "actor": ANA}
    assert parse_post(event).author == ANA
    assert parse_post({**NOTE, "actor": FORUM}).author == ANA


def test_tags_are_read_and_bad_ones_skipped() -> None:
    tags = [
        {"type": "Mention", "href": ANA, "name": "@ana@a.example"},
        {"type": "Mention", "href": "javascript:alert(1)", "name": "@x"},
        {"type": "Hashtag", "name": "water"},
        {"type": "Hashtag", "name": "#"},
        {"type": "Emoji", "name": ":ok:", "icon": {"url": "https://a.example/ok.png"}, "id": None},
        {"type": "Link", "href": POST, "name": "the source"},
        {"type": "CommunityPostTag", "name": "news"},
        "tag",
        None,
    ]
    assert parse_post({**NOTE, "tag": tags}).tags == (
        Tag("mention", "@ana@a.example", ANA),
        Tag("hashtag", "#water", None),
        Tag("emoji", ":ok:", "https://a.example/ok.png"),
        Tag("link", "the source", POST),
    )
    assert parse_post({**NOTE, "tag": tags[0]}).tags == (Tag("mention", "@ana@a.example", ANA),)
    assert len(parse_post({**NOTE, "tag": tags[:1] * 90}).tags) == 50


def test_attachments_are_read_and_bad_ones_skipped() -> None:
    file = {"type": "Document", "url": POST + ".pdf", "mediaType": "application/pdf", "name": "A"}
    picture = {"type": "Image", "url": [{"type": "Link", "href": POST + ".png"}], "summary": "B"}
    attachment = [file, picture, {"type": "Link", "href": POST}, {"type": "PropertyValue"}, 7]
    assert parse_post({**NOTE, "attachment": attachment}).attachments == (
        Attachment("Document", POST + ".pdf", "application/pdf", "A"),
        Attachment("Image", POST + ".png", None, "B"),
        Attachment("Link", POST, None, None),
    )
    assert len(parse_post({**NOTE, "attachment": file}).attachments) == 1
    assert len(parse_post({**NOTE, "attachment": [file] * 60}).attachments) == 20


def test_a_tombstone_needs_no_author() -> None:
    post = parse_post(
        {"id": POST, "type": "Tombstone", "formerType": "Note", "deleted": "2026-01-01T00:00:00Z"}
    )
    assert (post.author, post.former_type) == (None, "Note")
    assert post.deleted == datetime(2026, 1, 1, tzinfo=UTC)
