"""``MigrationTarget`` 4 to 6, superusers of the target only.

``bytes`` and ``model_description`` are base64.
"""

from jimm.wire.params.common import Error, Params


class MigrationModelInfo(Params, kw_only=True):
    """``Prechecks``."""

    uuid: str
    name: str
    owner_tag: str
    agent_version: str
    controller_agent_version: str
    facade_versions: dict[str, list[int]] = {}
    model_description: str = ""


class SerializedModel(Params, kw_only=True):
    """``Import``."""

    bytes: str
    charms: list[object] | None
    tools: list[object] | None
    resources: list[object] | None


class ModelArgs(Params, kw_only=True):
    """``Abort``, ``CheckMachines`` and ``LatestLogTime``."""

    model_tag: str


class ActivateModel(Params, kw_only=True):
    """``Activate``; all but the model only where it has relations to other models."""

    model_tag: str
    controller_tag: str = ""
    controller_alias: str = ""
    source_api_addrs: list[str] = []
    source_ca_cert: str = ""
    cross_model_uuids: list[str] = []


class AdoptResources(Params, kw_only=True):
    """``AdoptResources``."""

    model_tag: str
    source_controller_version: str


class CheckMachinesResult(Params, kw_only=True):
    """One complaint about a machine."""

    error: Error | None = None


class CheckMachinesResults(Params, kw_only=True):
    """``CheckMachines``; no rows is good."""

    results: list[CheckMachinesResult]


class BytesResult(Params, kw_only=True):
    """``CACert``: base64 of a PEM."""

    result: str
