# SPDX-License-Identifier: Apache-2.0
"""Apps that members let in: who they are, and the tokens they hold."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key


class AppState(StrEnum):
    """What an administrator said of an app; NEW where nobody has said anything."""

    NEW = "new"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


class App(Base):
    """An OAuth client that registered itself (RFC 7591 in Mastodon's form).

    `redirect_uris` and `scopes` are separated by single line ends and spaces. Only the SHA-256
    of the secret is kept. `refreshes` says that it asked for tokens that run out.
    """

    __tablename__ = "apps"
    __table_args__ = (Index("ix_apps_created", "created"),)

    id: Mapped[Key]
    client_id: Mapped[str] = mapped_column(Characters(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(Characters(64))
    name: Mapped[str] = mapped_column(Characters(100))
    website: Mapped[str] = mapped_column(Characters(2048), default="")
    redirect_uris: Mapped[str]
    scopes: Mapped[str] = mapped_column(Characters(1000))
    state: Mapped[str] = mapped_column(Characters(64), default=AppState.NEW)
    refreshes: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]


class AppCode(Base):
    """A member's consent on its way to an app, which changes it for a token, once.

    `challenge` is that of RFC 7636, "" where the app made none. `used` is kept until it expires:
    a code that comes twice was stolen, and what it gave ends.
    """

    __tablename__ = "app_codes"
    __table_args__ = (Index("ix_app_codes_member", "member_id"),)

    code_hash: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("apps.id"))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    redirect_uri: Mapped[str] = mapped_column(Characters(2048))
    scopes: Mapped[str] = mapped_column(Characters(1000))
    challenge: Mapped[str] = mapped_column(Characters(128), default="")
    expires: Mapped[datetime]
    used: Mapped[datetime | None]


class AppToken(Base):
    """An access token; `member_id` is None for one that speaks for the app alone.

    Only the SHA-256 is kept. `code_hash` names the code it was given for; `expires` is None where
    it does not run out.
    """

    __tablename__ = "app_tokens"
    __table_args__ = (
        Index("ix_app_tokens_member", "member_id", "app_id"),
        Index("ix_app_tokens_app", "app_id"),
        Index("ix_app_tokens_code", "code_hash"),
    )

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(Characters(64), unique=True)
    app_id: Mapped[int] = mapped_column(ForeignKey("apps.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    scopes: Mapped[str] = mapped_column(Characters(1000))
    code_hash: Mapped[str] = mapped_column(Characters(64), default="")
    created: Mapped[datetime]
    expires: Mapped[datetime | None]
    used: Mapped[datetime | None]


class AppRefresh(Base):
    """What an app brings for the next access token, once; only its SHA-256 is kept.

    `scopes` is as much as the member allowed. `used` is kept until it expires: one that comes
    twice was stolen.
    """

    __tablename__ = "app_refreshes"
    __table_args__ = (
        Index("ix_app_refreshes_token", "token_id"),
        Index("ix_app_refreshes_expires", "expires"),
    )

    refresh_hash: Mapped[str] = mapped_column(Characters(64), primary_key=True)
    token_id: Mapped[int]
    scopes: Mapped[str] = mapped_column(Characters(1000))
    expires: Mapped[datetime]
    used: Mapped[datetime | None]
