"""What can go wrong, as JOB says it: each class carries its code (contract section b5).

JobError
├── BadRequest 1240003            a request that cannot be understood
│   ├── FieldInvalid, Unreadable, BodyTooLarge, BodyTooSlow, WrongMethod, NoSuchPath
│   └── UploadUnknown, UploadExpired, UploadWhole, UploadBusy, UploadElsewhere, UploadTooLarge
├── NotSupported 1241011          understood, and not built yet
├── MissingParameter 1241004 · InvalidParameter 1241005 · MissingOrInvalid 1241007
│   └── KeyUsed, with HTTP 409; DangerousRuleUnknown
├── ReasonedParameter 1241010     a parameter with the reason why it is refused
├── InvalidParameters 1241002 · UnsupportedOperation 1241003 · AlreadyStarted 1241015
├── HostEmpty 1244001 · HostsNotInScope 1244002 · HostsUnknown 1244030
├── TargetEmpty 1244028 · SourceEmpty 1244029 · GroupUnknown 1211003
│   └── CmdbGroupFailed
├── LocalFileUnknown 1244023
├── CmdbUnreachable 1211001 · CmdbFailed 1211002
│   └── CmdbRefused
├── RollingInvalid 1244026 · TooManyBatches 1244027 · NotAConfirmer 1244016
├── HostVariableMissing 1244008 · TooManyTargets 1244022 · TooManyFileTasks 1244021
├── DangerousScript 1244019 · DangerousRuleExists 1243056
├── CredentialUnknown 1243048 · CredentialExists 1243060
├── FileSourceUnknown 1260001 · FileSourceCodeUnknown 1260012 · FileSourceOfAnotherScope 1260017
├── FileSourceCodeExists 1260015 · FileSourceAliasExists 1260004 · FileSourceUrlRefused 1260020
├── QuotaExceeded                 ScopeQuotaExceeded 1244032, AppQuotaExceeded 1244033, SystemQuotaExceeded 1244034
├── AccountUnknown 1244003 · AccountExists 1243007 · AccountInUse 1243014
├── ScriptInUse 1243054
├── ScriptUnknown 1243001 · ScriptVersionUnknown 1243047 · ScriptExists 1243002 · VersionExists 1243036
├── ScriptNotExecutable 1244018 · PlanUnknown 1244012 · PlanEmpty 1244011
├── CronUnknown 1245001 · CronChanged 1245002 · CronExists 1245004 · CronTimePassed 1245006 · CronNotDeleted 1245008
├── PlanExists 1243042 · PlanInUse 1243037 · TemplateUnknown 1243026 · TemplateInUse 1243038
├── JobUnknown, StepInstanceUnknown 1244006 · StepNotExist 1244007 · ScopeUnknown 1243049
├── ExecuteObjectUnknown 1264004
├── PermissionDenied 9900403      carries the permission object
│   └── AccountForbidden 1244004
├── EsbError 1306000              who is asking cannot be established; and its siblings
├── NotLoggedIn 1247001           the same, said by JOB's own gateway, with HTTP 401
│   └── JwtMissing, UserMissing 1247002, AppMissing 1247004
└── Internal 1240002              a fault of this service
    └── UploadNoRoom, with HTTP 507
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from adapter.messages import SENTENCES, Language, say


class JobError(Exception):
    """Root of the tree: `code` is JOB's, the message says which value and what to do."""

    code = 1240002
    #: HTTP status; JOB answers 200 to everything its envelope can carry (contract b3).
    http_status = 200
    #: Header fields of the reply.
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str = "", **values: object) -> None:
        """`values` stand in the sentence of the class, `detail` follows it (adapter.messages)."""
        self.detail = detail
        self.values = values
        self.message = self.message_in(Language.EN)
        super().__init__(self.message)

    def message_in(self, language: Language) -> str:
        """What is wrong, in the caller's language."""
        sentence = next(SENTENCES[base.__name__] for base in type(self).__mro__ if base.__name__ in SENTENCES)
        return sentence.with_detail(language, self.values, self.detail)


class Internal(JobError):
    """A fault of this service, not of the request."""

    code = 1240002


class BadRequest(JobError):
    """Malformed JSON, a wrong type, a value out of its range, an unknown path."""

    code = 1240003


