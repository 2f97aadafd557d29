"""What each observer sees."""

import pytest
from msgspec.structs import replace

from jimm.simulator.dialects import Release
from jimm.simulator.migration import lifecycle, phases, views
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.views import Restriction
from jimm.simulator.state import FormerModel, Model
from tests.unit.simulator.migration.test_lifecycle import TO_REAP, walked
from tests.unit.simulator.migration.values import LATER, NOW, model


def former() -> FormerModel:
    reaped = lifecycle.said(walked(*TO_REAP), phases.REMOVING, LATER)
    return lifecycle.departed(reaped, LATER)


@pytest.mark.parametrize(
    ("seen", "by_token", "restriction"),
    [
        (model(), False, Restriction.NONE),
        (walked(), False, Restriction.EXPORTING),
        (walked(), True, Restriction.NONE),
        (walked(*TO_REAP, Phase.REAPFAILED), False, Restriction.EXPORTING),
        (walked(Phase.ABORT, Phase.ABORTDONE), False, Restriction.NONE),
        (lifecycle.imported(model(), NOW), False, Restriction.IMPORTING),
        (lifecycle.imported(model(), NOW), True, Restriction.NONE),
    ],
)
def test_the_restriction_of_a_login(seen: Model, by_token: bool, restriction: Restriction) -> None:
    assert views.login_restriction(seen, by_token=by_token) is restriction


@pytest.mark.parametrize(
    ("restriction", "facade", "method", "text"),
    [
        (Restriction.NONE, "Application", "Deploy", ""),
        (Restriction.EXPORTING, "Client", "FullStatus", ""),
        (Restriction.EXPORTING, "Storage", "ListVolumes", ""),
        (Restriction.EXPORTING, "SSHClient", "Proxy", ""),
        (Restriction.EXPORTING, "Pinger", "Ping", ""),
        (Restriction.EXPORTING, "Client", "WatchAll", "model migration in progress"),
        (Restriction.EXPORTING, "Application", "Deploy", "model migration in progress"),
        (Restriction.IMPORTING, "Pinger", "Ping", "migration in progress, model is importing"),
    ],
)
def test_what_a_restriction_refuses(
    restriction: Restriction, facade: str, method: str, text: str
) -> None:
    assert restriction.refusal(facade, method) == text


@pytest.mark.parametrize(
    ("user", "by_token", "redirected"),
    [
        ("bob", False, True),
        ("alice@jimm", False, True),
        (views.ANONYMOUS, False, True),
        ("carol", False, False),
        ("", False, False),
        ("bob", True, False),
    ],
)
def test_who_is_redirected_at_login(user: str, by_token: bool, redirected: bool) -> None:
    redirect = views.login_redirect(former(), user, by_token=by_token)
    assert (redirect is not None) is redirected


def test_a_redirect_as_an_error() -> None:
    redirect = views.login_redirect(former(), "bob", by_token=False)
    assert redirect is not None
    error = views.Redirected(redirect)
    assert (str(error), error.juju_code) == (
        "redirection to alternative server required",
        "redirection required",
    )
    assert set(error.info) == {"servers", "ca-cert", "controller-tag", "controller-alias"}


def test_a_redirect_of_a_call_names_no_controller() -> None:
    redirect = views.call_redirect(former(), "bob")
    assert redirect is not None
    assert set(views.Redirected(redirect).info) == {"servers", "ca-cert", "controller-alias"}
    assert views.call_redirect(former(), "carol") is None
    assert views.call_redirect(former(), views.ANONYMOUS) is None


def test_what_model_info_shows() -> None:
    assert views.migration_status(model()) is None
    moving = lifecycle.said(walked(), phases.EXPORTING, LATER)
    status = views.migration_status(moving)
    assert status is not None
    assert (status.status, status.start, status.end) == (
        "exporting model",
        "2026-07-01T12:00:00Z",
        None,
    )
    shown = views.model_status(moving)
    assert (shown.status, shown.info) == ("busy", "migrating: exporting model")


def test_an_invalid_credential_hides_the_status_and_not_the_migration() -> None:
    moving = walked()
    assert views.model_status(moving, credential_valid=False).status == "suspended"
    assert views.migration_status(moving) is not None


def test_no_view_holds_the_name_of_a_phase() -> None:
    for phase in Phase:
        shown = " ".join(phases.messages(phase))
        assert not any(name in shown for name in Phase)


@pytest.mark.parametrize(
    ("release", "listed", "there"),
    [((3, 6), False, True), ((4, 0), True, True), ((4, 1), False, False)],
)
def test_who_shows_an_importing_model(release: tuple[int, int], listed: bool, there: bool) -> None:
    seen = lifecycle.imported(model(), NOW)
    assert views.is_listed(walked(), Release(*release))
    assert views.is_listed(seen, Release(*release)) is listed
    assert views.is_there(seen, Release(*release)) is there


@pytest.mark.parametrize(
    ("user", "by_token", "redirected"),
    [
        ("", True, True),
        ("", False, False),
        ("admin", True, True),
        ("nobody", True, False),
        ("nobody", False, False),
        ("eve@corp", False, True),
        (views.ANONYMOUS, False, True),
    ],
)
def test_whom_four_redirects(user: str, by_token: bool, redirected: bool) -> None:
    left = former()
    left = replace(left, users={"admin": next(iter(left.users.values()))})
    found = views.login_redirect_of_four(left, user, by_token=by_token)
    assert (found is not None) is redirected


def test_only_a_summary_shows_the_record_of_a_model_that_came_back() -> None:
    back = replace(model(), migration_attempts=1)
    assert views.migration_status(back) is None
    assert views.summary_migration(back, None) is None
    status = views.summary_migration(back, former())
    assert status is not None
    assert (status.status, status.end) == (
        "successful, removing model from source controller",
        "2026-07-01T12:00:05Z",
    )
