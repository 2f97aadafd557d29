"""``Bundle`` 6 (Juju 3.6 ``apiserver/facades/client/bundle``)."""

from jimm.simulator import bundles
from jimm.simulator.bundle_changes import InvalidBundle, changes_of
from jimm.simulator.on_model import OnModel, Row
from jimm.wire.facade import method
from jimm.wire.params import bundle as params_


class Bundle(OnModel):
    """The model as a bundle, and bundles as steps."""

    name = "Bundle"

    @method("ExportBundle", versions=(6,))
    async def export_bundle(self, params: params_.ExportBundle) -> Row:
        """The YAML of the whole model.

        Raises:
            JimmError: there are no applications.
        """
        model = self.read()
        return {"result": bundles.exported(model, with_defaults=params.include_charm_defaults)}

    @method("GetChanges", versions=(6,))
    async def get_changes(self, params: params_.BundleChanges) -> Row:
        """The steps to deploy a bundle, their arguments as a list."""
        return _told(params.yaml, as_map=False)

    @method("GetChangesMapArgs", versions=(6,))
    async def get_changes_map_args(self, params: params_.BundleChanges) -> Row:
        """The steps to deploy a bundle, their arguments by name."""
        return _told(params.yaml, as_map=True)


def _told(text: str, *, as_map: bool) -> Row:
    try:
        steps = changes_of(text)
    except InvalidBundle as error:
        return {"errors": error.problems}
    return {
        "changes": [
            {
                "id": step.id,
                "method": step.method,
                "args": step.args if as_map else list(step.args.values()),
                "requires": list(step.requires),
            }
            for step in steps
        ]
    }
