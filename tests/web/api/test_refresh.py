# SPDX-License-Identifier: Apache-2.0
"""Tokens that run out, for the apps that asked for it."""

from typing import Any

import httpx
from sqlalchemy import select

from server.apps import refreshes
from server.instance import Instance
from storage.apps import AppRefresh, AppToken
from tests.clock import TurnableClock
from tests.web.api.app import App, code_for, exchanged, question, registered

WHO = "/api/v1/accounts/verify_credentials"


async def renew(
    client: httpx.AsyncClient, who: dict[str, Any], token: str, **more: str
) -> httpx.Response:
    sent = {"grant_type": "refresh_token", "refresh_token": token, **more}
    return await exchanged(client, who, "", **sent)


async def test_ACC_09_a_token_that_runs_out_is_renewed_once_and_a_stolen_renewal_ends_it(
    client: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
) -> None:
    plain, other = await registered(client), await registered(client)
    mine = await registered(client, grant_types=["authorization_code", "refresh_token"])
    lasting = (await exchanged(client, plain, await code_for(browser, question(plain)))).json()
    assert not {"refresh_token", "expires_in"} & lasting.keys()
    first = (await exchanged(client, mine, await code_for(browser, question(mine)))).json()
    assert first["expires_in"] == 3600
    async with instance.reading() as session:
        for table in (AppToken, AppRefresh):
            kept = repr([vars(one) for one in (await session.execute(select(table))).scalars()])
            assert first["access_token"] not in kept
            assert first["refresh_token"] not in kept
    clock.turn(minutes=61)
    await App(client, first["access_token"]).get(WHO, 401)
    await App(client, lasting["access_token"]).get(WHO)

    async with instance.transaction() as tx:
        await refreshes.tidy(tx)
    for who, token in ((other, first["refresh_token"]), (mine, "x"), (mine, "")):
        refused = await renew(client, who, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    wide = await renew(client, mine, first["refresh_token"], scope="read admin:read")
    assert wide.json()["error"] == "invalid_scope"
    second = (await renew(client, mine, first["refresh_token"], scope="read")).json()
    assert (second["scope"], second["created_at"]) == ("read", first["created_at"] + 3660)
    await App(client, second["access_token"]).get(WHO)
    third = (await renew(client, mine, second["refresh_token"])).json()
    assert third["scope"] == first["scope"]
    await App(client, second["access_token"]).get(WHO, 401)
    await App(client, third["access_token"]).get(WHO)
    # The first one comes again: somebody else has it too, so all of its family ends.
    assert (await renew(client, mine, first["refresh_token"])).json()["error"] == "invalid_grant"
    await App(client, third["access_token"]).get(WHO, 401)
    assert (await renew(client, mine, third["refresh_token"])).json()["error"] == "invalid_grant"


async def test_ACC_09_a_renewal_whose_answer_was_lost_is_made_once_more(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, clock: TurnableClock
) -> None:
    mine = await registered(client, grant_types=["authorization_code", "refresh_token"])

    async def renewed(token: str) -> Any:
        return (await renew(client, mine, token)).json()

    async def let_in() -> Any:
        clock.turn(minutes=61)
        return (await exchanged(client, mine, await code_for(browser, question(mine)))).json()

    async def dead(token: str, alive: Any) -> None:
        assert (await renewed(token))["error"] == "invalid_grant"
        await App(client, alive["access_token"]).get(WHO, 401)

    for late in (0, 1):  # What was lost comes after all; or what came twice comes once more.
        first = await let_in()
        await App(client, first["access_token"]).get(WHO)
        clock.turn(minutes=61)
        lost = await renewed(first["refresh_token"])
        clock.turn(minutes=1)
        second = await renewed(first["refresh_token"])
        await App(client, lost["access_token"]).get(WHO, 401)
        await App(client, second["access_token"]).get(WHO)
        await dead((lost, first)[late]["refresh_token"], second)
    # An answer of which something was used was not lost; and nobody asks for one so late.
    first = await let_in()
    second = await renewed(first["refresh_token"])
    await App(client, second["access_token"]).get(WHO)
    await dead(first["refresh_token"], second)
    first = await let_in()
    second = await renewed((await renewed(first["refresh_token"]))["refresh_token"])
    await dead(first["refresh_token"], second)
    first = await let_in()
    second = await renewed(first["refresh_token"])
    clock.turn(minutes=2)
    await dead(first["refresh_token"], second)


async def test_ACC_09_what_renews_a_token_can_be_given_back_and_runs_out_unused(
    client: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    instance: Instance,
    clock: TurnableClock,
) -> None:
    mine = await registered(client, grant_types=["authorization_code", "refresh_token"])
    fourth = (await exchanged(client, mine, await code_for(browser, question(mine)))).json()
    named = {name: mine[name] for name in ("client_id", "client_secret")}
    given_back = {**named, "token": fourth["refresh_token"]}
    assert (await client.post("/oauth/revoke", data=given_back)).status_code == 200
    await App(client, fourth["access_token"]).get(WHO, 401)
    fifth = (await exchanged(client, mine, await code_for(browser, question(mine)))).json()
    clock.turn(days=91)
    assert (await renew(client, mine, fifth["refresh_token"])).json()["error"] == "invalid_grant"
    async with instance.transaction() as tx:
        await refreshes.tidy(tx)
    async with instance.reading() as session:
        assert (await session.execute(select(AppRefresh))).first() is None
        assert (await session.execute(select(AppToken))).first() is None
