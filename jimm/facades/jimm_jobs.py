"""Jobs as Go JIMM's clients read them."""

from datetime import datetime

from jimm.migration.plans import jobs
from jimm.registry.plan_records import Item, Job
from jimm.wire.params import jimm_jobs as params_


def info(job: Job) -> params_.JobInfo:
    """For ``JobInfo``."""
    item = job.item
    return params_.JobInfo(
        id=str(item.job),
        status=jobs.STATUSES[item.state],
        kind=job.kind.value,
        current_attempt=item.attempts,
        max_attempts=_most(item),
        finished_at=_time(item.ended),
        errors=_errors(item),
    )


def listed(job: Job) -> params_.JobListed:
    """For ``ListJobs``."""
    item = job.item
    return params_.JobListed(
        id=str(item.job),
        status=jobs.STATUSES[item.state],
        kind=job.kind.value,
        max_attempts=_most(item),
        attempt=item.attempts,
    )


def upgrade_status(job: Job | None) -> params_.UpgradeToJobStatus | None:
    """For ``ModelControllerInfo``: the Dashboard asks until the state is completed, cancelled or
    discarded."""
    if job is None:
        return None
    item = job.item
    return params_.UpgradeToJobStatus(
        detail=params_.JobDetail(
            state=jobs.RIVER[item.state],
            attempt=item.attempts,
            max_attempts=_most(item),
            attempted_at=_time(item.started),
            finalized_at=_time(item.ended),
            errors=_errors(item),
        ),
        info=jobs.info(job),
    )


def listed_status(job: Job | None) -> str | None:
    """For ``ListModels``."""
    return None if job is None else jobs.PROGRESS[job.item.state]


def _errors(item: Item) -> list[params_.JobError]:
    """The last attempt's: those before it are forgotten when it is tried again."""
    if not item.error:
        return []
    at = _time(item.ended) or ""
    return [params_.JobError(attempt=item.attempts, at=at, error=item.error)]


def _most(item: Item) -> int:
    """An item is tried once, and again only when somebody asks for it."""
    return max(1, item.attempts)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
