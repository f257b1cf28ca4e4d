# SPDX-License-Identifier: Apache-2.0
"""A web app of another site signs a member in and shows their forums."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.town import Town
from tests.browser.windows import Windows

pytestmark = pytest.mark.browser

CALL = """async ([url, token, sent]) => {
    const headers = token ? {Authorization: `Bearer ${token}`} : {};
    if (sent) headers["Content-Type"] = "application/json";
    const body = sent ? JSON.stringify(sent) : undefined;
    const answer = await fetch(url, {method: sent ? "POST" : "GET", headers, body});
    return {
        status: answer.status, body: await answer.json(),
        link: answer.headers.get("Link"), left: answer.headers.get("X-RateLimit-Remaining"),
    };
}"""
LISTEN = """([url, token]) => new Promise((done, failed) => {
    const socket = new WebSocket(`${url}/api/v1/streaming?stream=user&access_token=${token}`);
    socket.onmessage = (event) => done(JSON.parse(event.data).event);
    socket.onerror = () => failed(new Error("the socket failed"));
    window.listening = new Promise((open) => { socket.onopen = open; });
})"""


class _Blank(BaseHTTPRequestHandler):
    """A page of an origin of its own, which is all that a client in a browser needs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Pocket</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The origin of a web app."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://pocket.localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_of_another_site_is_let_in_and_calls(
    town: Town, windows: Windows, handle: str, marek: str, site: str
) -> None:
    forum = town.forum(town.lakeside, handle, "Front desks")
    town.follow(town.riverton, handle)
    written = [town.thread(town.lakeside, marek, forum, title) for title in ("One", "Two")]
    threads = [town.arrived(town.riverton, thread) for thread in written]
    origin = town.riverton.origin
    page = windows.member(town.riverton, "ana")
    callback = f"{site}/callback"
    page.goto(site)

    def call(path: str, token: str = "", sent: Any = None) -> Any:
        return page.evaluate(CALL, [f"{origin}{path}", token, sent])

    made = call("/api/v1/apps", sent={"client_name": "Pocket", "redirect_uris": callback,
                                      "scopes": "read write"})["body"]  # fmt: skip
    code = _let_in(page, origin, made["client_id"], callback)
    given = call("/oauth/token", sent={
        "grant_type": "authorization_code", "code": code, "redirect_uri": callback,
        "client_id": made["client_id"], "client_secret": made["client_secret"],
    })["body"]  # fmt: skip
    token = given["access_token"]
    home = call("/api/v1/timelines/home?limit=1", token)
    assert home["status"] == 200
    assert home["body"][0]["reblog"]["id"] == str(threads[1].id)
    assert 'rel="next"' in home["link"]
    assert int(home["left"]) > 0
    assert call("/api/v1/accounts/verify_credentials", "wrong")["status"] == 401
    heard = page.evaluate_handle(f"([url, token]) => ({{told: ({LISTEN})([url, token])}})",
                                 [origin.replace("http", "ws", 1), token])  # fmt: skip
    page.evaluate("() => window.listening")
    assert home["body"][0]["account"]["acct"] == f"{handle}@{town.lakeside.host}"
    reply = {"status": "From another site", "in_reply_to_id": str(threads[0].id)}
    assert call("/api/v1/statuses", token, reply)["status"] == 200
    assert heard.evaluate("(held) => held.told") == "update"
    # What a browser holds of the member is no use to any other site.
    assert page.evaluate(CALL, [f"{origin}/api/v1/timelines/home", "", None])["status"] == 401


def _let_in(page: Page, origin: str, client_id: str, callback: str) -> str:
    """Ana lets the site in, and is sent back to it with a code."""
    asked = f"client_id={client_id}&redirect_uri={callback}&response_type=code&scope=read+write"
    page.goto(f"{origin}/oauth/authorize?{asked}&state=s1")
    page.get_by_role("button", name="Let it in", exact=True).click()
    page.wait_for_url(f"{callback}**")
    code = page.evaluate("new URLSearchParams(location.search).get('code')")
    assert page.evaluate("new URLSearchParams(location.search).get('state')") == "s1"
    return str(code)
