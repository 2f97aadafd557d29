"""What the pages must hold that tell facts of the code: errors, settings, commands, routes,
facades, layers, dependencies, and the diagrams of the two state machines."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi import FastAPI
from pydantic.fields import FieldInfo

from jimm.cli import app as jimm
from jimm.errors import JimmError
from jimm.facades.dispatch import TABLE
from jimm.migration import phases
from jimm.rest.routes import (
    audit_events,
    controllers,
    migrations,
    model_moves,
    models,
    placements,
    plans,
    service_accounts,
    tokens,
    unmanaged,
)
from jimm.settings import Settings
from jimm.simulator.migration import phases as simulated_phases
from jimmctl.app import create_app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


def test_every_error_is_documented_with_its_code() -> None:
    expected = {each.__name__: each.code for each in _tree(JimmError)}
    assert dict(_rows("errors.md")) == expected


def test_every_setting_is_documented_with_its_default() -> None:
    expected = {}
    for name, field in Settings.model_fields.items():
        expected[f"JIMM_{name.upper()}"] = _written(field)
    assert dict(_rows("settings.md")) == expected


@pytest.mark.parametrize(
    ("page", "machine", "fence"),
    [
        ("architecture.md", phases, "```mermaid\n"),
        ("simulator.md", simulated_phases, "```\n"),
    ],
)
def test_a_diagram_is_the_generated_one(page: str, machine: Any, fence: str) -> None:
    drawn = f"{fence}{machine.diagram().rstrip()}\n```\n"
    assert f"<!-- {machine.__name__}.diagram() -->\n{drawn}" in (DOCS / page).read_text()


def test_every_command_of_jimm_is_documented() -> None:
    first, _, _ = _page("cli.md").partition("## jimmctl")
    named = re.findall(r"^\| `jimm ([a-z]+(?: [a-z]+)?)", first, re.M)
    assert sorted(named) == sorted(_commands(jimm))


def test_every_command_of_jimmctl_is_documented() -> None:
    _, _, second = _page("cli.md").partition("## jimmctl")
    table, _, _ = second.partition("### Where")
    named = {
        each
        for row in re.findall(r"^\| (`.*?) \|", table, re.M)
        for each in re.findall(r"`((?:plan )?[a-z-]+)", row)
    }
    assert named == set(_commands(create_app()))


@pytest.mark.parametrize(("app", "prefix"), [(jimm, "jimm "), (create_app(), "")])
def test_every_option_of_a_command_is_documented(app: typer.Typer, prefix: str) -> None:
    page = _page("cli.md")
    missing = [
        f"{prefix}{name} {option}"
        for name, command in _commands(app).items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and option not in page
    ]
    assert missing == []


def test_every_route_is_documented() -> None:
    application = FastAPI()
    for each in (
        tokens,
        service_accounts,
        controllers,
        model_moves,
        models,
        placements,
        migrations,
        plans,
        unmanaged,
        audit_events,
    ):
        application.include_router(each.router, prefix="/v1")
    paths = application.openapi()["paths"]
    expected = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    assert set(re.findall(r"^\| `([A-Z]+ /v1/\S+)` \|", _page("rest.md"), re.M)) == expected


def test_every_facade_is_documented() -> None:
    expected = {each.name: ", ".join(map(str, each.versions)) for each in TABLE.listing()}
    _, _, section = _page("compatibility.md").partition("## What JIMM answers")
    named = dict(re.findall(r"^\| ([A-Z]\w+) \| ([0-9, ]+) \|", section, re.M))
    assert named == expected | {"Admin": "3, 4"}


def test_the_layers_are_those_of_the_contract() -> None:
    layers = next(
        each["layers"]
        for each in _project()["tool"]["importlinter"]["contracts"]
        if "layers" in each
    )
    drawn = "\n".join(re.sub(r"[()]", "", each) for each in layers)
    page = (DOCS / "architecture.md").read_text().replace("rest | facades", "rest | web | facades")
    assert f"```\n{drawn}\n```" in page


def test_every_dependency_is_documented() -> None:
    project = _project()["project"]
    wanted = [*project["dependencies"]]
    for each in project["optional-dependencies"].values():
        wanted += each
    names = {re.split(r"[\[<>=]", each)[0] for each in wanted}
    cells = re.findall(r"^\| ([^|]+) \|", (DOCS / "dependencies.md").read_text(), re.M)
    documented = {name for cell in cells for name in re.findall(r"[\w.-]+", cell)}
    assert names - documented == set()


def test_links_between_pages_lead_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"))
        for link in re.findall(r"\]\((?!https?:)([^)\s#]+)[^)]*\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert dead == []


def _tree(kind: type[JimmError]) -> Iterator[type[JimmError]]:
    """A class of ours and all below it; not those that tests make."""
    if kind.__module__ == JimmError.__module__:
        yield kind
    for each in kind.__subclasses__():
        yield from _tree(each)


def _written(field: FieldInfo) -> str:
    """A setting's default as one would write it in the environment."""
    if field.is_required() or field.default in (None, "", ()):
        return ""
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _rows(page: str) -> Iterator[tuple[str, str]]:
    """The first two cells of each row of a page's tables that names one of ours."""
    for line in _page(page).splitlines():
        if row := re.match(r"\| `(\w+)` \| (?:`([^`]*)`)? *\|", line):
            yield row[1], row[2] or ""


def _page(name: str) -> str:
    return (REFERENCE / name).read_text()


def _commands(app: typer.Typer) -> Mapping[str, Any]:
    """Every command that does something, by its words."""
    root: Any = typer.main.get_command(app)
    found = {}
    for name, command in root.commands.items():
        for inner, below in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = below
        if not hasattr(command, "commands"):
            found[name] = command
    return found


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())
