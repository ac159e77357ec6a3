"""What a file step transfers, out of what was asked for; its paths are checked as far as they are known."""

from __future__ import annotations

from collections.abc import Iterable

from adapter import errors
from adapter.job import paths
from adapter.job.model import SERVICE_HOST, Account, FileSource, FileTask, Host
from adapter.job.status import FileType
from adapter.messages import say
from adapter.service.drafts import ConfigDraft, FileDraft
from adapter.service.plan_variables import PlanVariables

MAX_FILE_TASKS = 100_000  #: sum over the sources of hosts times files, times targets


def problem_of(path: str, variables: PlanVariables) -> str | None:
    """Why a path will be none that a host could use, as far as that is known. Raises NotSupported for Windows."""
    known = variables.path(path)
    if known is None:
        return say("a path cannot have a NUL character") if "\0" in path else None
    return path_problem(known)


def path_problem(path: str) -> str | None:
    """Why a path is none that a host could use. Raises NotSupported for Windows."""
    if paths.is_windows(path):
        raise errors.NotSupported(say("the path {path} of a Windows host", path=path))
    return paths.path_problem(path)


def file_task(
    work: FileDraft, account: Account, sources: tuple[FileSource, ...], variables: PlanVariables
) -> FileTask:
    """Files from hosts. Raises MissingOrInvalid, NotSupported for a target path that cannot be."""
    target_path, transfer_mode = paths.path_of_mode(work.target_path.strip(), work.transfer_mode)
    problem = problem_of(target_path, variables)
    if problem:
        raise errors.MissingOrInvalid("file_target_path", problem)
    return FileTask(
        sources=sources,
        target_path=target_path,
        account_id=account.id,
        transfer_mode=transfer_mode,
        timeout=work.timeout,
        upload_speed_limit=work.upload_speed_limit,
        download_speed_limit=work.download_speed_limit,
        file_target_name=work.file_target_name,
    )


def config_task(work: ConfigDraft, account: Account) -> FileTask:
    """Files that came with the request: each a source of its own, the service. Raises InvalidParameters."""
    problem = path_problem(work.target_path)
    if problem:
        raise errors.InvalidParameters(problem)
    sources = tuple(
        FileSource(
            files=(file.name,),
            account_id=account.id,
            hosts=(SERVICE_HOST,),
            file_type=FileType.BASE64_FILE,
            content=file.content,
        )
        for file in work.files
    )
    return FileTask(sources=sources, target_path=work.target_path, account_id=account.id)


def limit_file_tasks(sources: Iterable[FileSource], hosts: tuple[Host, ...]) -> None:
    """Raises TooManyFileTasks."""
    if sum(len(source.hosts) * len(source.files) for source in sources) * len(hosts) > MAX_FILE_TASKS:
        raise errors.TooManyFileTasks(MAX_FILE_TASKS)
