"""``ModelUpgrader`` 1 and 2, alike (Juju ``rpc/params/upgrade.go``). Versions are texts."""

from jimm.wire.params.common import Error, Params


class ModelParam(Params, kw_only=True):
    """One model."""

    model_tag: str


class UpgradeModel(Params, kw_only=True):
    """``UpgradeModel``; ``0.0.0`` asks for the newest."""

    model_tag: str
    target_version: str
    agent_stream: str = ""
    ignore_agent_versions: bool = False
    dry_run: bool = False


class UpgradeModelResult(Params, kw_only=True):
    """The version chosen (always one that parses), or an error besides."""

    chosen_version: str
    error: Error | None = None
