# SPDX-License-Identifier: Apache-2.0
"""Tags by themselves."""

from server.errors import NotFound
from server.text import clean_tags
from web.api.calls import Call, Json
from web.api.entities.statuses import Statuses
from web.api.routes import call


async def one(call: Call) -> Json:
    """A tag, whether or not any thread carries it."""
    try:
        names = clean_tags(call.request.path_params["tag"])
    except ValueError as error:
        raise NotFound from error
    if len(names) != 1:
        raise NotFound
    return Statuses(call.instance).tag(names[0])


routes = [call("GET", "/api/v1/tags/{tag}", one, "read", "Tag", public=True)]
