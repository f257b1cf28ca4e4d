# SPDX-License-Identifier: Apache-2.0
"""An incoming request as a signature sees it."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from federation.signatures.errors import malformed

_LONGEST_HEADER = 8192
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ORIGIN_FORM = re.compile(r"/[\x21\x22\x24-\x7e]*")


@dataclass(frozen=True)
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

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, value in self.headers:
            found.setdefault(key.lower(), []).append(value.strip(" \t"))
        return found

    @cached_property
    def _is_plain(self) -> bool:
        """Whether all headers together are short and printable: then so is each."""
        whole = "\t".join([value for _, value in self.headers])
        return len(whole) <= _LONGEST_HEADER and not _UNPRINTABLE.search(whole)

    @property
    def is_unambiguous(self) -> bool:
        """Whether every header can be read and stands once."""
        return self._is_plain and len(self._by_name) == len(self.headers)

    @cached_property
    def _readable(self) -> set[str]:
        """The names of headers that were looked into already."""
        return set()

    def lines(self, name: str) -> list[str]:
        """Every value of a header, in order, without surrounding blanks."""
        if name == "host":
            return [self.host]
        values = self._by_name.get(name)
        if values is None:
            return []
        if not self._is_plain and name not in self._readable:
            if sum(map(len, values)) > _LONGEST_HEADER:
                raise malformed(f"The header {name} is too long.")
            if any(_UNPRINTABLE.search(value) for value in values):
                raise malformed(f"The header {name} holds control characters.")
            self._readable.add(name)
        return list(values)

    def single(self, name: str) -> str | None:
        """The value of a header that may stand once only, or None; SignatureRefused if twice."""
        if name not in self._by_name and name != "host":
            return None
        values = self.lines(name)
        if len(values) > 1:
            raise malformed(f"The header {name} stands more than once.")
        return values[0] if values else None

    def must_be_readable(self) -> None:
        """Refuse a method, a target or a Host header that no signature can cover soundly."""
        if not re.fullmatch(r"[A-Za-z]{1,20}", self.method):
            raise malformed("The request method cannot be read.")
        if len(self.target) > _LONGEST_HEADER or not _ORIGIN_FORM.fullmatch(self.target):
            raise malformed("The request target cannot be read.")
        hosts = self._by_name.get("host", [])
        if len(hosts) > 1 or any(host != self.host for host in hosts):
            raise malformed("The header host stands more than once.")
