# SPDX-License-Identifier: Apache-2.0
"""How every real payload ends when its own server sends it, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The state of the received row, or the status at the door; `unsent` for what nobody sends.

    `said` is the note of the row, or the facts it led to; `why` says it in one sentence.
    """

    end: str
    said: str
    why: str


def refused(why: str, end: str = "refused") -> Outcome:
    """What the sender or the record is told is the reason."""
    return Outcome(end, why, why)


def ignored(why: str) -> Outcome:
    return refused(why, "ignored")


def unsent(why: str) -> Outcome:
    return refused(why, "unsent")


THREAD = Outcome("applied", "ThreadPosted", "It opens a thread.")
REPLY = Outcome("applied", "ReplyPosted", "It is a reply in its thread.")
ENDORSED = Outcome("applied", "Endorsed", "It endorses a post.")
WITHDRAWN = Outcome("applied", "EndorsementWithdrawn", "An endorsement is taken back.")
DELETED = Outcome("applied", "PostDeleted", "The post is deleted.")
LOCKED = Outcome("applied", "ThreadLocked", "The thread is closed, or open again.")
PINNED = Outcome("applied", "ThreadPinned", "The thread is pinned.")
FOLLOWER = Outcome("applied", "FollowerAccepted", "Somebody follows the forum.")
LEFT = Outcome("applied", "FollowerLeft", "Somebody follows the forum no longer.")
FOLLOWING = Outcome("applied", "CopyWanted", "Our follow was accepted, and the copy is filled.")
ACTOR = Outcome("applied", "", "The actor is asked what it is now.")
REPORT = Outcome("applied", "", "The report stands in the record for administrators.")
UNPINNED = Outcome("applied", "", "The thread was not pinned, and is not.")
GONE = Outcome("applied", "", "The account is gone.")
COLLECTION = Outcome("unsent", "Collection", "It is fetched, never sent.")
NO_OBJECT = Outcome("unsent", "The document has no type.", "It is no object of ActivityStreams.")
TOMBSTONE = Outcome("unsent", "Post", "It is fetched in place of a post, never sent by itself.")
PROPOSAL = refused("A Proposal is neither a thread nor a reply.")
NO_ACTOR = ignored("This updates nothing that is held here.")
NO_HOST = unsent("The Event has no attributedTo that is an http or https address.")
DISLIKE = ignored("A Dislike is no endorsement, and nothing that is shown here.")
BLOCK = ignored("Whom another forum, or another server, shuts out is its own affair.")
STEWARD = refused("Stewards are named by the admins of this instance only.")
LETTER = refused("This forum can be read by anybody, and takes public posts only.")
STAYS_DELETED = ignored("What was deleted here is not brought back.")
NO_AUTHOR = unsent("The Note has no attributedTo that is an http or https address.")
JOINING = ignored("Another agency decides who comes to this.")
LEAVING = ignored("Nobody here organises this.")

