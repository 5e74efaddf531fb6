"""Values become html in the visitor's language, or JSON for who asks for it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.console.catalogue import Texts
from services.console.explanations import explained, explained_mail_out
from services.console.needs_in_dutch import in_dutch
from services.console.repairs.mails import ExplainedReason
from services.console.web.translations import LANGUAGES, texts_of
from shared.portal.reasons import Explanation
from shared.standing.needs import Need
from shared.standing.problems import problem_in_english

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page answers: its template and the values in it, which alone are the answer for who wants JSON."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK


@cache
def static_versions() -> Mapping[str, str]:
    """Each file that pages load, and a piece of its digest: an address of other content is another one."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in STATIC.iterdir()}


def static_url(name: str) -> str:
    """The address of a file that pages load."""
    return f"/static/{static_versions()[name]}/{name}"


@pass_context
def _moment(context: Context, moment: datetime | None, form: str = "short") -> str:
    """A time in the visitor's zone, as his language writes it."""
    if moment is None:
        return "–"
    return format_datetime(
        moment, form, tzinfo=ZoneInfo(context["time_zone"]), locale=texts_of(context["language"]).locale
    )


@pass_context
def _hour(context: Context, moment: datetime) -> str:
    """The hour of a time in the visitor's zone."""
    return f"{moment.astimezone(ZoneInfo(context['time_zone'])):%H:%M}"


@pass_context
def _duration(context: Context, seconds: float | None) -> str:
    """So many seconds, in words."""
    if seconds is None:
        return "–"
    locale = texts_of(context["language"]).locale
    if seconds < 10:  # noqa: PLR2004 - below, tenths tell
        return f"{format_decimal(round(seconds, 1), locale=locale)} s"
    return format_timedelta(timedelta(seconds=seconds), locale=locale)


@pass_context
def _explained(context: Context, reason: ExplainedReason | Mapping[str, Any]) -> Explanation:
    """Why a mail became what it became, and what can be done about it, in the visitor's language."""
    return explained(reason, context["language"])


@pass_context
def _in_words(context: Context, need: Need) -> str:
    """What needs a person, in the visitor's language."""
    return in_dutch(need) if context["language"] == "nl" else need.english


@pass_context
def _problem(context: Context, recorded: str, kind: str | None) -> str:
    """What keeps a mailbox from being read, as it was recorded and of this kind, in the visitor's language."""
    return recorded if context["language"] == "nl" else problem_in_english(kind, recorded)


@pass_context
def _outgoing_reason(context: Context, reason: str | None) -> str:
    """Why a mail out was not sent, or not yet, and what can be done about it, in the visitor's language."""
    explanation = explained_mail_out(reason, context["language"])
    return " ".join(filter(None, (explanation.sentence, explanation.remedy)))


@cache
def _environment(language: str) -> Environment:
    texts: Texts = texts_of(language)
    environment = Environment(
        loader=FileSystemLoader([HERE / "templates", HERE / "pages"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        texts.gettext, texts.ngettext, newstyle=True
    )
    environment.filters.update(
        moment=_moment,
        hour=_hour,
        duration=_duration,
        explained=_explained,
        outgoing_reason=_outgoing_reason,
        in_words=_in_words,
        problem=_problem,
    )
    environment.globals.update(static_url=static_url, languages=LANGUAGES)
    return environment


def render(template: str, language: str, values: Mapping[str, Any]) -> str:
    """The html of a template."""
    return _environment(language).get_template(template).render({"language": language, **values})


def wants_json(request: Request) -> bool:
    """Whether a program asks: JSON is named, and html is not."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def respond(request: Request, shown: Shown, surroundings: Mapping[str, Any]) -> Response:
    """The answer, as it was asked for; `surroundings` are what every html page needs beside its own values."""
    if wants_json(request):
        content = json.dumps(shown.values, default=_plain, ensure_ascii=False)
        return Response(content, shown.status, media_type="application/json")
    page = render(shown.template, surroundings["language"], {**surroundings, **shown.values})
    return HTMLResponse(page, shown.status)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (uuid.UUID, frozenset, set)):
        return str(value) if isinstance(value, uuid.UUID) else sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
