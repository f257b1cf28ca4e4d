# SPDX-License-Identifier: Apache-2.0
"""What somebody proposes to post, from a form or from the wire alike."""

from dataclasses import dataclass, field
from datetime import datetime

from server import text
from server.errors import Invalid
from server.polls.drafts import PollDraft
from storage.posts import Kind

LONGEST_TITLE = 200


@dataclass(frozen=True)
class Origin:
    """Where a post comes from that was written at another instance.

    `html` is what it sent, not yet sanitised; `raw` its own bytes with the id of the key
    that vouches for them. `quoted` is the post that it may show, by the document `stamp`.
    """

    uri: str
    url: str
    html: str
    published: datetime
    updated: datetime | None = None
    raw: str = ""
    key_id: str = ""
    context: str = ""
    quoted: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class ThreadDraft:
    """A thread to be opened, or another kind of opener."""

    title: str
    source: str
    tags: tuple[str, ...] = ()
    language: str = ""
    origin: Origin | None = None
    kind: Kind = Kind.THREAD
    poll: PollDraft | None = None


@dataclass(frozen=True)
class ReplyDraft:
    """A reply to a post (opener or reply); `parent_uri` if the parent is not held here."""

    source: str
    parent: int
    language: str = ""
    origin: Origin | None = None
    parent_uri: str | None = None


@dataclass(frozen=True)
class EditDraft:
    """What a post is to say from now on."""

    title: str
    source: str
    tags: tuple[str, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True)
class ThreadForm:
    """A thread as typed, before it is checked."""

    title: str = ""
    source: str = ""
    tags: str = ""
    language: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    poll: dict[str, str] = field(default_factory=dict)


def check_thread(form: ThreadForm) -> ThreadDraft:
    """The draft of a typed thread; Invalid names every field that needs another look."""
    faults = _body_fault(form.source)
    title = text.clean_line(form.title, LONGEST_TITLE + 1)
    if not title:
        faults["title"] = "Give the thread a title that says what it is about."
    elif len(title) > LONGEST_TITLE:
        faults["title"] = f"Keep the title under {LONGEST_TITLE} characters."
    tags: tuple[str, ...] = ()
    try:
        tags = tuple(text.clean_tags(form.tags))
    except ValueError as error:
        faults["tags"] = str(error)
    if faults:
        raise Invalid(faults)
    return ThreadDraft(title, form.source.strip(), tags, form.language.strip().lower())


def check_body(source: str) -> str:
    """The body of a reply; Invalid when it is empty or too long."""
    faults = _body_fault(source)
    if faults:
        raise Invalid(faults)
    return source.strip()


def _body_fault(source: str) -> dict[str, str]:
    if not source.strip():
        return {"source": "Write something first."}
    if len(source) > text.MAX_SOURCE:
        return {"source": f"Keep it under {text.MAX_SOURCE} characters: this has {len(source)}."}
    return {}
