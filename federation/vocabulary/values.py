# SPDX-License-Identifier: Apache-2.0
"""Tolerant readers of single ActivityStreams values."""

import html
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from federation.vocabulary.errors import Malformed
from federation.vocabulary.terms import AS, KNOWN_TYPES, PUBLIC, is_public

# In bytes: the database keeps signer and activity id in one index entry of at most 2,704.
MAX_ID = 1024
MAX_IDS = 200
MAX_NAME = 500
MAX_CONTENT = 200_000

_HTTP_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#][^\x00-\x20\x7f-\xa0\\<>\"\s]*)?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def is_http_url(value: object) -> bool:
    """Whether this is an absolute http(s) URL fit for an id: a host, no user, no blanks."""
    if not isinstance(value, str) or (found := _match(value)) is None:
        return False
    written = found["port"]
    return written is None or 0 < int(written) < 65536


def same_origin(one: str, other: str) -> bool:
    """Whether two http(s) URLs share scheme, host and port (RFC 6454); False for anything else."""
    first = _parts(one)
    return first is not None and first == _parts(other)


def _match(url: str) -> re.Match[str] | None:
    fits = len(url) <= MAX_ID and (url.isascii() or len(url.encode(errors="replace")) <= MAX_ID)
    return _HTTP_URL.fullmatch(url) if fits else None


def _parts(url: str) -> tuple[str, str, int] | None:
    found = _match(url)
    if found is None:
        return None
    scheme, host, written = found.groups()
    scheme = scheme.lower()
    port = int(written) if written else _DEFAULT_PORTS[scheme]
    return (scheme, host.lower(), port) if 0 < port < 65536 else None


def id_of(value: object) -> str | None:
    """Return the id of a string or an embedded object, a list's first; it may be any URI."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("id", value.get("@id"))
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID else None


def url_id_of(value: object) -> str | None:
    """Return the id where it is an http(s) URL."""
    found = id_of(value)
    return found if found is not None and is_http_url(found) else None


def ids_of(value: object, limit: int = MAX_IDS) -> tuple[str, ...]:
    """Return the distinct ids of a string, an object or a list, in order, at most ``limit``."""
    items = value if isinstance(value, list) else [value]
    found = dict.fromkeys(item_id for item in items[:limit] if (item_id := id_of(item)) is not None)
    return tuple(found)


def recipients_of(value: object, limit: int) -> tuple[str, ...]:
    """Return http(s) ids addressed, the public collection always by its full name."""
    found = (PUBLIC if is_public(item) else item for item in ids_of(value, limit))
    return tuple(dict.fromkeys(item for item in found if is_http_url(item)))


def required_id(document: dict[str, Any], kind: str) -> str:
    """Return the document's own http(s) id; raises Malformed."""
    value = document.get("id", document.get("@id"))
    if not isinstance(value, str) or not is_http_url(value):
        raise Malformed(f"The {kind} has no id that is an http or https address.")
    return value


def type_of(value: object) -> str:
    """Return the normalised type: bare of its prefix, of a list the first known; "" if none."""
    kinds = value.get("type", value.get("@type")) if isinstance(value, dict) else None
    if isinstance(kinds, str) and kinds in KNOWN_TYPES:
        return kinds
    names = [
        kind.removeprefix("as:").removeprefix(AS)[:100]
        for kind in (kinds if isinstance(kinds, list) else [kinds])[:20]
        if isinstance(kind, str)
    ]
    return next((name for name in names if name in KNOWN_TYPES), names[0] if names else "")


def text_of(value: object, limit: int = MAX_NAME) -> str | None:
    """Return a text of at most ``limit`` characters, "" included; of a list the first text."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, str)), None)
    return value[:limit] if isinstance(value, str) else None


def mapped_text_of(document: dict[str, Any], name: str, limit: int = MAX_NAME) -> str | None:
    """Return ``name``, else one language of its natural language map (``nameMap``…)."""
    text = text_of(document.get(name), limit)
    if text is not None:
        return text
    languages = document.get(name + "Map")
    if not isinstance(languages, dict):
        return None
    texts = {key: item for key, item in languages.items() if isinstance(item, str)}
    chosen = texts.get(language_of(document) or "", next(iter(texts.values()), None))
    return text_of(chosen, limit)


def flag_of(document: dict[str, Any], *names: str) -> bool | None:
    """Return the first of these members that is true or false."""
    return next((value for name in names if isinstance(value := document.get(name), bool)), None)


def moment_of(value: object) -> datetime | None:
    """Return an RFC 3339 moment in UTC, or None; no zone means UTC, seconds may be missing.

    Years Python has no date for (0, and what a zone moves out of 1–9999) are None.
    """
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 60 else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    # A leap second has no datetime of its own: it becomes the second before.
    seconds = min(int(second or 0), 59) if second == "60" else int(second or 0)
    micro = int((fraction or "0").ljust(6, "0")[:6])
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), seconds, micro, tzinfo=zone
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def url_of(value: object) -> str | None:
    """Return the http(s) URL of a string, a Link or an object; of a list text/html is preferred."""
    if isinstance(value, list):
        urls = [(_link(item), item) for item in value[:50]]
        found = [(url, item) for url, item in urls if url is not None]
        pages = [url for url, item in found if media_type_of(item) == "text/html"]
        return next(iter([*pages, *(url for url, _ in found)]), None)
    return _link(value)


def _link(value: object, depth: int = 3) -> str | None:
    if isinstance(value, dict) and depth:
        return _link(value.get("href"), depth - 1) or _link(value.get("url"), depth - 1)
    if isinstance(value, list) and depth:
        return next((url for item in value[:50] if (url := _link(item, depth - 1))), None)
    return value if isinstance(value, str) and is_http_url(value) else None


def media_type_of(value: object) -> str | None:
    """Return an object's ``mediaType`` in lower case, without parameters."""
    kind = value.get("mediaType") if isinstance(value, dict) else None
    return kind[:100].split(";")[0].strip().lower() or None if isinstance(kind, str) else None


def image_of(value: object) -> str | None:
    """Return the URL of an icon or image; of a list the last, the largest where peers send more."""
    items = value if isinstance(value, list) else [value]
    return next((url for item in reversed(items[:50]) if (url := _link(item))), None)


def language_of(document: dict[str, Any]) -> str | None:
    """Return the language tag (BCP 47) an object names, else the first its maps have."""
    language = document.get("language", document.get("inLanguage"))
    if isinstance(language, list):
        language = language[0] if language else None
    if isinstance(language, dict):
        language = language.get("identifier")
    candidates = [language]
    for name in ("contentMap", "nameMap", "summaryMap"):
        if isinstance(texts := document.get(name), dict):
            candidates.extend(list(texts)[:1])
    for tag in candidates:
        if isinstance(tag, str) and len(tag) <= 35 and _LANGUAGE.fullmatch(tag) and tag != "und":
            return tag
    return None


def content_of(document: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return ``(html, markdown)`` of an object, each at most 200 000 characters or None.

    Markdown comes from ``source``, else from ``content`` of that media type. The HTML is as
    received: it must pass the sanitiser.
    """
    source = document.get("source")
    markdown = None
    if isinstance(source, dict) and media_type_of(source) == "text/markdown":
        markdown = text_of(source.get("content"), MAX_CONTENT)
    content = mapped_text_of(document, "content", MAX_CONTENT)
    kind = media_type_of(document)
    if content is None:
        return None, markdown
    if kind == "text/markdown":
        return None, content if markdown is None else markdown
    if kind == "text/plain":
        content = "<p>" + html.escape(content, quote=False).replace("\n", "<br>") + "</p>"
    return content, markdown
