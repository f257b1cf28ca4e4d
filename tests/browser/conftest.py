# SPDX-License-Identifier: Apache-2.0
"""Two agencies, and windows of a real browser onto them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.browser.town import Town
from tests.browser.windows import Chromium, Windows
from tests.machine import chromium

HERE = Path(__file__).parent
_numbers = count(1)
_made: list[Chromium] = []


@pytest.fixture(scope="session")
def program() -> Path:
    """Where Chromium is."""
    found = chromium()
    if found is None:
        pytest.skip("Chromium is not installed here.")
    return found


@pytest.fixture(scope="session")
def town(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Riverton and Lakeside, which follow each other's forums for real."""
    opened = Town(tmp_path_factory.mktemp("town"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def browser(program: Path) -> Iterator[Chromium]:
    """One Chromium for the browser tests that follow each other."""
    made = Chromium(program)
    _made.append(made)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """End Chromium before a test of another kind, which may run an event loop."""
    yield
    if nextitem and not nextitem.path.is_relative_to(HERE):
        for made in _made:
            made.close()


@pytest.fixture(params=[1280, 375], ids=["wide", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    """How wide the window is, in CSS pixels."""
    found: int = request.param
    return found


@pytest.fixture
def windows(town: Town, browser: Chromium, width: int) -> Iterator[Windows]:
    """Opens windows of this width; none of them may complain of a script or of the policy."""
    town.clock.let_pass(minutes=1)
    opened = Windows(town, browser, width=width)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def handle() -> str:
    """The short name of a forum that no other test uses."""
    return f"permits{next(_numbers)}"


@pytest.fixture
def dee(town: Town) -> str:
    """The handle of a Dee Okafor of Riverton who has written nothing yet."""
    return town.newcomer(town.riverton, "Dee Okafor")


@pytest.fixture
def marek(town: Town) -> str:
    """The handle of a Marek Nowak of Lakeside who has written nothing yet."""
    return town.newcomer(town.lakeside, "Marek Nowak")
