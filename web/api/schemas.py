# SPDX-License-Identifier: Apache-2.0
"""The shapes of what calls answer, field by field."""

from typing import Any

Json = dict[str, Any]

# A field's type: `string`, `id`, `moment`, `date`, `url`, `integer`, `number`, `boolean`,
# `object` or the name of a shape; `?` behind it where it may be null, `[…]` around it for a list.
# `?` behind the name of a field: it may be missing.
_ACCOUNT = {
    "id": "id", "username": "string", "acct": "string", "display_name": "string",
    "locked": "boolean", "bot": "boolean", "group": "boolean", "discoverable": "boolean",
    "indexable": "boolean", "noindex": "boolean", "hide_collections": "boolean",
    "moved": "object?", "suspended": "boolean", "limited": "boolean", "created_at": "moment",
    "note": "string", "url": "url", "uri": "url", "avatar": "url", "avatar_static": "url",
    "header": "url", "header_static": "url", "followers_count": "integer",
    "following_count": "integer", "statuses_count": "integer", "last_status_at": "date?",
    "emojis": "[CustomEmoji]", "roles": "[Role]", "fields": "[Field]",
}  # fmt: skip
_STATUS = {
    "id": "id", "created_at": "moment", "edited_at": "moment?", "in_reply_to_id": "id?",
    "in_reply_to_account_id": "id?", "sensitive": "boolean", "spoiler_text": "string",
    "visibility": "string", "language": "string?", "uri": "url", "url": "url",
    "replies_count": "integer", "reblogs_count": "integer", "favourites_count": "integer",
    "quotes_count": "integer", "favourited": "boolean", "reblogged": "boolean",
    "muted": "boolean", "bookmarked": "boolean", "pinned": "boolean", "content": "string",
    "reblog": "Status?", "application": "object?", "account": "Account",
    "media_attachments": "[MediaAttachment]", "mentions": "[Mention]", "tags": "[Tag]",
    "emojis": "[CustomEmoji]", "quote": "object?", "card": "PreviewCard?", "poll": "Poll?",
    "filtered": "[FilterResult]",
}  # fmt: skip
_FILTER = {
    "id": "id", "title": "string", "context": "[string]", "expires_at": "moment?",
    "filter_action": "string",
}  # fmt: skip
_CONFIGURATION = {
    "accounts": "object", "statuses": "object", "media_attachments": "object", "polls": "object",
}  # fmt: skip

