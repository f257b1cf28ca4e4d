# SPDX-License-Identifier: Apache-2.0
"""What administrators see and decide, and nobody else."""

import ast
import json
import re
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from server import audit, mail, peers
from server.instance import Instance
from server.members import accounts
from server.peers import RuleDraft
from server.settings import Federation, Settings
from storage.members import Member
from storage.peers import Peer
from tests import makers
from tests.house.sources import ROOT, rooms
from tests.web.lookups import WrittenLookup
from web.admin.record import WORDS

PAGES = (
    "/admin",
    "/admin/federation",
    "/admin/people",
    "/admin/letters",
    "/admin/record",
    "/admin/keys",
)
LAKESIDE = {"action": "add", "pattern": "lakeside.example.gov", "verdict": "allow"}


@pytest.fixture
async def desk(client: httpx.AsyncClient, instance: Instance, admin: Member) -> httpx.AsyncClient:
    """The browser of the administrator."""
    await makers.sign_in(client, instance, admin)
    return client


async def rules(instance: Instance) -> list[str]:
    async with instance.reading() as session:
        return [f"{rule.verdict} {rule.pattern}" for rule in await peers.rules(session)]


@pytest.mark.parametrize("path", [*PAGES, "/admin/federation/knock/a.example"])
@pytest.mark.usefixtures("admin")
async def test_members_and_visitors_stay_outside(
    client: httpx.AsyncClient, instance: Instance, path: str
) -> None:
    visitor = await client.get(path)
    sign_in = f"/sign-in?next={quote(path, safe='')}"
    assert (visitor.status_code, visitor.headers["location"]) == (303, sign_in)
    await makers.sign_in(client, instance, await makers.member(instance))
    assert (await client.get(path)).status_code == 403


@pytest.mark.usefixtures("admin")
async def test_members_decide_nothing(client: httpx.AsyncClient, instance: Instance) -> None:
    await makers.sign_in(client, instance, await makers.member(instance))
    assert (await makers.submit(client, "/admin/federation", **LAKESIDE)).status_code == 403
    assert (await makers.submit(client, "/admin/people", note="Eve")).status_code == 403
    assert await rules(instance) == []
    async with instance.reading() as session:
        assert await accounts.open_invitations(session, instance.clock.now()) == []


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_has_something_to_say_when_all_is_empty(
    desk: httpx.AsyncClient, path: str
) -> None:
    page = await desk.get(path)
    assert page.status_code == 200
    assert page.text.count("<h1>") == 1


