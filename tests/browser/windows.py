# SPDX-License-Identifier: Apache-2.0
"""Windows of a browser, and who sits in front of them."""

import os
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.browser.town import House, Town

HEIGHT = 900
MILLISECONDS = 15_000
# An address of every agency without scripts and words, so that a window stays of its site.
REST = "/static/mark.svg"
ARGUMENTS = [
    "--disable-background-networking",
    # Nobody looks at what is drawn: no process for it, and none of what imitates a GPU.
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--in-process-gpu",
    # Pages live for a second: compiling their scripts twice costs more than it saves.
    "--js-flags=--no-opt",
]


class Chromium:
    """A browser that is started when it is needed, with its windows that nobody sits at.

    While it runs, no event loop can run in the same thread. A new window costs a process, which
    is more than most tests do in one. They are told apart by origin, since a process is of one
    site, and by whether scripts run.
    """

    def __init__(self, program: Path) -> None:
        self._program = program
        self._running = ExitStack()
        self._browser: Browser | None = None
        self._free: dict[tuple[str, bool], list[Page]] = defaultdict(list)

    def take(self, origin: str, *, scripts: bool) -> Page:
        """A window at an agency, without cookies."""
        if free := self._free[origin, scripts]:
            return free.pop()
        context = self._started().new_context(
            base_url=origin, java_script_enabled=scripts, reduced_motion="reduce"
        )
        context.set_default_timeout(MILLISECONDS)
        return context.new_page()

    def give_back(self, page: Page, origin: str, *, scripts: bool) -> None:
        """Leave a window for others, like new: our pages keep nothing there but cookies."""
        if page.is_closed():
            page.context.close()
            return
        page.unroute_all()
        page.context.clear_cookies()
        page.emulate_media(color_scheme="light")
        page.goto(f"{origin}{REST}")
        self._free[origin, scripts].append(page)

    def close(self) -> None:
        """End the browser and all its windows."""
        self._free.clear()
        self._browser = None
        self._running.close()

    def _started(self) -> Browser:
        if self._browser is None:
            is_root = os.geteuid() == 0
            playwright = self._running.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(
                executable_path=self._program,
                chromium_sandbox=not is_root,
                args=ARGUMENTS,
            )
            self._running.callback(self._browser.close)
        return self._browser


class Windows:
    """Opens windows of one size and notes what they complain of."""

    def __init__(
        self, town: Town, browser: Chromium, *, width: int = 1280, scripts: bool = True
    ) -> None:
        self._town = town
        self._browser = browser
        self._width = width
        self._scripts = scripts
        self._used: list[tuple[House, Page]] = []
        self.complaints: list[str] = []

    def visitor(self, house: House) -> Page:
        """A window of somebody who is not signed in."""
        page = self._browser.take(house.origin, scripts=self._scripts)
        page.set_viewport_size({"width": self._width, "height": HEIGHT})
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        self._used.append((house, page))
        return page

    def member(self, house: House, who: str) -> Page:
        """A window of a member who is signed in."""
        page = self.visitor(house)
        token = self._town.session(house, who)
        page.context.add_cookies(
            [{"name": "guildhall_session", "value": token, "url": house.origin}]
        )
        return page

    def close(self) -> None:
        """Leave the windows to others."""
        for house, page in self._used:
            if not page.is_closed():
                page.remove_listener("console", self._heard)
                page.remove_listener("pageerror", self._failed)
            self._browser.give_back(page, house.origin, scripts=self._scripts)
        self._used.clear()

    def _heard(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))
