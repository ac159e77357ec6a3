"""What is said to people, in JOB's two languages: one catalogue (contract b1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


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