OUTCOMES: dict[str, Outcome] = {
    "captured/nodebb/_well-known_nodeinfo.json": NO_OBJECT,
    "captured/nodebb/actor.json": ACTOR,
    "captured/nodebb/category_5.json": ACTOR,
    "captured/nodebb/category_5_featured.json": ACTOR,
    "captured/nodebb/category_5_followers.json": ACTOR,
    "captured/nodebb/category_5_moderators.json": COLLECTION,
    "captured/nodebb/category_5_outbox.json": COLLECTION,
    "captured/nodebb/inbox_Accept_Follow.json": FOLLOWING,
    "captured/nodebb/inbox_Announce_Create.json": REPLY,
    "captured/nodebb/inbox_Announce_Like.json": ENDORSED,
    "captured/nodebb/inbox_Announce_Page.json": THREAD,
    "captured/nodebb/inbox_Create_Article.json": THREAD,
    "captured/nodebb/nodeinfo_2_0.json": NO_OBJECT,
    "captured/nodebb/post_2.json": THREAD,
    "captured/nodebb/post_3.json": REPLY,
    "captured/nodebb/topic_2.json": COLLECTION,
    "captured/nodebb/uid_1.json": ACTOR,
    "captured/nodebb/uid_1_followers.json": COLLECTION,
    "captured/nodebb/uid_1_outbox.json": COLLECTION,
    "captured/nodebb/uid_2.json": ACTOR,
    "captured/nodebb/webfinger_category.json": NO_OBJECT,
    "captured/piefed/_well-known_nodeinfo.json": NO_OBJECT,
    "captured/piefed/actor.json": ACTOR,
    "captured/piefed/c_tavern.json": ACTOR,
    "captured/piefed/c_tavern_featured.json": COLLECTION,
    "captured/piefed/c_tavern_followers.json": COLLECTION,
    "captured/piefed/c_tavern_moderators.json": COLLECTION,
    "captured/piefed/c_tavern_outbox.json": COLLECTION,
    "captured/piefed/comment_1.json": REPLY,
    "captured/piefed/comment_2.json": REPLY,
    "captured/piefed/inbox_Accept_Follow.json": FOLLOWING,
    "captured/piefed/inbox_Announce_Add.json": PINNED,
    "captured/piefed/inbox_Announce_Create.json": THREAD,
    "captured/piefed/inbox_Announce_Delete.json": DELETED,
    "captured/piefed/inbox_Announce_Like.json": ENDORSED,
    "captured/piefed/inbox_Announce_Lock.json": LOCKED,
    "captured/piefed/inbox_Announce_Update.json": THREAD,
    "captured/piefed/nodeinfo_2_0.json": NO_OBJECT,
    "captured/piefed/post_1.json": THREAD,
    "captured/piefed/site_inbox.json": NO_OBJECT,
    "captured/piefed/u_root1.json": ACTOR,
    "captured/piefed/u_root1_outbox.json": COLLECTION,
    "captured/piefed/webfinger_tavern.json": NO_OBJECT,
    "captured/takahe/actor.json": ACTOR,
    "captured/takahe/inbox_Accept_Follow.json": FOLLOWING,
    "captured/takahe/inbox_Create_Note.json": THREAD,
    "captured/takahe/outbox.json": COLLECTION,
    "captured/takahe/post_647645916065243280.json": THREAD,
    "captured/takahe/post_647645916182388048.json": REPLY,
    "discourse/lemmyassets_objects_group.json": ACTOR,
    "discourse/lemmyassets_objects_page.json": THREAD,
    "discourse/lemmyassets_objects_person.json": ACTOR,
    "fep/fep-044f_01.json": THREAD,
    "fep/fep-044f_02.json": THREAD,
    "fep/fep-0837_02.json": PROPOSAL,
    "fep/fep-0837_03.json": PROPOSAL,
    "fep/fep-171b_03.json": COLLECTION,
    "fep/fep-1b12_01.json": THREAD,
    "fep/fep-1b12_02.json": REPLY,
    "fep/fep-2677_01.json": NO_OBJECT,
    "fep/fep-3b86_01.json": NO_OBJECT,
    "fep/fep-3b86_02.json": NO_OBJECT,
    "fep/fep-521a_01.json": NO_ACTOR,
    "fep/fep-76ea_01.json": NO_OBJECT,
    "fep/fep-7888_01.json": unsent("The Note has no id that is an http or https address."),
    "fep/fep-844e_01.json": NO_ACTOR,
    "fep/fep-8a8e_01.json": NO_HOST,
    "fep/fep-8a8e_02.json": NO_HOST,
    "fep/fep-8b32_01.json": THREAD,
    "fep/fep-b2b8_01.json": THREAD,
    "fep/fep-b2b8_04.json": THREAD,
    "fep/fep-d556_02.json": NO_OBJECT,
    "friendica/lemmyassets_activities_dislike_page.json": DISLIKE,
    "friendica/lemmyassets_activities_like_page.json": ENDORSED,
    "friendica/lemmyassets_activities_update_note.json": REPLY,
    "friendica/lemmyassets_objects_page_1.json": THREAD,
    "friendica/lemmyassets_objects_person_1.json": ACTOR,
    "gancio/fx_gancio-actor.json": ACTOR,
    "gancio/fx_gancio-event-activity.json": THREAD,
    "ghost/activitypub_article-create-activity.json": THREAD,
    "ghost/activitypub_article-object.json": THREAD,
    "ghost/activitypub_note-create-activity.json": THREAD,
    "ghost/activitypub_note-object.json": THREAD,
    "ghost/activitypub_publish-post-create-activity.json": THREAD,
    "gotosocial/actors_01.json": COLLECTION,
    "gotosocial/actors_03.json": COLLECTION,
    "gotosocial/actors_05.json": COLLECTION,
    "gotosocial/actors_06.json": ACTOR,
    "gotosocial/actors_07.json": COLLECTION,
    "gotosocial/actors_08.json": COLLECTION,
    "gotosocial/actors_09.json": COLLECTION,
    "gotosocial/actors_16.json": ignored("Whoever moves is nobody elsewhere that is known here."),
    "gotosocial/interaction_policy_21.json": THREAD,
    "gotosocial/interaction_policy_23.json": FOLLOWING,
    "gotosocial/moderation_01.json": REPORT,
    "lemmy/activities_block_block_user.json": BLOCK,
    "lemmy/activities_block_undo_block_user.json": BLOCK,
    "lemmy/activities_community_add_featured_post.json": PINNED,
    "lemmy/activities_community_add_mod.json": STEWARD,
    "lemmy/activities_community_announce_create_page.json": THREAD,
    "lemmy/activities_community_lock_note.json": LOCKED,
    "lemmy/activities_community_lock_page.json": LOCKED,
    "lemmy/activities_community_remove_featured_post.json": UNPINNED,
    "lemmy/activities_community_remove_mod.json": STEWARD,
    "lemmy/activities_community_report_page.json": REPORT,
    "lemmy/activities_community_resolve_report_page.json": ignored(
        "Reports are closed where they were sent to."
    ),
    "lemmy/activities_community_undo_lock_note.json": LOCKED,
    "lemmy/activities_community_undo_lock_page.json": LOCKED,
    "lemmy/activities_community_update_community.json": refused(
        "Only its own server may say that an actor has changed."
    ),
    "lemmy/activities_community_warn.json": ignored(
        "Warnings are between another server and its own people."
    ),
    "lemmy/activities_create_or_update_create_comment.json": REPLY,
    "lemmy/activities_create_or_update_create_page.json": THREAD,
    "lemmy/activities_create_or_update_create_private_message.json": LETTER,
    "lemmy/activities_create_or_update_create_private_message_0.19.json": LETTER,
    "lemmy/activities_create_or_update_update_page.json": THREAD,
    "lemmy/activities_deletion_delete_page.json": DELETED,
    "lemmy/activities_deletion_delete_private_message.json": DELETED,
    "lemmy/activities_deletion_delete_user.json": GONE,
    "lemmy/activities_deletion_remove_note.json": DELETED,
    "lemmy/activities_deletion_undo_delete_page.json": STAYS_DELETED,
    "lemmy/activities_deletion_undo_delete_private_message.json": STAYS_DELETED,
    "lemmy/activities_deletion_undo_remove_note.json": STAYS_DELETED,
    "lemmy/activities_following_accept.json": FOLLOWING,
    "lemmy/activities_following_follow.json": FOLLOWER,
    "lemmy/activities_following_undo_follow.json": LEFT,
    "lemmy/activities_voting_dislike_page.json": DISLIKE,
    "lemmy/activities_voting_like_note.json": ENDORSED,
    "lemmy/activities_voting_undo_dislike_page.json": WITHDRAWN,
    "lemmy/activities_voting_undo_like_note.json": WITHDRAWN,
    "lemmy/collections_group_featured_posts.json": COLLECTION,
    "lemmy/collections_group_followers.json": COLLECTION,
    "lemmy/collections_group_moderators.json": COLLECTION,
    "lemmy/collections_group_outbox.json": COLLECTION,
    "lemmy/collections_person_outbox.json": COLLECTION,
    "lemmy/objects_comment.json": REPLY,
    "lemmy/objects_group.json": ACTOR,
    "lemmy/objects_instance.json": ACTOR,
    "lemmy/objects_page.json": THREAD,
    "lemmy/objects_page_image_and_link.json": THREAD,
    "lemmy/objects_person.json": ACTOR,
    "lemmy/objects_private_message.json": LETTER,
    "lemmy/objects_tombstone.json": TOMBSTONE,
    "mastodon/docs_activitypub_01.json": BLOCK,
    "mastodon/docs_activitypub_09.json": NO_ACTOR,
    "mastodon/docs_activitypub_17.json": NO_AUTHOR,
    "mastodon/docs_activitypub_18.json": NO_AUTHOR,
    "mastodon/docs_activitypub_19.json": NO_AUTHOR,
    "mastodon/docs_webfinger_01.json": NO_OBJECT,
    "mastodon/docs_webfinger_02.json": ignored(
        "This creates nothing that can be posted in a forum."
    ),
    "mastodon/docs_webfinger_03.json": NO_OBJECT,
    "mastodon/lemmyassets_activities_create_note.json": REPLY,
    "mastodon/lemmyassets_activities_delete.json": DELETED,
    "mastodon/lemmyassets_activities_flag.json": REPORT,
    "mastodon/lemmyassets_activities_follow.json": FOLLOWER,
    "mastodon/lemmyassets_activities_like_page.json": ENDORSED,
    "mastodon/lemmyassets_activities_undo_follow.json": LEFT,
    "mastodon/lemmyassets_activities_undo_like_page.json": WITHDRAWN,
    "mastodon/lemmyassets_collections_featured.json": COLLECTION,
    "mastodon/lemmyassets_objects_note_1.json": REPLY,
    "mastodon/lemmyassets_objects_page.json": THREAD,
    "mastodon/lemmyassets_objects_person.json": ACTOR,
    "mastodon/spec_activitypub-actor-individual.json": ACTOR,
    "mastodon/spec_activitypub-actor-noinbox.json": refused(
        "The key of the signature could not be had: The Person has no inbox.", "401"
    ),
    "mastodon/spec_activitypub-actor.json": ACTOR,
    "mastodon/spec_activitypub-webfinger.json": NO_OBJECT,
    "mastodon/spec_webfinger-hacker1.json": NO_OBJECT,
    "mastodon/spec_webfinger-hacker3.json": NO_OBJECT,
    "mastodon/spec_webfinger.json": NO_OBJECT,
    "mobilizon/fx_mobilizon-invite-activity.json": ignored(
        "Nobody is invited to a forum here: it is followed."
    ),
    "mobilizon/fx_mobilizon-join-activity.json": JOINING,
    "mobilizon/fx_mobilizon-leave-activity.json": LEAVING,
    "mobilizon/fx_mobilizon-members-collection.json": COLLECTION,
    "mobilizon/fx_mobilizon-post-activity-group.json": LETTER,
    "mobilizon/fx_mobilizon-post-activity-media.json": THREAD,
    "mobilizon/fx_mobilizon-post-activity.json": THREAD,
    "mobilizon/fx_peertube-video.json": THREAD,
    "mobilizon/lemmyassets_objects_event.json": THREAD,
    "mobilizon/lemmyassets_objects_group.json": ACTOR,
    "mobilizon/lemmyassets_objects_person.json": ACTOR,
    "nodebb/lemmyassets_objects_group.json": ACTOR,
    "nodebb/lemmyassets_objects_page.json": THREAD,
    "nodebb/lemmyassets_objects_person.json": ACTOR,
    "piefed/communities_02.json": ACTOR,
    "piefed/communities_05.json": THREAD,
    "piefed/feeds_04.json": COLLECTION,
    "piefed/posts_02.json": THREAD,
    "piefed/posts_04.json": THREAD,
    "piefed/posts_06.json": THREAD,
    "piefed/posts_08.json": THREAD,
    "piefed/posts_10.json": THREAD,
    "piefed/users_02.json": ACTOR,
    "wordpress/example-com-well-known-webfinger.json": NO_OBJECT,
    "wordpress/lemmy-ml-u-pfefferle.json": ACTOR,
    "wordpress/lemmy-ml-well-known-webfinger.json": NO_OBJECT,
    "wordpress/lemmyassets_activities_announce.json": THREAD,
    "wordpress/lemmyassets_objects_group.json": ACTOR,
    "wordpress/lemmyassets_objects_note.json": REPLY,
    "wordpress/lemmyassets_objects_page.json": THREAD,
    "wordpress/lemmyassets_objects_person.json": ACTOR,
    "wordpress/notiz-blog-author-matthias-pfefferle.json": ACTOR,
    "wordpress/notiz-blog-well-known-webfinger.json": NO_OBJECT,
}
