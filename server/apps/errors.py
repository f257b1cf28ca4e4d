# SPDX-License-Identifier: Apache-2.0
"""How apps are told no, by the codes of RFC 6749."""

from server.errors import Refusal


class OAuthRefusal(Refusal):
    """The request of the app cannot be read."""

    code = "invalid_request"


class InvalidClient(OAuthRefusal):
    """The app is not known here, or did not prove who it is."""

    code = "invalid_client"


class InvalidGrant(OAuthRefusal):
    """The code is wrong, was used, has run out, or belongs to another app or address."""

    code = "invalid_grant"


class InvalidScope(OAuthRefusal):
    """The requested scope is invalid, unknown, or more than the app registered for."""

    code = "invalid_scope"


class UnsupportedGrant(OAuthRefusal):
    """This way to get a token is not offered."""

    code = "unsupported_grant_type"
