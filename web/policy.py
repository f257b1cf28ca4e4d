# SPDX-License-Identifier: Apache-2.0
"""What a page of ours may load, and where its forms may lead."""

from server.settings import Settings

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{media}; "
    "connect-src 'self'; form-action 'self'{forms}; frame-ancestors 'none'; base-uri 'none'"
)


def content_policy(settings: Settings, form_source: str = "") -> str:
    """The Content-Security-Policy; `form_source` is one more place that a form may lead to."""
    media = f" {settings.media_origin}" if settings.media_origin else ""
    return _POLICY.format(media=media, forms=f" {form_source}" if form_source else "")
