"""What is written besides when a migration is over, in the same transaction."""

from jimm import audit
from jimm.fleet.caller import Caller
from jimm.registry import models, placements
from jimm.registry.migrations import Migration
from jimm.registry.session import WriteSession
from jimm.registry.words import MigrationState

POLICY = "migrate-model"
"""Stands in the history of placements where the policy of a choice does."""


async def note(session: WriteSession, ended: Migration) -> None:
    """One row for the trail, in the name of whoever asked for it; and the move, if it was one,
    for the history of where the model has been."""
    await audit.record(
        session,
        Caller(ended.requested_by, admin=False, door="jimm").did(
            "end-migration",
            model=ended.model_uuid,
            controller=ended.target_name,
            params={"migration-id": ended.id, "source": ended.source_name},
            outcome=ended.state.value,
            error_code=ended.error_code,
        ),
    )
    if ended.state is MigrationState.DONE and ended.target_id is not None:
        await note_move(session, ended)


async def note_move(session: WriteSession, moved: Migration) -> None:
    """For the history of placements: the model is on another controller, and why."""
    model = await models.by_uuid(session, moved.model_uuid)
    await placements.note(
        session,
        model,
        moved.target_name,
        policy=POLICY,
        reason=f"moved from {moved.source_name} by migration {moved.id}",
        by=moved.requested_by,
    )
