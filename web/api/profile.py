# SPDX-License-Identifier: Apache-2.0
"""The member's own account: name, role, words and picture."""

from server import pictures
from server.errors import Invalid, NotFound
from server.files import NewFile
from server.members import profile
from server.rows import Forum
from server.timelines import people
from web import limits
from web.api.calls import Call, Json, is_yes
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.limits import spend

NO_HEADER = "There are no header pictures here."
FIXED = "This cannot be changed here."
# What apps offer to switch, and how it always is.
_SWITCHES = {
    "locked": False,
    "bot": False,
    "discoverable": True,
    "hide_collections": True,
    "indexable": True,
}


async def own(call: Call) -> Json:
    """Whom the token speaks for."""
    return await _own(call)


async def _own(call: Call) -> Json:
    async with call.instance.reading() as session:
        member = await people.find(session, call.viewer, call.member.id)
        if isinstance(member, Forum):
            raise NotFound
        person = await people.figures(session, call.viewer, member)
    return Statuses(call.instance).own(person)


async def change(call: Call) -> Json:
    """Change the member's own name, role, words and picture; what is fixed is refused."""
    given, member = call.given, call.member
    _must_be_changeable(call)
    role = _role(call, member.role_title)
    draft = profile.ProfileDraft(
        given.text("display_name", member.name), role, given.text("note", member.bio_source)
    )
    picture = await _picture(call)
    async with call.instance.transaction() as tx:
        await profile.change(tx, member, draft)
        if picture is not None:
            await profile.change_picture(tx, member, picture)
    return await _own(call)


def _must_be_changeable(call: Call) -> None:
    """Invalid where an app asks for what there is not, rather than a yes that does nothing."""
    given, source = call.given, call.given.inner("source")
    faults = {
        name: FIXED
        for name, always in _SWITCHES.items()
        if given.text(name) and given.yes(name) != always
    }
    if given.files.get("header") or given.text("header"):
        faults["header"] = NO_HEADER
    if str(source.get("privacy") or "public") not in {"public", "unlisted"}:
        faults["source"] = FIXED
    ours = call.instance.settings.language
    if str(source.get("language") or ours) != ours:
        faults["source"] = FIXED
    if is_yes(str(source.get("sensitive"))):
        faults["source"] = FIXED
    if faults:
        raise Invalid(faults)


def _role(call: Call, role: str) -> str:
    """The role among the fields that were sent; Invalid for fields that nobody would see."""
    for sent in call.given.several("fields_attributes"):
        name, value = str(sent.get("name") or ""), str(sent.get("value") or "")
        if name.strip().lower() == "role":
            role = value
        elif value.strip() and name.strip().lower() != "agency":
            raise Invalid({"fields": "There is one field here, which is called Role."})
    return role


async def _picture(call: Call) -> NewFile | None:
    """The picture that was sent, made anew."""
    sent = call.given.files.get("avatar")
    if not sent:
        return None
    spend(call.visit, limits.PICTURE, f"member {call.member.id}")
    try:
        made = await pictures.square(sent)
    except pictures.NotAPicture as error:
        raise Invalid({"avatar": str(error)}) from error
    return await call.instance.files.write(made, pictures.MEDIA_TYPE)


async def without_picture(call: Call) -> Json:
    """Take the member's picture away."""
    async with call.instance.transaction() as tx:
        await profile.change_picture(tx, call.member, None)
    return await _own(call)


async def without_header(call: Call) -> Json:
    """A header picture, which there is none of."""
    raise Invalid(message=NO_HEADER)


routes = [
    call("GET", "/api/v1/accounts/verify_credentials", own, "profile", "CredentialAccount"),
    call(
        "PATCH", "/api/v1/accounts/update_credentials", change, "write:accounts",
        "CredentialAccount", "display_name", "note", "avatar", "fields_attributes",
    ),
    call(
        "DELETE", "/api/v1/profile/avatar", without_picture, "write:accounts", "CredentialAccount",
    ),
    call(
        "DELETE", "/api/v1/profile/header", without_header, "write:accounts", "CredentialAccount",
    ),
]  # fmt: skip