class FieldInvalid(BadRequest):
    """A field has no value, or one that is not allowed: what JOB finds in its bean validation."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason, field=field)
        self.field = field


class Unreadable(BadRequest):
    """What should be a JSON object in UTF-8 is none, or says what cannot be stored."""


class WrongMethod(BadRequest):
    """There is such an API, but not with this HTTP method."""


class BodyTooLarge(BadRequest):
    """The body is over the configured limit."""

    http_status = 413


class BodyTooSlow(BadRequest):
    """The body did not come in time."""

    http_status = 408


class NoSuchPath(BadRequest):
    """Nothing is served there."""

    http_status = 404


class UploadUnknown(BadRequest):
    """No such URL was given out, or its file was removed for its age."""

    http_status = 404


class UploadExpired(BadRequest):
    """The URL's time is over."""

    http_status = 403

    def __init__(self, path: str) -> None:
        super().__init__(path=path)


class UploadWhole(UploadExpired):
    """The file is there already, and never changes."""


class UploadBusy(BadRequest):
    """Another request brings it."""

    http_status = 409

    def __init__(self, path: str) -> None:
        super().__init__(path=path)


class UploadElsewhere(BadRequest):
    """What the request brings does not follow on what is kept."""

    http_status = 416

    def __init__(self, start: int, kept: int) -> None:
        super().__init__(start=start, kept=kept)
        self.headers = {"Upload-Offset": str(kept), "Upload-Complete": "?0"}


class UploadTooLarge(BadRequest):
    """A file may not have that many bytes."""

    http_status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class UploadNoRoom(Internal):
    """The service's disk does not take it."""

    http_status = 507


class InvalidParameters(JobError):
    """Parameters that are fine one by one but not together, or an unknown operation code."""

    code = 1241002


class UnsupportedOperation(JobError):
    """The operation is not legal in the current state."""

    code = 1241003


class MissingParameter(JobError):
    """A required parameter is absent."""

    code = 1241004

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class InvalidParameter(JobError):
    """A parameter has a value that is not allowed."""

    code = 1241005

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(reason, name=name)


class ReasonedParameter(JobError):
    """A parameter does not go with what it is about, in the APIs that say why."""

    code = 1241010

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason, name=name)


class KeyUsed(InvalidParameter):
    """X-Idempotency-Key stands for another request of the application."""

    http_status = 409

    def __init__(self, job_instance_id: int) -> None:
        super().__init__(
            "X-Idempotency-Key",
            say(
                "another request was sent with it, which is job instance {id}; send a new key with a new request",
                id=job_instance_id,
            ),
        )


class MissingOrInvalid(JobError):
    """A parameter is absent or not allowed, in the APIs that do not tell these apart."""

    code = 1241007

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(reason, name=name)


class NotSupported(JobError):
    """The request is understood; this service cannot do it yet."""

    code = 1241011


class AlreadyStarted(JobError):
    """operation_code 2 on a job that is not waiting to be started."""

    code = 1241015

    def __init__(self, job_instance_id: int) -> None:
        super().__init__(job_instance_id=job_instance_id)


class GroupUnknown(JobError):
    """A dynamic group the inventory does not have."""

    code = 1211003

    def __init__(self, group_id: str) -> None:
        super().__init__(group_id=group_id)


class CmdbGroupFailed(GroupUnknown):
    """CMDB does not give the hosts of a dynamic group; the detail has its reason."""

    def __init__(self, group_id: str, reason: str) -> None:
        JobError.__init__(self, reason, group_id=group_id)


class CmdbUnreachable(JobError):
    """BlueKing CMDB does not answer, or not in time."""

    code = 1211001


class CmdbFailed(JobError):
    """BlueKing CMDB answers with an error, or with what cannot be its answer."""

    code = 1211002


class CmdbRefused(CmdbFailed):
    """BlueKing CMDB says no: to these parameters, or to this application."""


class HostEmpty(JobError):
    """target_server lists nothing at all."""

    code = 1244001


class HostsNotInScope(JobError):
    """Hosts that exist, but in another business."""

    code = 1244002

    def __init__(self, scope: str, hosts: list[str]) -> None:
        super().__init__(scope=scope, hosts=_some(hosts))


class HostsUnknown(JobError):
    """Hosts the inventory does not have."""

    code = 1244030

    def __init__(self, hosts: list[str]) -> None:
        super().__init__(count=len(hosts), hosts=_some(hosts))


class TargetEmpty(JobError):
    """Groups or topo nodes were listed, and no host is in them."""

    code = 1244028

    def __init__(self, step: str) -> None:
        super().__init__(step=step)


class SourceEmpty(JobError):
    """A file source lists groups or topo nodes with no host in them."""

    code = 1244029

    def __init__(self, step: str) -> None:
        super().__init__(step=step)


