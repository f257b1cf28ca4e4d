# SPDX-License-Identifier: Apache-2.0
"""Windows of a browser, and who sits in front of them."""

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from tests.browser.town import House, Town

HEIGHT = 900
MILLISECONDS = 15_000


class Windows:
    """Opens windows of one size and notes what they complain of."""

    def __init__(
        self, town: Town, browser: Browser, *, width: int = 1280, scripts: bool = True
    ) -> None:
        self._town = town
        self._browser = browser
        self._width = width
        self._scripts = scripts
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def visitor(self, house: House) -> Page:
        """A window of somebody who is not signed in."""
        context = self._browser.new_context(
            base_url=house.origin,
            viewport={"width": self._width, "height": HEIGHT},
            java_script_enabled=self._scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(MILLISECONDS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
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
        for context in self._contexts:
            context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))
