# SPDX-License-Identifier: Apache-2.0
"""Push subscriptions of apps (Web Push, RFC 8030)."""

from typing import Any

from server import pushes
from server.pushes import PushDraft
from server.rows import PushSubscription
from web.api.calls import Call, Json
from web.api.notifications import KNOWN
from web.api.routes import call

ALERTS = tuple(sorted(KNOWN))


def _drawn(call: Call, held: PushSubscription) -> Json:
    wanted = set(held.kinds.split())
    return {
        "id": str(held.id),
        "endpoint": held.endpoint,
        "standard": True,
        "alerts": {name: name in wanted for name in ALERTS},
        "policy": "all",
        "server_key": call.instance.vault.push_name,
    }


def _token(call: Call) -> int:
    return call.holder.token if call.holder else 0


def _inside(call: Call, name: str, inner: str) -> dict[str, Any]:
    """`name[inner][key]=…`, or the same in JSON."""
    begin = f"{name}[{inner}]["
    found = {
        key[len(begin) : -1]: values[-1]
        for key, values in call.given.values.items()
        if key.startswith(begin) and key.endswith("]")
    }
    nested = call.given.inner(name).get(inner)
    return found | (nested if isinstance(nested, dict) else {})


def _kinds(call: Call) -> tuple[str, ...]:
    alerts = _inside(call, "data", "alerts")
    yes = {"true", "1", "on"}
    return tuple(name for name in ALERTS if str(alerts.get(name, "")).lower() in yes)


async def subscribe(call: Call) -> Json:
    """Tell this app at once of notices, by its push service."""
    endpoint = call.given.inner("subscription").get("endpoint", "")
    keys = _inside(call, "subscription", "keys")
    draft = PushDraft(
        str(endpoint), str(keys.get("p256dh", "")), str(keys.get("auth", "")), _kinds(call)
    )
    async with call.instance.transaction() as tx:
        held = await pushes.subscribe(tx, call.member, _token(call), draft)
        return _drawn(call, held)


async def one(call: Call) -> Json:
    """Where this app is told."""
    async with call.instance.reading() as session:
        return _drawn(call, await pushes.held(session, _token(call)))


async def change(call: Call) -> Json:
    """Choose which notices this app is told of."""
    async with call.instance.transaction() as tx:
        return _drawn(call, await pushes.choose(tx, _token(call), _kinds(call)))


async def end(call: Call) -> Json:
    """Tell this app no more."""
    async with call.instance.transaction() as tx:
        await pushes.end(tx, _token(call))
    return {}


PATH = "/api/v1/push/subscription"
WANTED = ("data[alerts][mention]", "data[alerts][favourite]", "data[alerts][status]")
SENT = (
    "subscription[endpoint]!", "subscription[keys][p256dh]!", "subscription[keys][auth]!",
)  # fmt: skip
routes = [
    call("POST", PATH, subscribe, "push", "WebPushSubscription", *SENT, *WANTED),
    call("GET", PATH, one, "push", "WebPushSubscription"),
    call("PUT", PATH, change, "push", "WebPushSubscription", *WANTED),
    call("DELETE", PATH, end, "push", "Empty"),
]
