"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A copy, as a migration must not change with the models.
_APPEND_ONLY = {
    "postgresql": (
        (
            "CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'audit_log is append only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW "
            "EXECUTE FUNCTION audit_log_append_only()"
        ),
    ),
    "sqlite": (
        (
            "CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, "
            "'audit_log is append only'); END"
        ),
        (
            "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, "
            "'audit_log is append only'); END"
        ),
    ),
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "attempts",
        sa.Column("key_hash", sa.String(length=128), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_since"), "attempts", ["since"], unique=False)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=128), nullable=False),
        sa.Column("record_kind", sa.String(length=128), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_index("ix_audit_log_record", "audit_log", ["record_kind", "record_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("thread_id", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(length=128), nullable=False),
        sa.Column("text_version", sa.String(length=128), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint(
            "thread_id", "purpose", "text_version", name=op.f("uq_consents_thread_id_purpose_text_version")
        ),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("external_hash", sa.String(length=128), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unreachable_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("channel", "external_hash", name=op.f("uq_persons_channel_external_hash")),
    )
    op.create_table(
        "processed_updates",
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("update_id", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "update_id", name=op.f("pk_processed_updates")),
    )
    op.create_index(op.f("ix_processed_updates_at"), "processed_updates", ["at"], unique=False)
    op.create_table(
        "promoted_answers",
        sa.Column("topic_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("wordings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("citations", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("scope", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=True),
        sa.Column("replaces", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic_id", name=op.f("pk_promoted_answers")),
    )
    op.create_index(op.f("ix_promoted_answers_state"), "promoted_answers", ["state"], unique=False)
    op.create_table(
        "resume_codes",
        sa.Column("code_hash", sa.String(length=128), nullable=False),
        sa.Column("thread_id", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_resume_codes")),
    )
    op.create_index(op.f("ix_resume_codes_thread_id"), "resume_codes", ["thread_id"], unique=False)
    op.create_index(op.f("ix_resume_codes_used_by"), "resume_codes", ["used_by"], unique=False)
    op.create_table(
        "staff",
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=128), nullable=False),
        sa.Column("password", sa.String(length=300), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_staff")),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("receipt", sa.String(length=128), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.String(length=128), nullable=False),
        sa.Column("draft_version", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=128), nullable=False),
        sa.Column("form_version", sa.String(length=128), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("centre", sa.String(length=300), nullable=True),
        sa.Column("department", sa.String(length=300), nullable=True),
        sa.Column("unit_type", sa.String(length=128), nullable=True),
        sa.Column("batch", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("note_field", sa.String(length=128), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("draft_id", "draft_version", name=op.f("uq_submissions_draft_id_draft_version")),
        sa.UniqueConstraint("receipt", "revision", name=op.f("uq_submissions_receipt_revision")),
    )
    op.create_index(op.f("ix_submissions_conversation_id"), "submissions", ["conversation_id"], unique=False)
    op.create_index("ix_submissions_state_department", "submissions", ["state", "department"], unique=False)
    op.create_index(op.f("ix_submissions_submitted_at"), "submissions", ["submitted_at"], unique=False)
    op.create_index(op.f("ix_submissions_thread_id"), "submissions", ["thread_id"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=128), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("question_key", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False),
        sa.Column("topic", sa.String(length=128), nullable=True),
        sa.Column("tried", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_to", sa.String(length=128), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("citations", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("answer_version", sa.Integer(), nullable=False),
        sa.Column("answered_by", sa.String(length=128), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_assigned_to"), "tickets", ["assigned_to"], unique=False)
    op.create_index(op.f("ix_tickets_question_key"), "tickets", ["question_key"], unique=False)
    op.create_index("ix_tickets_status_created_at", "tickets", ["status", "created_at"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("person_id", sa.String(length=128), nullable=True),
        sa.Column("thread_id", sa.String(length=128), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("turn_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_conversations_person_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index(op.f("ix_conversations_person_id"), "conversations", ["person_id"], unique=False)
    op.create_index(op.f("ix_conversations_thread_id"), "conversations", ["thread_id"], unique=False)
    op.create_index(op.f("ix_conversations_updated_at"), "conversations", ["updated_at"], unique=False)
    op.create_table(
        "staff_sessions",
        sa.Column("token_hash", sa.String(length=128), nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("csrf", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["staff.login"], name=op.f("fk_staff_sessions_login"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_sessions")),
    )
    op.create_index(op.f("ix_staff_sessions_expires_at"), "staff_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_staff_sessions_login"), "staff_sessions", ["login"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("thread_id", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=128), nullable=False),
        sa.Column("form_version", sa.String(length=128), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=300), nullable=True),
        sa.Column("unit_type", sa.String(length=128), nullable=True),
        sa.Column("batch", sa.String(length=128), nullable=True),
        sa.Column("receipt", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_drafts_conversation_id"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_conversation_id"), "drafts", ["conversation_id"], unique=False)
    op.create_index("ix_drafts_thread_id_form_state", "drafts", ["thread_id", "form", "state"], unique=False)
    op.create_index(op.f("ix_drafts_updated_at"), "drafts", ["updated_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=True),
        sa.Column("dedupe_key", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_outbox_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
    )
    op.create_index(op.f("ix_outbox_conversation_id"), "outbox", ["conversation_id"], unique=False)
    op.create_index("ix_outbox_due", "outbox", ["channel", "state", "next_at"], unique=False)
    op.create_index(op.f("ix_outbox_ticket"), "outbox", ["ticket"], unique=False)
    op.create_table(
        "reminders",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("milestone", sa.String(length=128), nullable=False),
        sa.Column("mark", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=128), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_reminders_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(
            "conversation_id", "milestone", "mark", name=op.f("uq_reminders_conversation_id_milestone_mark")
        ),
    )
    op.create_index("ix_reminders_state_due_at", "reminders", ["state", "due_at"], unique=False)
    op.create_table(
        "ticket_askers",
        sa.Column("ticket", sa.String(length=128), nullable=False),
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_ticket_askers_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name=op.f("fk_ticket_askers_ticket"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket", "conversation_id", name=op.f("pk_ticket_askers")),
    )
    op.create_index(op.f("ix_ticket_askers_conversation_id"), "ticket_askers", ["conversation_id"], unique=False)
    op.create_table(
        "ticket_messages",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("staff", sa.String(length=128), nullable=True),
        sa.Column("conversation_id", sa.String(length=128), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("citations", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_ticket_messages_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket"], ["tickets.number"], name=op.f("fk_ticket_messages_ticket"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_messages")),
    )
    op.create_index(op.f("ix_ticket_messages_conversation_id"), "ticket_messages", ["conversation_id"], unique=False)
    op.create_index(op.f("ix_ticket_messages_ticket"), "ticket_messages", ["ticket"], unique=False)
    op.create_table(
        "turns",
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("status", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=True),
        sa.Column("topics", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("ticket", sa.String(length=128), nullable=True),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("used_llm", sa.Boolean(), nullable=False),
        sa.Column("thumbs", sa.SmallInteger(), nullable=True),
        sa.Column("thumbs_words", sa.Text(), nullable=True),
        sa.Column("thumbs_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_turns_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "number", name=op.f("pk_turns")),
        sa.UniqueConstraint("conversation_id", "external_id", name=op.f("uq_turns_conversation_id_external_id")),
    )
    op.create_index("ix_turns_at_status", "turns", ["at", "status"], unique=False)
    op.create_table(
        "told",
        sa.Column("conversation_id", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("source_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id", "number"],
            ["turns.conversation_id", "turns.number"],
            name="fk_told_turn",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "number", "kind", "source_id", name=op.f("pk_told")),
    )
    op.create_index("ix_told_source", "told", ["kind", "source_id"], unique=False)

    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_told_source", table_name="told")
    op.drop_table("told")
    op.drop_index("ix_turns_at_status", table_name="turns")
    op.drop_table("turns")
    op.drop_index(op.f("ix_ticket_messages_ticket"), table_name="ticket_messages")
    op.drop_index(op.f("ix_ticket_messages_conversation_id"), table_name="ticket_messages")
    op.drop_table("ticket_messages")
    op.drop_index(op.f("ix_ticket_askers_conversation_id"), table_name="ticket_askers")
    op.drop_table("ticket_askers")
    op.drop_index("ix_reminders_state_due_at", table_name="reminders")
    op.drop_table("reminders")
    op.drop_index(op.f("ix_outbox_ticket"), table_name="outbox")
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.drop_index(op.f("ix_outbox_conversation_id"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_drafts_updated_at"), table_name="drafts")
    op.drop_index("ix_drafts_thread_id_form_state", table_name="drafts")
    op.drop_index(op.f("ix_drafts_conversation_id"), table_name="drafts")
    op.drop_table("drafts")
    op.drop_index(op.f("ix_staff_sessions_login"), table_name="staff_sessions")
    op.drop_index(op.f("ix_staff_sessions_expires_at"), table_name="staff_sessions")
    op.drop_table("staff_sessions")
    op.drop_index(op.f("ix_conversations_updated_at"), table_name="conversations")
    op.drop_index(op.f("ix_conversations_thread_id"), table_name="conversations")
    op.drop_index(op.f("ix_conversations_person_id"), table_name="conversations")
    op.drop_table("conversations")
    op.drop_index("ix_tickets_status_created_at", table_name="tickets")
    op.drop_index(op.f("ix_tickets_question_key"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_assigned_to"), table_name="tickets")
    op.drop_table("tickets")
    op.drop_index(op.f("ix_submissions_thread_id"), table_name="submissions")
    op.drop_index(op.f("ix_submissions_submitted_at"), table_name="submissions")
    op.drop_index("ix_submissions_state_department", table_name="submissions")
    op.drop_index(op.f("ix_submissions_conversation_id"), table_name="submissions")
    op.drop_table("submissions")
    op.drop_table("staff")
    op.drop_index(op.f("ix_resume_codes_used_by"), table_name="resume_codes")
    op.drop_index(op.f("ix_resume_codes_thread_id"), table_name="resume_codes")
    op.drop_table("resume_codes")
    op.drop_index(op.f("ix_promoted_answers_state"), table_name="promoted_answers")
    op.drop_table("promoted_answers")
    op.drop_index(op.f("ix_processed_updates_at"), table_name="processed_updates")
    op.drop_table("processed_updates")
    op.drop_table("persons")
    op.drop_table("meta")
    op.drop_table("consents")
    op.drop_index("ix_audit_log_record", table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_at"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index(op.f("ix_attempts_since"), table_name="attempts")
    op.drop_table("attempts")

    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_append_only()")
