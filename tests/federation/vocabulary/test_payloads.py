# SPDX-License-Identifier: Apache-2.0
"""Real payloads of many peers are read, or refused by name."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from federation.vocabulary.documents import (
    Activity,
    Actor,
    Collection,
    Malformed,
    Post,
    Reference,
    parse_activity,
    parse_actor,
    parse_any,
    parse_collection,
    parse_post,
)
from federation.vocabulary.reader import read
from federation.vocabulary.terms import PUBLIC

REPOSITORY = Path(__file__).resolve().parents[3]
FIXTURES = Path(os.environ.get("GUILDHALL_FIXTURES") or REPOSITORY.parent / "shared" / "fixtures")
# Key material, and another interface.
LEFT_OUT = {"crypto", "mastodon_client_api"}

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="The payloads are not here.")


def payload(path: Path) -> dict[str, Any]:
    """The document in a file, or inside the recorded request or response it holds."""
    document = read(path.read_bytes())
    body = document.get("body")
    if isinstance(body, str):
        return read(body.encode())
    return body if isinstance(body, dict) else document


def at(name: str) -> dict[str, Any]:
    return payload(FIXTURES / name)


def test_every_payload_is_read_or_refused_by_name() -> None:
    paths = [path for path in sorted(FIXTURES.rglob("*.json")) if path.parent.name not in LEFT_OUT]
    found: dict[str, int] = {}
    for path in paths:
        try:
            what = type(parse_any(payload(path))).__name__
        except Malformed as refusal:
            what = str(refusal)
        found[what] = found.get(what, 0) + 1
    print(f"{len(paths)} payloads read: {json.dumps(found, indent=1)}")
    assert found["Activity"] > 60
    assert found["Actor"] > 20
    assert found["Post"] > 30
    assert found["Collection"] > 20


def test_lemmy_announces_a_page() -> None:
    announce = parse_activity(at("lemmy/activities_community_announce_create_page.json"))
    assert announce.actor == "http://enterprise.lemmy.ml/c/main"
    create = announce.object
    assert isinstance(create, Activity)
    assert (create.type, create.actor) == ("Create", "http://enterprise.lemmy.ml/u/lemmy_beta")
    page = create.object
    assert isinstance(page, Post)
    assert (page.type, page.name, page.author) == ("Page", "post 4", create.actor)
    assert page.to == ("http://enterprise.lemmy.ml/c/main", PUBLIC)
    assert page.published is not None
    assert page.published.microsecond == 871846


def test_lemmys_removal_is_told_by_its_summary() -> None:
    removal = parse_activity(at("lemmy/activities_deletion_remove_note.json"))
    assert (removal.summary, removal.object) == (
        "bad comment",
        Reference("http://ds9.lemmy.ml/comment/1"),
    )
    assert parse_activity(at("lemmy/activities_deletion_delete_page.json")).summary is None
    assert parse_activity(at("lemmy/activities_deletion_delete_user.json")).remove_data


def test_lemmys_group_names_its_moderators() -> None:
    group = parse_actor(at("lemmy/objects_group.json"))
    assert group.moderators == "https://enterprise.lemmy.ml/c/tenforward/moderators"
    assert (group.language, group.shared_inbox) == ("fr", "https://enterprise.lemmy.ml/inbox")
    assert [(key.id, key.kind) for key in group.keys] == [(group.id + "#main-key", "pem")]


def test_mastodon_creates_a_note() -> None:
    create = parse_activity(at("mastodon/lemmyassets_activities_create_note.json"))
    note = create.object
    assert isinstance(note, Post)
    assert note.in_reply_to == "https://mamot.fr/users/retiolus/statuses/107224244380204526"
    assert (note.summary, note.language, note.audience) == (None, "en", ())
    assert note.cc == (PUBLIC, "https://mamot.fr/users/retiolus")
    assert [(tag.kind, tag.name) for tag in note.tags] == [("mention", "@retiolus@mamot.fr")]
    assert note.replies == note.id + "/replies"


def test_mastodon_deletes_with_a_tombstone() -> None:
    delete = parse_activity(at("mastodon/lemmyassets_activities_delete.json"))
    assert isinstance(delete.object, Post)
    assert delete.object.type == "Tombstone"


def test_mastodon_reports_a_person_and_posts() -> None:
    flag = parse_activity(at("mastodon/lemmyassets_activities_flag.json"))
    assert isinstance(flag.object, tuple)
    assert all(isinstance(item, Reference) for item in flag.object)
    assert flag.content


def test_nodebb_announces_a_reply_from_elsewhere() -> None:
    announce = parse_activity(at("captured/nodebb/inbox_Announce_Create.json"))
    create = announce.object
    assert isinstance(create, Activity)
    assert isinstance(create.object, Post)
    assert create.object.author == "https://stub.test/a/sam"
    assert create.object.in_reply_to == "https://nodebb.test/post/2"


def test_nodebbs_topic_is_a_collection_of_its_category() -> None:
    topic = parse_collection(at("captured/nodebb/topic_2.json"))
    assert (topic.total, topic.attributed_to) == (2, "https://nodebb.test/category/5")
    assert topic.items == ("https://nodebb.test/post/2", "https://nodebb.test/post/3")


def test_nodebb_answers_a_collection_with_its_group() -> None:
    assert isinstance(parse_any(at("captured/nodebb/category_5_followers.json")), Actor)
    assert isinstance(parse_any(at("captured/nodebb/uid_1_followers.json")), Collection)


def test_piefed_announces_a_page_with_markdown() -> None:
    announce = parse_activity(at("captured/piefed/inbox_Announce_Create.json"))
    assert isinstance(announce.object, Activity)
    page = announce.object.object
    assert isinstance(page, Post)
    assert (page.markdown, page.language) == ("Local thread to federate", "en")
    assert page.audience == (announce.actor,)


def test_piefed_pins_a_thread() -> None:
    announce = parse_activity(at("captured/piefed/inbox_Announce_Add.json"))
    assert isinstance(announce.object, Activity)
    assert announce.object.target == "https://piefed.test/c/tavern/featured"


def test_piefeds_poll_lists_replies_that_are_no_collection() -> None:
    poll = parse_post(at("piefed/posts_10.json"))
    assert (poll.type, poll.replies) == ("Question", None)


def test_takahes_short_name_of_the_public_is_understood() -> None:
    create = parse_activity(at("captured/takahe/inbox_Create_Note.json"))
    assert create.to == (PUBLIC,)
    actor = parse_actor(at("captured/takahe/actor.json"))
    assert actor.discoverable is True


def test_gotosocials_person_has_a_locked_door() -> None:
    actor = parse_actor(at("gotosocial/actors_06.json"))
    assert (actor.preferred_username, actor.manually_approves) == ("1happyturtle", True)
    assert actor.discoverable is False
    assert len(actor.keys) == 1


def test_discourses_group_and_topic() -> None:
    group = parse_actor(at("discourse/lemmyassets_objects_group.json"))
    topic = parse_post(at("discourse/lemmyassets_objects_page.json"))
    assert topic.audience == (group.id,)
    assert (topic.type, topic.name, topic.to) == ("Note", "Our next meeting", ())


def test_peertubes_video_is_markdown_by_a_person() -> None:
    video = parse_post(at("mobilizon/fx_peertube-video.json"))
    assert (video.html, video.name) == (None, "What is PeerTube?")
    assert video.markdown is not None
    assert video.markdown.startswith("**[Want to help")
    assert video.author == "https://framatube.org/accounts/framasoft"
    assert video.url == "https://framatube.org/videos/watch/9c9de5e8-0a1e-484a-b099-e80766180a6d"
    assert [tag.name for tag in video.tags] == ["#framasoft", "#peertube"]


def test_mobilizons_event_of_a_group_is_by_its_person() -> None:
    create = parse_activity(at("mobilizon/fx_mobilizon-post-activity-group.json"))
    assert isinstance(create.object, Post)
    assert create.object.author == "http://mobilizon1.com/@user"


def test_a_multikey_is_read_from_the_example_of_fep_521a() -> None:
    actor = parse_actor({**at("fep/fep-521a_01.json"), "preferredUsername": "alice"})
    assert [(key.kind, key.value[:4]) for key in actor.keys] == [("multikey", "z6Mk")]
