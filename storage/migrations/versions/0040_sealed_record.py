# SPDX-License-Identifier: Apache-2.0
"""The record as a chain, which the database only adds to."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.audit import digest, genesis, seal
from storage.base import UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("audit", "audit_seals", "audit_checks")
# What may be done to a line: its words are taken out, once, and nothing else.
_NO_ERASURE = """OLD.erased IS NOT NULL OR NEW.erased IS NULL OR NEW.id <> OLD.id
    OR NEW.at <> OLD.at OR NEW.verb <> OLD.verb
    OR NEW.actor <> '' OR NEW.subject <> '' OR NEW.detail <> '' OR NEW.salt <> ''"""
_REFUSED = "The record is only added to."
AT_ONCE = 2000


def upgrade() -> None:
    with op.batch_alter_table("audit") as table:
        table.add_column(sa.Column("salt", sa.String(length=32), nullable=False, server_default=""))
        table.add_column(sa.Column("erased", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "audit_seals",
        sa.Column("place", _ID, autoincrement=False, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit.id"]),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "audit_checks",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", _ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("broken", _ID, nullable=True),
        sa.Column("fault", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _chain()
    _keep()


def _chain() -> None:
    """Seal what stands there, in the order in which it was written."""
    connection = op.get_bind()
    salt = {
        "sqlite": "lower(hex(randomblob(16)))",
        "postgresql": "replace(gen_random_uuid()::text, '-', '')",
    }[connection.dialect.name]
    connection.execute(sa.text(f"UPDATE audit SET salt = {salt}"))  # noqa: S608 (our own words)
    lines = sa.table(
        "audit",
        *(sa.column("id", _ID), sa.column("at", UtcDateTime()), sa.column("verb")),
        *(sa.column(name) for name in ("actor", "subject", "detail", "salt")),
    )
    seals = sa.table(
        "audit_seals",
        *(sa.column("place", _ID), sa.column("entry_id", _ID)),
        *(sa.column("digest"), sa.column("hash")),
    )
    place, after, last = 0, -1, genesis(_origin(connection))
    question = sa.select(lines).order_by(lines.c.id).limit(AT_ONCE)
    while found := connection.execute(question.where(lines.c.id > after)).all():
        made: list[dict[str, Any]] = []
        for number, at, verb, actor, subject, detail, salted in found:
            place += 1
            words = digest(actor=actor, subject=subject, detail=detail, salt=salted)
            last = seal(place, number, at, verb, words, last)
            made.append({"place": place, "entry_id": number, "digest": words, "hash": last})
        connection.execute(sa.insert(seals), made)
        after = found[-1][0]


def _origin(connection: sa.Connection) -> str:
    """Whose record it is, as the ids of those whose private keys are here tell; or nobody's."""
    question = sa.text("SELECT min(owner) FROM actor_keys WHERE sealed IS NOT NULL")
    owner: str = connection.execute(question).scalar_one() or ""
    return "/".join(owner.split("/")[:3])


def _keep() -> None:
    """Have the database refuse what is not adding, or taking out the words of a line."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION record_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
        )
        does = "EXECUTE FUNCTION record_is_only_added_to()"
        for table in _TABLES:
            op.execute(
                f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table}"
                f" FOR EACH STATEMENT {does}"
            )
    else:
        does = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    for table in _TABLES:
        where = f" WHEN ({_NO_ERASURE})" if table == "audit" else ""
        op.execute(
            f"CREATE TRIGGER {table}_not_changed BEFORE UPDATE ON {table}"
            f" FOR EACH ROW{where} {does}"
        )
        op.execute(
            f"CREATE TRIGGER {table}_not_dropped BEFORE DELETE ON {table} FOR EACH ROW {does}"
        )


def downgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    kinds = ("changed", "dropped", "emptied") if is_postgres else ("changed", "dropped")
    for table in _TABLES:
        for kind in kinds:
            on = f" ON {table}" if is_postgres else ""
            op.execute(f"DROP TRIGGER {table}_not_{kind}{on}")
    if is_postgres:
        op.execute("DROP FUNCTION record_is_only_added_to()")
    op.drop_table("audit_checks")
    op.drop_table("audit_seals")
    with op.batch_alter_table("audit") as held:
        held.drop_column("erased")
        held.drop_column("salt")
