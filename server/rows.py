# SPDX-License-Identifier: Apache-2.0
"""The rows that pages are handed, under one roof."""

from storage.forums import CopyState, FollowState, Forum, ForumFollow, Visibility
from storage.members import Invitation, Member
from storage.peers import Knock, Peer, PolicyRule, Verdict
from storage.posts import Draft, Kind, Post, PostState

__all__ = [
    "CopyState",
    "Draft",
    "FollowState",
    "Forum",
    "ForumFollow",
    "Invitation",
    "Kind",
    "Knock",
    "Member",
    "Peer",
    "PolicyRule",
    "Post",
    "PostState",
    "Verdict",
    "Visibility",
]
