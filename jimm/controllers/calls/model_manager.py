"""``ModelManager`` 9 and 10."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import as_many, only, only_done, present, refuse_error
from jimm.controllers.link import Link
from jimm.errors import NotSupported
from jimm.wire.params.common import Entities, Error, ErrorResults
from jimm.wire.params.model_manager import (
    ChangeModelCredential,
    ChangeModelCredentials,
    CreateModel,
    DestroyModel,
    DestroyModels,
    ListModelSummaries,
    ModelDefault,
    ModelDefaultsResults,
    ModelInfo,
    ModelInfoResults,
    ModelStatus,
    ModelStatusResults,
    ModifyModelAccess,
    ModifyModelAccessRequest,
    UserModel,
    UserModelList,
)
from jimm.wire.tags import ModelUUID, cloud_tag, model_tag, user_tag

_FACADE: Final = "ModelManager"
_VERSIONS: Final = (9, 10)


class _RawRows(Struct):
    results: list[msgspec.Raw]


class _RawInfo(Struct):
    result: dict[str, msgspec.Raw] | None = None
    error: msgspec.Raw = msgspec.Raw()


class _RawInfos(Struct):
    results: list[_RawInfo]


class Summaries(NamedTuple):
    """Summaries as they came, and the errors of the rows that held one instead."""

    summaries: list[dict[str, object]]
    errors: list[Error]


async def create_model(
    link: Link, model: CreateModel, *, deadline: float = deadlines.CREATE_MODEL
) -> ModelInfo:
    """Creates a model.

    Raises:
        LostAnswer: Juju goes on though the caller has gone; ask by owner and name.
    """
    return await link.call(
        _FACADE, "CreateModel", model, ModelInfo, versions=_VERSIONS, deadline=deadline
    )


async def create_model_plain(
    link: Link, model: CreateModel, *, deadline: float = deadlines.CREATE_MODEL
) -> dict[str, object]:
    """As :func:`create_model`, the answer with all its keys."""
    return await link.call_plain(
        _FACADE, "CreateModel", model, versions=_VERSIONS, deadline=deadline
    )


async def model_info(
    link: Link, model: ModelUUID, *, deadline: float = deadlines.READ
) -> ModelInfo:
    """Everything about one model.

    Raises:
        RemoteError: the row's error: ``not found``, ``unauthorized access``, or
            ``redirection required`` for a model that has moved away.
    """
    outcome = (await model_infos(link, [model], deadline=deadline))[0]
    if isinstance(outcome, Error):
        raise outcome.raised()
    return outcome


async def model_info_plain(
    link: Link, model: ModelUUID, *, deadline: float = deadlines.READ
) -> dict[str, object]:
    """As :func:`model_info`, with all its keys, to be passed on."""
    outcome = (await model_infos_plain(link, [model], deadline=deadline))[0]
    if isinstance(outcome, Error):
        raise outcome.raised()
    return outcome


async def model_infos(
    link: Link, models: Sequence[ModelUUID], *, deadline: float = deadlines.READ
) -> list[ModelInfo | Error]:
    """Several models in one call: an outcome for each, in order."""
    answer = await link.call(
        _FACADE,
        "ModelInfo",
        Entities.of(*(model_tag(model) for model in models)),
        ModelInfoResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    rows = as_many(link, answer.results, len(models))
    return [row.error or present(link, row.result) for row in rows]


async def model_infos_plain(
    link: Link,
    models: Sequence[ModelUUID],
    *,
    series: bool = False,
    deadline: float = deadlines.READ,
) -> list[dict[str, object] | Error]:
    """As :func:`model_infos`, with all their keys; ``series`` asks in version 9, which alone
    tells ``default-series``, where the controller has it."""
    versions = (9,) if series and _offers_series(link) else _VERSIONS
    rows = await model_info_rows(link, models, versions=versions, deadline=deadline)
    return [
        link.read(row["error"], Error)
        if row.get("error")
        else link.read(present(link, row.get("result")), dict[str, object])
        for row in rows
    ]


async def model_infos_raw(
    link: Link,
    models: Sequence[ModelUUID],
    *,
    series: bool = False,
    deadline: float = deadlines.READ,
) -> Sequence[dict[str, msgspec.Raw] | Error]:
    """As :func:`model_infos_plain`, to be passed on: the values of the keys are JSON still."""
    versions = (9,) if series and _offers_series(link) else _VERSIONS
    params = Entities.of(*(model_tag(model) for model in models))
    answer = await link.call_raw(_FACADE, "ModelInfo", params, versions=versions, deadline=deadline)
    try:
        rows = msgspec.json.decode(answer, type=_RawInfos).results
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise link.unreadable(str(error)) from error
    return [
        link.read(link.parsed(row.error), Error) if _says(row.error) else present(link, row.result)
        for row in as_many(link, rows, len(models))
    ]


async def model_info_rows(
    link: Link,
    models: Sequence[ModelUUID],
    *,
    versions: Sequence[int] = _VERSIONS,
    deadline: float = deadlines.READ,
) -> Sequence[dict[str, object]]:
    """As :func:`model_infos`, each row as it came: with its ``error`` or its ``result``, of
    whatever shape, so that a bad one spares the others."""
    params = Entities.of(*(model_tag(model) for model in models))
    answer = await link.call_plain(
        _FACADE, "ModelInfo", params, versions=versions, deadline=deadline
    )
    return as_many(link, link.read(answer.get("results"), list[dict[str, object]]), len(models))


async def list_models(
    link: Link, user: str, *, deadline: float = deadlines.READ
) -> list[UserModel]:
    """The models that a user (an id) may use; never one that is being imported."""
    answer = await link.call(
        _FACADE,
        "ListModels",
        Entities.of(user_tag(user)).entities[0],
        UserModelList,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return answer.user_models


async def list_model_summaries(link: Link, *, deadline: float = deadlines.READ) -> Summaries:
    """Every model of the controller in one call, as plain values; for administrators."""
    answer = await _plain(link, "ListModelSummaries", _everything(link), deadline)
    found = Summaries([], [])
    for row in link.read(answer.get("results"), list[dict[str, object]]):
        outcome = _outcome(link, row)
        if isinstance(outcome, Error):
            found.errors.append(outcome)
        else:
            found.summaries.append(outcome)
    return found


async def list_model_summary_rows(
    link: Link, *, deadline: float = deadlines.READ
) -> Sequence[bytes]:
    """As :func:`list_model_summaries`, each row as JSON, which nobody has read: most are as
    they were when last asked for. :func:`summary_in` reads one."""
    answer = await link.call_raw(
        _FACADE,
        "ListModelSummaries",
        _everything(link),
        versions=_VERSIONS,
        deadline=deadline,
    )
    try:
        return [bytes(row) for row in msgspec.json.decode(answer, type=_RawRows).results]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        plain = link.read(link.parsed(answer), dict[str, object])
        rows = link.read(plain.get("results"), list[dict[str, object]])
        return [msgspec.json.encode(row) for row in rows]


def summary_in(link: Link, row: bytes) -> dict[str, object] | Error:
    """What one of these rows says.

    Raises:
        LostAnswer: nothing that can be read.
    """
    return _outcome(link, link.read(link.parsed(msgspec.Raw(row)), dict[str, object]))


async def model_statuses(
    link: Link, models: Sequence[ModelUUID], *, deadline: float = deadlines.READ
) -> list[ModelStatus | Error]:
    """Life and counts of several models: an outcome for each, in order."""
    answer = await link.call(
        _FACADE,
        "ModelStatus",
        Entities.of(*(model_tag(model) for model in models)),
        ModelStatusResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return [row.error or row for row in as_many(link, answer.models, len(models))]


async def model_status(
    link: Link, model: ModelUUID, *, deadline: float = deadlines.READ
) -> ModelStatus:
    """Life and counts of one model."""
    outcome = (await model_statuses(link, [model], deadline=deadline))[0]
    if isinstance(outcome, Error):
        raise outcome.raised()
    return outcome


async def destroy_model(
    link: Link, request: DestroyModel, *, deadline: float = deadlines.CHANGE
) -> None:
    """Begins to destroy a model; it is gone some time later."""
    params = DestroyModels(models=[request])
    only_done(link, await _changed(link, "DestroyModels", params, deadline))


async def destroy_models(
    link: Link, requests: Sequence[DestroyModel], *, deadline: float = deadlines.CHANGE
) -> list[Error | None]:
    """Begins to destroy several: an error or ``None`` for each, in order."""
    params = DestroyModels(models=list(requests))
    answer = await _changed(link, "DestroyModels", params, deadline)
    return [row.error for row in as_many(link, answer.results, len(requests))]


async def modify_model_access(
    link: Link, change: ModifyModelAccess, *, deadline: float = deadlines.CHANGE
) -> None:
    """Grants or revokes; granting twice is ``already exists``."""
    params = ModifyModelAccessRequest(changes=[change])
    only_done(link, await _changed(link, "ModifyModelAccess", params, deadline))


async def change_model_credential(
    link: Link, change: ChangeModelCredential, *, deadline: float = deadlines.CHANGE
) -> None:
    """Gives a model another credential, which the controller must have already."""
    params = ChangeModelCredentials(model_credentials=[change])
    only_done(link, await _changed(link, "ChangeModelCredential", params, deadline))


async def model_defaults(
    link: Link, cloud: str, *, deadline: float = deadlines.READ
) -> dict[str, ModelDefault]:
    """The settings that new models on a cloud get; for superusers."""
    answer = await link.call(
        _FACADE,
        "ModelDefaultsForClouds",
        Entities.of(cloud_tag(cloud)),
        ModelDefaultsResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    row = only(link, answer.results)
    refuse_error(row.error)
    return row.config


def _offers_series(link: Link) -> bool:
    try:
        return bool(link.version(_FACADE, 9))
    except NotSupported:
        return False


def _says(error: msgspec.Raw) -> bool:
    return bytes(error) not in (b"", b"null", b"{}")


def _everything(link: Link) -> ListModelSummaries:
    info = link.login_result.user_info
    return ListModelSummaries(user_tag=info.identity if info is not None else "", all=True)


def _outcome(link: Link, row: dict[str, object]) -> dict[str, object] | Error:
    if row.get("error"):
        return link.read(row["error"], Error)
    return link.read(row.get("result"), dict[str, object])


async def _changed(link: Link, method: str, params: Struct, deadline: float) -> ErrorResults:
    return await link.call(
        _FACADE, method, params, ErrorResults, versions=_VERSIONS, deadline=deadline
    )


async def _plain(link: Link, method: str, params: Struct, deadline: float) -> dict[str, object]:
    return await link.call_plain(_FACADE, method, params, versions=_VERSIONS, deadline=deadline)
