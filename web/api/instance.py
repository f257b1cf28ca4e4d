# SPDX-License-Identifier: Apache-2.0
"""What apps ask about the instance, before and after they are let in."""

from server.timelines import sizes
from web.api.calls import Call, Json
from web.api.entities import instance as entities
from web.api.routes import EVERYBODY, call


async def first(call: Call) -> Json:
    """The instance, as apps of Mastodon 3 ask for it."""
    async with call.instance.reading() as session:
        counted, admin = await sizes.sizes(session), await sizes.contact(session)
    return entities.first(call.instance, counted, admin)


async def second(call: Call) -> Json:
    """The instance, as apps of Mastodon 4 ask for it."""
    async with call.instance.reading() as session:
        counted, admin = await sizes.sizes(session), await sizes.contact(session)
    return entities.second(call.instance, counted, admin, call.instance.vault.push_name)


async def nothing(call: Call) -> Json:
    """A list of what this instance does not have, or does not tell."""
    return []


async def _languages(call: Call) -> Json:
    """Languages that can be translated: none."""
    return {}


async def extended(call: Call) -> Json:
    """A longer description: the one line that there is."""
    admin_page = f"{call.instance.settings.origin}/help"
    return {
        "updated_at": "2026-11-27T00:00:00.000Z",
        "content": f'<p><a href="{admin_page}">How this site works</a></p>',
    }


async def preferences(call: Call) -> Json:
    """How the member likes to write and read."""
    return {
        "posting:default:visibility": "public",
        "posting:default:sensitive": False,
        "posting:default:language": call.instance.settings.language,
        "posting:default:quote_policy": "nobody",
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }


routes = [
    call("GET", "/api/v1/instance", first, EVERYBODY, "V1::Instance"),
    call("GET", "/api/v2/instance", second, EVERYBODY, "Instance"),
    call("GET", "/api/v1/instance/peers", nothing, EVERYBODY, "[String]"),
    call("GET", "/api/v1/instance/rules", nothing, EVERYBODY, "[Rule]"),
    call("GET", "/api/v1/instance/domain_blocks", nothing, EVERYBODY, "[DomainBlock]"),
    call("GET", "/api/v1/instance/activity", nothing, EVERYBODY, "[Activity]"),
    call("GET", "/api/v1/instance/extended_description", extended, EVERYBODY, "Description"),
    call("GET", "/api/v1/instance/translation_languages", _languages, EVERYBODY, "Empty"),
    call("GET", "/api/v1/custom_emojis", nothing, EVERYBODY, "[CustomEmoji]"),
    call("GET", "/api/v1/preferences", preferences, "read:accounts", "Preferences"),
]
