# SPDX-License-Identifier: Apache-2.0
"""The instance as apps ask about it first."""

from functools import cache
from importlib.metadata import version as installed
from typing import Any

from server import uploads
from server.instance import Instance
from server.pictures import LARGEST
from server.polls import drafts
from server.rows import Member
from server.text import MAX_SOURCE
from server.timelines.sizes import Sizes
from web.api.entities.statuses import Statuses
from web.templates import static

Json = dict[str, Any]
SPOKEN = "4.2.0"
PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif"]
MOST_PIXELS = 40_000_000


@cache
def version() -> str:
    """Apps read the version of Mastodon that we speak like, at the beginning."""
    return f"{SPOKEN} (compatible; Guildhall {installed('guildhall')})"


def first(instance: Instance, sizes: Sizes, contact: Member | None) -> Json:
    """`/api/v1/instance`."""
    site, drawn = instance.settings, Statuses(instance)
    return {
        "uri": site.host,
        "title": site.site_name,
        "short_description": _about(instance),
        "description": _about(instance),
        "email": site.sender,
        "version": version(),
        "urls": {"streaming_api": streaming(instance)},
        "stats": {
            "user_count": sizes.members,
            "status_count": sizes.posts,
            "domain_count": sizes.peers,
        },
        "thumbnail": site.origin + static("header.png"),
        "languages": [site.language],
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
        "configuration": _configuration(),
        "contact_account": drawn.account(contact) if contact else None,
        "rules": [],
    }


def second(instance: Instance, sizes: Sizes, contact: Member | None, vapid: str) -> Json:
    """`/api/v2/instance`."""
    site, drawn = instance.settings, Statuses(instance)
    picture = site.origin + static("header.png")
    icon = site.origin + static("forum.png")
    return {
        "domain": site.host,
        "title": site.site_name,
        "version": version(),
        "source_url": "https://code.guildhall.example/guildhall.git",
        "description": _about(instance),
        "usage": {"users": {"active_month": sizes.members}},
        "thumbnail": {"url": picture, "description": "", "blurhash": None, "versions": {}},
        "icon": [{"src": icon, "size": "128x128"}],
        "languages": [site.language],
        "configuration": {
            "urls": {
                "streaming": streaming(instance),
                "status": None,
                "about": f"{site.origin}/help",
                "privacy_policy": f"{site.origin}/privacy",
                "terms_of_service": None,
            },
            "vapid": {"public_key": vapid},
            "translation": {"enabled": False},
            "limited_federation": True,
            **_configuration(),
        },
        "registrations": {
            "enabled": False,
            "approval_required": False,
            "reason_required": False,
            "message": "Accounts are made by the agency.",
            "min_age": None,
            "url": None,
        },
        "api_versions": {"mastodon": 1},
        "contact": {
            "email": site.sender,
            "account": drawn.account(contact) if contact else None,
        },
        "rules": [],
    }


def streaming(instance: Instance) -> str:
    """Where streams are: this host."""
    scheme = "wss" if instance.settings.is_https else "ws"
    return f"{scheme}://{instance.settings.host}"


def _about(instance: Instance) -> str:
    return f"The practice commons of {instance.settings.agency_name}."


def _configuration() -> Json:
    return {
        "accounts": {
            "max_display_name_length": 100,
            "max_note_length": 5_000,
            "max_featured_tags": 0,
            "max_pinned_statuses": 0,
            "max_profile_fields": 0,
            "profile_field_name_limit": 0,
            "profile_field_value_limit": 0,
        },
        "statuses": {
            "max_characters": MAX_SOURCE,
            "max_media_attachments": uploads.MOST_A_POST,
            "characters_reserved_per_url": 23,
        },
        "media_attachments": {
            "supported_mime_types": PICTURES,
            "description_limit": uploads.LONGEST_DESCRIPTION,
            "image_size_limit": LARGEST,
            "image_matrix_limit": MOST_PIXELS,
            "video_size_limit": 0,
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
        },
        "polls": {
            "max_options": drafts.MOST,
            "max_characters_per_option": drafts.LONGEST,
            "min_expiration": drafts.SHORTEST_TIME,
            "max_expiration": drafts.LONGEST_TIME,
        },
    }
