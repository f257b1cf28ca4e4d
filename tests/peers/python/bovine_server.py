# SPDX-License-Identifier: Apache-2.0
"""A server of bovine_herd with one person, told what to do at /control."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import bovine.jsonld
from aiohttp.abc import AbstractResolver, ResolveResult
from bovine.activitystreams.activity_factory import ActivityFactory
from bovine.activitystreams.object_factory import ObjectFactory
from bovine.clients.lookup_account import lookup_with_webfinger
from bovine.types import Visibility
from bovine_herd import BovineHerd
from bovine_process import handle_outbox_item, process_outbox_item
from bovine_process.types import ProcessingItem
from bovine_store import BovineAdminStore
from bovine_store.actor.bovine_store_actor import BovineStoreActor
from bovine_store.models import CollectionItem, StoredJsonObject
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, g, request

Json = dict[str, Any]

HOST, PORT = sys.argv[1], int(sys.argv[2])
ORIGIN = f"http://{HOST}:{PORT}"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
SECURITY = {
    name: {"@id": f"https://w3id.org/security#{name}", **kind}
    for name, kind in (
        ("publicKey", {"@type": "@id"}),
        ("owner", {"@type": "@id"}),
        ("publicKeyPem", {}),
    )
}
# It would load these from the network, and takes one that it cannot load for empty.
CONTEXTS: Json = {
    "https://w3id.org/security/v1": SECURITY,
    "https://w3id.org/security/data-integrity/v1": {},
    "https://w3id.org/security/data-integrity/v2": {},
    "https://w3id.org/security/multikey/v1": {},
    "https://www.w3.org/ns/did/v1": {},
    "https://www.w3.org/ns/cid/v1": {},
}


# Everything it sends to an inbox is kept as it was sent, and everything it shows.
exchanges: Json = {"sent": [], "shown": {}}


async def record(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep what goes to an inbox."""
    answer = await handler(request)
    if request.method == "POST":
        body = request.body if isinstance(request.body, bytes) else await request.body.as_bytes()
        headers = {name.lower(): value for name, value in request.headers.items()}
        exchanges["sent"].append(
            {
                "url": str(request.url),
                "headers": headers,
                "body": body.decode(),
                "status": answer.status,
            }
        )
    return answer


