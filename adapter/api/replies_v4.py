"""v4's envelope (contract b4): `data` or `error`, with an HTTP status that says which, and nothing that is null."""

from __future__ import annotations

from typing import Any

from adapter import errors
from adapter.errors import JobError, PermissionDenied
from adapter.messages import FIELDS_BIND_FAILED, Language

Reply = dict[str, Any]

_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "NO_PERMISSION": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RATELIMIT_EXCEED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "NOT_IMPLEMENTED": 501,
}

#: Every error's kind; a class that is not here is what its base class is.
_KINDS: dict[type[JobError], str] = {
    errors.Internal: "INTERNAL",
    errors.BadRequest: "INVALID_ARGUMENT",
    errors.NoSuchPath: "NOT_FOUND",
    errors.NotSupported: "NOT_IMPLEMENTED",
    errors.MissingParameter: "INVALID_ARGUMENT",
    errors.InvalidParameter: "INVALID_ARGUMENT",
    errors.KeyUsed: "ALREADY_EXISTS",
    errors.InvalidParameters: "INVALID_ARGUMENT",
    errors.ExecuteObjectUnknown: "INVALID_ARGUMENT",
    errors.ReasonedParameter: "INVALID_ARGUMENT",
    errors.MissingOrInvalid: "INVALID_ARGUMENT",
    errors.HostEmpty: "INVALID_ARGUMENT",
    errors.UnsupportedOperation: "FAILED_PRECONDITION",
    errors.AlreadyStarted: "FAILED_PRECONDITION",
    errors.HostsNotInScope: "FAILED_PRECONDITION",
    errors.HostsUnknown: "FAILED_PRECONDITION",
    errors.TargetEmpty: "FAILED_PRECONDITION",
    errors.SourceEmpty: "FAILED_PRECONDITION",
    errors.GroupUnknown: "FAILED_PRECONDITION",
    errors.CmdbUnreachable: "INTERNAL",
    errors.CmdbFailed: "INTERNAL",
    errors.LocalFileUnknown: "NOT_FOUND",
    errors.HostVariableMissing: "FAILED_PRECONDITION",
    errors.AccountInUse: "FAILED_PRECONDITION",
    errors.ScriptInUse: "FAILED_PRECONDITION",
    errors.ScriptNotExecutable: "FAILED_PRECONDITION",
    errors.PlanEmpty: "FAILED_PRECONDITION",
    errors.TooManyTargets: "RESOURCE_EXHAUSTED",
    errors.TooManyFileTasks: "INTERNAL",  # JOB's AbortedException, which v4 has no status for
    errors.DangerousScript: "INTERNAL",  # JOB's AbortedException, which v4 has no status for
    errors.DangerousRuleExists: "ALREADY_EXISTS",
    errors.CredentialUnknown: "NOT_FOUND",
    errors.CredentialExists: "ALREADY_EXISTS",
    errors.FileSourceUnknown: "NOT_FOUND",
    errors.FileSourceCodeUnknown: "FAILED_PRECONDITION",
    errors.FileSourceOfAnotherScope: "FAILED_PRECONDITION",
    errors.FileSourceCodeExists: "FAILED_PRECONDITION",
    errors.FileSourceAliasExists: "ALREADY_EXISTS",
    errors.FileSourceUrlRefused: "INVALID_ARGUMENT",
    errors.QuotaExceeded: "RESOURCE_EXHAUSTED",
    errors.AccountUnknown: "NOT_FOUND",
    errors.ScriptUnknown: "NOT_FOUND",
    errors.ScriptVersionUnknown: "NOT_FOUND",
    errors.PlanUnknown: "NOT_FOUND",
    errors.CronUnknown: "NOT_FOUND",
    errors.CronChanged: "INTERNAL",  # JOB's InternalException
    errors.CronExists: "ALREADY_EXISTS",
    errors.CronTimePassed: "FAILED_PRECONDITION",
    errors.CronNotDeleted: "INTERNAL",  # JOB's InternalException
    errors.PlanExists: "ALREADY_EXISTS",
    errors.PlanInUse: "FAILED_PRECONDITION",
    errors.TemplateUnknown: "NOT_FOUND",
    errors.TemplateInUse: "FAILED_PRECONDITION",
    errors.JobUnknown: "NOT_FOUND",
    errors.NotAConfirmer: "FAILED_PRECONDITION",
    errors.RollingInvalid: "INVALID_ARGUMENT",
    errors.RollingFileSourceKind: "INVALID_ARGUMENT",
    errors.TooManyBatches: "INVALID_ARGUMENT",
    errors.StepInstanceUnknown: "NOT_FOUND",
    errors.StepNotExist: "NOT_FOUND",
    errors.ScopeUnknown: "NOT_FOUND",
    errors.AccountExists: "ALREADY_EXISTS",
    errors.ScriptExists: "ALREADY_EXISTS",
    errors.VersionExists: "ALREADY_EXISTS",
    errors.PermissionDenied: "NO_PERMISSION",
    errors.EsbError: "UNAUTHENTICATED",
    errors.EsbComponentNotFound: "NOT_FOUND",
    errors.EsbParametersError: "INVALID_ARGUMENT",
    errors.TooManyStreams: "RATELIMIT_EXCEED",
    errors.NotLoggedIn: "UNAUTHENTICATED",
}

#: v4 tells apart what v3 calls 1240003.
_CODES: dict[type[JobError], int] = {
    errors.FieldInvalid: 1241025,
    errors.Unreadable: 1241022,
    errors.WrongMethod: 1241017,
    errors.NoSuchPath: 1241024,
}


def success(data: Any, request_id: str) -> Reply:
    """The envelope of a result."""
    return {"data": without_nulls(data), "job_request_id": request_id}


def failure(error: JobError, request_id: str, language: Language) -> Reply:
    """The envelope of an error; `details` has JOB's code and what is wrong with which value."""
    said = error.message_in(language)
    message = said
    if isinstance(error, errors.FieldInvalid):
        message = FIELDS_BIND_FAILED[language].format(field=error.field)
    code = _CODES.get(type(error), error.code)
    found: dict[str, Any] = {"code": kind(error), "message": message}
    if isinstance(error, PermissionDenied):
        found["data"] = error.permission
    found["details"] = [{"code": str(code), "message": said}]
    return {"error": found, "job_request_id": request_id}


def http_status(error: JobError) -> int:
    """The HTTP status of an error."""
    is_http = isinstance(error, (errors.BodyTooLarge, errors.BodyTooSlow))  # neither is JOB's
    return error.http_status if is_http else _STATUS[kind(error)]


def kind(error: JobError) -> str:
    """BlueKing's word for this kind of error."""
    return next((_KINDS[base] for base in type(error).__mro__ if base in _KINDS), "INTERNAL")


def without_nulls(value: Any) -> Any:
    """A value without members that are null. Calls itself for what has something inside only: texts may be many."""
    if isinstance(value, dict):
        return {
            key: without_nulls(item) if isinstance(item, (dict, list)) else item
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [without_nulls(item) if isinstance(item, (dict, list)) else item for item in value]
    return value