SHAPES: dict[str, dict[str, str]] = {
    "Account": _ACCOUNT,
    "CredentialAccount": {**_ACCOUNT, "source": "object", "role": "object"},
    "Application": {
        "id": "id", "name": "string", "website": "url?", "scopes": "[string]",
        "redirect_uri": "string", "redirect_uris": "[string]", "vapid_key": "string",
    },
    "CredentialApplication": {
        "id": "id", "name": "string", "website": "url?", "scopes": "[string]",
        "redirect_uri": "string", "redirect_uris": "[string]", "vapid_key": "string",
        "client_id": "string", "client_secret": "string", "client_secret_expires_at": "integer",
    },
    "Context": {"ancestors": "[Status]", "descendants": "[Status]"},
    "Count": {"count": "integer"},
    "CustomEmoji": {"shortcode": "string", "url": "url", "static_url": "url"},
    "Description": {"updated_at": "moment", "content": "string"},
    "Empty": {},
    "FamiliarFollowers": {"id": "id", "accounts": "[Account]"},
    "Field": {"name": "string", "value": "string", "verified_at": "moment?"},
    "Filter": {**_FILTER, "keywords": "[FilterKeyword]", "statuses": "[FilterStatus]"},
    "FilterKeyword": {"id": "id", "keyword": "string", "whole_word": "boolean"},
    "FilterStatus": {"id": "id", "status_id": "id"},
    "FilterResult": {
        "filter": "BareFilter", "keyword_matches": "[string]", "status_matches": "[id]",
    },
    "BareFilter": _FILTER,
    "V1::Filter": {
        "id": "id", "phrase": "string", "context": "[string]", "expires_at": "moment?",
        "irreversible": "boolean", "whole_word": "boolean",
    },
    "Instance": {
        "domain": "string", "title": "string", "version": "string", "source_url": "url",
        "description": "string", "usage": "object", "thumbnail": "object", "icon": "[object]",
        "languages": "[string]", "configuration": "Configuration", "registrations": "object",
        "api_versions": "object", "contact": "object", "rules": "[Rule]",
    },
    "Configuration": {
        **_CONFIGURATION, "urls": "object", "vapid": "object", "translation": "object",
    },
    "V1::Configuration": _CONFIGURATION,
    "V1::Instance": {
        "uri": "string", "title": "string", "short_description": "string",
        "description": "string", "email": "string", "version": "string", "urls": "object",
        "stats": "object", "thumbnail": "url", "languages": "[string]",
        "registrations": "boolean", "approval_required": "boolean", "invites_enabled": "boolean",
        "configuration": "V1::Configuration", "contact_account": "Account?", "rules": "[Rule]",
    },
    "List": {"id": "id", "title": "string", "replies_policy": "string", "exclusive": "boolean"},
    "Marker": {"last_read_id": "id", "version": "integer", "updated_at": "moment"},
    "MediaAttachment": {
        "id": "id", "type": "string", "url": "url", "preview_url": "url", "remote_url": "url?",
        "text_url": "url?", "meta": "object", "description": "string?", "blurhash": "string?",
    },
    "Mention": {"id": "id", "username": "string", "url": "url", "acct": "string"},
    "MutedAccount": {**_ACCOUNT, "mute_expires_at": "moment?"},
    "Notification": {
        "id": "id", "type": "string", "group_key": "string", "created_at": "moment",
        "account": "Account", "status": "Status?",
    },
    "Poll": {
        "id": "id", "expires_at": "moment?", "expired": "boolean", "multiple": "boolean",
        "votes_count": "integer", "voters_count": "integer", "voted": "boolean",
        "own_votes": "[integer]", "options": "[PollOption]", "emojis": "[CustomEmoji]",
    },
    "PollOption": {"title": "string", "votes_count": "integer?"},
    "Preferences": {
        "posting:default:visibility": "string", "posting:default:sensitive": "boolean",
        "posting:default:language": "string?", "reading:expand:media": "string",
        "reading:expand:spoilers": "boolean",
    },
    "PreviewCard": {
        "url": "url", "title": "string", "description": "string", "type": "string",
        "author_name": "string", "author_url": "string", "provider_name": "string",
        "provider_url": "string", "html": "string", "width": "integer", "height": "integer",
        "image": "url?", "embed_url": "string", "blurhash": "string?",
    },
    "Relationship": {
        "id": "id", "following": "boolean", "showing_reblogs": "boolean", "notifying": "boolean",
        "languages": "[string]", "followed_by": "boolean", "blocking": "boolean",
        "blocked_by": "boolean", "muting": "boolean", "muting_notifications": "boolean",
        "muting_expires_at": "moment?", "requested": "boolean", "requested_by": "boolean",
        "domain_blocking": "boolean", "endorsed": "boolean", "note": "string",
    },
    "Report": {
        "id": "id", "action_taken": "boolean", "action_taken_at": "moment?", "category": "string",
        "comment": "string", "forwarded": "boolean", "created_at": "moment",
        "status_ids": "[id]", "target_account": "Account",
    },
    "Role": {"id": "id", "name": "string", "color": "string"},
    "Rule": {"id": "id", "text": "string"},
    "Search": {"accounts": "[Account]", "statuses": "[Status]", "hashtags": "[Tag]"},
    "Status": _STATUS,
    "StatusEdit": {
        "content": "string", "spoiler_text": "string", "sensitive": "boolean",
        "created_at": "moment", "account": "Account", "media_attachments": "[MediaAttachment]",
        "emojis": "[CustomEmoji]",
    },
    "StatusSource": {"id": "id", "text": "string", "spoiler_text": "string"},
    "Tag": {"name": "string", "url": "url", "history": "[object]", "following": "boolean"},
    "Token": {
        "access_token": "string", "token_type": "string", "scope": "string",
        "created_at": "integer", "refresh_token?": "string", "expires_in?": "integer",
    },
    "UserInfo": {
        "iss": "url", "sub": "url", "name": "string", "preferred_username": "string",
        "profile": "url",
    },
    "WebPushSubscription": {
        "id": "id", "endpoint": "url", "standard": "boolean", "alerts": "object",
        "policy": "string", "server_key": "string",
    },
}  # fmt: skip
_MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_PLAIN: dict[str, Json] = {
    "string": {"type": "string"},
    "id": {"type": "string", "pattern": r"^-?\d+$"},
    "moment": {"type": "string", "format": "date-time", "pattern": _MOMENT},
    "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "url": {"type": "string", "pattern": r"^https?://"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
}


def schema(kind: str) -> Json:
    """The JSON Schema of a type as it is written above; shapes by reference."""
    if kind.startswith("["):
        return {"type": "array", "items": schema(kind[1:-1])}
    if kind.endswith("?"):
        return {"anyOf": [schema(kind[:-1]), {"type": "null"}]}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if kind in SHAPES:
        return {"$ref": f"#/components/schemas/{reference(kind)}"}
    # A list of what there is never one of, or a document with a schema elsewhere.
    return {"type": "string"} if kind == "String" else {"type": "object"}


def reference(name: str) -> str:
    """The name of a shape as a component: `V1::Instance` is `V1.Instance`."""
    return name.replace("::", ".")


def components() -> Json:
    """Every shape as a schema: its fields are always there, but for those with a `?`."""
    return {
        reference(name): {
            "type": "object",
            "properties": {field.removesuffix("?"): schema(kind) for field, kind in fields.items()},
            "required": [field for field in fields if not field.endswith("?")],
        }
        for name, fields in SHAPES.items()
    }