async def test_the_first_page_says_what_needs_a_hand(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    assert "To get going" in (await desk.get("/admin")).text
    async with instance.transaction() as tx:
        await peers.knock(tx, "health.harbor.example.gov")
        peer = await peers.seen(tx, "lakeside.example.gov", "https://lakeside.example.gov")
        peer.failing_since = tx.now
    page = (await desk.get("/admin")).text
    assert "<b>1 agency</b> cannot be reached" in page
    assert "<b>1 site</b> not on the list tried to connect" in page


async def test_a_rule_is_added_and_removed(desk: httpx.AsyncClient, instance: Instance) -> None:
    added = await makers.submit(desk, "/admin/federation", **LAKESIDE, reason="Agreement")
    assert (added.status_code, added.headers["location"]) == (303, "/admin/federation")
    page = (await desk.get("/admin/federation")).text
    assert 'data-rule="allow lakeside.example.gov"' in page
    assert "Agreement" in page
    found = re.search(r'name="rule" value="(\d+)"', page)
    assert found is not None
    await makers.submit(desk, "/admin/federation", action="remove", rule=found[1])
    assert await rules(instance) == []
    again = await makers.submit(desk, "/admin/federation", action="remove", rule=found[1])
    assert again.status_code == 404
    record = (await desk.get("/admin/record")).text
    assert 'data-verb="policy.allow"' in record
    assert 'data-verb="policy.removed"' in record


async def test_a_rule_that_cannot_be_is_shown_with_what_was_typed(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    fields = {"pattern": "not a host", "verdict": "deny", "reason": "spam", "expires": "2027-03-31"}
    answer = await makers.submit(desk, "/admin/federation", action="add", **fields)
    assert answer.status_code == 422
    for kept in ('value="not a host"', 'value="spam"', 'value="2027-03-31"'):
        assert kept in answer.text
    assert re.search(r'value="deny" checked', answer.text)
    assert 'href="#f-pattern"' in answer.text
    past = await makers.submit(desk, "/admin/federation", **LAKESIDE, expires="2026-11-01")
    assert past.status_code == 422
    assert 'id="f-expires-fault"' in past.text
    assert await rules(instance) == []


@pytest.mark.parametrize(
    ("host", "verdict", "because"),
    [
        ("health.riverton.example.gov", "allowed", "allow *.riverton.example.gov"),
        ("https://health.riverton.example.gov:8443/x", "allowed", "allow *.riverton.example.gov"),
        ("old.riverton.example.gov", "denied", "deny old.riverton.example.gov"),
        ("riverton.example.gov", "denied", "No rule lets it in"),
    ],
)
async def test_would_this_host_get_in_and_why(
    desk: httpx.AsyncClient,
    instance: Instance,
    admin: Member,
    host: str,
    verdict: str,
    because: str,
) -> None:
    async with instance.transaction() as tx:
        await peers.add_rule(tx, admin, RuleDraft("*.riverton.example.gov"))
        deny = RuleDraft.read("old.riverton.example.gov", "deny", "", "")
        await peers.add_rule(tx, admin, deny)
    answer = await makers.submit(desk, "/admin/federation", action="test", host=host)
    assert answer.status_code == 200
    found = re.search(r'data-verdict="(\w+)">(.*?)</div>', answer.text, re.DOTALL)
    assert found is not None
    assert found[1] == verdict
    assert because in found[2]


async def test_testing_nothing_is_an_error_of_its_field(desk: httpx.AsyncClient) -> None:
    answer = await makers.submit(desk, "/admin/federation", action="test", host=" ")
    assert answer.status_code == 422
    assert 'href="#f-host"' in answer.text


async def test_who_knocked_is_shown_and_let_in(
    app: Starlette, desk: httpx.AsyncClient, instance: Instance
) -> None:
    host = "health.harbor.example.gov"
    for _ in range(2):
        async with instance.transaction() as tx:
            await peers.knock(tx, host)
    lookup = app.state.lookup = WrittenLookup()
    page = (await desk.get("/admin/federation")).text
    assert f'data-knock="{host}"' in page
    assert "2 times" in page
    assert lookup.asked == []
    silent = await desk.get(f"/admin/federation/knock/{host}")
    assert "does not answer" in silent.text
    lookup.peers[host] = Peer(host=host, name="Harbor <b>County", software="guildhall", version="1")
    described = (await desk.get(f"/admin/federation/knock/{host}")).text
    assert "Harbor &lt;b&gt;County" in described
    assert "follow our forums once more" in described
    await makers.submit(
        desk, "/admin/federation", action="add", pattern=host, verdict="allow", reason=""
    )
    assert await rules(instance) == [f"allow {host}"]
    assert f'data-knock="{host}"' not in (await desk.get("/admin/federation")).text


async def test_nobody_is_asked_who_has_not_knocked(app: Starlette, desk: httpx.AsyncClient) -> None:
    lookup = app.state.lookup = WrittenLookup()
    assert (await desk.get("/admin/federation/knock/127.0.0.1:6379")).status_code == 404
    assert lookup.asked == []


async def test_a_failing_peer_is_shown_with_its_error(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    async with instance.transaction() as tx:
        peer = await peers.seen(tx, makers.LAKESIDE, f"http://{makers.LAKESIDE}")
        peer.software, peer.version, peer.failing_since = "guildhall", "0.1.0", tx.now
        peer.last_error = "The connection was refused <now>."
    page = (await desk.get("/admin/federation")).text
    assert f'data-peer="{makers.LAKESIDE}"' in page
    assert "guildhall 0.1.0" in page
    assert "The connection was refused &lt;now&gt;." in page


async def test_an_invitation_is_shown_this_once(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    answer = await makers.submit(desk, "/admin/people", note="Priya, digital services")
    found = re.search(r'value="(http://[^"]+/invitation/[^"]+)"', answer.text)
    assert found is not None
    assert (await desk.get(found[1])).status_code == 200
    later = (await desk.get("/admin/people")).text
    assert found[1] not in later
    assert "Priya, digital services" in later
    assert 'data-member="sam"' in later


async def test_a_note_or_a_reason_that_is_too_long_is_kept_and_said(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    note = "n" * 201
    answer = await makers.submit(desk, "/admin/people", note=note)
    assert answer.status_code == 422
    assert f'value="{note}"' in answer.text
    assert 'href="#f-note"' in answer.text
    assert "this has 201" in answer.text
    async with instance.reading() as session:
        assert await accounts.open_invitations(session, instance.clock.now()) == []
    reason = "r" * 501
    answer = await makers.submit(desk, "/admin/federation", **LAKESIDE, reason=reason)
    assert answer.status_code == 422
    assert f'value="{reason}"' in answer.text
    assert 'href="#f-reason"' in answer.text
    assert await rules(instance) == []


async def test_letters_are_read_where_no_mail_server_is_set(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    async with instance.transaction() as tx:
        mail.post(tx, "lee@riverton.example.gov", "Hello <there>", "See http://a.example/x?y=1&z=2")
    await mail.send_waiting(instance, mail.carrier(instance.settings))
    page = (await desk.get("/admin/letters")).text
    assert "Hello &lt;there&gt;" in page
    assert 'href="http://a.example/x?y=1&amp;z=2"' in page
    assert ">Kept<" in page


class TestWithAMailServer:
    """Letters that go out are not shown: their links are for whom they were sent to."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"smtp": "smtp://127.0.0.1:1"})

    async def test_letters_that_go_out_are_not_shown(
        self, desk: httpx.AsyncClient, instance: Instance
    ) -> None:
        async with instance.transaction() as tx:
            mail.post(tx, "lee@riverton.example.gov", "Finish signing up", "http://secret.example")
        await mail.send_waiting(instance, mail.carrier(instance.settings))
        page = (await desk.get("/admin/letters")).text
        assert "Finish signing up" in page
        assert "Tried 1 time" in page
        assert "secret.example" not in page


class TestOtherModes:
    """How the site stands to others is said in words."""

    @pytest.fixture(params=list(Federation))
    def settings(self, settings: Settings, request: pytest.FixtureRequest) -> Settings:
        return settings.model_copy(update={"federation": request.param})

    async def test_the_mode_is_said_in_words(
        self, desk: httpx.AsyncClient, instance: Instance
    ) -> None:
        page = (await desk.get("/admin/federation")).text
        words = {
            Federation.ALLOWLIST: "Only agencies that a rule allows",
            Federation.OPEN: "unless a rule denies it",
            Federation.OFF: "Sharing is switched off",
        }
        said = [mode for mode, sentence in words.items() if sentence in page]
        assert said == [instance.settings.federation]


def test_every_verb_of_the_record_has_words() -> None:
    sources = [(ROOT / path).read_text(encoding="utf-8") for path in rooms()]
    verbs = {
        verb.value
        for source in sources
        if "audit.note" in source
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.note"
        for verb in call.args[2:3]
        if isinstance(verb, ast.Constant)
    }
    assert len(verbs) > 8
    assert verbs <= WORDS.keys()


async def test_the_record_says_whether_it_is_whole(
    desk: httpx.AsyncClient, instance: Instance
) -> None:
    await makers.submit(desk, "/admin/federation", **LAKESIDE)
    page = (await desk.get("/admin/record")).text
    assert "Not yet" in page
    done = await makers.submit(desk, "/admin/record/check")
    page = (await desk.get(done.headers["location"])).text
    assert "each is as it was written" in page
    assert ": whole, 2 lines" in page
    exported = await desk.get("/admin/record/export")
    assert exported.headers["content-type"] == "application/jsonl"
    assert 'filename="record-' in exported.headers["content-disposition"]
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert [line["verb"] for line in lines] == ["member.joined", "policy.allow"]
    assert lines[-1]["hash"] in page
    async with instance.transaction() as tx:
        await audit.erase(tx, "command line", [1], "Article 17 GDPR")
    page = (await desk.get("/admin/record")).text
    assert re.search("Erased on [^<]+: Article 17 GDPR<", page)
    assert "erased the words of line" in page
    async with instance.database.writer.transaction() as session:
        await session.execute(text("DROP TRIGGER audit_not_changed"))
        await session.execute(text("UPDATE audit SET detail = 'no' WHERE verb = 'policy.allow'"))
    done = await makers.submit(desk, "/admin/record/check")
    page = (await desk.get(done.headers["location"])).text
    assert "What was found stands below" in page
    assert "broken at line 2" in page
    for path in ("/admin/record", "/admin"):
        page = (await desk.get(path)).text
        assert "Line 2 was changed: it does not say what was sealed." in page