class Loopback(AbstractResolver):
    """Every name leads to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return None


app: Any = Quart(__name__)
refused: list[str] = []
shown: list[str] = []
asked: dict[str, str] = {}


async def session() -> None:
    connector = aiohttp.TCPConnector(resolver=Loopback())
    app.config["session"] = aiohttp.ClientSession(connector=connector, middlewares=[record])


async def person() -> None:
    app.config["name"] = await BovineAdminStore(domain=ORIGIN).register("vera")


async def note(answer: Response) -> Response:
    if answer.status_code == 401:
        refused.append(f"{request.method} {request.path}")
    elif request.method == "GET" and g.get("retriever"):
        shown.append(g.retriever)
    if request.method == "GET" and answer.status_code == 200 and request.path != "/exchanges":
        kind, body = answer.content_type, await answer.get_data(as_text=True)
        exchanges["shown"][f"{ORIGIN}{request.full_path.rstrip('?')}"] = {
            "type": kind,
            "body": body,
        }
    return answer


async def vera() -> BovineStoreActor:
    found: BovineStoreActor = await app.config["bovine_store"].actor_for_name(app.config["name"])
    await found.init(session=app.config["session"])
    return found


async def factories() -> tuple[BovineStoreActor, Any, Any]:
    """Its person with what makes activities and objects of theirs."""
    actor = await vera()
    about = actor.actor_object.build(visibility=Visibility.OWNER)
    return actor, ActivityFactory(about), ObjectFactory(about)


async def sent(actor: BovineStoreActor, activity: Json) -> Json:
    """Put it in the outbox, as a client of this server would; answers it with its ids."""
    item = await handle_outbox_item(ProcessingItem(actor.actor_id, activity), actor)
    assert item is not None
    kept: Json = dict(item.data)
    await process_outbox_item(item, actor)
    return kept


def id_of(thing: Any) -> str:
    return thing["id"] if isinstance(thing, dict) else str(thing or "")


# What it is told to do


async def finger(given: Json) -> Json:
    url = f"{given['origin']}/.well-known/webfinger"
    found = await lookup_with_webfinger(app.config["session"], url, {"resource": given["resource"]})
    return {"self": found}


async def look(given: Json) -> Json:
    return await (await vera()).retrieve(given["uri"]) or {}


async def follow(given: Json) -> Json:
    actor, activities, _ = await factories()
    kept = await sent(actor, activities.follow(given["uri"]).build())
    asked[given["uri"]] = kept["id"]
    return {"id": kept["id"]}


async def write(given: Json) -> Json:
    actor, activities, objects = await factories()
    note = objects.note(
        content=given["content"],
        to={given["forum"]},
        cc={PUBLIC, *([given["parentAuthor"]] if "parentAuthor" in given else [])},
        in_reply_to=given.get("parent"),
    )
    kept = await sent(actor, activities.create(note.build()).build())
    return {"id": kept["id"], "uri": id_of(kept["object"])}


async def edit(given: Json) -> Json:
    actor, activities, _ = await factories()
    note = await actor.retrieve(given["uri"], only_own=True)
    assert note is not None
    return await sent(actor, activities.update({**note, "content": given["content"]}).build())


async def remove(given: Json) -> Json:
    actor, activities, _ = await factories()
    return await sent(actor, activities.delete(given["uri"]).build())


async def like(given: Json) -> Json:
    actor, activities, _ = await factories()
    return await sent(
        actor, activities.like(given["uri"], to={given["forum"]}, cc={PUBLIC}).build()
    )


async def undo(given: Json) -> Json:
    actor, activities, _ = await factories()
    undone = await actor.retrieve(given["uri"], only_own=True)
    return await sent(actor, activities.undo(undone).build())


async def count(given: Json) -> Json:
    found = await (await vera()).get(given["uri"])
    return {"total": found["totalItems"]}


DEEDS: dict[str, Callable[[Json], Awaitable[Json]]] = {
    deed.__name__: deed for deed in (finger, look, follow, write, edit, remove, like, undo, count)
}


async def control() -> Json:
    given = await request.get_json()
    return await DEEDS[given.pop("do")](given)


# What it holds, from its own database


async def members(collection: str) -> list[str]:
    return [one.object_id for one in await CollectionItem.filter(part_of=collection)]


async def state() -> Json:
    actor = await vera()
    held = {one.id: one.content for one in await StoredJsonObject.all()}
    following = await members(actor.actor_object.following)
    return {
        "follows": {uri: "accepted" if uri in following else "asked" for uri in asked},
        "asked": asked,
        "person": actor.actor_id,
        "posts": {
            uri: {**one, **{name: await members(f"{uri}/{name}") for name in ("likes", "replies")}}
            for uri, one in held.items()
            if one.get("type") in {"Note", "Article", "Page", "Tombstone"}
        },
        "received": [held[uri] for uri in await members(actor.actor_object.inbox) if uri in held],
        "refused": refused,
        "shown": shown,
    }


async def recorded() -> Json:
    return exchanges


def furnish() -> None:
    """Its own routes and start; the session has to be there before bovine_herd makes one."""
    app.before_serving(session)
    BovineHerd(app, db_url="sqlite://bovine.sqlite3")
    app.before_serving(person)
    app.after_request(note)
    app.add_url_rule("/control", "control", control, methods=["POST"])
    app.add_url_rule("/state", "state", state)
    app.add_url_rule("/exchanges", "exchanges", recorded)


async def main() -> None:
    furnish()
    bovine.jsonld.jsonld_cache.cache.update(CONTEXTS)
    listener = socket.create_server(("127.0.0.1", PORT))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    # Whoever asks now waits until the server takes what the socket holds.
    print("ready", flush=True)
    await serve(app, config)


if __name__ == "__main__":
    asyncio.run(main())
