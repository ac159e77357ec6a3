"""What is said to people, in JOB's two languages: one catalogue (contract b1).

An error is a sentence of its class with the values in it, and often a detail: which value is wrong, and what
would be right. Details that the API layer finds are phrases, in both languages; the others stay English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from adapter.phrases import PHRASES


class Language(Enum):
    """The value of `Blueking-Language`."""

    ZH = "zh-cn"
    EN = "en"

    @classmethod
    def of(cls, text: str | None) -> Language:
        """English if it says so; JOB's own default for everything else."""
        return cls.EN if (text or "").strip().lower().startswith("en") else cls.ZH


#: What a host's status is called, by its number.
HOST_STATUS: Mapping[int, Mapping[Language, str]] = {
    number: {Language.EN: english, Language.ZH: chinese}
    for number, english, chinese in (
        (0, "Unknown Error", "未知错误"),
        (1, "Abnormal Agent", "Agent 异常"),
        (2, "Invalid Execute Object", "无效执行对象"),
        (3, "Successful Last Time", "上次已成功"),
        (5, "Waiting", "等待执行"),
        (7, "Running", "正在执行"),
        (9, "Success", "执行成功"),
        (11, "Failed", "任务失败"),
        (12, "Task send failed", "任务下发失败"),
        (13, "Task Timeout", "任务超时"),
        (15, "Error in Log", "任务日志错误"),
        (18, "Agent not installed", "Agent 未安装"),
        (101, "Script Execution Failed", "脚本执行失败"),
        (102, "Script Execution Timeout", "脚本执行超时"),
        (103, "Script Execution Terminated", "脚本执行被终止"),
        (104, "Non-zero Exit Code", "脚本返回码非零"),
        (202, "File Transmission Failed", "文件传输失败"),
        (203, "Source File Not Exists", "源文件不存在"),
        (303, "File Transmission Timeout", "执行任务超时"),
        (310, "Abnormal Agent", "Agent 异常"),
        (311, "User not exist", "用户名不存在"),
        (312, "User password incorrect", "用户密码不正确"),
        (320, "File pull failed", "文件获取失败"),
        (321, "File size exceeds limit", "文件超出限制"),
        (329, "File Transmission Error", "文件传输错误"),
        (399, "Execution Error", "任务执行出错"),
        (403, "Force Terminated", "任务强制终止成功"),
        (404, "Force Terminate Failed", "任务强制终止失败"),
        (500, "Unknown", "未知"),
    )
}

#: What a job is called whose request gives it no name; the time follows.
SCRIPT_NAME: Mapping[Language, str] = {Language.EN: "Script Execution_", Language.ZH: "快速执行脚本_"}
SQL_NAME: Mapping[Language, str] = {Language.EN: "SQL Script_", Language.ZH: "快速执行SQL_"}
FILE_NAME: Mapping[Language, str] = {Language.EN: "File Transfer_", Language.ZH: "快速分发文件_"}


class Phrase(str):
    """English text made of a template, which can say the same in Chinese."""

    template: str
    values: Mapping[str, object]

    __slots__ = ("template", "values")

    def in_(self, language: Language) -> str:
        """The phrase in a language; values that are phrases follow."""
        if language is Language.EN:
            return str(self)
        values = {name: _in(value, language) for name, value in self.values.items()}
        return PHRASES[self.template].format(**values)


def say(template: str, **values: object) -> Phrase:
    """A phrase of the catalogue; KeyError for one that is not in it."""
    phrase = Phrase(template.format(**values))
    phrase.template, phrase.values = template, values
    PHRASES[template]
    return phrase


def choices(kind: type[IntEnum]) -> str:
    """The numbers that a parameter may have, each with what it is called."""
    return ", ".join(f"{int(one)} ({one.name.lower().replace('_', ' ')})" for one in kind)


@dataclass(frozen=True)
class Sentence:
    """What an error says before its detail. In English some details say everything by themselves."""

    english: str
    chinese: str
    is_led: bool = True  #: the English sentence stands before the detail
    joint: str = ": "

    def with_detail(self, language: Language, values: Mapping[str, object], detail: str) -> str:
        """The whole message."""
        if language is Language.EN:
            lead = self.english.format(**values)
            return lead if not detail else f"{lead}{self.joint}{detail}" if self.is_led else str(detail)
        lead = self.chinese.format(**values)
        return f"{lead}：{_in(detail, language)}" if detail else lead


def _in(value: object, language: Language) -> object:
    return value.in_(language) if isinstance(value, Phrase) else value


