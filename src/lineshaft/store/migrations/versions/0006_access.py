"""Who may do what: users with roles, grants, tokens, browser sessions, secrets, the audit log, signing keys.

All of it is added beside what is there, so that servers of the version before go on meanwhile. To them every
user is an admin whom their settings name, which is what the users are that they make.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True).with_variant(sa.String(26), "sqlite")


def upgrade() -> None:
    """Add columns and tables."""
    op.add_column("worker_keys", sa.Column("certificate", sa.String(), nullable=True))
    _users()
    _grants()
    _tokens()
    _browser_sessions()
    _secrets()
    _audit_entries()
    _signing_keys()


def _users() -> None:
    for column in (
        sa.Column("role", sa.String(), nullable=True, server_default="admin"),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("from_settings", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("created_at", TIME, nullable=True),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("last_seen_at", TIME, nullable=True),
    ):
        op.add_column("users", column)
    op.create_index(
        "ix_users_by_subject",
        "users",
        ["issuer", "subject"],
        sqlite_where=sa.text("subject IS NOT NULL"),
        postgresql_where=sa.text("subject IS NOT NULL"),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("user", NAME, nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("user", "pipeline_id", name="pk_grants"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_grants_by_pipeline", "grants", ["pipeline_id"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("pipelines", sa.JSON(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
        sa.UniqueConstraint("user", "name", name="uq_tokens_user_name"),
        sqlite_with_rowid=False,
    )


def _browser_sessions() -> None:
    op.create_table(
        "browser_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_browser_sessions"),
        sa.UniqueConstraint("hash", name="uq_browser_sessions_hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_browser_sessions_by_user", "browser_sessions", ["user"])
    op.create_index("ix_browser_sessions_by_expiry", "browser_sessions", ["expires_at"])


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("environment", NAME, nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_secrets"),
        sa.UniqueConstraint(
            "pipeline_id", "environment", "name", name="uq_secrets_pipeline_id_environment_name"
        ),
        sqlite_with_rowid=False,
    )


def _audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("means", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_entries_by_actor", "audit_entries", ["actor", "id"])
    op.create_index("ix_audit_entries_by_pipeline", "audit_entries", ["pipeline_id", "id"])
    _append_only()


def _append_only() -> None:
    """Let the database itself refuse whatever is not an insertion."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entries_no_{change.lower()} BEFORE {change} ON audit_entries "
                "BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()"
    )


def _signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("public", sa.JSON(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
        sqlite_with_rowid=False,
    )
