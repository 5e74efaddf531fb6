"""Jobs: how far it is with what a person has done to many mails; he pauses it, goes on, or stops it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from starlette.datastructures import FormData

from services.console.database import one_transaction
from services.console.web import bulk
from services.console.web.addresses import number_in
from services.console.web.bulk import Deed, Job
from services.console.web.endpoint import Answer, page, see
from services.console.web.forms import N_
from services.console.web.pages.mail import REFUSALS
from services.console.web.pages.mails import A_PAGE
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need
from shared.database.pool import Connection, connection

_NOT_YOURS: Final = N_("Deze taak is er niet, of iemand anders begon hem.")
_NOT_NOW: Final = N_("Dat kan nu niet: de taak is al klaar, gestopt of gepauzeerd.")
_BECAUSE: Final[dict[str, str]] = {
    **{refusal.value: sentence for refusal, sentence in REFUSALS.items()},
    bulk.REFUSED: N_("Een ander was u voor: er was niets meer te doen."),
    bulk.BUSY: N_("Een ander hield de mail vast. Probeer het nog eens."),
    bulk.OUR_ERROR: N_("Er ging bij ons iets mis. Het staat in het log van de console."),
}

_log = structlog.get_logger(__name__)


async def show_all(visit: Visit) -> Answer:
    """Those that the visitor started, the newest first; to operators those of all."""
    async with connection(visit.pool) as acquired:
        listed = await bulk.jobs(acquired, _whose(visit), A_PAGE)
    return Shown("jobs/jobs.html", {"jobs": listed})


async def show(visit: Visit) -> Answer:
    """One job, and which mails stayed as they were."""
    return Shown("jobs/job.html", await _values(visit))


async def show_progress(visit: Visit) -> Answer:
    """The part of its page that changes."""
    return Shown("jobs/progress.html", await _values(visit))


async def change(visit: Visit, form: FormData) -> Answer:
    """Pause, resume or stop it."""
    typed, gettext = str(form.get("what", "")), visit.texts.gettext
    async with one_transaction(visit.pool) as acquired:
        job = await _job(visit, acquired)
        if typed not in set(Deed) or not await bulk.change(acquired, job.id, _whose(visit), Deed(typed)):
            raise Refusal(HTTPStatus.CONFLICT, gettext(_NOT_NOW))
    _log.info("job_changed", job=job.id, what=typed, user=visit.who.user_id)
    return see(f"/work/jobs/{job.id}")


async def _values(visit: Visit) -> dict[str, Any]:
    gettext = visit.texts.gettext
    after = number_in(visit.request.query_params.get("after", "")) or 0
    async with connection(visit.pool) as acquired:
        job = await _job(visit, acquired)
        failed = await bulk.failed(acquired, job.id, visit.who.helpdesks(Need.LOOK), A_PAGE + 1, min(after, bulk.MOST))
    address = f"/work/jobs/{job.id}"
    more = urlencode({"after": failed[A_PAGE - 1].position}) if len(failed) > A_PAGE else None
    return {
        "job": job,
        "address": address,
        "failed": [
            {
                "mail_id": one.mail_id,
                "helpdesk": one.helpdesk,
                "because": gettext(_BECAUSE[one.came_to]),
            }
            for one in failed[:A_PAGE]
        ],
        "more": more and f"{address}?{more}",
    }


async def _job(visit: Visit, acquired: Connection) -> Job:
    job_id = number_in(visit.request.path_params["job_id"])
    job = None if job_id is None else await bulk.job(acquired, job_id, _whose(visit))
    if job is None:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_YOURS))
    return job


def _whose(visit: Visit) -> int | None:
    return None if visit.who.operator else visit.who.user_id


ROUTES: Final = (
    page("/work/jobs", show_all),
    page("/work/jobs/{job_id}", show, change),
    page("/work/jobs/{job_id}/progress", show_progress),
)
