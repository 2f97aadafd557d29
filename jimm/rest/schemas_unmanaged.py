"""The bodies of models that come into JIMM, or leave it."""

from jimm.rest.schemas import Asked, Body, Model, NewController


class UnmanagedModel(Body):
    """A model that a controller has and JIMM does not. ``owner`` is the user there,
    ``import-as`` the user of JIMM's that it would get, absent when one has to be named."""

    model_name: str
    model_uuid: str
    owner: str
    import_as: str | None = None
    cloud: str
    region: str
    life: str
    status: str
    status_info: str
    agent_version: str
    units: int | None = None


class UnmanagedModels(Body):
    """All of one controller, by owner and name."""

    models: list[UnmanagedModel]


class ImportRequest(Asked):
    """A model to take into JIMM, and whose it shall be."""

    model_uuid: str
    owner: str = ""


class Imported(Body):
    """A model that JIMM has now; ``changed`` is false if it had it before. ``notes`` are what
    an administrator has to know of it."""

    changed: bool
    notes: list[str]
    model: Model


class Departure(NewController):
    """A controller that is not registered, to which a model shall go. With ``prepare`` what can
    be made right there will be."""

    dry_run: bool = False
    prepare: bool = False
