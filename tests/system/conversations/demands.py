"""What the clients ask of a reply that the schema can't say.

Facts of Juju's client: ``api/interface.go`` (logins), ``names`` v5 (tags and user ids),
``cmd/juju/controller/listmodels.go`` (``since``).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.juju_schema import VERSION

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
USER = r"[a-zA-Z0-9][a-zA-Z0-9.+-]*[a-zA-Z0-9](@[a-zA-Z0-9][a-zA-Z0-9.-]*)?"
CLOUD = r"[a-zA-Z0-9][a-zA-Z0-9.-]*"

TAGS = {
    "model-tag": f"model-{UUID}",
    "source-model-tag": f"model-{UUID}",
    "controller-tag": f"controller-{UUID}",
    "owner-tag": f"user-{USER}",
    "user-tag": f"user-{USER}",
    "cloud-tag": f"cloud-{CLOUD}",
    "cloud-credential-tag": f"cloudcred-{CLOUD}_{USER}_.+",
}
"""How each tag must look; an empty one counts as none where an error stands beside it."""

FORMS = {
    "qualifier": USER,
    "uuid": UUID,
    "username": USER,
    "controller-uuid": UUID,
    "chosen-version": VERSION.pattern,
}

INPUTS = (
    "entities",
    "changes",
    "credentials",
    "models",
    "specs",
    "user-clouds",
    "Offers",
    "model-credentials",
    "offer-urls",
    "keys",
    "users",
)
"""Keys of parameters under which there is one input per result."""

BY_INPUT = {"GetConsumeDetails", "ModelUnset", "FullStatus"}
"""Methods whose parameters only look as if."""


def of_login(result: Mapping[str, Any], user: str, jimm: str, model: str) -> list[str]:
    """What is wrong with a login's result; ``model`` is the UUID in the path, or empty."""
    wrong = []
    if not VERSION.fullmatch(str(result.get("server-version", ""))):
        wrong.append(f"server-version {result.get('server-version')!r}")
    if result.get("controller-tag") != f"controller-{jimm}":
        wrong.append(f"controller-tag {result.get('controller-tag')!r}")
    if result.get("model-tag", "") != (f"model-{model}" if model else ""):
        wrong.append(f"model-tag {result.get('model-tag')!r}")
    if result.get("user-info", {}).get("identity") != f"user-{user}":
        wrong.append(f"identity {result.get('user-info')!r}")
    if not result.get("facades"):
        wrong.append("no facades")
    return wrong


def of_count(params: Mapping[str, Any], method: str, result: Mapping[str, Any]) -> list[str]:
    """Clients refuse a reply that has not one result for each input."""
    rows = result.get("results", result.get("models"))
    if method in BY_INPUT or not isinstance(rows, list):
        return []
    for key in INPUTS:
        asked = params.get(key)
        if isinstance(asked, list) and asked and len(asked) != len(rows):
            return [f"{len(asked)} {key}, {len(rows)} results"]
    return []


def of_values(value: object, where: str = "response") -> Iterator[str]:
    """Tags, ids and times that a client could not parse, wherever they are."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from of_values(each, f"{where}[{number}]")
    if not isinstance(value, dict):
        return
    # `{}` is what Juju writes for no error in the rows of some facades.
    failed = bool(value.get("error"))
    if value.get("error", {}) in ("", None):
        yield f"{where}.error is {value['error']!r}"
    for key, each in value.items():
        form = TAGS.get(key) or FORMS.get(key)
        is_none = failed and each in ("", None)
        if isinstance(each, str | None) and form and not is_none and not _fits(form, each):
            yield f"{where}.{key} is {each!r}"
        if key == "since" and each is None and not failed:
            yield f"{where}.since is null"
        yield from of_values(each, f"{where}.{key}")


def _fits(form: str, value: str | None) -> bool:
    return value is not None and re.fullmatch(form, value) is not None


def codes(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Code and words of a reply's refusals: the call's, or its rows'."""
    if "error" in reply:
        return [(reply.get("error-code", ""), reply["error"])]
    response = reply["response"]
    rows = response.get("results") or response.get("models") or []
    found = [each for each in [response, *rows] if isinstance(each, dict) and each.get("error")]
    return [(each["error"].get("code", ""), each["error"]["message"]) for each in found]
