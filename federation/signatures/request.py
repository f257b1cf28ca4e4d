# SPDX-License-Identifier: Apache-2.0
"""An incoming request as a signature sees it."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from federation.signatures.errors import malformed

_LONGEST_HEADER = 8192
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ORIGIN_FORM = re.compile(r"/[\x21\x22\x24-\x7e]*")


# Neither this nor a request is frozen, which would make each four times as slow to build;
# nobody changes one.
@dataclass(slots=True)
class DraftSignature:
    """What a Signature header says; times are kept as written, in seconds since 1970."""

    key_id: str
    algorithm: str | None
    covered: tuple[str, ...]
    signature: bytes
    created: str | None
    expires: str | None


# Requests to one inbox have both in common; a refusal is not kept.
@lru_cache(maxsize=64)
def _must_be_sound(method: str, target: str) -> None:
    if not re.fullmatch(r"[A-Za-z]{1,20}", method):
        raise malformed("The request method cannot be read.")
    if len(target) > _LONGEST_HEADER or not _ORIGIN_FORM.fullmatch(target):
        raise malformed("The request target cannot be read.")


@dataclass
class Request:
    """A request with everything a signature can cover.

    `target` is the path with its query, as received; `host` the value of the Host header;
    `scheme` the one people use to reach us ("https" behind a proxy too); `headers` have
    lower-case names, text decoded as Latin-1 and all duplicates; `body` is None without one.
    """

    method: str
    target: str
    host: str
    scheme: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    # Its Signature header, once that was read.
    draft: DraftSignature | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Each header by name; where one stands more than once, all of them in order as well.
        self._one = {key.lower(): value.strip(" \t") for key, value in self.headers}
        self._all: dict[str, list[str]] = {}
        if len(self._one) < len(self.headers):
            for key, value in self.headers:
                self._all.setdefault(key.lower(), []).append(value.strip(" \t"))
        self._is_plain = self._looks_plain()
        # Whether every header can be read and stands once.
        self.is_unambiguous = self._is_plain and not self._all
        # The names of headers that were looked into already.
        self._readable: set[str] = set()

    def _looks_plain(self) -> bool:
        """Whether all headers together are short and printable: then so is each."""
        whole = " ".join([value for _, value in self.headers])
        if len(whole) > _LONGEST_HEADER:
            return False
        # The first two are quick, and true of nearly all.
        return (whole.isascii() and whole.isprintable()) or not _UNPRINTABLE.search(whole)

    def _values(self, name: str) -> list[str]:
        if self._all:
            return self._all.get(name, [])
        return [self._one[name]] if name in self._one else []

    def lines(self, name: str) -> list[str]:
        """Every value of a header, in order, without surrounding blanks."""
        if name == "host":
            return [self.host]
        values = self._values(name)
        if not self._is_plain and name not in self._readable:
            if sum(map(len, values)) > _LONGEST_HEADER:
                raise malformed(f"The header {name} is too long.")
            if any(_UNPRINTABLE.search(value) for value in values):
                raise malformed(f"The header {name} holds control characters.")
            self._readable.add(name)
        return list(values)

    def joined(self, name: str) -> str | None:
        """Every value of a header, by commas, as a signature covers it; None without one."""
        if self.is_unambiguous:
            return self.host if name == "host" else self._one.get(name)
        lines = self.lines(name)
        return ", ".join(lines) if lines else None

    def single(self, name: str) -> str | None:
        """The value of a header that may stand once only, or None; SignatureRefused if twice."""
        if self.is_unambiguous and name != "host":
            return self._one.get(name)
        values = self.lines(name)
        if len(values) > 1:
            raise malformed(f"The header {name} stands more than once.")
        return values[0] if values else None

    def must_be_readable(self) -> None:
        """Refuse a method, a target or a Host header that no signature can cover soundly."""
        _must_be_sound(self.method, self.target)
        hosts = self._values("host")
        if hosts and (len(hosts) > 1 or hosts[0] != self.host):
            raise malformed("The header host stands more than once.")
