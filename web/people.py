# SPDX-License-Identifier: Apache-2.0
"""How people are shown beside what they write, drawn once for the same words."""

from collections import OrderedDict
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup, escape

from server.remote_pictures import Pictures
from server.rows import Member
from server.settings import Settings
from server.shown import ShownPerson

MOST = 4_096


class Drawn(NamedTuple):
    """What pages write of somebody, escaped: `handle` with the host where it is another's."""

    face: Markup
    byline: Markup
    name: Markup
    handle: Markup
    place: Markup
    path: Markup


class People:
    """Faces and bylines of one instance, kept by all that they show of a person.

    Somebody who changes their name is shown by other words, and those are drawn anew; the
    oldest make room.
    """

    def __init__(self, environment: Environment, site: Settings, pictures: Pictures) -> None:
        template = environment.get_template("parts/who.html")
        self._path = environment.filters["path"]
        self._macros: Any = template.make_module({"site": site, "pictures": pictures})
        self._held: OrderedDict[tuple[Any, ...], Drawn] = OrderedDict()

    def face(self, person: Member | ShownPerson) -> Markup:
        """A picture, or the letters that stand for one."""
        return self.drawn(person).face

    def byline(self, person: Member | ShownPerson) -> Markup:
        """`Marek Nowak, permit manager · City of Lakeside`."""
        return self.drawn(person).byline

    def drawn(self, person: Member | ShownPerson) -> Drawn:
        """All of it at once."""
        key = (
            person.id,
            person.name,
            person.handle,
            person.peer,
            person.role_title,
            person.agency,
            person.avatar_file,
            person.avatar_url,
        )
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self._draw(person)
            if len(self._held) > MOST:
                self._held.popitem(last=False)
        return found

    def _draw(self, person: Member | ShownPerson) -> Drawn:
        handle = person.handle if person.peer is None else f"{person.handle}@{person.peer}"
        return Drawn(
            face=self._macros.face(person),
            byline=self._macros.person(person),
            name=escape(person.name),
            handle=escape(handle),
            place=escape(person.agency or person.peer or ""),
            path=escape(self._path(person)),
        )
