# SPDX-License-Identifier: Apache-2.0
"""How people are shown beside what they write, drawn once for the same words."""

from collections import OrderedDict
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from server.remote_pictures import Pictures
from server.rows import Member
from server.settings import Settings
from server.shown import ShownPerson

MOST = 4_096


class People:
    """Faces and bylines of one instance, kept by all that they show of a person.

    Somebody who changes their name is shown by other words, and those are drawn anew; the
    oldest make room.
    """

    def __init__(self, environment: Environment, site: Settings, pictures: Pictures) -> None:
        template = environment.get_template("parts/who.html")
        self._macros: Any = template.make_module({"site": site, "pictures": pictures})
        self._held: OrderedDict[tuple[Any, ...], Markup] = OrderedDict()

    def face(self, person: Member | ShownPerson) -> Markup:
        """A picture, or the letters that stand for one."""
        return self._drawn("face", person)

    def byline(self, person: Member | ShownPerson) -> Markup:
        """`Marek Nowak, permit manager · City of Lakeside`."""
        return self._drawn("person", person)

    def _drawn(self, macro: str, person: Member | ShownPerson) -> Markup:
        key = (
            macro,
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
            found = self._held[key] = getattr(self._macros, macro)(person)
            if len(self._held) > MOST:
                self._held.popitem(last=False)
        return found
