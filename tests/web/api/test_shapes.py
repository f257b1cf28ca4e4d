# SPDX-License-Identifier: Apache-2.0
"""Every call answers as its schema says, and as Mastodon's own examples look."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from server import filters
from server.filters import FilterDraft, Phrase
from server.instance import Instance
from server.polls import drafts
from server.posts import voting
from storage.members import Member
from tests import makers
from tests.federation.payloads import FIXTURES
from tests.house.sources import ROOT
from tests.web.api.app import OUT_OF_BAND, App, app_of, registered
from web.api import CALLS, openapi
from web.api.routes import ApiRoute
from web.api.schemas import SHAPES, components, schema

# The calls that change something, what they are about, and what they are sent: those that make
# things before all is read, those that change and end them afterwards.
FIRST: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST /api/v1/statuses", "", {"status": "@counters A title\nand a body"}),
    ("POST /api/v1/polls/{id}/votes", "thread", {"choices": ["0"]}),
    ("PUT /api/v1/statuses/{id}", "thread", {"status": "Another title\n\nand a body"}),
    ("POST /api/v1/statuses/{id}/favourite", "thread", {}),
    ("POST /api/v1/statuses/{id}/bookmark", "thread", {}),
    ("POST /api/v1/statuses/{id}/mute", "thread", {}),
    ("POST /api/v1/statuses/{id}/unmute", "thread", {}),
    ("POST /api/v1/accounts/{id}/mute", "marek", {}),
    ("POST /api/v1/accounts/{id}/block", "marek", {}),
    ("POST /api/v1/tags/{tag}/follow", "", {}),
    ("POST /api/v1/media", "", {}),
    ("POST /api/v2/media", "", {}),
    ("PUT /api/v1/media/{id}", "picture", {"description": "A box"}),
    ("POST /api/v2/filters", "", {"title": "x", "context": ["home"]}),
    ("POST /api/v2/filters/{id}/keywords", "filter", {"keyword": "plan"}),
    ("POST /api/v2/filters/{id}/statuses", "filter", {"status_id": "REPLY"}),
    ("POST /api/v1/filters", "", {"phrase": "x", "context": ["home"]}),
    ("POST /api/v1/reports", "", {"status_ids": ["REPLY"], "comment": "Off topic"}),
    (
        "POST /api/v1/push/subscription",
        "",
        {
            "subscription": {
                "endpoint": "https://push.example/x",
                "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22},
            },
            "data": {"alerts": {"mention": True}},
        },
    ),
    ("POST /api/v1/markers", "", {"home": {"last_read_id": "7"}}),
    ("POST /api/v1/accounts/{id}/unfollow", "forum", {}),
    ("POST /api/v1/accounts/{id}/follow", "forum", {}),
    ("PATCH /api/v1/accounts/update_credentials", "", {"note": "Hi"}),
    ("POST /api/v1/apps", "", {"client_name": "x", "redirect_uris": OUT_OF_BAND}),
)
LAST: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST /api/v1/statuses/{id}/unfavourite", "thread", {}),
    ("POST /api/v1/statuses/{id}/unbookmark", "thread", {}),
    ("POST /api/v1/accounts/{id}/unmute", "marek", {}),
    ("POST /api/v1/accounts/{id}/unblock", "marek", {}),
    ("POST /api/v1/tags/{tag}/unfollow", "", {}),
    ("PUT /api/v1/push/subscription", "", {"data": {"alerts": {"favourite": True}}}),
    ("DELETE /api/v1/push/subscription", "", {}),
    ("PUT /api/v2/filters/{id}", "filter", {"title": "Plans", "context": ["home", "public"]}),
    ("PUT /api/v2/filters/keywords/{id}", "another", {"keyword": "plans"}),
    ("PUT /api/v1/filters/{id}", "word", {"phrase": "maps", "context": ["home"]}),
    ("DELETE /api/v1/filters/{id}", "word", {}),
    ("DELETE /api/v2/filters/keywords/{id}", "another", {}),
    ("DELETE /api/v2/filters/statuses/{id}", "single", {}),
    ("DELETE /api/v2/filters/{id}", "filter", {}),
    ("POST /api/v1/notifications/{id}/dismiss", "notice", {}),
    ("POST /api/v1/notifications/clear", "", {}),
    ("DELETE /api/v1/profile/avatar", "", {}),
    ("DELETE /api/v1/statuses/{id}", "own", {}),
)
# What is made on the way, and used further on.
MADE = {
    "POST /api/v1/statuses": "own",
    "POST /api/v2/media": "picture",
    "POST /api/v2/filters/{id}/keywords": "another",
    "POST /api/v1/filters": "word",
}


@pytest.fixture
async def ids(instance: Instance, admin: Member) -> dict[str, str]:
    """Something of each kind, which a call may be asked about."""
    ana = await makers.member(instance)
    async with instance.transaction() as tx:
        made = await filters.create(tx, ana, FilterDraft("Maps", ("home",)), [Phrase("map")])
        held = await filters.one(tx.session, ana, made)
    marek = await makers.person_elsewhere(instance)
    forum = await makers.forum(instance, admin)
    await makers.follow(instance, ana, forum)
    thread = await makers.thread(instance, ana, forum, tags=("permits",))
    async with instance.transaction() as tx:
        voting.attach(tx, thread, drafts.check(["Yes", "No"], 3_600))
        single = await filters.add_post(tx, held, thread)
    reply = await makers.reply(
        instance, admin, thread, "For @ana ![A map](https://city.example/map.png)"
    )
    return {
        "ana": str(ana.id),
        "filter": str(made),
        "phrase": str(held.phrases[0].id),
        "single": str(single),
        "marek": str(marek.id),
        "forum": str(forum.id),
        "thread": str(thread.id),
        "REPLY": str(reply.id),
    }


@pytest.fixture
async def phone(client: httpx.AsyncClient, instance: Instance, ids: dict[str, str]) -> App:
    """Ana's app."""
    async with instance.reading() as session:
        ana = await session.get_one(Member, int(ids["ana"]))
    return await app_of(client, instance, ana)


