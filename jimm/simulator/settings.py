"""An application's settings: texts and YAML in, values of the charm's types out."""

from collections.abc import Mapping

import yaml
from msgspec.structs import replace

from jimm.errors import JimmError, NotValid
from jimm.simulator import charm_store
from jimm.simulator.state import Application, Model

TRUST = "trust"
"""The setting that every application has."""


class UnknownOption(JimmError):
    """The charm has no such setting."""

    def __init__(self, name: str) -> None:
        super().__init__(f'unknown option "{name}"')


def with_texts(model: Model, application: Application, given: Mapping[str, str]) -> Application:
    """The application with settings given as texts.

    Raises:
        UnknownOption: the charm has none of that name.
        NotValid: the text is no value of its type.
    """
    options = charm_store.options_of(charm_store.charm_of(model, application))
    for name, text in given.items():
        if name == TRUST:
            application = replace(application, trust=text.lower() == "true")
            continue
        if name not in options:
            raise UnknownOption(name)
        value = _parsed(name, str(options[name].get("type", "string")), text)
        application = replace(application, config={**application.config, name: value})
    return application


def with_values(model: Model, application: Application, given: Mapping[str, object]) -> Application:
    """The application with settings given as plain values.

    Raises:
        UnknownOption: the charm has none of that name.
        NotValid: it is no value of its type.
    """
    texts = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in given.items()
    }
    return with_texts(model, application, texts)


def with_yaml(model: Model, application: Application, text: str) -> Application:
    """The application with the settings of a YAML document, by application or bare.

    Raises:
        NotValid: it can't be read, or a value is of the wrong type.
        UnknownOption: the charm has none of that name.
    """
    if not text.strip():
        return application
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotValid("cannot parse settings data: it is no YAML") from error
    if not isinstance(read, Mapping):
        raise NotValid("cannot parse settings data: it is no map")
    found = read.get(application.name, read)
    if not isinstance(found, Mapping):
        raise NotValid(f'no settings found for "{application.name}"')
    given = {str(name): value for name, value in found.items() if value is not None}
    return with_values(model, application, given)


def without(model: Model, application: Application, names: list[str]) -> Application:
    """The application with the defaults of some settings.

    Raises:
        UnknownOption: the charm has none of that name.
    """
    options = charm_store.options_of(charm_store.charm_of(model, application))
    for name in names:
        if name not in options and name != TRUST:
            raise UnknownOption(name)
    if TRUST in names:
        application = replace(application, trust=False)
    kept = {key: value for key, value in application.config.items() if key not in names}
    return replace(application, config=kept)


def described(model: Model, application: Application) -> dict[str, dict[str, object]]:
    """Every setting with its value, default and source."""
    options = charm_store.options_of(charm_store.charm_of(model, application))
    found: dict[str, dict[str, object]] = {}
    for name, option in options.items():
        row = {
            "type": option.get("type", "string"),
            "description": option.get("description", ""),
            "source": "unset",
        }
        default = option.get("default")
        if default is not None:
            row.update(default=default, value=default, source="default")
        value = application.config.get(name)
        if value is not None and value != default:
            row.update(value=value, source="user")
        found[name] = row
    return found


def described_trust(application: Application) -> dict[str, dict[str, object]]:
    """What every application has besides: whether it may use the cloud's credential."""
    row: dict[str, object] = {
        "type": "bool",
        "description": "Does this application have access to trusted credentials",
        "default": False,
        "value": application.trust,
        "source": "user" if application.trust else "default",
    }
    return {TRUST: row}


def _parsed(name: str, kind: str, text: str) -> object:
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
    except ValueError as error:
        raise NotValid(f'option "{name}" expected {kind}, got "{text}"') from error
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise NotValid(f'option "{name}" expected boolean, got "{text}"')
        return text.lower() == "true"
    return text
