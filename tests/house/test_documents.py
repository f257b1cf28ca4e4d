# SPDX-License-Identifier: Apache-2.0
"""Papers tell the truth: links lead somewhere."""

import importlib
import importlib.util
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.house.sources import ROOT, files

FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def anchors(text: str) -> set[str]:
    """The anchors a page's headings get where repositories are read."""
    headings = HEADING.findall(FENCED.sub("", text))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken_links(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere. Pages elsewhere are not visited."""
    found = []
    for target in LINK.findall(CODE.sub("", FENCED.sub("", text))):
        if ELSEWHERE.match(target) or target.startswith("//"):
            continue
        name, _, anchor = unquote(target).partition("#")
        leads_to = (page.parent / name) if name else page
        if not leads_to.exists():
            found.append(f"{page} links to {target}, which is not there")
        elif anchor and leads_to.suffix == ".md":
            there = text if leads_to == page else leads_to.read_text(encoding="utf-8")
            if anchor not in anchors(there):
                found.append(f"{page} links to {target}, which has no such heading")
    return found


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / path for path in files() if path.suffix == ".md"]
    assert pages
    found = [line for page in pages for line in broken_links(page, page.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# The other page\n")
    text = "[a](other.md#the-other-page) [b](gone.md) [c](other.md#gone) `[d](gone.md)`\n"
    assert [line.partition("links to ")[2] for line in broken_links(page, text)] == [
        "gone.md, which is not there",
        "other.md#gone, which has no such heading",
    ]


def test_every_decision_is_numbered_once() -> None:
    numbers = [page.name[:4] for page in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_every_library_has_its_line_in_the_decision_on_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[^a-z0-9-]", wanted)[0] for wanted in project["dependencies"]}
    page = (ROOT / "docs/decisions/0007-dependencies.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)
    assert sorted(explained) == sorted(named | {"library"})


def test_the_settings_page_lists_the_settings_as_they_are() -> None:
    if importlib.util.find_spec("server.settings") is None:
        pytest.skip("There are no settings yet.")
    as_markdown = getattr(importlib.import_module("server.settings"), "as_markdown", None)
    if as_markdown is None:
        pytest.skip("The settings cannot be printed as a table yet.")
    page = ROOT / "docs/settings.md"
    assert page.exists(), "Make it: guildhall settings --markdown > docs/settings.md"
    assert as_markdown().strip() in page.read_text(encoding="utf-8")
