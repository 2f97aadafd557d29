"""Jobs of the ``JIMM`` facade, version 4, as Go JIMM writes them (``pkg/api/params``): keys of
jobs have underscores, those around them hyphens. Ids are numbers written as texts."""

from msgspec import field

from jimm.wire.params.common import ErrorResult, Params


class UpgradeTo(Params, kw_only=True):
    """``UpgradeTo``."""

    model_uuids: list[str] = []
    target_controller_name: str


class UpgradeToResults(Params, kw_only=True):
    """A row for each model, in order; no job's id."""

    results: list[ErrorResult]


class JobError(Params, kw_only=True):
    """Why an attempt failed."""

    attempt: int
    at: str
    error: str


class JobDetail(Params, kw_only=True):
    """A job; ``state`` is one of River's: available, pending, scheduled, running, retryable,
    completed, cancelled, discarded."""

    state: str
    attempt: int
    max_attempts: int = field(name="max_attempts")
    attempted_at: str | None = field(name="attempted_at", default=None)
    finalized_at: str | None = field(name="finalized_at", default=None)
    errors: list[JobError] = []


class UpgradeToJobStatus(Params, kw_only=True):
    """How far a model's upgrade has come."""

    detail: JobDetail
    info: str = ""


class JobInfoRequest(Params, kw_only=True):
    """``JobInfo``."""

    job_id: str


class JobInfo(Params, kw_only=True):
    """A job; ``status`` is running, successful, pending, failed or unknown."""

    id: str
    status: str
    kind: str
    current_attempt: int = field(name="current_attempt")
    max_attempts: int = field(name="max_attempts")
    finished_at: str | None = field(name="finished_at", default=None)
    errors: list[JobError] = []


class ListJobs(Params, kw_only=True):
    """``ListJobs``; ``count`` is 100 where not given, 10000 at most."""

    kinds: list[str] = []
    statuses: list[str] = []
    count: int = 0
    cursor: str = ""


class JobListed(Params, kw_only=True):
    """A job in a list."""

    id: str
    status: str
    kind: str
    max_attempts: int = field(name="max_attempts")
    attempt: int


class Jobs(Params, kw_only=True):
    """Jobs, the newest first."""

    jobs: list[JobListed]
    next_cursor: str | None = field(name="next_cursor", default=None)


class ModelListed(Params, kw_only=True):
    """A model and its controller; ``upgrade_to_job_status`` is progress, error or completed."""

    model_name: str
    model_uuid: str
    controller_name: str
    controller_uuid: str
    upgrade_to_job_status: str | None = None


class ModelsListed(Params, kw_only=True):
    """``ListModels``."""

    models: list[ModelListed]
