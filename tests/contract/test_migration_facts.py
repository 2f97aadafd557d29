"""What a controller must do for a migration to be honest, and where each of it is tested."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from jimm.simulator.migration.phases import Phase
from tests.contract import (
    test_controller_tokens,
    test_migration_40,
    test_migration_abort,
    test_migration_crashes,
    test_migration_happy,
    test_migration_initiate,
    test_migration_observers,
    test_migration_uploads,
)
from tests.fix_migration import Scene
from tests.juju_client import Refused

happy, initiate = test_migration_happy, test_migration_initiate
abort, crashes = test_migration_abort, test_migration_crashes
observers, uploads = test_migration_observers, test_migration_uploads
four = test_migration_40

FACTS: Final[dict[str, list[Callable[..., Any]]]] = {
    "phases persist and are run again after a restart": [
        happy.test_the_phases_in_order,
        crashes.test_a_source_that_dies_in_a_phase_goes_on_in_it,
        crashes.test_a_source_that_dies_after_a_message,
    ],
    "InitiateMigration checks everything inside the call": [
        initiate.test_source_prechecks_come_first,
        initiate.test_an_unreachable_target_is_tried_for_a_minute,
        initiate.test_a_dry_run_ends_before_the_creation,
        happy.test_the_callers_lost_socket_stops_nothing,
    ],
    "the record stays after an abort, with its end": [
        abort.test_a_failure_brings_the_model_back,
    ],
    "messages come in Juju's order, a restart in ABORT empties the reason": [
        happy.test_an_empty_model_says_all_of_jujus_messages_in_order,
        abort.test_an_agent_that_stays_silent,
        crashes.test_a_source_that_dies_in_abort_forgets_the_reason,
    ],
    "the target has an importing model meanwhile, for ever after a failed abort": [
        observers.test_an_importing_model_is_hidden_from_listings,
        observers.test_every_call_on_an_importing_model_is_refused,
        abort.test_a_failed_abort_leaves_an_importing_model_for_ever,
    ],
    "between the activation and the end the model is on both": [
        observers.test_between_the_activation_and_the_end_it_is_on_both,
    ],
    "restrictions are chosen at login, connections are closed at the end": [
        observers.test_a_login_during_an_export_is_restricted_for_good,
        observers.test_controller_calls_are_not_blocked,
        observers.test_model_connections_are_closed_when_it_is_done,
    ],
    "redirects are for user tags captured at the start": [
        observers.test_who_had_access_is_redirected_at_login_whatever_the_password,
        observers.test_who_had_none_is_not,
        observers.test_calls_about_a_model_that_has_moved,
        observers.test_a_superuser_without_an_entry_is_not_redirected,
        observers.test_an_alias_only_if_one_was_given,
    ],
    "a failed reap has an end though the model has moved": [abort.test_a_reap_that_fails],
    "some errors repeat for ever": [
        abort.test_what_is_repeated_for_ever,
        abort.test_an_unreachable_target_in_validation_is_waited_for,
        crashes.test_a_target_that_dies_where_errors_repeat,
    ],
    "agents report on three phases and dial the addresses of the spec": [
        happy.test_a_model_with_machines_and_units,
        abort.test_agents_that_cannot_reach_the_target_fail_validation,
        abort.test_an_agent_that_stays_silent,
    ],
    "the import finds what no precheck looks at": [
        abort.test_a_cloud_that_the_target_lacks,
        abort.test_a_different_credential_leaks_its_values_as_juju_does,
        initiate.test_users_are_checked_by_the_source,
        initiate.test_external_users_need_the_same_identity_provider,
    ],
    "uploads need header, superuser and mode": [
        uploads.test_what_is_refused,
        uploads.test_only_superusers_upload,
        uploads.test_only_importing_models_take_binaries,
        uploads.test_a_log_is_kept_after_the_activation,
    ],
    "tokens": [
        test_controller_tokens.test_a_token_is_enough,
        observers.test_a_token_login_is_neither_restricted_nor_redirected,
    ],
    "a 4.0 source hides it all, and gives to 4.1 alone": [
        four.test_a_source_shows_nothing,
        four.test_what_a_source_says_when_the_model_has_gone,
        four.test_a_failure_leaves_no_trace,
        four.test_only_4_1_takes_in_what_comes_from_4_0,
        four.test_a_model_of_3_6_comes_in_and_gets_new_agents,
    ],
}
"""The facts of a controller, in the order in which the project's notes count them."""


def test_fifteen_facts_have_their_tests() -> None:
    assert len(FACTS) == 15
    assert all(each.__name__.startswith("test_") for tests in FACTS.values() for each in tests)


@pytest.mark.parametrize("name", ["CancelMigration", "AbortMigration", "MigrationStatus"])
async def test_nobody_can_cancel_or_ask_for_the_phase(scene: Scene, name: str) -> None:
    async with scene.admin("a") as socket:
        with pytest.raises(Refused) as caught:
            await socket.call("Controller", 12, name)
    assert caught.value.code == "not implemented"


async def test_no_reply_holds_the_name_of_a_phase(scene: Scene) -> None:
    model = await scene.create()
    replies: list[str] = []
    row = await scene.initiate(model)
    replies.append(json.dumps(row))

    async with asyncio.timeout(20), scene.admin("a") as socket:
        while scene.has(model, "a"):
            asked = {"user-tag": "user-admin", "all": True}
            found = await socket.call("ModelManager", 10, "ListModelSummaries", asked)
            replies.append(json.dumps(found))
    for phase in Phase:
        assert not any(phase in reply for reply in replies)


async def test_agents_facades_are_closed_to_users(scene: Scene) -> None:
    async with scene.admin("a") as socket:
        for facade in ("MigrationMaster", "MigrationMinion", "MigrationStatusWatcher"):
            with pytest.raises(Refused):
                await socket.call(facade, 1, "Watch")
