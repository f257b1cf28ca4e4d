# SPDX-License-Identifier: Apache-2.0
"""Every way to say no, in the words the person reads."""

from collections.abc import Mapping


class Refusal(Exception):
    """That is not possible."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def sentence(self) -> str:
        return str(self)


class NotFound(Refusal):
    """There is nothing here, or nothing that you may see."""


class SignInNeeded(Refusal):
    """Sign in to do this."""


class NotAllowed(Refusal):
    """You may not do this."""


class Locked(Refusal):
    """This thread is closed to new replies."""


class Gone(Refusal):
    """This was deleted."""


class TooFast(Refusal):
    """You are doing this too often: wait a moment, then try again."""

    def __init__(self, message: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """This cannot be done at the moment: try again soon."""


class Invalid(Refusal):
    """Some of what was entered needs another look."""

    def __init__(self, fields: Mapping[str, str] | None = None, message: str = "") -> None:
        self.fields = dict(fields or {})
        super().__init__(message or " ".join(self.fields.values()))


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence for the operator."""
