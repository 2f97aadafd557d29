"""Fleets of many models, put into the registry and told to the stand-in alike.

Creating ten thousand models one by one would take longer than all that is measured.
"""

import uuid
from collections.abc import Sequence

import psycopg

from bench.jimms import Jimm
from bench.stage import CLOUD, REGION, VERSION, Model, Stage

ALICE = "alice@jimm"
BOB = "bob@jimm"


def models(count: int, seen: int) -> list[Model]:
    """So many models, of which alice has so many, evenly among bob's."""
    every = count // seen
    return [
        Model(str(uuid.uuid4()), f"m-{number}", BOB if number % every else ALICE)
        for number in range(count)
    ]


def spread(made: Stage, jimm: Jimm, of: Sequence[Model]) -> None:
    """Gives each controller its share; JIMM must not run, for it would not hear of it."""
    controllers = len(made.uuids)
    # One by one, alice's models would be on few of the controllers.
    shares = [
        of[at * len(of) // controllers : (at + 1) * len(of) // controllers]
        for at in range(controllers)
    ]
    for number, share in enumerate(shares):
        made.put(number, share)
    rows = [
        (each, controller)
        for controller, share in zip(made.uuids, shares, strict=True)
        for each in share
    ]
    with psycopg.connect(jimm.environment["JIMM_DATABASE_URL"]) as connection:
        _insert_models(connection, rows)
        _insert_relations(connection, of)
    with psycopg.connect(jimm.environment["JIMM_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _insert_models(connection: psycopg.Connection, rows: Sequence[tuple[Model, str]]) -> None:
    connection.execute(
        "CREATE TEMPORARY TABLE given (uuid uuid, name text, owner text, controller uuid)"
        " ON COMMIT DROP"
    )
    with connection.cursor().copy("COPY given FROM STDIN") as copy:
        for each, controller in rows:
            copy.write_row((each.uuid, each.name, each.owner, controller))
    connection.execute(
        "INSERT INTO models (uuid, name, owner_id, controller_id, cloud, region, state, status,"
        " agent_version, counts, facts_at)"
        " SELECT g.uuid, g.name, i.id, c.id, %s, %s, 'live', 'available', %s,"
        """ '{"machines": 2, "cores": 8, "units": 3}', now()"""
        " FROM given g JOIN identities i ON i.name = g.owner"
        " JOIN controllers c ON c.uuid::text = g.controller::text",
        (CLOUD, REGION, VERSION),
    )


def _insert_relations(connection: psycopg.Connection, of: Sequence[Model]) -> None:
    connection.execute(
        "INSERT INTO relation_changes (subject, object_kind, object_key)"
        " SELECT owner, 'model', uuid::text FROM given"
    )
    connection.execute(
        "INSERT INTO relations (subject, relation, object_kind, object_key, revision)"
        " SELECT c.subject, 'administrator', c.object_kind, c.object_key, c.revision"
        " FROM relation_changes c JOIN given g ON g.uuid::text = c.object_key"
    )
