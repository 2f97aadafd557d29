"""What it takes to deploy a bundle into an empty model (``github.com/juju/juju/core/bundle``)."""

from collections.abc import Mapping

import yaml
from msgspec import Struct

from jimm.errors import JimmError


class BundleChange(Struct, frozen=True, kw_only=True):
    """One step; ``requires`` names the steps before it."""

    id: str
    method: str
    args: dict[str, object]
    requires: tuple[str, ...] = ()


class InvalidBundle(JimmError):
    """A bundle that can't be deployed; ``problems`` says why, one text for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def changes_of(text: str) -> list[BundleChange]:
    """The steps, in an order in which they can be taken.

    Raises:
        JimmError: the text is no bundle.
        InvalidBundle: it is one with faults.
    """
    bundle = _read(text)
    applications = _maps(bundle.get("applications") or bundle.get("services"))
    problems = _problems(applications, bundle)
    if problems:
        raise InvalidBundle(problems)
    steps: list[BundleChange] = []
    deployed: dict[str, str] = {}
    for name, application in sorted(applications.items()):
        deployed[name] = _deploy(steps, name, application)
    for relation in _pairs(bundle):
        ends = [_placeholder(deployed, end) for end in relation]
        requires = tuple(deployed[end.partition(":")[0]] for end in relation)
        args: dict[str, object] = {"endpoint1": ends[0], "endpoint2": ends[1]}
        _add(steps, "addRelation", args, requires)
    return steps


def _deploy(steps: list[BundleChange], name: str, application: Mapping[str, object]) -> str:
    charm = str(application.get("charm", ""))
    added = _add(steps, "addCharm", {"charm": charm, "channel": application.get("channel", "")})
    units = application.get("num_units", 0)
    args: dict[str, object] = {
        "application": name,
        "charm": f"${added}",
        "num-units": 0,
        "options": application.get("options") or {},
        "constraints": application.get("constraints", ""),
    }
    made = _add(steps, "deploy", args, (added,))
    if application.get("expose"):
        _add(steps, "expose", {"application": f"${made}"}, (made,))
    for _ in range(units if isinstance(units, int) else 0):
        _add(steps, "addUnit", {"application": f"${made}"}, (made,))
    return made


def _add(
    steps: list[BundleChange],
    method: str,
    args: dict[str, object],
    requires: tuple[str, ...] = (),
) -> str:
    step = BundleChange(id=f"{method}-{len(steps)}", method=method, args=args, requires=requires)
    steps.append(step)
    return step.id


def _read(text: str) -> Mapping[str, object]:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise JimmError("cannot read bundle YAML: it is no YAML") from error
    if not isinstance(found, Mapping):
        raise JimmError("cannot read bundle YAML: bundle is empty not valid")
    return found


def _maps(value: object) -> dict[str, Mapping[str, object]]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): each if isinstance(each, Mapping) else {} for name, each in value.items()}


def _problems(
    applications: Mapping[str, Mapping[str, object]], bundle: Mapping[str, object]
) -> list[str]:
    found = [] if applications else ["at least one application must be specified"]
    found += [
        f'empty charm path in application "{n}"'
        for n, a in applications.items()
        if not a.get("charm")
    ]
    for relation in _pairs(bundle):
        for end in relation:
            name = end.partition(":")[0]
            if name not in applications:
                text = (
                    f'relation {relation} refers to application "{name}" not defined in this bundle'
                )
                found.append(text.replace("'", '"'))
    return found


def _pairs(bundle: Mapping[str, object]) -> list[list[str]]:
    found = bundle.get("relations")
    pairs = found if isinstance(found, list) else []
    return [
        [str(end) for end in each] for each in pairs if isinstance(each, list) and len(each) == 2
    ]


def _placeholder(deployed: Mapping[str, str], end: str) -> str:
    name, colon, endpoint = end.partition(":")
    return f"${deployed[name]}{colon}{endpoint}"
