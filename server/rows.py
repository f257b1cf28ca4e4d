# SPDX-License-Identifier: Apache-2.0
"""The rows that pages are handed, under one roof."""

from storage.apps import App, AppState
from storage.arrivals import Arrival
from storage.events import CalendarChoice, Event, EventGuest, GuestState
from storage.files import StoredFile
from storage.forums import CopyState, FollowState, Forum, ForumFollow, Visibility
from storage.markers import Marker
from storage.members import Invitation, Member
from storage.mutes import Mute, MuteKind
from storage.peers import Knock, Peer, PolicyRule, Verdict
from storage.plain import Put
from storage.posts import Draft, Kind, Post, PostState
from storage.pushes import PushSubscription
from storage.uploads import Upload

__all__ = [
    "App",
    "AppState",
    "Arrival",
    "CalendarChoice",
    "CopyState",
    "Draft",
    "Event",
    "EventGuest",
    "FollowState",
    "Forum",
    "ForumFollow",
    "GuestState",
    "Invitation",
    "Kind",
    "Knock",
    "Marker",
    "Member",
    "Mute",
    "MuteKind",
    "Peer",
    "PolicyRule",
    "Post",
    "PostState",
    "PushSubscription",
    "Put",
    "StoredFile",
    "Upload",
    "Verdict",
    "Visibility",
]
