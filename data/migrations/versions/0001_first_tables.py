"""The first tables: journal, entries, the rows derived from them, outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    letter()
    attachment()
    sketch()
    entry()
    matter()
    deadline()
    party()
    serial()
    outbox()


def downgrade() -> None:
    for table in reversed(
        ("letter", "attachment", "sketch", "entry", "matter", "deadline", "party", "serial", "outbox")
    ):
        op.drop_table(table)


def letter() -> None:
    op.create_table(
        "letter",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("mail_from", sa.Text(), nullable=False),
        sa.Column("rcpt_to", JSON, nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("raw_file", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("duplicate_of", ID, nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=True),
        sa.Column("from_addr", sa.Text(), nullable=True),
        sa.Column("from_name", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("facts", JSON, nullable=True),
        sa.Column("judgement", JSON, nullable=True),
        sa.Column("processed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["duplicate_of"], ["letter.id"], name="fk_letter_duplicate_of"),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_letter_digest", "letter", ["school_id", "digest"])
    op.create_index("ix_letter_message_id", "letter", ["school_id", "message_id"], **where("message_id is not null"))
    op.create_index("ix_letter_reference", "letter", ["school_id", "reference"], **where("reference is not null"))
    op.create_index("ix_letter_waiting", "letter", ["school_id", "id"], **where("state in ('new', 'claimed')"))
    op.create_index(
        "uq_letter_content",
        "letter",
        ["school_id", "content_digest"],
        unique=True,
        **where("content_digest is not null"),
    )


def attachment() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("letter_id", ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_attachment_letter_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_letter_id", "attachment", ["letter_id"])


def sketch() -> None:
    op.create_table(
        "sketch",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("letter_id", ID, nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("sketch", JSON, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_sketch_letter_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sketch"),
    )
    op.create_index("ix_sketch_letter_id", "sketch", ["letter_id"])
    op.create_index("ix_sketch_sent_at", "sketch", ["school_id", "sent_at"])


def entry() -> None:
    op.create_table(
        "entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("facts_digest", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.UniqueConstraint("school_id", "reference", "seq", name="uq_entry_school_id_reference_seq"),
        sqlite_autoincrement=True,
    )


def matter() -> None:
    op.create_table(
        "matter",
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("told", JSON, nullable=False),
        sa.Column("withheld", JSON, nullable=False),
        sa.Column("disclosed_to", JSON, nullable=False),
        sa.Column("recused", JSON, nullable=False),
        sa.Column("safeguarding", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("incident_date", sa.Date(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", "reference", name="pk_matter"),
    )
    op.create_index("ix_matter_status", "matter", ["school_id", "status"])


def deadline() -> None:
    op.create_table(
        "deadline",
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("start_event", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("counted", JSON, nullable=False),
        sa.Column("skipped", JSON, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("moved_from", JSON, nullable=False),
        sa.Column("next_nudge_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("school_id", "reference", "key", name="pk_deadline"),
    )
    op.create_index(
        "ix_deadline_nudge", "deadline", ["school_id", "next_nudge_at"], **where("next_nudge_at is not null")
    )


def party() -> None:
    op.create_table(
        "party",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("addr", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_party"),
        sa.UniqueConstraint("school_id", "reference", "role", "addr", name="uq_party_school_id_reference_role_addr"),
    )


def serial() -> None:
    op.create_table(
        "serial",
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", "year", name="pk_serial"),
    )


def outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("to_addr", sa.Text(), nullable=False),
        sa.Column("to_key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("to_role", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("references", JSON, nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("school_id", "key", name="uq_outbox_school_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due", "outbox", ["school_id", "next_at"], **where("state in ('queued', 'claimed')"))
    op.create_index("ix_outbox_message_id", "outbox", ["school_id", "message_id"])
    op.create_index("ix_outbox_reference", "outbox", ["school_id", "reference"])
    outward = where("audience = 'complainant'")
    op.create_index("ix_outbox_to_key", "outbox", ["school_id", "to_key", "created_at"], **outward)
    op.create_index("ix_outbox_outward", "outbox", ["school_id", "created_at"], **outward)