#: By the name of the error's class; a class that is not here says what its base class says.
SENTENCES: Mapping[str, Sentence] = {
    "JobError": Sentence("Internal Server Error", "内部服务器异常", is_led=False),
    "BadRequest": Sentence("Bad Request", "错误的请求", is_led=False),
    "FieldInvalid": Sentence("{field}", "请求参数[{field}]不合法", joint=" "),
    "InvalidParameters": Sentence("Invalid request parameters", "请求参数不合法", is_led=False),
    "UnsupportedOperation": Sentence("Unsupported operation", "不支持的操作"),
    "MissingParameter": Sentence("Missing request parameter [{name}]", "请求参数[{name}]缺失"),
    "InvalidParameter": Sentence("Invalid request parameter [{name}]", "请求参数[{name}]不合法"),
    "ReasonedParameter": Sentence(
        "Invalid request parameter [{name}]", "请求参数[{name}]不合法", joint=", reason: "
    ),
    "MissingOrInvalid": Sentence("Missing or invalid [{name}]", "请求参数[{name}]缺失或不合法"),
    "NotSupported": Sentence("Not supported yet", "尚未支持的功能"),
    "AlreadyStarted": Sentence(
        "Do not repeat start the job, job_instance_id={job_instance_id}",
        "不支持的操作，请勿重复启动作业，job_instance_id={job_instance_id}",
    ),
    "GroupUnknown": Sentence(
        "Dynamic group [{group_id}] does not exist; the inventory needs a group named dynamic_group_<id>",
        "动态分组[{group_id}]不存在；inventory 中需要名为 dynamic_group_<id> 的组",
    ),
    "CmdbGroupFailed": Sentence(
        "CMDB gives no hosts of dynamic group [{group_id}]",
        "根据动态分组ID查找主机失败，动态分组ID：{group_id}",
    ),
    "CmdbUnreachable": Sentence(
        "CMDB does not answer; try again later, or ask who runs it",
        "CMDB服务状态不可达；请稍后重试或联系其管理员",
    ),
    "CmdbFailed": Sentence(
        "CMDB answers with an error, or with what cannot be its answer", "CMDB接口返回数据异常"
    ),
    "HostEmpty": Sentence(
        "Host is empty: give at least one of host_id_list, ip_list, dynamic_group_list, topo_node_list",
        "主机为空：host_id_list、ip_list、dynamic_group_list、topo_node_list 至少提供一个",
    ),
    "HostsNotInScope": Sentence(
        "Hosts invalid: {hosts} not in business [{scope}]; use the business that owns them",
        "主机无效：{hosts} 不在业务[{scope}]下；请使用主机所属的业务",
    ),
    "HostsUnknown": Sentence(
        "Execute object does not exist. Number {count}, list [{hosts}]",
        "作业引用的执行对象不存在。不存在的执行对象个数:{count},执行对象列表[{hosts}]",
    ),
    "TargetEmpty": Sentence(
        "Step [{step}] target execute object is empty: what it lists resolves to no host",
        "步骤 [{step}] 的目标执行对象为空：所列内容没有解析出任何主机",
    ),
    "SourceEmpty": Sentence(
        "Step [{step}] source execute object is empty: what it lists resolves to no host",
        "步骤 [{step}] 的源文件执行对象为空：所列内容没有解析出任何主机",
    ),
    "HostVariableMissing": Sentence(
        "HOST variable [{name}] not exist", "作业引用的主机列表变量[{name}]不存在"
    ),
    "TooManyTargets": Sentence(
        "The targets of a script step exceed {limit}; split the job",
        "脚本任务目标服务器数量超过限制：{limit}；请拆分作业",
    ),
    "TooManyFileTasks": Sentence(
        "File tasks (source hosts x files x targets) exceed {limit}; split the job",
        "文件任务数量（源主机数 × 文件数 × 目标数）超过限制：{limit}；请拆分作业",
    ),
    "LocalFileUnknown": Sentence(
        "local file {path} not exists in backend; upload it to a URL of generate_local_file_upload_url",
        "本地文件 {path} 在后台不存在；请先上传到 generate_local_file_upload_url 返回的地址",
    ),
    "UploadUnknown": Sentence(
        "There is no upload of this URL, or its file was removed; ask generate_local_file_upload_url for a new one",
        "该上传地址不存在，或其文件已被清理；请通过 generate_local_file_upload_url 获取新的地址",
    ),
    "UploadExpired": Sentence(
        "The URL for {path} has expired; ask generate_local_file_upload_url for a new one",
        "{path} 的上传地址已过期；请通过 generate_local_file_upload_url 获取新的地址",
    ),
    "UploadWhole": Sentence(
        "{path} is uploaded already and never changes; ask generate_local_file_upload_url for another URL",
        "{path} 已上传完成，不能再修改；上传其他文件请通过 generate_local_file_upload_url 获取新的地址",
    ),
    "UploadBusy": Sentence(
        "Another request is uploading {path}; wait for its end, or try again when it has broken off",
        "另一个请求正在上传 {path}；请等待其结束，或在其中断后重试",
    ),
    "UploadElsewhere": Sentence(
        "The body begins at byte {start}, and {kept} bytes are kept: begin there (curl -C {kept} -T), or at 0",
        "请求体从第 {start} 字节开始，而已保存 {kept} 字节：请从该处继续（curl -C {kept} -T），或从 0 开始",
    ),
    "UploadTooLarge": Sentence(
        "The file is larger than {limit} bytes; raise ADAPTER_MAX_UPLOAD_BYTES",
        "文件超过 {limit} 字节；请调大 ADAPTER_MAX_UPLOAD_BYTES",
    ),
    "UploadNoRoom": Sentence(
        "The service has no room for the file; try again later, and go on from what is kept",
        "服务没有足够的空间保存该文件；请稍后从已保存处继续",
    ),
    "DangerousScript": Sentence("Dangerous script, cannot be executed", "高危脚本，禁止执行"),
    "DangerousRuleExists": Sentence("Dangerous rule [{name}] already exists", "高危语句规则[{name}]已存在"),
    "CredentialUnknown": Sentence(
        "Credential [{name}] does not exist in this business; use an id that create_credential answered",
        "该业务下不存在凭据[{name}]；请使用 create_credential 返回的 id",
    ),
    "CredentialExists": Sentence(
        "Credential name [{name}] already exists; choose another or use update_credential",
        "凭据名称[{name}]已存在；请更换名称或使用 update_credential",
    ),
    "FileSourceUnknown": Sentence(
        "FileSource does not exist: {name}; use an id that create_file_source answered",
        "文件源不存在：{name}；请使用 create_file_source 返回的 id",
    ),
    "FileSourceCodeUnknown": Sentence(
        "Cannot find file source by code: {name}; create it with create_file_source",
        "无法根据标识 {name} 找到文件源；请用 create_file_source 创建",
    ),
    "FileSourceOfAnotherScope": Sentence(
        "FileSource [id={name}] does not belong to the specified business",
        "文件源[id={name}]不在业务/业务集下",
    ),
    "FileSourceCodeExists": Sentence(
        "FileSource code already exists: {name}; choose another or use update_file_source",
        "文件源标识已存在：{name}；请更换标识或使用 update_file_source",
    ),
    "FileSourceAliasExists": Sentence(
        "FileSource alias already exists: {name}; choose another", "文件源别名已存在：{name}；请更换别名"
    ),
    "FileSourceUrlRefused": Sentence("No file source may be there", "文件源地址不在允许范围内"),
    "ScopeQuotaExceeded": Sentence(
        "The total number of jobs currently executed exceeds the resource scope quota limit"
        " ({limit} in {scope}); try again later",
        "当前执行的作业总量超过业务配额限制（{scope} 最多 {limit} 个）；请稍后重试",
    ),
    "AppQuotaExceeded": Sentence(
        "The total number of jobs currently executed exceeds the bk app quota limit"
        " ({limit} of {app_code}); try again later",
        "当前执行的作业总量超过应用配额限制（{app_code} 最多 {limit} 个）；请稍后重试",
    ),
    "SystemQuotaExceeded": Sentence(
        "The total number of jobs currently executed exceeds the system quota limit ({limit}); try again later",
        "当前执行的作业总量超过系统配额限制（最多 {limit} 个）；请稍后重试",
    ),
    "AccountUnknown": Sentence(
        "Account [{name}] does not exist; create it with create_account or `adapter apply`",
        "账号[{name}]不存在；请用 create_account 或 `adapter apply` 创建",
    ),
    "AccountExists": Sentence("Account alias [{name}] already exists", "账号别名[{name}]已存在"),
    "AccountInUse": Sentence("The account is in use and cannot be deleted", "账号正在被使用，不能删除"),
    "ScriptInUse": Sentence("The script is in use and cannot be deleted", "脚本正在被使用，不能删除"),
    "ScriptUnknown": Sentence("Script not exist", "脚本不存在"),
    "ScriptVersionUnknown": Sentence("Script version not exist", "脚本版本不存在"),
    "ScriptExists": Sentence("Script name [{name}] already exists", "脚本名称[{name}]已存在，请重新输入"),
    "VersionExists": Sentence("Script version [{name}] already exists", "脚本版本[{name}]已存在"),
    "ScriptNotExecutable": Sentence("Script status is not executable", "脚本状态不支持执行"),
    "PlanEmpty": Sentence("Job plan [{plan_id}] has no steps", "执行方案[{plan_id}]不合法：没有步骤"),
    "PlanUnknown": Sentence("Job plan [{plan_id}] does not exist", "执行方案[{plan_id}]不存在"),
    "CronUnknown": Sentence("Cron [{id}] does not exist", "定时任务[{id}]不存在"),
    "CronChanged": Sentence(
        "Cron [{id}] was changed by somebody else at the same time; look at it and try again",
        "定时任务[{id}]同时被他人修改；请查看后重试",
    ),
    "CronExists": Sentence("Cron name [{name}] already exists", "定时任务名称[{name}]已存在"),
    "CronTimePassed": Sentence(
        "execute_time {execute_time} has passed; give a later one, in seconds",
        "执行时间 {execute_time} 已过；请提供更晚的时间（秒）",
    ),
    "CronNotDeleted": Sentence(
        "Cron [{id}] could not be deleted: it is gone", "定时任务[{id}]删除失败：它已不存在"
    ),
    "PlanExists": Sentence("Job plan name [{name}] already exists", "执行方案名称[{name}]已存在"),
    "PlanInUse": Sentence(
        "Job plan [{plan_id}] is used by a cron job; delete the cron job first",
        "执行方案[{plan_id}]被定时任务引用，不能删除；请先删除定时任务",
    ),
    "TemplateUnknown": Sentence(
        "Job template [{template_id}] does not exist", "作业模板[{template_id}]不存在"
    ),
    "TemplateInUse": Sentence(
        "A plan of job template [{template_id}] is used by a cron job; delete the cron job first",
        "作业模板[{template_id}]的执行方案被定时任务引用，不能删除；请先删除定时任务",
    ),
    "JobUnknown": Sentence("Task instance [{id}] does not exist", "作业实例[{id}]不存在"),
    "StepInstanceUnknown": Sentence("Step instance [{id}] does not exist", "作业步骤实例[{id}]不存在"),
    "ExecuteObjectUnknown": Sentence(
        "Execute object {resource_id} is not in this execution of the step",
        "执行对象[{resource_id}]不在该步骤的这次执行中",
    ),
    "StepNotExist": Sentence("Step instance [{id}] does not exist", "作业步骤实例[{id}]不存在"),
    "NotAConfirmer": Sentence(
        "Only the confirmer can operate: [{user}] is none of [{confirmers}]",
        "只有确认人才能操作：[{user}] 不在确认人 [{confirmers}] 之中",
    ),
    "RollingInvalid": Sentence("Rolling strategy is invalid", "滚动策略不合法"),
    "RollingFileSourceKind": Sentence(
        "Rolling by file sources (rolling_config.type 2) supports only server files: file_type 1",
        "按源文件滚动（rolling_config.type 2）仅支持服务器文件：file_type 1",
    ),
    "TooManyBatches": Sentence(
        "Rolling batches exceed {limit}; make each batch larger",
        "滚动批次数量超过限制：{limit}；请调大每批的数量",
    ),
    "ScopeUnknown": Sentence(
        "Business/Business Set [{scope}] not exist or archived; the inventory (or CMDB, where"
        " hosts come from it) needs one named {scope}",
        "业务/业务集[{scope}]不存在或已被归档；inventory（或作为主机来源的 CMDB）中需要 {scope}",
    ),
    "PermissionDenied": Sentence("Permission denied", "用户权限不足", is_led=False),
    "AccountForbidden": Sentence("No permission to use account", "没有账号的使用权限"),
    "EsbError": Sentence("Authentication failed", "用户认证失败", is_led=False),
    "EsbComponentNotFound": Sentence("Not found", "组件不存在", is_led=False),
    "EsbParametersError": Sentence("Parameters error", "参数错误", is_led=False),
    "TooManyStreams": Sentence(
        "{limit} event streams are open; try again later, or raise ADAPTER_MAX_STREAMS",
        "已打开 {limit} 个事件流；请稍后重试，或调大 ADAPTER_MAX_STREAMS",
    ),
    "NotLoggedIn": Sentence("User does not exist or is not logged in", "用户不存在或者未登录", is_led=False),
    "UserMissing": Sentence("Missing user info", "缺少有效的用户信息", is_led=False),
    "AppMissing": Sentence("Missing app code", "缺少有效的应用信息", is_led=False),
}

#: v4's own sentence for a field that is not what it should be; what is wrong with it is the detail.
FIELDS_BIND_FAILED: Mapping[Language, str] = {
    Language.EN: "Fields [{field}] bind failed",
    Language.ZH: "字段[{field}]绑定失败",
}
