# SPDX-License-Identifier: Apache-2.0
"""The least a server in our framework can do: read JSON, and answer."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def inbox(request: Request) -> Response:
    """POST of JSON: parsed, nothing else."""
    orjson.loads(await request.body())
    return Response(status_code=202)


app = Starlette(routes=[Route("/inbox", inbox, methods=["POST"])])
