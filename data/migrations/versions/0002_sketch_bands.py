"""An index over sketches, so that a new letter meets only those that may be alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sketch_band",
        sa.Column("school_id", sa.Text, nullable=False),
        sa.Column("band", sa.BigInteger, nullable=False),
        sa.Column("letter_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letter.id"], name="fk_sketch_band_letter_id"),
        sa.PrimaryKeyConstraint("school_id", "band", "letter_id", name="pk_sketch_band"),
    )
    op.create_index("ix_sketch_band_letter_id", "sketch_band", ["letter_id"])


def downgrade() -> None:
    op.drop_table("sketch_band")
