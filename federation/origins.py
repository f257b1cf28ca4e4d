# SPDX-License-Identifier: Apache-2.0
"""Web addresses read strictly, and the origin each has."""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urljoin

from federation.errors import Forbidden

LONGEST_URL = 2048

_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>[hH][tT]{2}[pP][sS]?)://(?P<authority>[^/?#]+)(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?:#.*)?"
)
_AUTHORITY = re.compile(
    r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# Some resolvers read any name with such a last label as a number, hence as an address.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNWANTED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
# Every printable character of ASCII stays as it was written, "%" above all: a request is signed
# over the very characters that are sent.
_AS_WRITTEN = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class HttpUrl:
    """One absolute http or https address in the single form it is sent, signed and compared in.

    `url` has no fragment, `host` is lower case and without brackets, `port` is always a number,
    `literal` tells that the host is an IP address and not a name.
    """

    url: str
    origin: str
    scheme: str
    host: str
    port: int
    literal: bool


@lru_cache(maxsize=4_096)
def parse_url(text: str) -> HttpUrl:
    """Read an absolute http(s) URL (RFC 3986, ASCII hosts only); its fragment is dropped.

    Raises Forbidden for anything else: other schemes, user names, odd spellings of IP addresses,
    white space, control characters, more than 2,048 characters.
    """
    found = _found(text)
    scheme = found["scheme"].lower()
    origin, host, port, literal = _place(scheme, found["authority"])
    tail = quote((found["path"] or "/") + (found["query"] or ""), safe=_AS_WRITTEN)
    return HttpUrl(origin + tail, origin, scheme, host, port, literal)


def _found(text: str) -> re.Match[str]:
    """The parts of an address; the authority is still to be read."""
    if len(text) > LONGEST_URL or _UNWANTED.search(text):
        raise Forbidden("That address is too long or holds characters no address has.")
    found = _URL.fullmatch(text)
    if found is None:
        raise Forbidden("That address does not begin with https:// and a host.")
    return found


# A peer's actors and posts come again and again, all of one place.
@lru_cache(maxsize=4_096)
def _place(scheme: str, authority: str) -> tuple[str, str, int, bool]:
    """The origin, the host, the port, and whether the host is an IP address."""
    part = _AUTHORITY.fullmatch(authority.lower())
    if part is None or not authority.isascii():
        raise Forbidden("That address does not name a plain host.")
    host, literal = _host(part["host"])
    port = int(part["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise Forbidden("That address names a port that does not exist.")
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{shown}{suffix}", host, port, literal


def _host(text: str) -> tuple[str, bool]:
    """Return the host without brackets, and whether it is an IP address."""
    try:
        if text.startswith("["):
            return str(ipaddress.IPv6Address(text[1:-1])), True
        labels = text.split(".")
        if _NUMERIC_LABEL.fullmatch(labels[-1]):
            return str(ipaddress.IPv4Address(text)), True
    except ValueError:
        raise Forbidden("That address hides an IP address in an unusual spelling.") from None
    if not all(map(_LABEL.fullmatch, labels)):
        raise Forbidden("That address does not name a plain host.")
    return text, False


def join_url(base: HttpUrl, reference: str) -> HttpUrl:
    """Resolve a reference, such as a redirect's Location, against the page that named it."""
    if len(reference) > LONGEST_URL or _UNWANTED.search(reference):
        raise Forbidden("A redirect names an address with characters no address has.")
    try:
        return parse_url(urljoin(base.url, reference))
    except ValueError:
        raise Forbidden("A redirect names something that is not an address.") from None


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]` (RFC 6454), lower case, the default port left out."""
    scheme, authority = _found(url).group("scheme", "authority")
    return _place(scheme.lower(), authority)[0]


def is_below(url: str, origin: str) -> bool:
    """Whether `origin_of(url)` is seen to be this origin without taking the address apart."""
    return (
        url.startswith(origin)
        and url.startswith("/", len(origin))
        and len(url) <= LONGEST_URL
        and not _UNWANTED.search(url)
    )


def is_asked_at(identifier: str, url: str) -> bool:
    """Whether an id is this address; a bare origin is asked for with a slash (RFC 9110, 4.2.3)."""
    return identifier == url or (f"{identifier}/" == url and identifier.count("/") == 2)


def host_of(url: str) -> str:
    """Return the lower-case host of a URL, without its port."""
    return parse_url(url).host