class HostVariableMissing(JobError):
    """A step's target names a variable that its plan does not have."""

    code = 1244008

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class TooManyTargets(JobError):
    """A script step with more targets than allowed."""

    code = 1244022

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class TooManyFileTasks(JobError):
    """Sum over sources of hosts times files, times targets, is over the limit."""

    code = 1244021

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class LocalFileUnknown(JobError):
    """No file was uploaded under this path, not in this business, or it was removed for its age."""

    code = 1244023

    def __init__(self, path: str) -> None:
        super().__init__(path=path)


class DangerousScript(JobError):
    """A rule forbids what a script says; the detail names lines."""

    code = 1244019


class DangerousRuleExists(JobError):
    """There is a rule of the same expression and languages."""

    code = 1243056

    def __init__(self, expression: str) -> None:
        super().__init__(name=expression)


class CredentialUnknown(JobError):
    """No such credential in the scope."""

    code = 1243048

    def __init__(self, credential_id: str) -> None:
        super().__init__(name=credential_id)


class CredentialExists(JobError):
    """The scope has a credential of this name."""

    code = 1243060

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class FileSourceUnknown(JobError):
    """No file source has this id."""

    code = 1260001

    def __init__(self, file_source_id: int) -> None:
        super().__init__(name=file_source_id)


class FileSourceCodeUnknown(JobError):
    """The scope has no file source of this code."""

    code = 1260012

    def __init__(self, code: str) -> None:
        super().__init__(name=code)


class FileSourceOfAnotherScope(JobError):
    """The file source of this id is another business's."""

    code = 1260017

    def __init__(self, file_source_id: int) -> None:
        super().__init__(name=file_source_id)


class FileSourceCodeExists(JobError):
    """The scope has a file source of this code."""

    code = 1260015

    def __init__(self, code: str) -> None:
        super().__init__(name=code)


class FileSourceAliasExists(JobError):
    """The scope has a file source of this alias."""

    code = 1260004

    def __init__(self, alias: str) -> None:
        super().__init__(name=alias)


class FileSourceUrlRefused(JobError):
    """A file source may not be where the URL leads; JOB says so of artifactories that are not its own."""

    code = 1260020


class DangerousRuleUnknown(InvalidParameter):
    """No such rule; JOB has no code for it, and says 1240002."""

    def __init__(self, rule_id: int) -> None:
        super().__init__("id", say("there is no dangerous rule {id}", id=rule_id))


class QuotaExceeded(JobError):
    """As many jobs are unfinished as may be; clients try again later."""


class ScopeQuotaExceeded(QuotaExceeded):
    """In one business."""

    code = 1244032

    def __init__(self, scope: str, limit: int) -> None:
        super().__init__(scope=scope, limit=limit)


class AppQuotaExceeded(QuotaExceeded):
    """Of one application."""

    code = 1244033

    def __init__(self, app_code: str, limit: int) -> None:
        super().__init__(app_code=app_code, limit=limit)


class SystemQuotaExceeded(QuotaExceeded):
    """In all."""

    code = 1244034

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class AccountUnknown(JobError):
    """No such account in the scope."""

    code = 1244003

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class AccountExists(JobError):
    """The alias is taken in this scope."""

    code = 1243007

    def __init__(self, alias: str) -> None:
        super().__init__(name=alias)


class AccountInUse(JobError):
    """Something that is stored, or a job that has not ended, names the account."""

    code = 1243014


class ScriptUnknown(JobError):
    """No such script in the scope."""

    code = 1243001


class ScriptVersionUnknown(JobError):
    """No such version of the script."""

    code = 1243047


class ScriptExists(JobError):
    """The script's name is taken in this scope."""

    code = 1243002

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class VersionExists(JobError):
    """The script already has a version of this name."""

    code = 1243036

    def __init__(self, version: str) -> None:
        super().__init__(name=version)


class ScriptInUse(JobError):
    """A job template names the script, or the version."""

    code = 1243054


class ScriptNotExecutable(JobError):
    """A draft or disabled version was asked to run, or a script has no online version."""

    code = 1244018


class PlanEmpty(JobError):
    """The plan has no steps."""

    code = 1244011

    def __init__(self, plan_id: int) -> None:
        super().__init__(plan_id=plan_id)


class PlanUnknown(JobError):
    """No such job plan in the scope."""

    code = 1244012

    def __init__(self, plan_id: int) -> None:
        super().__init__(plan_id=plan_id)


