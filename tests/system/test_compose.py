"""``docker-compose.yml`` against the format, the program's own options, and its settings."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
import yaml

from jimm.settings import Settings

ROOT = Path(__file__).parents[2]
OURS = "jimm"
Services: TypeAlias = Mapping[str, Mapping[str, Any]]


@pytest.fixture(name="compose", scope="module")
def _compose() -> Mapping[str, Any]:
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(content, dict)
    return content


@pytest.fixture(name="services", scope="module")
def _services(compose: Mapping[str, Any]) -> Services:
    services = compose["services"]
    assert isinstance(services, dict)
    return services


def test_is_of_the_format(compose: Mapping[str, Any]) -> None:
    schema = json.loads((ROOT / "tests/data/compose.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(compose)


def test_names_only_what_it_has(compose: Mapping[str, Any], services: Services) -> None:
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"], name


def test_waits_for_what_can_be_waited_for(services: Services) -> None:
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            lasting = services[other].get("restart", "no") != "no"
            assert lasting is (wait["condition"] == "service_healthy"), f"{name} waits for {other}"
            if lasting and services[other]["image"] != OURS:
                assert "test" in services[other]["healthcheck"], other


def test_one_service_builds_the_image_of_the_others(services: Services) -> None:
    """Two builds of one tag at once can fail; all others come after the one that builds."""
    assert [name for name, service in services.items() if "build" in service] == ["keys"]
    for name in services:
        if name != "keys":
            assert "keys" in _before(services, name), name


def test_ours_are_shut_in(services: Services) -> None:
    for name, service in services.items():
        if service["image"] == OURS:
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name


def test_holds_no_secret(services: Services) -> None:
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD$|SECRET$|TOKEN$|KEY$", key), f"{name}: {key}"
            assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{name}: {key}"


def test_each_command_is_one_of_the_program(services: Services) -> None:
    for name, service in services.items():
        if service["image"] != OURS or not service["command"]:
            continue
        words = [word for word in service["command"] if not word.startswith("-")]
        options = {word.partition("=")[0] for word in service["command"] if word not in words}
        assert options <= _options("jimm", *words), name


def test_each_shell_line_is_a_command_of_the_program(services: Services) -> None:
    shells = [each["entrypoint"] for each in services.values() if "entrypoint" in each]
    lines = [words[2] for words in shells if words[0] == "sh"]
    assert lines
    for line in lines:
        program, subcommand, redirection = line.split()[:3]
        assert (program, redirection) == ("jimm", ">")
        assert _options(program, subcommand)


def test_each_script_is_in_the_image(services: Services) -> None:
    shells = [each["entrypoint"] for each in services.values() if "entrypoint" in each]
    scripts = [words[1] for words in shells if words[0] == "python"]
    assert scripts
    for script in scripts:
        path = f"containers/{Path(script).name}"
        assert (ROOT / path).is_file()
        assert path in (ROOT / "Dockerfile").read_text()


def test_jimm_reads_its_settings(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith("JIMM_")]:
        monkeypatch.delenv(key)
    given = services["jimm"]["environment"]
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    named = {key.removeprefix("JIMM_").lower() for key in given if key.startswith("JIMM_")}
    assert settings.model_fields_set == named
    assert settings.public_names == ("jimm", "localhost", "127.0.0.1")
    assert settings.address == "localhost:17070"


def test_there_are_three_controllers_and_the_tour_registers_each(services: Services) -> None:
    simulated = {
        name for name, each in services.items() if each.get("command", [])[:1] == ["simulate"]
    }
    assert len(simulated) == 3
    for name in simulated:
        options = dict(word.partition("=")[::2] for word in services[name]["command"][1:])
        assert options["--name"] == name
        assert (options["--host"], options["--advertise"]) == ("0.0.0.0", name)
        assert options["--jwks-url"].startswith("https://jimm:17070/")
        assert services[name]["healthcheck"]["test"][-1] == options["--registration"]
        assert options["--registration"] in services["demo"]["entrypoint"]


def test_the_tour_uses_commands_that_jimmctl_has() -> None:
    tour = (ROOT / "containers/tour.py").read_text()
    called = set(re.findall(r'_(?:show|read)\("([a-z-]+)"', tour))
    assert called == {"add-controller", "list-controllers", "list-models", "migrate"}
    for command in called:
        assert _options("jimmctl", command)
    assert "--wait" in _options("jimmctl", "migrate")
    assert "--format" in _options("jimmctl", "list-controllers")


def _before(services: Services, name: str) -> set[str]:
    """Everything that has started when this service starts."""
    direct = set(services[name].get("depends_on", {}))
    return direct.union(*(_before(services, each) for each in direct))


@cache
def _options(program: str, *subcommand: str) -> frozenset[str]:
    """The options of a command, as its own help lists them."""
    executable = Path(sys.executable).with_name(program)
    words: Sequence[str | Path] = [executable, *subcommand, "--help"]
    wide = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(words, env=wide, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{program} {' '.join(subcommand)}" in done.stdout, "it is a group's help"
    return frozenset(re.findall(r"--[a-z][a-z-]*", done.stdout))
