# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between this instance and a peer."""


class WireError(Exception):
    """The other server could not be asked, or what it answered could not be used."""

    permanent: bool = False

    def __init__(self, sentence: str = "") -> None:
        """Keep one plain sentence; without one, the docstring of the class is said."""
        super().__init__(sentence or (type(self).__doc__ or "").strip())


class Forbidden(WireError):
    """This address may not be asked."""

    permanent = True


class Unreachable(WireError):
    """The other server did not answer."""

    permanent = False

    def __init__(self, sentence: str = "", *, host: str = "") -> None:
        """Keep which `host[:port]` it was; "" where it was not asked just now."""
        super().__init__(sentence)
        self.host = host


class BadAnswer(WireError):
    """The other server's answer cannot be used."""

    permanent = True


class StatusError(WireError):
    """The other server answered with an error."""

    def __init__(self, status: int, *, retry_after: float | None = None) -> None:
        """Keep the HTTP status and the seconds to wait before asking again, where named."""
        super().__init__(f"{(type(self).__doc__ or '').strip().rstrip('.')} (status {status}).")
        self.status = status
        self.retry_after = retry_after


class Refused(StatusError):
    """The other server refused, and will refuse again."""

    permanent = True


class Busy(StatusError):
    """The other server does not answer this now."""

    permanent = False