class CronUnknown(JobError):
    """No such cron in the scope."""

    code = 1245001

    def __init__(self, cron_id: int) -> None:
        super().__init__(id=cron_id)


class CronChanged(JobError):
    """Somebody else changed the cron at the same time."""

    code = 1245002

    def __init__(self, cron_id: int) -> None:
        super().__init__(id=cron_id)


class CronExists(JobError):
    """The cron's name is taken in this scope."""

    code = 1245004

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class CronTimePassed(JobError):
    """The time of a cron that runs once has passed."""

    code = 1245006

    def __init__(self, execute_time: int) -> None:
        super().__init__(execute_time=execute_time)


class CronNotDeleted(JobError):
    """The cron was there, and was gone when it was to be deleted."""

    code = 1245008

    def __init__(self, cron_id: int) -> None:
        super().__init__(id=cron_id)


class PlanExists(JobError):
    """The template has a plan of this name."""

    code = 1243042

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


class PlanInUse(JobError):
    """A cron launches the plan, which can't go."""

    code = 1243037

    def __init__(self, plan_id: int) -> None:
        super().__init__(plan_id=plan_id)


class TemplateUnknown(JobError):
    """No such job template in the scope."""

    code = 1243026

    def __init__(self, template_id: int) -> None:
        super().__init__(template_id=template_id)


class TemplateInUse(JobError):
    """A cron launches one of the template's plans, which can't go with it."""

    code = 1243038

    def __init__(self, template_id: int) -> None:
        super().__init__(template_id=template_id)


class JobUnknown(JobError):
    """No such job instance in the scope."""

    code = 1244006

    def __init__(self, job_instance_id: int) -> None:
        super().__init__(id=job_instance_id)


class StepInstanceUnknown(JobError):
    """No such step instance; the log APIs of v3 say 1244006 for it (contract b5)."""

    code = 1244006

    def __init__(self, step_instance_id: int) -> None:
        super().__init__(id=step_instance_id)


class ExecuteObjectUnknown(JobError):
    """The host, or container, is not in that execution of the step."""

    code = 1264004

    def __init__(self, resource_id: int) -> None:
        super().__init__(resource_id=resource_id)


class StepNotExist(JobError):
    """No such step instance; what the APIs about steps say (contract b5)."""

    code = 1244007

    def __init__(self, step_instance_id: int) -> None:
        super().__init__(id=step_instance_id)


class NotAConfirmer(JobError):
    """An approval step asks others than this user."""

    code = 1244016

    def __init__(self, user: str, confirmers: Sequence[str]) -> None:
        super().__init__(user=user, confirmers=", ".join(confirmers))


class RollingInvalid(JobError):
    """rolling_config has an expression that is none, or parts that do not go together."""

    code = 1244026


class RollingFileSourceKind(JobError):
    """A transfer is to roll by its file sources, and one of them is no file on hosts."""

    code = 1244035


class TooManyBatches(JobError):
    """rolling_config makes more batches than a job may have."""

    code = 1244027

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class ScopeUnknown(JobError):
    """No such business or business set."""

    code = 1243049

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class PermissionDenied(JobError):
    """The application or its user may not do this; `permission` is JOB's object (contract b3)."""

    code = 9900403

    def __init__(self, detail: str, permission: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.permission = permission


class AccountForbidden(PermissionDenied):
    """The application or its user may not run anything as this account."""

    code = 1244004


class EsbError(JobError):
    """Who is asking cannot be established: ESB's common code."""

    code = 1306000


class EsbComponentNotFound(EsbError):
    """No API of that name below an ESB path."""

    code = 1306404


class NotLoggedIn(JobError):
    """What a gateway's X-Bkapi-JWT says cannot be believed."""

    code = 1247001
    http_status = 401


class JwtMissing(NotLoggedIn):
    """JOB's own gateway was called without any proof of who is asking; its answer has no body."""


class UserMissing(NotLoggedIn):
    """The X-Bkapi-JWT names no user."""

    code = 1247002


class AppMissing(NotLoggedIn):
    """The X-Bkapi-JWT names no application, or none that its gateway has verified."""

    code = 1247004


class TooManyStreams(EsbError):
    """As many event streams are open as one service may have: ESB's code of its rate limit."""

    code = 1306429
    http_status = 429

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class EsbParametersError(EsbError):
    """The authorization header is not JSON."""

    code = 1306406


def _some(names: list[str], limit: int = 20) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown}, … ({len(names)} in all)"
