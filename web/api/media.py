# SPDX-License-Identifier: Apache-2.0
"""Pictures that apps send ahead of a post."""

from server import pictures, uploads
from server.errors import Invalid
from server.rows import Upload
from server.uploads import Picture
from web import limits
from web.api.calls import Call, Json
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.limits import spend


def _drawn(call: Call, upload: Upload) -> Json:
    url = Statuses(call.instance).media(upload.sha256)
    wide, high = upload.width, upload.height
    size = {"width": wide, "height": high, "size": f"{wide}x{high}", "aspect": wide / high}
    return {
        "id": str(upload.id),
        "type": "image",
        "url": url,
        "preview_url": url,
        "remote_url": None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": {"original": size, "small": size},
        "description": upload.description or None,
        "blurhash": None,
    }


async def send(call: Call) -> Json:
    """Keep a picture, made anew: nothing of where and when it was taken remains."""
    data = call.given.files.get("file")
    if not data:
        raise Invalid({"file": "Send a picture."})
    spend(call.visit, limits.UPLOAD, f"member {call.member.id}")
    try:
        made = await pictures.fitted(data)
        width, height = pictures.size(made)
    except pictures.NotAPicture as error:
        raise Invalid({"file": str(error)}) from error
    kept = await call.instance.files.write(made, pictures.MEDIA_TYPE)
    async with call.instance.transaction() as tx:
        picture = Picture(kept, width, height)
        words = call.given.text("description")
        upload = await uploads.keep(tx, call.member, picture, words)
    return _drawn(call, upload)


async def one(call: Call) -> Json:
    """A picture that the member sent."""
    async with call.instance.reading() as session:
        return _drawn(call, await uploads.own(session, call.member, call.number()))


async def describe(call: Call) -> Json:
    """Say what a picture shows."""
    words = call.given.text("description")
    async with call.instance.transaction() as tx:
        upload = await uploads.describe(tx, call.member, call.number(), words)
        return _drawn(call, upload)


routes = [
    call("POST", "/api/v1/media", send, "write:media", "MediaAttachment", "file!", "description"),
    call("POST", "/api/v2/media", send, "write:media", "MediaAttachment", "file!", "description"),
    call("GET", "/api/v1/media/{id}", one, "write:media", "MediaAttachment"),
    call("PUT", "/api/v1/media/{id}", describe, "write:media", "MediaAttachment", "description"),
]
