# SPDX-License-Identifier: Apache-2.0
"""Made-up calls, of which none breaks and all answer as documented."""

import asyncio
from typing import Any

import httpx
import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from server.instance import Instance
from storage.members import Member
from tests import makers
from tests.hostile.serving import serving
from web.api.calls import Given

KINDS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
EXAMPLES = max(2, hypothesis.settings().max_examples // 30)
# What would end the rest: it gives the token away, or drops what the others are asked about.
LEFT_OUT = {"post_oauth_revoke"}


async def test_no_made_up_call_breaks_anything(
    app: Starlette, client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    ana = await makers.member(instance)
    forum = await makers.forum(instance, admin)
    await makers.follow(instance, ana, forum)
    await makers.thread(instance, ana, forum)
    document = (await client.get("/api/openapi.json")).json()
    token = await makers.token(instance, ana, "read write follow push")
    headers = {"Host": instance.settings.host, "Authorization": f"Bearer {token}"}
    async with serving(app) as port:
        called = await asyncio.to_thread(_call, document, f"http://127.0.0.1:{port}", headers)
    assert called > 80


def _call(document: dict[str, Any], address: str, headers: dict[str, str]) -> int:
    """Call each operation a few times; answers how many operations there are."""
    # Imported by the one worker that runs this: it takes longer than all of our own modules.
    import schemathesis
    from schemathesis.checks import (
        not_a_server_error,
        response_schema_conformance,
        status_code_conformance,
    )
    from schemathesis.core.result import Ok

    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    loaded = schemathesis.openapi.from_dict(document)
    called = 0
    for result in loaded.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.definition.raw["operationId"] in LEFT_OUT:
            continue
        called += 1

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], derandomize=True, **KINDS)
        def check(case: Any) -> None:
            answer = case.call(base_url=address, headers=headers)
            case.validate_response(answer, checks=checks)

        check()
    return called


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "a[]", "a[b]", "a[0][b]", "a[][b]", "a[", "a[b][c][d]"]) | st.text()


@given(st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3), max_size=6))
def test_whatever_an_app_sends_is_read_as_something(values: dict[str, list[Any]]) -> None:
    sent = Given(values)
    for name in {"a", *values}:
        assert isinstance(sent.text(name), str)
        assert all(isinstance(one, str) for one in sent.texts(name))
        assert all(0 <= one < 1 << 63 for one in sent.numbers(name))
        assert all(isinstance(one, dict) for one in [sent.inner(name), *sent.several(name)])
