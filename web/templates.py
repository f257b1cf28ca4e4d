# SPDX-License-Identifier: Apache-2.0
"""Templates: the environment, its filters, and rendering."""

import hashlib
import sys
from contextlib import suppress
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    Template,
    pass_context,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup, escape

from server import text
from server.remote_pictures import Pictures
from server.rows import Forum, Member, Post
from server.settings import Settings
from server.shown import ShownForum, ShownPerson, ShownReply
from web.ages import Ages, exact
from web.people import People
from web.replies import branches, deeds

HERE = Path(__file__).parent
_OPENED = "guildhall_opened"


def render(template: str, **values: Any) -> str:
    """A template as text.

    Its macros and what they were made among hold each other, and with them all that the page
    shows, until they are parted here: left to the collector, a hundred pages were in memory.
    """
    opened: list[Context] = []
    try:
        return environment().get_template(template).render(values, **{_OPENED: opened})
    finally:
        while opened:
            opened.pop().vars.clear()


class _Context(Context):
    """What a template is given, which tells `render` that it is there."""

    def __init__(self, environment: Environment, parent: dict[str, Any], *rest: Any, **of: Any):
        super().__init__(environment, parent, *rest, **of)
        opened: list[Context] | None = parent.get(_OPENED)
        if opened is not None:
            opened.append(self)


def written(value: Any) -> str:
    """What `escape` makes of a value, without copying what is safe already.

    Most of what a page writes is either markup of ours or a number.
    """
    if isinstance(value, Markup):
        return value
    return str(value) if type(value) is int else escape(value)


class _Template(Template):
    """A template that writes by `written`."""

    @classmethod
    def from_code(cls, *given: Any, **named: Any) -> Template:
        made = super().from_code(*given, **named)
        made.root_render_func.__globals__["escape"] = written
        return made


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, where Python keeps its own.

    To compile them is a second of every process that shows pages. Where nothing may be written,
    as under an installation that is somebody else's, each process compiles its own.
    """

    def __init__(self) -> None:
        # What is compiled depends on the environment below as well as on the sources.
        made_by = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        super().__init__(str(HERE / "__pycache__"), f"template-{made_by}-%s.cache")

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def environment() -> Environment:
    """The one environment: autoescaping, and undefined names are errors."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_Compiled() if not sys.dont_write_bytecode else None,
    )
    made.template_class = _Template
    made.context_class = _Context
    made.globals.update(branches=branches, deeds=deeds, static=static, where=where, path_of=path_of)
    made.filters.update(
        byline=byline,
        exact=exact,
        excerpt=lru_cache(maxsize=1_024)(text.excerpt),
        face=face,
        home_of=home_of,
        initials=initials,
        path=path_of,
        plural=plural,
        stored=stored,
        when=when,
        where=where,
    )
    return made


@cache
def static(name: str) -> str:
    """The address of a static file, changed whenever its content is."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@pass_context
def stored(context: Context, html: str) -> Markup:
    """HTML that the sanitiser let through when it was written, its pictures shown by us."""
    if "<img" in html:
        pictures: Pictures = context["pictures"]
        html = pictures.shown(html)
    return Markup(html)  # noqa: S704 (sanitised at write time)


@pass_context
def face(context: Context, person: Member | ShownPerson) -> Markup:
    """Somebody's picture, small."""
    people: People = context["people"]
    return people.face(person)


@pass_context
def byline(context: Context, person: Member | ShownPerson) -> Markup:
    """Somebody's name, with what they do and where."""
    people: People = context["people"]
    return people.byline(person)


@pass_context
def home_of(context: Context, forum: Forum | ShownForum) -> str:
    """The agency a forum lives at."""
    site: Settings = context["site"]
    return forum.agency or forum.peer or site.agency_name


@pass_context
def when(context: Context, moment: datetime) -> Markup:
    """`2 hours ago`, with the exact time on hover."""
    ages: Ages = context["ages"]
    return Markup(ages.stamped(moment))  # noqa: S704 (our own words)


def plural(count: int, one: str, many: str = "") -> str:
    """`1 reply`, `2 replies`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Up to two letters that stand for a face."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


Thing = Forum | Member | ShownForum | ShownPerson


def where(thing: Thing) -> str:
    """The handle in our own addresses: `permits`, or `permits@lakeside.example.gov`."""
    return thing.handle if thing.peer is None else f"{thing.handle}@{thing.peer}"


_ROOMS: dict[type[object], str] = {Forum: "f", ShownForum: "f", Member: "u", ShownPerson: "u"}


def path_of(thing: Thing | Post | ShownReply) -> str:
    """Our own page of a thing, wherever it lives."""
    if isinstance(thing, Post | ShownReply):
        return f"/p/{thing.id}/{thing.slug}" if thing.slug else f"/p/{thing.id}"
    return f"/{_ROOMS[type(thing)]}/{quote(where(thing), safe='@:')}"
