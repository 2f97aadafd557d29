"""``ModelManager`` 9 and 10 (Juju ``apiserver/facades/client/modelmanager``)."""

import uuid

import msgspec

from jimm.errors import BadRequest, Conflict, JimmError, NotFound, Unauthorized
from jimm.simulator import blocks, describe, rules, scenarios
from jimm.simulator.facades.model_creation import Creation
from jimm.simulator.facades.model_defaults import ModelDefaults
from jimm.simulator.migration.views import Redirected, call_redirect, is_listed, is_there
from jimm.simulator.session import each
from jimm.simulator.state import FormerModel, Model
from jimm.wire.facade import method
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.params.model_manager import (
    ChangeModelCredential,
    ChangeModelCredentials,
    CreateModel,
    DestroyModel,
    DestroyModels,
    ListModelSummaries,
    ModelInfo,
    ModelInfoResult,
    ModelInfoResults,
    ModelStatus,
    ModelStatusResults,
    ModelSummaryResult,
    ModelSummaryResults,
    ModifyModelAccess,
    ModifyModelAccessRequest,
    UserModelList,
)
from jimm.wire.tags import ModelUUID, parse_credential_tag, parse_model_tag, parse_user_tag

VERSIONS = (9, 10)


class ModelManager(ModelDefaults):
    """Models: made, listed, shared, destroyed."""

    name = "ModelManager"

    @method("CreateModel", versions=VERSIONS)
    async def create_model(self, params: CreateModel) -> ModelInfo:
        """Makes a model, empty or furnished as its settings ask."""
        creation = Creation.of(self.core, self.caller, params)
        now = self.core.clock.now()
        model = rules.new_model(
            existing=self.core.store.models.values(),
            controller=self.core.store.controller,
            name=params.name,
            owner=creation.owner,
            cloud=creation.cloud,
            region=creation.region,
            credential=creation.credential,
            config=params.config,
            uuid=ModelUUID(str(uuid.uuid4())),
            now=now,
        )
        model = scenarios.furnished(creation.shared(model), now)
        self.core.store.put(model)
        return describe.model_info(self.core, self.caller, model)

    @method("ListModels", versions=VERSIONS)
    async def list_models(self, params: Entity) -> UserModelList:
        """The models that a user has access to; a superuser sees all of them as their own."""
        user = parse_user_tag(params.tag)
        if not self.caller.is_self_or_superuser(self.core, user):
            raise Unauthorized
        everything = user == self.caller.user and self.caller.is_superuser(self.core)
        return UserModelList(
            user_models=[
                describe.user_model(model, model.users.get(user))
                for model in self.core.store.models.values()
                if is_listed(model, self.core.release) and (everything or user in model.users)
            ]
        )

    @method("ListModelSummaries", versions=VERSIONS)
    async def list_model_summaries(self, params: ListModelSummaries) -> ModelSummaryResults:
        """The same with more to it; all models only for superusers who ask for ``all``."""
        user = parse_user_tag(params.user_tag)
        if not self.caller.is_self_or_superuser(self.core, user):
            raise Unauthorized
        everything = params.all and self.caller.is_superuser(self.core)
        return ModelSummaryResults(
            results=[
                ModelSummaryResult(result=describe.model_summary(self.core, self.caller, model))
                for model in self.core.store.models.values()
                if is_listed(model, self.core.release) and (everything or user in model.users)
            ]
        )

    @method("ModelInfo", versions=VERSIONS)
    async def model_info(self, params: Entities) -> ModelInfoResults:
        """Everything about some models."""
        return ModelInfoResults(results=[self._info(entity) for entity in params.entities])

    @method("ModelStatus", versions=VERSIONS)
    async def model_status(self, params: Entities) -> ModelStatusResults:
        """Life and counts of some models."""
        return ModelStatusResults(models=[self._status(entity) for entity in params.entities])

    @method("DestroyModels", versions=VERSIONS)
    async def destroy_models(self, params: DestroyModels) -> ErrorResults:
        """Lets models die; they are gone a little later."""
        return await each(params.models, self._destroy)

    @method("ModifyModelAccess", versions=VERSIONS)
    async def modify_model_access(self, params: ModifyModelAccessRequest) -> ErrorResults:
        """Grants and revokes access to models."""
        return await each(params.changes, self._modify)

    @method("ChangeModelCredential", versions=VERSIONS)
    async def change_model_credential(self, params: ChangeModelCredentials) -> ErrorResults:
        """Gives models other credentials."""
        return await each(params.model_credentials, self._change_credential)

    def _info(self, entity: Entity) -> ModelInfoResult:
        try:
            wanted = parse_model_tag(entity.tag)
            model = self.core.store.models.get(wanted)
            if model is None or not is_there(model, self.core.release):
                raise self._gone(wanted)
            # Juju does not ask a broker for more here: no access is no access.
            if not self.caller.may(self.core, model, "read"):
                raise Unauthorized
        except JimmError as error:
            return ModelInfoResult(error=Error.of(error))
        return ModelInfoResult(result=describe.model_info(self.core, self.caller, model))

    def _gone(self, wanted: ModelUUID) -> JimmError:
        if self.core.release.is_four:
            return NotFound("model not found")
        former = self.core.store.former.get(wanted)
        if former is not None:
            return self._redirect(former) or Unauthorized()
        if self.caller.is_superuser(self.core):
            return NotFound(f'model "{wanted}" not found')
        return Unauthorized()

    def _redirect(self, former: FormerModel, *, prefix: str = "") -> Redirected | None:
        redirect = call_redirect(former, self.caller.user)
        return None if redirect is None else Redirected(redirect, prefix=prefix)

    def _look_up(self, tag: str, *, prefix: str = "") -> Model:
        wanted = parse_model_tag(tag)
        former = None if self.core.release.is_four else self.core.store.former.get(wanted)
        if wanted not in self.core.store.models and former is not None:
            redirect = self._redirect(former, prefix=prefix)
            if redirect is not None:
                raise redirect
        return self.find_model(wanted)

    def _status(self, entity: Entity) -> ModelStatus:
        try:
            model = self._look_up(entity.tag)
            if not self.caller.may(self.core, model, "admin"):
                raise Unauthorized
            return describe.model_status(model)
        except JimmError as error:
            return describe.failed_status(entity.tag, error)

    async def _destroy(self, wanted: DestroyModel) -> None:
        model = self._look_up(wanted.model_tag)
        self.caller.require_model(self.core, model, "admin")
        blocks.check_destruction(model)
        changed = rules.dying(model, self.core.clock.now())
        self.core.store.put(changed)

    async def _modify(self, change: ModifyModelAccess) -> None:
        model = self._look_up(change.model_tag, prefix="could not lookup model: ")
        if not self.caller.may(self.core, model, "admin"):
            raise Unauthorized
        user = parse_user_tag(change.user_tag)
        if change.action == "grant":
            self._check_user(user)
            self.core.store.put(rules.grant(model, user, change.access))
        elif change.action == "revoke":
            self.core.store.put(rules.revoke(model, user, change.access))
        else:
            raise BadRequest(f'unknown action "{change.action}"')

    def _check_user(self, user: str) -> None:
        if "@" not in user and user not in self.core.store.users:
            raise NotFound(
                f'could not grant model access: user "{user}" does not exist locally: '
                f'user "{user}" not found'
            )

    async def _change_credential(self, change: ChangeModelCredential) -> None:
        model = self._look_up(change.model_tag)
        self.caller.require_model(self.core, model, "admin")
        wanted = parse_credential_tag(change.credential_tag)
        if str(wanted) not in self.core.store.credentials:
            raise NotFound(f'cloud credential "{wanted}" not found')
        if wanted.cloud != model.cloud:
            raise Conflict(f'cloud "{wanted.cloud}" not valid for model on cloud "{model.cloud}"')
        self.core.store.put(msgspec.structs.replace(model, credential=wanted))
