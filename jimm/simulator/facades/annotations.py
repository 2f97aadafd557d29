"""``Annotations`` 2 (Juju ``apiserver/facades/client/annotations``)."""

from msgspec.structs import replace

from jimm.errors import JimmError, NotSupported, NotValid, Unauthorized
from jimm.simulator import applications
from jimm.simulator.entity_tags import parse_application_tag, parse_machine_tag, parse_unit_tag
from jimm.simulator.on_model import OnModel, Row
from jimm.simulator.state import Model
from jimm.wire.facade import method
from jimm.wire.params.application import EntityAnnotations, SetAnnotations
from jimm.wire.params.common import Entities, Error
from jimm.wire.tags import parse_model_tag


class Annotations(OnModel):
    """Notes on the model and on what is in it."""

    name = "Annotations"

    @method("Get", versions=(2,))
    async def get(self, params: Entities) -> Row:
        """What is noted, a row for each thing."""
        return {"results": [self._notes(entity.tag) for entity in params.entities]}

    @method("Set", versions=(2,))
    async def set(self, params: SetAnnotations) -> Row:
        """Notes something; an empty text takes the note away. Only failures have rows."""
        failures: list[Row] = []
        for wanted in params.annotations:
            try:
                self.caller.require_model(self.core, self.session.model, "write")
                self._set(wanted)
            except JimmError as error:
                failures.append({"error": _failure(error, wanted.entity, "setting")})
        return {"results": failures}

    def _notes(self, tag: str) -> Row:
        try:
            model = self.read()
            _check_entity(model, tag)
        except JimmError as error:
            failure = {"error": _failure(error, tag, "getting")}
            return {"entity": tag, "annotations": None, "error": failure}
        return {"entity": tag, "annotations": model.annotations.get(tag, {}), "error": {}}

    def _set(self, wanted: EntityAnnotations) -> None:
        model = self.session.model
        _check_entity(model, wanted.entity)
        for key in wanted.annotations:
            if "." in key:
                raise NotValid(f'invalid key "{key}"')
        merged = {**model.annotations.get(wanted.entity, {}), **wanted.annotations}
        kept = {key: value for key, value in merged.items() if value}
        self.keep(replace(model, annotations={**model.annotations, wanted.entity: kept}))


def _check_entity(model: Model, tag: str) -> None:
    """Refuses what is not in the model: as a thing that the caller may not see."""
    kind = tag.partition("-")[0]
    try:
        if kind == "model":
            is_known = parse_model_tag(tag) == model.uuid
        elif kind == "application":
            is_known = bool(applications.find(model, parse_application_tag(tag)))
        elif kind == "unit":
            is_known = bool(applications.find_unit(model, parse_unit_tag(tag)))
        elif kind == "machine":
            is_known = bool(applications.find_machine(model, parse_machine_tag(tag)))
        elif kind in ("user", "relation", "storage", "charm"):
            raise NotSupported(f'entity "{tag}" does not support annotations')
        else:
            raise NotValid(f'"{tag}" is not a valid tag')
    except (NotValid, NotSupported):
        raise
    except JimmError:
        is_known = False
    if not is_known:
        raise Unauthorized


def _failure(error: JimmError, tag: str, doing: str) -> Error:
    return Error(message=f'while {doing} annotations to "{tag}": {error}', code=error.juju_code)