def validator(answers: str) -> Draft202012Validator:
    return Draft202012Validator({**schema(answers), "components": {"schemas": components()}})


def addresses(route: ApiRoute, ids: dict[str, str]) -> Iterator[str]:
    """Where something is asked for: about each thing of the kind that it is about."""
    about = "thread"
    for part, kind in (
        ("/accounts/", "forum"),
        ("/lists/", "forum"),
        ("/list/", "forum"),
        ("/media/", "picture"),
        ("/notifications/", "notice"),
        ("/v2/filters/", "filter"),
        ("filters/keywords/", "phrase"),
        ("filters/statuses/", "single"),
        ("/v1/filters/", "phrase"),
    ):
        about = kind if part in route.path else about
    for kind in {about, "ana"} if "/accounts/{id}" in route.path else {about}:
        yield route.path.replace("{id}", ids[kind]).replace("{tag}", "permits")


async def test_every_call_answers_as_its_schema_says(
    phone: App, ids: dict[str, str], client: httpx.AsyncClient
) -> None:
    ids["notice"] = (await phone.get("/api/v1/notifications"))[0]["id"]
    routes = {f"{method} {one.path}": one for one in CALLS for method in (one.methods or ())}
    left = {name for name in routes if not name.startswith("HEAD ")}
    left -= await _written(phone, ids, routes, FIRST)
    params = {"q": "counters", "acct": "ana", "id[]": ids["forum"], "timeline[]": "home"}
    for name in [one for one in left if one.startswith("GET ")]:
        for address in addresses(routes[name], ids):
            _must_fit(routes[name], await phone.get(address, **params), address)
        left.remove(name)
    left -= await _written(phone, ids, routes, LAST)
    app = await registered(client)
    for name, more in (
        ("POST /oauth/token", {"grant_type": "client_credentials"}),
        ("POST /oauth/revoke", {"token": "x"}),
    ):
        named = {key: app[key] for key in ("client_id", "client_secret")}
        _must_fit(routes[name], await phone.ask("POST", name[5:], data={**named, **more}), name)
        left.remove(name)
    for name in left:  # Everything else is not offered, and says so.
        method, path = name.split(" ")
        about = "thread" if "/statuses/" in path else "forum"
        answer = await phone.ask(method, path.replace("{id}", ids[about]), 422)
        assert list(answer) == ["error"], name


