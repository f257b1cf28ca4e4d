# SPDX-License-Identifier: Apache-2.0
"""Documents are believed of the address they came from only."""

import pytest

from federation.errors import BadAnswer, Refused
from federation.fetch.answers import is_activity_json
from tests.federation.fetch.hostile import answer, door_to, listening, note, redirect

LD = "application/ld+json"
AS = "https://www.w3.org/ns/activitystreams"
VIC = "http://vic.example"
EVIL = "http://evil.example"


async def test_a_document_that_names_its_own_url_is_returned() -> None:
    async with (
        listening({"/n": answer(note(f"{VIC}/n#it"))}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        found = await door.document(f"{VIC}/n#it", sign=lambda *_: {"Signature": "s"})
    assert (found.url, found.data["type"]) == (f"{VIC}/n", "Note")
    assert found.raw == note(f"{VIC}/n#it")
    assert vic.requests[0].headers["signature"] == "s"
    assert AS in vic.requests[0].headers["accept"]


async def test_AUT_01_an_id_on_another_origin_is_never_believed() -> None:
    async with listening({"/n": answer(note(f"{VIC}/n"))}) as evil:
        async with (
            listening({"/n": answer(note(f"{VIC}/n"))}) as vic,
            door_to({"vic.example": vic, "evil.example": evil}) as door,
        ):
            with pytest.raises(BadAnswer):
                await door.document(f"{EVIL}/n", sign=None)
        assert vic.connections == 0


async def test_AUT_01_another_port_is_another_origin() -> None:
    async with (
        listening({"/n": answer(note(f"{VIC}:8080/n"))}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/n", sign=None)
    assert len(vic.requests) == 1


async def test_AUT_01_an_id_elsewhere_on_the_same_origin_is_asked_once() -> None:
    routes = {"/@n": answer(note(f"{VIC}/n")), "/n": answer(note(f"{VIC}/n"))}
    routes |= {"/x": answer(note(f"{VIC}/y")), "/y": answer(note(f"{VIC}/x"))}
    async with listening(routes) as vic, door_to({"vic.example": vic}) as door:
        found = await door.document(f"{VIC}/@n", sign=None)
        assert found.url == f"{VIC}/n"
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/x", sign=None)
    assert [one.target for one in vic.requests] == ["/@n", "/n", "/x", "/y"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"Note"}',
        b'{"id":1}',
        b'{"id":["http://vic.example/n"]}',
        b'{"id":"/n"}',
        b'{"id":"javascript:x"}',
        b"[]",
        b"",
        b"{",
        b"\xff",
    ],
)
async def test_AUT_01_a_document_without_a_usable_id_is_refused(body: bytes) -> None:
    async with listening({"/n": answer(body)}) as vic, door_to({"vic.example": vic}) as door:
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/n", sign=None)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/json",
        "image/png",
        LD,
        "",
        f'{LD}; profile="https://x.example/"',
        "application/activity+json, text/plain",
        f"{LD}; x=profile={AS}",
        "text/html; a=b;c",
    ],
)
async def test_AUT_02_json_of_another_media_type_is_refused(kind: str) -> None:
    assert not is_activity_json(kind)
    async with (
        listening({"/n": answer(note(f"{VIC}/n"), kind=kind)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/n", sign=None)
        with pytest.raises(BadAnswer):
            await door.key_document(f"{VIC}/n", sign=None)


async def test_AUT_02_two_media_types_in_one_answer_are_refused() -> None:
    body = note(f"{VIC}/n")
    head = b"HTTP/1.1 200 X\r\nContent-Type: application/activity+json\r\nContent-Type: text/html"
    reply = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with listening({"/n": reply}) as vic, door_to({"vic.example": vic}) as door:
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/n", sign=None)


@pytest.mark.parametrize(
    "kind",
    [
        "application/activity+json",
        "Application/Activity+JSON; charset=utf-8",
        f'{LD}; profile="{AS}"',
        f'{LD};charset=utf-8;profile="{AS} https://x.example/"',
    ],
)
async def test_the_media_types_of_activitypub_are_accepted(kind: str) -> None:
    async with (
        listening({"/n": answer(note(f"{VIC}/n"), kind=kind)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        assert (await door.document(f"{VIC}/n", sign=None)).data["id"] == f"{VIC}/n"


async def test_AUT_15_a_redirect_gives_the_authority_of_where_it_ends() -> None:
    to_evil = {"/go": redirect(f"{EVIL}/n"), "/n": answer(note(f"{VIC}/n"))}
    async with listening(to_evil) as vic:
        for claimed in (f"{VIC}/go", f"{VIC}/n"):
            async with (
                listening({"/n": answer(note(claimed))}) as evil,
                door_to({"vic.example": vic, "evil.example": evil}) as door,
            ):
                with pytest.raises(BadAnswer):
                    await door.document(f"{VIC}/go", sign=None)
                assert len(evil.requests) == 1
        assert [one.target for one in vic.requests] == ["/go", "/go"]


async def test_AUT_15_the_same_redirect_the_other_way_is_the_others_document() -> None:
    async with (
        listening({"/n": answer(note(f"{VIC}/n"))}) as vic,
        listening({"/go": redirect(f"{VIC}/n")}) as evil,
        door_to({"vic.example": vic, "evil.example": evil}) as door,
    ):
        assert (await door.document(f"{EVIL}/go", sign=None)).url == f"{VIC}/n"


async def test_AUT_15_the_second_try_at_the_id_may_not_end_elsewhere() -> None:
    routes = {"/a": answer(note(f"{VIC}/go")), "/go": redirect(f"{EVIL}/n")}
    async with (
        listening(routes) as vic,
        listening({"/n": answer(note(f"{VIC}/go"))}) as evil,
        door_to({"vic.example": vic, "evil.example": evil}) as door,
    ):
        with pytest.raises(BadAnswer):
            await door.document(f"{VIC}/a", sign=None)


async def test_a_key_document_may_carry_the_id_of_its_actor() -> None:
    async with (
        listening({"/u/ana/main-key": answer(note(f"{VIC}/u/ana"))}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        found = await door.key_document(f"{VIC}/u/ana/main-key", sign=None)
    assert (found.url, found.data["id"]) == (f"{VIC}/u/ana/main-key", f"{VIC}/u/ana")


async def test_AUT_15_a_key_document_stays_on_the_origin_of_the_key() -> None:
    async with (
        listening({"/k": redirect(f"{EVIL}/k")}) as vic,
        listening({"/k": answer(note(f"{VIC}/k"))}) as evil,
        door_to({"vic.example": vic, "evil.example": evil}) as door,
    ):
        with pytest.raises(BadAnswer):
            await door.key_document(f"{VIC}/k", sign=None)


async def test_gone_and_missing_can_be_told_apart() -> None:
    async with (
        listening({"/n": answer(b"", status=410)}) as vic,
        door_to({"vic.example": vic}) as door,
    ):
        for path, status in (("/n", 410), ("/other", 404)):
            with pytest.raises(Refused) as raised:
                await door.document(VIC + path, sign=None)
            assert raised.value.status == status
            assert raised.value.permanent
