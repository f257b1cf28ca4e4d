# SPDX-License-Identifier: Apache-2.0
"""Resources with words of their own, and the addresses they are asked at."""

from starlette.routing import Route

from server.instance import Instance
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from tests.server.hub import bench
from web import resources


async def two_editions(instance: Instance, author: Member, forum: Forum, taint: str) -> Post:
    """A resource of two versions in a forum; everything of it says the taint, its files too."""
    said = {**tainted(taint), "note": f"Changed {taint}"}
    files = {f"{taint}.txt": f"Kerb {taint}".encode()}
    post = await bench.shared(instance, author, forum, files, said)
    again = {**said, "description": f"Kerb again {taint}"}
    return await bench.shared(instance, author, forum, {}, again, revises=post)


def tainted(taint: str) -> dict[str, str]:
    """The fields of a resource about kerbs."""
    said = ("name", "summary", "description", "contact", "citation", "label")
    return {**{name: f"Kerb {taint}" for name in said}, "tags": f"kerbs, {taint}"}


def ids_of_resources(route: Route, others: list[str], shared: list[str]) -> list[str]:
    """The ids that a route is asked with: of a resource's own parts, those of resources alone."""
    if route.path in {one.path for one in resources.routes} or "{edition}" in route.path:
        return shared
    if route.path in {"/p/{id}", "/p/{number}"}:
        return others
    return [post for post in others if post not in shared]


def questions_of_resources() -> list[str]:
    """Addresses of the hub that ask something in their query."""
    found = ["/resources?tag=kerbs", "/resources?kind=template", f"/resources?before={1 << 62}"]
    return [*found, "/resources?topic=digital-services&license=CC-BY-4.0"]
