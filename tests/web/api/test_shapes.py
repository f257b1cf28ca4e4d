# SPDX-License-Identifier: Apache-2.0
"""Every call answers as its schema says, and as Mastodon's own examples look."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from server import filters
from server.filters import FilterDraft, Phrase
from server.instance import Instance
from server.polls import drafts
from server.posts import voting
from storage.members import Member
from tests import makers
from tests.federation.payloads import FIXTURES
from tests.house.sources import ROOT
from tests.web.api.app import App, app_of
from web.api import CALLS, openapi
from web.api.routes import ApiRoute
from web.api.schemas import SHAPES, components, schema

# The calls that change something, and what they are sent; the others are only asked.
WRITES: dict[str, dict[str, Any]] = {
    "POST /api/v1/statuses": {"status": "@counters A title\nand a body"},
    "POST /api/v1/polls/{id}/votes": {"choices": ["0"]},
    "PUT /api/v1/statuses/{id}": {"status": "Another title\n\nand a body"},
    "POST /api/v1/statuses/{id}/favourite": {},
    "POST /api/v1/statuses/{id}/bookmark": {},
    "POST /api/v1/statuses/{id}/mute": {},
    "POST /api/v1/statuses/{id}/unmute": {},
    "POST /api/v1/accounts/{id}/mute": {},
    "POST /api/v1/accounts/{id}/block": {},
    "POST /api/v1/tags/{tag}/follow": {},
    "POST /api/v2/filters": {"title": "x", "context": ["home"]},
    "POST /api/v1/filters": {"phrase": "x", "context": ["home"]},
    "POST /api/v1/reports": {"status_ids": ["REPLY"], "comment": "Off topic"},
    "POST /api/v1/push/subscription": {
        "subscription": {
            "endpoint": "https://push.example/x",
            "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22},
        },
        "data": {"alerts": {"mention": True}},
    },
    "POST /api/v1/markers": {"home": {"last_read_id": "7"}},
    "POST /api/v1/accounts/{id}/unfollow": {},
    "POST /api/v1/accounts/{id}/follow": {},
    "PATCH /api/v1/accounts/update_credentials": {"note": "Hi"},
    "POST /api/v1/apps": {"client_name": "x", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"},
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


def addresses(route: ApiRoute, ids: dict[str, str], notice: str) -> Iterator[str]:
    """Where a call is made: about each thing of the kind that it is about."""
    about = "thread"
    for part, kind in (
        ("/accounts/", "forum"),
        ("/lists/", "forum"),
        ("/list/", "forum"),
        ("/v2/filters/", "filter"),
        ("filters/keywords/", "phrase"),
        ("filters/statuses/", "single"),
        ("/v1/filters/", "phrase"),
    ):
        about = kind if part in route.path else about
    for kind in {about, "ana"} if "/accounts/{id}" in route.path else {about}:
        number = notice if "/notifications/" in route.path else ids[kind]
        yield route.path.replace("{id}", number).replace("{tag}", "permits")


async def test_every_call_answers_as_its_schema_says(phone: App, ids: dict[str, str]) -> None:
    notice = (await phone.get("/api/v1/notifications"))[0]["id"]
    seen = set()
    params = {"q": "counters", "acct": "ana", "id[]": ids["forum"], "timeline[]": "home"}
    for name, sent in WRITES.items():
        method, path = name.split(" ")
        route = next(one for one in CALLS if one.path == path and method in (one.methods or set()))
        kind = "forum" if "/accounts/" in path else "thread"
        kind = "marek" if path.endswith(("}/mute", "}/block")) and kind == "forum" else kind
        if "status_ids" in sent:
            sent = {**sent, "status_ids": [ids["REPLY"]]}
        address = path.replace("{id}", ids[kind]).replace("{tag}", "permits")
        answer = await phone.ask(method, address, json=sent)
        _must_fit(route, answer, name)
        seen.add(route.door.answers)
    for route in CALLS:
        if "GET" not in (route.methods or set()):
            continue
        for address in addresses(route, ids, notice):
            if "/media/" in address:
                continue  # Shown with what is sent there, in the story of a picture.
            _must_fit(route, await phone.get(address, **params), address)
            seen.add(route.door.answers)
    assert {"[Status]", "Status", "Context", "[Notification]", "Search", "Instance"} <= seen


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
