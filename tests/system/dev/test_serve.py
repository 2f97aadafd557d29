"""`jimm serve` on its own: what it refuses, what it says, how it stops."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from jimm.net.tls import client_context
from jimm.registry import schema
from jimm.registry.crypto import load_keys
from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.loaded import Ended, Loaded
from tests.system.crash.house import PASSWORD, house

STOPS_WITHIN = 8.0

Settings = Mapping[str, str | Path]
Run = Callable[..., Ended]


def _environment(settings: Settings) -> dict[str, str]:
    others = {key: value for key, value in os.environ.items() if not key.startswith("JIMM_")}
    return {**others, **{f"JIMM_{key.upper()}": str(value) for key, value in settings.items()}}


def jimm(*words: str, settings: Settings, told: str = "") -> subprocess.CompletedProcess[str]:
    """The command with these settings and no others."""
    done = subprocess.run(
        [sys.executable, "-m", "jimm", *words],
        env=_environment(settings),
        input=told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(name="run")
def _run(loaded_jimm: Loaded, tmp_path: Path) -> Run:
    """The same without loading it each time."""

    def run(*words: str, settings: Settings, told: str = "") -> Ended:
        done = loaded_jimm.run_now(*words, env=_environment(settings), cwd=tmp_path, stdin=told)
        assert "Traceback" not in done.err, done.err
        return done

    return run


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Path:
    load_keys(tmp_path / "key", create=True)
    return tmp_path / "key"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "set JIMM_DATABASE_URL and JIMM_SECRET_KEY_FILE"),
        ({"secret_key_file": "key"}, "set JIMM_DATABASE_URL"),
        (
            {"database_url": "postgresql://", "secret_key_file": "key", "listen": "here"},
            "JIMM_LISTEN: Value error, give it as host:port",
        ),
    ],
)
def test_settings_that_are_missing_are_named(settings: Settings, sentence: str) -> None:
    done = jimm("serve", settings=settings)
    assert done.returncode == 1
    assert done.stderr == f"ERROR {sentence} (see docs/reference/settings.md)\n"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://host/name", "the database's URL must begin with postgresql://"),
        ("postgresql://user:secret@127.0.0.1:1/name", "the database does not answer"),
    ],
)
def test_a_database_that_cannot_be_used(key: Path, url: str, sentence: str) -> None:
    done = jimm("serve", settings={"database_url": url, "secret_key_file": key})
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "secret" not in done.stderr.replace("secret_key", "")


def test_a_schema_that_is_not_at_head_is_refused(
    run: Run, empty_database_url: str, key: Path
) -> None:
    given: Settings = {"database_url": empty_database_url, "secret_key_file": key}
    sentence = "ERROR the database is not at the schema of this program: run `jimm db upgrade`\n"
    for words in (("serve",), ("user", "disable", "alice")):
        done = run(*words, settings=given)
        assert (done.status, done.err.splitlines(keepends=True)[-1]) == (1, sentence), words
    assert run("db", "check", settings=given).status == 1
    assert run("db", "upgrade", settings=given).status == 0
    checked = run("db", "check", settings=given)
    assert checked.out == f"The schema is at its head, {schema.head()}.\n"
    assert run("ca", settings=given).out.startswith("-----BEGIN CERTIFICATE-----")


def test_a_key_file_is_needed(database_url: str, tmp_path: Path) -> None:
    given: Settings = {"database_url": database_url, "secret_key_file": tmp_path / "none"}
    done = jimm("serve", settings=given)
    assert done.returncode == 1
    assert done.stderr == f"ERROR cannot read the secret key file {tmp_path / 'none'}\n"
    assert not (tmp_path / "none").exists()


def test_a_certificate_that_cannot_be_read(database_url: str, key: Path) -> None:
    given: Settings = {"database_url": database_url, "secret_key_file": key, "tls": "files"}
    done = jimm("serve", settings=given)
    assert done.returncode == 1
    assert "give JIMM_TLS_CERTIFICATE_FILE and JIMM_TLS_KEY_FILE" in done.stderr
    files: Settings = {"tls_certificate_file": key, "tls_key_file": key}
    done = jimm("serve", settings={**given, **files})
    assert done.returncode == 1
    assert "ERROR the certificate or its key can't be used" in done.stderr


def test_users_are_kept_from_the_command_line(run: Run, database_url: str, key: Path) -> None:
    given: Settings = {"database_url": database_url, "secret_key_file": key}
    words = ("user", "add", "carol", "--password-stdin")
    assert run(*words, told=f"{PASSWORD}\n", settings=given).out == "User carol added.\n"
    again = run(*words, told=f"{PASSWORD}\n", settings=given)
    assert again.status == 1
    assert again.err.startswith("ERROR ")
    changed = run(
        "user", "passwd", "carol", "--password-stdin", told="quite another\n", settings=given
    )
    assert changed.out == "Password of carol changed.\n"
    assert run("user", "disable", "carol", settings=given).out == "User carol disabled.\n"
    assert run("user", "disable", "nobody", settings=given).status == 1


async def test_the_first_administrator_comes_from_a_file(
    registry: Registry, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("the first password\n")
    async with house(registry, database_url, tmp_path, users=()) as home:
        await home.stop()
        home.environment["JIMM_BOOTSTRAP_ADMIN_PASSWORD_FILE"] = str(tmp_path / "password")
        await home.start()
        async with httpx.AsyncClient(verify=client_context(home.ca), timeout=30) as client:
            login = {"username": "admin", "password": "the first password"}
            url = f"https://127.0.0.1:{home.port}"
            assert (await client.post(f"{url}/v1/tokens", json=login)).status_code == 201
            assert (await client.get(f"{url}/healthz")).text == "ok\n"
            assert (await client.get(f"{url}/readyz")).text == "ok\n"


async def test_a_stop_tells_clients_and_hands_leases_back(
    registry: Registry, database_url: str, tmp_path: Path
) -> None:
    async with house(registry, database_url, tmp_path) as home:
        await home.add_controller("a")
        async with home.socket() as api:
            asked = {"name": "m1", "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
            made = await api.call("ModelManager", 10, "CreateModel", asked)
            async with home.socket(f"/model/{made['uuid']}/api") as pipe:
                await pipe.call("Client", 8, "FullStatus", {"patterns": []})
                params = {"models": [{"model-tag": f"model-{made['uuid']}"}]}
                home.fault("a", "ModelManager.ModelInfo", times=0)
                await api.call("ModelManager", 10, "DestroyModels", params)
                await eventually(lambda: leases(registry))
                began = time.monotonic()
                home.send(signal.SIGTERM)
                assert await api.closed(STOPS_WITHIN) == 1012
                assert await pipe.closed(STOPS_WITHIN) == 1001
        assert home.process is not None
        assert await asyncio.wait_for(home.process.wait(), STOPS_WITHIN) == 0
        assert time.monotonic() - began < STOPS_WITHIN
        assert not await leases(registry)


async def leases(registry: Registry) -> int:
    async with registry.read() as session:
        statement = "SELECT count(*) FROM intents WHERE lease_owner IS NOT NULL"
        return int((await session.execute(text(statement))).scalar_one())


async def test_a_taken_port_is_said(registry: Registry, database_url: str, tmp_path: Path) -> None:
    async with house(registry, database_url, tmp_path) as home:
        given = {key.removeprefix("JIMM_"): value for key, value in home.environment.items()}
        done = await asyncio.to_thread(jimm, "serve", settings=given)
        assert done.returncode == 1
        sentence = f"ERROR JIMM can't listen on 127.0.0.1:{home.port}: address already in use"
        assert sentence in done.stderr
