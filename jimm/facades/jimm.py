"""``JIMM`` 4: what Go JIMM's own tools, Terraform and the Dashboard ask of a broker."""

from jimm.errors import JimmError, ModelNotFound, NotValid
from jimm.facades import jimm_audit, jimm_jobs
from jimm.facades.session import SessionFacade
from jimm.fleet import audit_log, cloud_changes, controllers, listings, models
from jimm.fleet.cloud_changes import NewCloud
from jimm.fleet.controllers import Registration, require_administrator
from jimm.migration import by_hand, requests
from jimm.migration.plans import jobs
from jimm.registry.controllers import Controller
from jimm.registry.words import ControllerStatus
from jimm.wire import tags
from jimm.wire.facade import method
from jimm.wire.params import jimm as params_
from jimm.wire.params import jimm_audit as audit_
from jimm.wire.params import jimm_jobs as jobs_
from jimm.wire.params.common import EntityStatus, Error, ErrorResult
from jimm.wire.params.controller import InitiateMigrationResult, InitiateMigrationResults
from jimm.wire.secret import Secret


class Jimm(SessionFacade):
    """Controllers, and models as they lie on them."""

    name = "JIMM"

    @method("ListControllers", versions=(4,))
    async def list_controllers(self) -> params_.ControllerInfos:
        """The controllers that the caller may know of; Terraform takes any answer for JIMM."""
        found = await controllers.list_controllers(self.session.fleet, self.session.caller)
        return params_.ControllerInfos(controllers=[controller_info(each) for each in found])

    @method("AddController", versions=(4,))
    async def add_controller(self, params: params_.AddController) -> params_.ControllerInfo:
        """Registers a controller."""
        asked = Registration(
            name=params.name,
            uuid=params.uuid,
            public_address=params.public_address,
            tls_hostname=params.tls_hostname,
            addresses=tuple(params.api_addresses),
            ca_certificate=params.ca_certificate,
            username=params.username,
            password=Secret(params.password),
        )
        added = await controllers.register(self.session.fleet, self.session.caller, asked)
        return controller_info(added)

    @method("RemoveController", versions=(4,))
    async def remove_controller(self, params: params_.RemoveController) -> params_.ControllerInfo:
        """Forgets a controller."""
        fleet, caller = self.session.fleet, self.session.caller
        require_administrator(caller)
        removed = await controllers.show(fleet, caller, params.name)
        await controllers.remove(fleet, caller, params.name, force=params.force)
        return controller_info(removed)

    @method("AddCloudToController", versions=(4,))
    async def add_cloud_to_controller(self, params: params_.AddCloudToController) -> None:
        """As ``Cloud.AddCloud``, to a controller of the caller's choice."""
        new = NewCloud(
            params.name,
            params.cloud,
            force=bool(params.force),
            controller=params.controller_name,
        )
        await cloud_changes.add(self.session.fleet, self.session.caller, new)

    @method("RemoveCloudFromController", versions=(4,))
    async def remove_cloud_from_controller(self, params: params_.RemoveCloudFromController) -> None:
        """As ``Cloud.RemoveClouds``, from one controller."""
        name = tags.parse_cloud_tag(params.cloud_tag)
        await cloud_changes.remove(
            self.session.fleet, self.session.caller, name, controller=params.controller_name
        )

    @method("MigrateModel", versions=(4,))
    async def migrate_model(self, params: params_.MigrateModel) -> InitiateMigrationResults:
        """Asks for migrations; each row has JIMM's id of the migration, or why not."""
        return InitiateMigrationResults(
            results=[await self._migrate(each) for each in params.specs]
        )

    @method("UpdateMigratedModel", versions=(4,))
    async def update_migrated_model(self, params: params_.UpdateMigratedModel) -> None:
        """Finds a model that was moved by hand where it is now."""
        uuid = tags.parse_model_tag(params.model_tag)
        await by_hand.update_migrated(
            self.session.fleet, self.session.caller, uuid, params.target_controller
        )

    @method("ListMigrationTargets", versions=(4,))
    async def list_migration_targets(
        self, params: params_.ListMigrationTargets
    ) -> params_.ControllerInfos:
        """The controllers to which a model could go now."""
        found = await requests.targets(
            self.session.fleet, self.session.caller, self._reference(params.model_tag)
        )
        ready = [controller for controller, findings in found if not findings]
        return params_.ControllerInfos(controllers=[controller_info(each) for each in ready])

    @method("ModelControllerInfo", versions=(4,))
    async def model_controller_info(
        self, params: params_.ModelControllerInfoRequest
    ) -> params_.ModelControllerInfo:
        """Which controller hosts a model, and how far its upgrade to another one has come."""
        seen = await models.refer(
            self.session.fleet, self.session.caller, self._reference(params.model)
        )
        upgrades = await jobs.of_models(self.session.fleet, [seen.model.uuid])
        return params_.ModelControllerInfo(
            model_name=f"{self.session.user_id(seen.model.owner)}/{seen.model.name}",
            model_uuid=seen.model.uuid,
            controller_name=seen.model.controller_name or "",
            controller_uuid=seen.model.controller_uuid or "",
            upgrade_to_job_status=jimm_jobs.upgrade_status(upgrades.get(seen.model.uuid)),
        )

    @method("ListModels", versions=(4,))
    async def list_models(self) -> jobs_.ModelsListed:
        """The models that the caller may see, and how far their upgrades have come."""
        fleet, caller = self.session.fleet, self.session.caller
        found = await listings.every(fleet, caller)
        upgrades = await jobs.of_models(fleet, [each.uuid for each in found])
        return jobs_.ModelsListed(
            models=[
                jobs_.ModelListed(
                    model_name=f"{self.session.user_id(each.owner)}/{each.name}",
                    model_uuid=each.uuid,
                    controller_name=each.controller_name or "",
                    controller_uuid=each.controller_uuid or "",
                    upgrade_to_job_status=jimm_jobs.listed_status(upgrades.get(each.uuid)),
                )
                for each in found
            ]
        )

    @method("UpgradeTo", versions=(4,))
    async def upgrade_to(self, params: jobs_.UpgradeTo) -> jobs_.UpgradeToResults:
        """Moves models to a newer controller, and upgrades them there, as one plan."""
        found = await jobs.upgrade_to(
            self.session.fleet,
            self.session.caller,
            params.model_uuids,
            params.target_controller_name,
        )
        return jobs_.UpgradeToResults(
            results=[ErrorResult(error=None if each is None else Error.of(each)) for each in found]
        )

    @method("JobInfo", versions=(4,))
    async def job_info(self, params: jobs_.JobInfoRequest) -> jobs_.JobInfo:
        """One model of a plan, as a job."""
        return jimm_jobs.info(
            await jobs.show(self.session.fleet, self.session.caller, params.job_id)
        )

    @method("ListJobs", versions=(4,))
    async def list_jobs(self, params: jobs_.ListJobs) -> jobs_.Jobs:
        """The models of all plans, as jobs."""
        found, cursor = await jobs.page(
            self.session.fleet,
            self.session.caller,
            kinds=params.kinds,
            statuses=params.statuses,
            count=params.count,
            cursor=params.cursor,
        )
        return jobs_.Jobs(
            jobs=[jimm_jobs.listed(each) for each in found], next_cursor=cursor or None
        )

    @method("FindAuditEvents", versions=(4,))
    async def find_audit_events(self, params: audit_.FindAuditEvents) -> audit_.AuditEvents:
        """Who did what; a model that nobody knows has no events, as in Go JIMM."""
        try:
            found = await audit_log.find(
                self.session.fleet,
                self.session.caller,
                jimm_audit.wanted(self.session, params),
                newest_first=params.sort_time,
                offset=max(0, params.offset),
                limit=jimm_audit.limit(params.limit),
                anywhere=True,
            )
        except ModelNotFound:
            found = []
        return audit_.AuditEvents(events=[jimm_audit.event(self.session, each) for each in found])

    @method("GrantAuditLogAccess", versions=(4,))
    async def grant_audit_log_access(self, params: audit_.AuditLogAccess) -> None:
        """Lets somebody read the audit log."""
        user = tags.parse_user_tag(params.user_tag)
        await audit_log.grant(self.session.fleet, self.session.caller, self.session.full_name(user))

    @method("RevokeAuditLogAccess", versions=(4,))
    async def revoke_audit_log_access(self, params: audit_.AuditLogAccess) -> None:
        """Takes that back."""
        user = tags.parse_user_tag(params.user_tag)
        await audit_log.revoke(
            self.session.fleet, self.session.caller, self.session.full_name(user)
        )

    @method("PurgeLogs", versions=(4,))
    async def purge_logs(self, params: audit_.PurgeLogs) -> audit_.LogsPurged:
        """Removes what is older from the audit log."""
        before = jimm_audit.moment("date", params.date)
        removed = await audit_log.purge(self.session.fleet, self.session.caller, before)
        return audit_.LogsPurged(deleted_count=removed)

    async def _migrate(self, spec: params_.MigrateModelSpec) -> InitiateMigrationResult:
        tag = spec.model_tag
        try:
            reference = self._reference(spec.model_tag)
            seen = await models.refer(self.session.fleet, self.session.caller, reference)
            tag = tags.model_tag(seen.model.uuid)
            asked = await requests.request(
                self.session.fleet, self.session.caller, reference, spec.target_controller
            )
        except JimmError as error:
            return InitiateMigrationResult(model_tag=tag, error=Error.of(error), migration_id="")
        return InitiateMigrationResult(model_tag=tag, migration_id=asked.id)

    def _reference(self, text: str) -> str:
        """A model in any of the ways that old and new clients write it."""
        bare = text.removeprefix("model-")
        if tags.is_uuid(bare):
            return bare
        owner, separator, name = text.partition("/")
        if not separator or not tags.is_user_id(owner) or not tags.is_model_name(name):
            raise NotValid(f'"{text}" is no model: give its uuid, or owner/name')
        return f"{self.session.full_name(owner)}/{name}"


def controller_info(controller: Controller) -> params_.ControllerInfo:
    """A controller as Go JIMM's clients read it."""
    away = controller.status is not ControllerStatus.AVAILABLE
    usual = "deprecated" if controller.deprecated else "available"
    since = controller.status_since.isoformat() if away else None
    return params_.ControllerInfo(
        name=controller.name,
        uuid=controller.uuid,
        public_address=controller.public_address,
        api_addresses=list(controller.addresses),
        ca_certificate=controller.ca_certificate,
        cloud_tag=tags.cloud_tag(controller.cloud),
        cloud_region=controller.region,
        agent_version=controller.agent_version,
        status=EntityStatus(
            status="unavailable" if away else usual, info=controller.status_info, since=since
        ),
    )
