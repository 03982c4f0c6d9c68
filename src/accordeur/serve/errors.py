"""Errors as clients of the OpenAI wire read them."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.core.errors import (
    AccordeurError,
    ContextOverflow,
    EndpointGone,
    ModelError,
    TaskError,
    UsageError,
)
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.serve.ticket import Gone

LOG = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""Nobody reads this; it stands in the access log."""


class ApiError(Exception):
    """Something to answer with.

    Args:
        status: HTTP status.
        message: what happened and what to do about it.
        code: short name that programs compare.
        param: field of the request at fault.
        headers: more headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """`{"error": ...}`."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        about = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": about}

    def response(self) -> Response:
        """As an HTTP response."""
        return JSONResponse(self.body(), self.status, headers=self.headers)


def refused(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that cannot be answered as it is."""
    return ApiError(400, message, param=param, code=code)


def as_api_error(error: Exception) -> ApiError:
    """Any error for a client; a mistake of the program is logged with its traceback."""
    match error:
        case ApiError():
            return error
        case Gone():
            return ApiError(CLIENT_CLOSED_REQUEST, "The client went away.")
        case ContextOverflow():
            return refused(_words(error), code="context_length_exceeded")
        case UsageError() | TaskError():
            return refused(_words(error))
        case EndpointGone():
            return _endpoint_error(error)
        case ModelError() | AccordeurError():
            return ApiError(503, _words(error))
        case HTTPException():
            return ApiError(error.status_code, error.detail, headers=error.headers)
    LOG.exception("a request failed", exc_info=error)
    return ApiError(500, "The server made a mistake; its log says which.")


_STATUSES = {
    Kind.TIMEOUT: (504, "endpoint_timeout"),
    Kind.RATE_LIMIT: (429, "rate_limit_exceeded"),
    Kind.TOO_LONG: (400, "context_length_exceeded"),
    Kind.REFUSED: (400, "endpoint_refused"),
    Kind.CONTENT_FILTER: (400, "content_filter"),
}
"""What a client can do something about. The key of this server, its quota, the model behind it and
the state of the endpoint are none of its business: 502."""


def failed(told: str) -> EndpointGone:
    """The error of a row that an endpoint did not answer, as calls that end a run raise it.

    Args:
        told: what the row says.
    """
    error = EndpointGone(f"An endpoint gave no answer: {told}.")
    error.__cause__ = Failure.read(told)
    return error


def failure_of(error: EndpointGone) -> Failure:
    """What happened to a call."""
    cause = error.__cause__
    return cause if isinstance(cause, Failure) else Failure(Kind.SERVER, error.message)


def _endpoint_error(error: EndpointGone) -> ApiError:
    """Whoever runs the server reads address and hint in its log; clients read what happened."""
    failure = failure_of(error)
    LOG.warning("%s", _words(error))
    status, code = _STATUSES.get(failure.kind, (502, "endpoint_error"))
    headers = {}
    if status == 429:
        headers["Retry-After"] = str(max(1, math.ceil(failure.wait or 1.0)))
    return ApiError(
        status, f"The model behind this name did not answer: {failure}.", code=code, headers=headers
    )


def _words(error: AccordeurError) -> str:
    return f"{error.message} Hint: {error.hint}" if error.hint else error.message


async def handle(_: Request, error: Exception) -> Response:
    """For Starlette: every error as JSON."""
    return as_api_error(error).response()
