# SPDX-License-Identifier: Apache-2.0
"""Where in a thread somebody is, and the way back there."""

from dataclasses import dataclass

from starlette.requests import Request

from server.errors import NotFound


def identifier(value: str) -> int | None:
    """An id as printed in an address; None for anything else."""
    if not value.isascii() or not value.isdecimal() or len(value) > 19:
        return None
    number = int(value)
    return number if number < 1 << 63 else None


def post_id(request: Request) -> int:
    """The post that the address names; NotFound where it is no id."""
    found = identifier(request.path_params["id"])
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Spot:
    """A page of a thread: its opener's or a branch's id, and after which branch it begins."""

    page: int
    after: int | None = None

    @classmethod
    def read(cls, value: str) -> "Spot | None":
        """A spot as a form carries it; None for anything else."""
        first, dash, second = value.partition("-")
        page, after = identifier(first), identifier(second)
        if page is None or (dash and after is None):
            return None
        return cls(page, after)

    def __str__(self) -> str:
        return f"{self.page}" if self.after is None else f"{self.page}-{self.after}"

    def path(self, anchor: int) -> str:
        """The address of the page, at one of its posts."""
        after = f"?after={self.after}" if self.after is not None else ""
        return f"/p/{self.page}{after}#p-{anchor}"
