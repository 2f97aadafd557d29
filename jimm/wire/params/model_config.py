"""``ModelConfig`` 3 (Juju ``rpc/params/model.go``)."""

from jimm.wire.params.common import Params


class ConfigValue(Params, kw_only=True):
    """A value and where it comes from: default, controller, region or model."""

    value: object
    source: str


class ModelConfigResults(Params, kw_only=True):
    """``ModelGet``."""

    config: dict[str, ConfigValue]


class ModelSet(Params, kw_only=True):
    """``ModelSet``."""

    config: dict[str, object]


class ModelUnset(Params, kw_only=True):
    """``ModelUnset``."""

    keys: list[str]


class ModelConstraints(Params, kw_only=True):
    """``GetModelConstraints``."""

    constraints: dict[str, object]


class SetModelConstraints(Params, kw_only=True):
    """``SetModelConstraints``; ``application`` is empty."""

    application: str
    constraints: dict[str, object]


class Sequences(Params, kw_only=True):
    """``Sequences``: the next number by name."""

    sequences: dict[str, int]