async def _written(
    phone: App,
    ids: dict[str, str],
    routes: dict[str, ApiRoute],
    calls: tuple[tuple[str, str, dict[str, Any]], ...],
) -> set[str]:
    """Make these calls in their order; answers which they were."""
    for name, about, sent in calls:
        method, path = name.split(" ")
        told = json.loads(json.dumps(sent).replace("REPLY", ids["REPLY"]))
        body: dict[str, Any] = {"json": told}
        if path.endswith("/media"):
            body = {"files": {"file": ("x.png", _picture(), "image/png")}}
        address = path.replace("{id}", ids.get(about, "")).replace("{tag}", "permits")
        answer = await phone.ask(method, address, **body)
        _must_fit(routes[name], answer, name)
        if name in MADE:
            ids[MADE[name]] = answer["id"]
    return {name for name, _, _ in calls}


def _picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (6, 3), "navy").save(drawn, "PNG")
    return drawn.getvalue()


def _must_fit(route: ApiRoute, answer: Any, address: str) -> None:
    wrong = [
        f"{address}: {'.'.join(map(str, error.path))} {error.message[:200]}"
        for error in validator(route.door.answers).iter_errors(answer)
    ]
    assert not wrong, "\n".join(wrong)


# Mastodon's words for what it has and we have no use for; apps do without.
NOT_OURS = {
    "Account": {"avatar_description", "header_description", "show_media", "show_media_replies",
                "show_featured", "feature_approval"},
    "Status": {"quote_approval"},
    "CustomEmoji": {"visible_in_picker", "category"},
}  # fmt: skip


@pytest.mark.parametrize("path", sorted((FIXTURES / "mastodon_client_api").glob("entity_*.json")))
def test_the_shapes_have_every_field_of_mastodons_examples(path: Path) -> None:
    name = path.stem.removeprefix("entity_").rpartition("_")[0].replace("V1_", "V1::")
    if name == "Error":
        return
    example = json.loads(path.read_text(encoding="utf-8"))
    shape = SHAPES[name]
    missing = example.keys() - shape.keys() - NOT_OURS.get(name, set())
    assert not missing, f"{name} lacks {missing}"
    wrong = [
        field
        for field, value in example.items()
        if field in shape and not _is_alike(shape[field], value)
    ]
    assert not wrong, f"{name} has other types in {wrong}"


def _is_alike(kind: str, value: Any) -> bool:
    """Whether a field's type is that of the example, as far as an example shows it."""
    if value is None:
        return kind.endswith("?") or kind == "object"
    kind = kind.removesuffix("?")
    if kind.startswith("["):
        return isinstance(value, list)
    if kind in {"integer", "boolean"}:
        return type(value) is {"integer": int, "boolean": bool}[kind]
    if kind in {"string", "id", "url", "moment", "date"}:
        return isinstance(value, str)
    return isinstance(value, dict)


def test_the_page_on_the_calls_is_the_one_made_from_them() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert openapi.as_markdown(CALLS).strip() in page, "guildhall api --markdown"


async def test_the_document_of_the_calls_is_one(client: httpx.AsyncClient, admin: Member) -> None:
    found = (await client.get("/api/openapi.json")).json()
    listed = {(path, method.upper()) for path, of in found["paths"].items() for method in of}
    assert len(listed) == len(CALLS)
    for operation in (one for of in found["paths"].values() for one in of.values()):
        assert operation["summary"].endswith("."), operation
