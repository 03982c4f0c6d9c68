"""Errors as clients of the OpenAI wire read them."""

from __future__ import annotations

import logging
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
            return ApiError(502, _words(error), code="endpoint_error")
        case ModelError() | AccordeurError():
            return ApiError(503, _words(error))
        case HTTPException():
            return ApiError(error.status_code, error.detail, headers=error.headers)
    LOG.exception("a request failed", exc_info=error)
    return ApiError(500, "The server made a mistake; its log says which.")


def _words(error: AccordeurError) -> str:
    return f"{error.message} Hint: {error.hint}" if error.hint else error.message


async def handle(_: Request, error: Exception) -> Response:
    """For Starlette: every error as JSON."""
    return as_api_error(error).response()
