# SPDX-License-Identifier: Apache-2.0
"""Templates compile, and name only templates there are."""

from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, meta

from tests.house.sources import ROOT
from web import templates

TEMPLATES = ROOT / "web/templates"


def environment(folder: Path) -> Environment:
    """Templates of a folder, with the filters that pages have."""
    made = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    made.filters.update(templates.environment().filters)
    return made


def faults(folder: Path) -> list[str]:
    """What keeps the templates of a folder from being rendered, one sentence each."""
    pages = environment(folder)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    found = []
    for name in sorted(name for name in names if not name.endswith(".py")):
        source = (folder / name).read_text(encoding="utf-8")
        try:
            page = pages.parse(source, name)
            wanted = [*meta.find_referenced_templates(page)]
            # As far as the source that Jinja makes of it, which Python has no quarrel with.
            pages.compile(page, name, raw=True)
        except TemplateSyntaxError as error:
            found.append(f"{name}:{error.lineno} {error.message}")
            continue
        found += [
            f"{name} names {other}, which is not there"
            for other in wanted
            if other not in names | {None}
        ]
    return found


def test_every_template_compiles() -> None:
    if not TEMPLATES.exists():
        pytest.skip("There are no templates yet.")
    assert faults(TEMPLATES) == []


def test_no_template_makes_an_element_of_a_value_unescaped() -> None:
    """Only HTML that went through the sanitiser when it was written may go out as it is."""
    pages = [path for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".xml", ".jinja"}]
    off = [
        str(page.relative_to(ROOT))
        for page in pages
        if "autoescape false" in page.read_text("utf-8")
    ]
    assert off == []


def test_a_bad_template_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{% if x %}")
    (tmp_path / "b.html").write_text("{% extends 'gone.html' %}")
    (tmp_path / "c.html").write_text("{% include 'b.html' %}{{ x }}")
    assert [fault.partition(" ")[0] for fault in faults(tmp_path)] == ["a.html:1", "b.html"]
