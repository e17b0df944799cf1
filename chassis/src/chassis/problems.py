"""What goes wrong, as RFC 9457 problems in the reader's language. Nothing of the inside is told."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from chassis.auth import SignInNeeded
from chassis.errors import Refused, Unavailable
from chassis.messages import DEFAULT, Catalogue, Language, language_of
from chassis.telemetry import mask

MEDIA_TYPE: Final = "application/problem+json"
_PLACES: Final = ("body", "query", "path", "header", "cookie")

UNAVAILABLE: Final = "The service cannot do this just now; the same request may succeed a moment later."
BUG: Final = "Something went wrong on our side; it has been recorded."
MALFORMED: Final = "The request is not well-formed."

_TITLES: Final[Mapping[int, str]] = {
    400: "Malformed request",
    401: "Sign-in needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Refused by a rule",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Wrong kind of content",
    422: "Malformed request",
    428: "Version needed",
    431: "Too large",
    500: "Internal error",
    503: "Unavailable",
}
# pydantic's kinds of error in words of ours; {names} come from the error's context.
_RULES: Final[Mapping[str, str]] = {
    "missing": "this is needed",
    "extra_forbidden": "no such name is known here",
    "string_type": "a text",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "decimal_parsing": "a decimal number",
    "decimal_type": "a decimal number",
    "decimal_max_digits": "at most {max_digits} digits",
    "decimal_max_places": "at most {decimal_places} digits after the point",
    "decimal_whole_digits": "at most {whole_digits} digits before the point",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_type": "a date, YYYY-MM-DD",
    "datetime_parsing": "a time with its zone, YYYY-MM-DDThh:mm:ssZ",
    "datetime_from_date_parsing": "a time with its zone, YYYY-MM-DDThh:mm:ssZ",
    "timezone_aware": "a time with its zone, YYYY-MM-DDThh:mm:ssZ",
    "uuid_parsing": "a UUID",
    "uuid_type": "a UUID",
    "enum": "one of {expected}",
    "literal_error": "one of {expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "value_error": "{error}",
}
_OTHER_RULE: Final = "another form ({kind})"


class FieldProblem(BaseModel):
    field: str
    rule: str
    code: str


class Problem(BaseModel):
    """RFC 9457. `rule` and `source` name the rule that said no and where it is written."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    rule: str | None = None
    source: str | None = None
    errors: list[FieldProblem] | None = None
    request_id: str | None = None


def unread(status: HTTPStatus, catalogue: Catalogue) -> Response:
    """The answer to what was no request yet, and so has named no language."""
    problem = Problem(
        type=f"urn:huiqi:problem:{_slug(status)}", title=catalogue.text(_TITLES[status], DEFAULT), status=status,
        detail=catalogue.text(MALFORMED, DEFAULT), code=_slug(status),
    )  # fmt: skip
    return answer(problem, DEFAULT, {})


def _slug(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


class Problems:
    """Turns exceptions into answers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, request: Request, error: Exception) -> Response:
        language = language_of(request.headers.get("accept-language"))
        match error:
            case Refused():
                problem, headers = self._refused(error, language), _challenge(error)
            case RequestValidationError():
                problem, headers = self._malformed(error.errors(), language), {}
            case Unavailable():
                problem = self._plain(503, "unavailable", UNAVAILABLE, language)
                headers = {"Retry-After": str(error.retry_after)}
            case HTTPException():
                problem, headers = self._http(error.status_code, language), dict(error.headers or {})
            case _:
                problem, headers = self._plain(500, "internal-error", BUG, language), {}
        problem.request_id = request.scope.get("chassis.request_id")
        return answer(problem, language, headers)

    def _text(self, message_id: str, language: Language, fields: Mapping[str, Any] | None = None) -> str:
        return self._catalogue.text(message_id, language, **dict(fields or {}))

    def _plain(self, status: int, code: str, detail: str, language: Language) -> Problem:
        title = self._text(_TITLES.get(status) or HTTPStatus(status).phrase, language)
        return Problem(
            type=f"urn:huiqi:problem:{code}", title=title, status=status,
            detail=self._text(detail, language), code=code,
        )  # fmt: skip

    def _http(self, status: int, language: Language) -> Problem:
        return self._plain(status, _slug(status), _TITLES.get(status) or HTTPStatus(status).phrase, language)

    def _refused(self, error: Refused, language: Language) -> Problem:
        problem = self._plain(error.status, error.code, "", language)
        problem.detail = self._catalogue.refusal(error, language)
        problem.rule, problem.source = error.rule, error.source
        if "field" in error.fields:
            broken = error.fields.get("rule_broken")
            rule = self._text(str(broken), language, error.fields) if broken else problem.detail
            problem.errors = [FieldProblem(field=str(error.fields["field"]), rule=rule, code=error.code)]
        return problem

    def _malformed(self, errors: Sequence[Any], language: Language) -> Problem:
        problem = self._plain(422, "malformed", MALFORMED, language)
        problem.errors = [
            FieldProblem(field=_path(e["loc"]), rule=self._rule(e, language), code=e["type"])
            for e in errors[:100]
        ]
        return problem

    def _rule(self, error: Mapping[str, Any], language: Language) -> str:
        context = {**error.get("ctx", {}), "kind": error["type"]}
        if isinstance(context.get("error"), Exception):  # raised by a validator: its text is a message id
            return self._text(str(context["error"]), language)
        return self._text(_RULES.get(error["type"], _OTHER_RULE), language, context)


def answer(problem: Problem, language: Language, headers: Mapping[str, str]) -> Response:
    return Response(
        orjson.dumps(mask(problem.model_dump(exclude_none=True))),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**headers, "Content-Language": language, "Vary": "Accept-Language"},
    )


def _path(place: Sequence[str | int]) -> str:
    """`lines.0.amount` for a field of the body or a parameter; `body` for the body itself."""
    parts = place[1:] if len(place) > 1 and place[0] in _PLACES else place
    return ".".join(str(part) for part in parts)


def _challenge(error: Refused) -> dict[str, str]:
    """RFC 6750, 3.1: no error is named to a request that brought no token."""
    if error.status != 401:
        return {}
    return {
        "WWW-Authenticate": "Bearer" if isinstance(error, SignInNeeded) else 'Bearer error="invalid_token"'
    }
