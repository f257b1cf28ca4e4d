# SPDX-License-Identifier: Apache-2.0
"""What each kind of server software takes of what a forum tells it."""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncSession

from server.peers import GUILDHALL
from storage.log import Form
from storage.peers import Peer


class Profile(StrEnum):
    """How software reads forums: kinds of followers that are sent the same."""

    GUILDHALL = "guildhall"
    THREADIVERSE = "threadiverse"
    MBIN = "mbin"
    NODEBB = "nodebb"
    DISCOURSE = "discourse"
    MICROBLOG = "microblog"
    MOBILIZON = "mobilizon"
    GANCIO = "gancio"
    UNKNOWN = "unknown"


FORMS: Mapping[Profile, frozenset[Form]] = {
    Profile.GUILDHALL: frozenset({Form.WRAPPED, Form.POINTER}),
    Profile.THREADIVERSE: frozenset({Form.WRAPPED}),
    Profile.MBIN: frozenset({Form.WRAPPED, Form.ARTICLE}),
    Profile.NODEBB: frozenset({Form.WRAPPED, Form.BOOST, Form.ARTICLE}),
    Profile.DISCOURSE: frozenset({Form.BOOST, Form.AUTHOR, Form.DEED, Form.AUTHOR_ARTICLE}),
    Profile.MICROBLOG: frozenset({Form.BOOST, Form.AUTHOR}),
    Profile.MOBILIZON: frozenset({Form.BOOST, Form.AUTHOR}),
    Profile.GANCIO: frozenset({Form.AUTHOR}),
    Profile.UNKNOWN: frozenset({Form.WRAPPED, Form.BOOST, Form.AUTHOR}),
}

_NAMES: Mapping[Profile, str] = {
    Profile.GUILDHALL: GUILDHALL,
    Profile.THREADIVERSE: "lemmy piefed friendica",
    Profile.MBIN: "mbin kbin",
    Profile.NODEBB: "nodebb",
    Profile.DISCOURSE: "discourse",
    Profile.MICROBLOG: (
        "mastodon glitch glitch-soc glitchsoc hometown fedibird gotosocial pleroma akkoma "
        "misskey firefish calckey foundkey iceshrimp iceshrimp.net sharkey cherrypick catodon "
        "pixelfed ghost wordpress takahe snac snac2 mitra hollo gnusocial"
    ),
    Profile.MOBILIZON: "mobilizon",
    Profile.GANCIO: "gancio",
}
# By the name in NodeInfo, in lower case.
SOFTWARE: Mapping[str, Profile] = {
    name: profile for profile, names in _NAMES.items() for name in names.split()
}
# These read a person anew when their copy is old, and refuse to be told.
_ASK_FOR_PEOPLE = frozenset({"lemmy", "discourse", "mobilizon", "gancio"})
_READ_REFUSALS = frozenset({Profile.GUILDHALL, Profile.MICROBLOG, Profile.UNKNOWN})
_READ_MENTIONS = frozenset({Profile.MICROBLOG, Profile.UNKNOWN})


def profile_of(software: str, *, has_groups: bool = False) -> Profile:
    """The profile of software by its name; `has_groups` says that it was seen to have forums."""
    known = SOFTWARE.get(software)
    if known is not None:
        return known
    return Profile.THREADIVERSE if has_groups else Profile.UNKNOWN


def profile_of_peer(peer: Peer | None) -> Profile:
    """The profile of a peer, as far as it is known."""
    if peer is None:
        return Profile.UNKNOWN
    return profile_of(peer.software, has_groups=peer.has_groups)


async def profile_at(session: AsyncSession, host: str | None) -> Profile:
    """The profile of whoever asks; UNKNOWN for nobody in particular."""
    return profile_of_peer(await session.get(Peer, host) if host else None)


def takes(profile: Profile, form: str) -> bool:
    """Whether a form is sent to software of a profile; what is addressed to it always is."""
    return form == Form.DIRECT or form in FORMS[profile]


def forms_for(peer: Peer) -> frozenset[Form]:
    """Every form that a peer is sent."""
    return FORMS[profile_of_peer(peer)] | {Form.DIRECT}


def takes_form(form: Form) -> ColumnElement[bool]:
    """The condition on `Peer`, which may be missing: its software may take a form.

    Forums seen on a peer are left out of account: one row too many is skipped at sending.
    """
    if form not in FORMS[Profile.UNKNOWN]:
        return Peer.software.in_(_named(form, taken=True))
    return or_(Peer.software.is_(None), Peer.software.not_in(_named(form, taken=False)))


def _named(form: Form, *, taken: bool) -> list[str]:
    return sorted(name for name, profile in SOFTWARE.items() if takes(profile, form) is taken)


def shows_events(profile: Profile) -> bool:
    """Whether an Event is shown there; elsewhere it is told as a thread."""
    return not FORMS[profile] & {Form.ARTICLE, Form.AUTHOR_ARTICLE}


def takes_people() -> ColumnElement[bool]:
    """The condition on `Peer`: its software takes word that a person has changed."""
    return Peer.software.not_in(sorted(_ASK_FOR_PEOPLE))


def reads_mentions(profile: Profile) -> bool:
    """Whether a person there hears of a post that names them only from its author's server."""
    return profile in _READ_MENTIONS


def reads_refusals(profile: Profile) -> bool:
    """Whether a Reject of anything but a Follow is read there; others fail on it."""
    return profile in _READ_REFUSALS
