"""``Secrets`` 2 (Juju 3.6 ``apiserver/facades/client/secrets``): the secrets of a model's users."""

import datetime
import hashlib
import secrets
from collections.abc import Mapping

from msgspec.structs import replace

from jimm.errors import AlreadyExists, JimmError, NotFound, NotValid
from jimm.simulator import applications
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.secret_ids import secret_id
from jimm.simulator.state import Model, SecretRevision, UserSecret
from jimm.wire.facade import method
from jimm.wire.params import secrets as params_
from jimm.wire.secret import Secret
from jimm.wire.tags import model_tag


class Secrets(OnModel):
    """Secrets: kept, shown, granted."""

    name = "Secrets"

    @method("ListSecrets", versions=(2,))
    async def list_secrets(self, params: params_.ListSecrets) -> Row:
        """Secrets with their revisions; contents only for administrators who ask."""
        model = self.administration() if params.show_secrets else self.read()
        wanted = params.filter
        found = [each for each in model.secrets.values() if _fits(model, each, wanted)]
        return {"results": [self._shown(model, each, params) for each in found]}

    @method("CreateSecrets", versions=(2,))
    async def create_secrets(self, params: params_.CreateSecrets) -> Row:
        """Keeps secrets; the results are their URIs."""
        self._require_write()
        found = rows(params.args, self._create)
        return {"results": [{"result": "", **row} for row in found]}

    @method("UpdateSecrets", versions=(2,))
    async def update_secrets(self, params: params_.UpdateSecrets) -> Row:
        """Changes secrets."""
        self._require_write()
        return {"results": rows(params.args, self._update)}

    @method("RemoveSecrets", versions=(2,))
    async def remove_secrets(self, params: params_.DeleteSecrets) -> Row:
        """Removes secrets, or some of their revisions."""
        self._require_write()
        return {"results": rows(params.args, self._remove)}

    @method("GrantSecret", versions=(2,))
    async def grant_secret(self, params: params_.GrantSecret) -> Row:
        """Lets applications read a secret."""
        return self._set_access(params, granted=True)

    @method("RevokeSecret", versions=(2,))
    async def revoke_secret(self, params: params_.GrantSecret) -> Row:
        """Lets applications read it no more."""
        return self._set_access(params, granted=False)

    def _require_write(self) -> None:
        self.caller.require_model(self.core, self.session.model, "write")

    def _create(self, wanted: params_.CreateSecret) -> Row:
        model = self.session.model
        if not wanted.content.data:
            raise NotValid("empty secret value not valid")
        _check_label(model, wanted.label or "", but="")
        now = self.core.clock.now()
        made = UserSecret(
            id=secret_id(secrets.token_bytes(12)),
            label=wanted.label or "",
            description=wanted.description or "",
            revisions=(_revision(1, wanted.content.data, self.core.clock.now()),),
            created=now,
            updated=now,
        )
        self._put(made)
        return {"result": f"secret:{made.id}"}

    def _update(self, wanted: params_.UpdateSecret) -> Row:
        model = self.session.model
        found = _find(model, wanted.uri, wanted.existing_label)
        now = self.core.clock.now()
        if wanted.label is not None:
            _check_label(model, wanted.label, but=found.id)
            found = replace(found, label=wanted.label)
        if wanted.description is not None:
            found = replace(found, description=wanted.description)
        if wanted.auto_prune is not None:
            found = replace(found, auto_prune=wanted.auto_prune)
        if wanted.content.data:
            number = found.revisions[-1].number + 1
            fresh = _revision(number, wanted.content.data, now)
            kept = () if found.auto_prune else found.revisions
            found = replace(found, revisions=(*kept, fresh))
        self._put(replace(found, updated=now))
        return {}

    def _remove(self, wanted: params_.DeleteSecret) -> Row:
        model = self.session.model
        found = _find(model, wanted.uri, wanted.label)
        left = tuple(each for each in found.revisions if each.number not in wanted.revisions)
        if wanted.revisions and left:
            self._put(replace(found, revisions=left))
        else:
            others = {key: each for key, each in model.secrets.items() if key != found.id}
            self.keep(replace(model, secrets=others))
        return {}

    def _set_access(self, wanted: params_.GrantSecret, *, granted: bool) -> Row:
        self._require_write()
        found = _find(self.session.model, wanted.uri, wanted.label)

        def one(name: str) -> Row:
            applications.find(self.session.model, name)
            secret = self.session.model.secrets[found.id]
            others = tuple(each for each in secret.granted if each != name)
            self._put(replace(secret, granted=(*others, name) if granted else others))
            return {}

        return {"results": rows(wanted.applications, one)}

    def _put(self, secret: UserSecret) -> None:
        model = self.session.model
        self.keep(replace(model, secrets={**model.secrets, secret.id: secret}))

    def _shown(self, model: Model, secret: UserSecret, params: params_.ListSecrets) -> Row:
        latest = secret.revisions[-1]
        found: Row = {
            "uri": f"secret:{secret.id}",
            "version": 1,
            "owner-tag": model_tag(model.uuid),
            "description": secret.description,
            "label": secret.label,
            "rotate-policy": "never",
            "latest-revision": latest.number,
            "latest-revision-checksum": _checksum(latest),
            "create-time": rfc3339(secret.created),
            "update-time": rfc3339(secret.updated),
            "revisions": [
                {
                    "revision": each.number,
                    "backend-name": "internal",
                    "create-time": rfc3339(each.created),
                    "update-time": rfc3339(each.created),
                }
                for each in secret.revisions
            ],
            "access": [
                {
                    "target-tag": f"application-{name}",
                    "scope-tag": model_tag(model.uuid),
                    "role": "view",
                }
                for name in secret.granted
            ],
        }
        if params.show_secrets:
            found["value"] = _value(secret, params.filter.revision)
        return found


def _fits(model: Model, secret: UserSecret, wanted: params_.SecretsFilter) -> bool:
    return (
        wanted.uri in (None, "", f"secret:{secret.id}", secret.id)
        and wanted.label in (None, "", secret.label)
        and wanted.owner_tag in (None, "", model_tag(model.uuid))
    )


def _find(model: Model, uri: str, label: str) -> UserSecret:
    if not uri and not label:
        raise NotValid("must specify either URI or label")
    for secret in model.secrets.values():
        if uri in (f"secret:{secret.id}", secret.id) or (not uri and secret.label == label):
            return secret
    raise NotFound(f'secret "{uri.removeprefix("secret:") or label}" not found')


def _check_label(model: Model, label: str, *, but: str) -> None:
    if label and any(each.label == label for each in model.secrets.values() if each.id != but):
        raise AlreadyExists(f'secret with label "{label}" already exists')


def _revision(number: int, data: Mapping[str, str], now: datetime.datetime) -> SecretRevision:
    content = {key: Secret(value) for key, value in data.items()}
    return SecretRevision(number=number, content=content, created=now)


def _value(secret: UserSecret, number: int | None) -> Row:
    for each in secret.revisions:
        if each.number == (number or secret.revisions[-1].number):
            return {"data": {key: value.reveal() for key, value in each.content.items()}}
    raise JimmError(f"secret revision {number} not found")


def _checksum(revision: SecretRevision) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(revision.content.items()):
        digest.update(f"{key}:{value.reveal()};".encode())
    return digest.hexdigest()
