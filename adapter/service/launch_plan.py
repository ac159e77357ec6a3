"""The steps of a stored plan as drafts, and what a platform job changes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from adapter import errors
from adapter.job.commands import AccountRef, ScriptRef, SourceSpec, StepOverride
from adapter.job.plan import ConfirmerRole, JobPlan, PlanApproval, PlanFile, PlanScript, PlanStep
from adapter.messages import say
from adapter.service.drafts import ApprovalDraft, FileDraft, ScriptDraft, StepDraft


def drafts_of(plan: JobPlan, launched_by: str) -> tuple[StepDraft, ...]:
    """The enabled steps in order, for the user that launches them. Raises PlanEmpty if there is none."""
    if not plan.enabled_steps:
        raise errors.PlanEmpty(plan.id)
    people = {ConfirmerRole.OWNER: plan.creator, ConfirmerRole.TRIGGER: launched_by}
    return tuple(_draft(step, people) for step in plan.enabled_steps)


def overridden(
    plan: JobPlan,
    launched_by: str,
    overrides: tuple[StepOverride, ...] | None,
    language_of: Callable[[ScriptRef], int],
) -> tuple[StepDraft, ...]:
    """The steps that `overrides` list, changed, in the plan's order; all as they are stored for None.

    `language_of` looks up the language of a stored script whose text is replaced by one without a language.
    Raises InvalidParameter for a step the plan does not run, one listed twice, and fields of another type
    of step; PlanEmpty.
    """
    drafts = drafts_of(plan, launched_by)
    if overrides is None:
        return drafts
    chosen = _by_step(overrides, [draft.step_id for draft in drafts])
    return tuple(
        _changed(draft, chosen[draft.step_id], language_of) for draft in drafts if draft.step_id in chosen
    )


def _draft(step: PlanStep, people: Mapping[ConfirmerRole, str]) -> StepDraft:
    if step.script:
        work: ScriptDraft | FileDraft | ApprovalDraft = _script_draft(step.script)
    elif step.file:
        work = _file_draft(step.file)
    elif step.approval:
        work = _approval_draft(step.approval, people)
    else:
        raise errors.NotSupported(say("step [{name}] of type {type}", name=step.name, type=int(step.type)))
    return StepDraft(
        step_id=step.id, name=step.name, target=step.target, work=work, ignore_error=step.ignore_error
    )


def _script_draft(script: PlanScript) -> ScriptDraft:
    return ScriptDraft(
        script=ScriptRef(
            version_id=script.script_version_id,
            script_id=script.script_id,
            content=script.content,
            language=script.language,
        ),
        account=AccountRef(id=script.account_id),
        param=script.param,
        param_sensitive=script.param_sensitive,
        timeout=script.timeout,
    )


def _file_draft(file: PlanFile) -> FileDraft:
    return FileDraft(
        sources=tuple(
            SourceSpec(
                files=source.files,
                account=AccountRef(id=source.account_id),
                server=source.server,
                file_type=source.file_type,
                file_source_id=source.file_source_id,
                file_source_code=source.file_source_code,
            )
            for source in file.sources
        ),
        target_path=file.target_path,
        account=AccountRef(id=file.account_id),
        transfer_mode=file.transfer_mode,
        timeout=file.timeout,
        upload_speed_limit=file.upload_speed_limit,
        download_speed_limit=file.download_speed_limit,
    )


def _approval_draft(approval: PlanApproval, people: Mapping[ConfirmerRole, str]) -> ApprovalDraft:
    """Roles are whoever has them now; one that nobody has is nobody's to confirm."""
    held = (people[ConfirmerRole(role)] for role in approval.roles)
    users = dict.fromkeys((*approval.users, *(user for user in held if user)))
    return ApprovalDraft(message=approval.message, users=tuple(users), roles=approval.roles)


def _by_step(overrides: tuple[StepOverride, ...], valid: list[int]) -> dict[int, StepOverride]:
    chosen: dict[int, StepOverride] = {}
    for override in overrides:
        if override.step_id not in valid:
            known = ", ".join(map(str, valid))
            raise errors.InvalidParameter(
                "steps.step_id",
                say("{id} is no step that the plan runs; it has {known}", id=override.step_id, known=known),
            )
        if override.step_id in chosen:
            raise errors.InvalidParameter("steps.step_id", say("{id} is listed twice", id=override.step_id))
        chosen[override.step_id] = override
    if not chosen:
        raise errors.InvalidParameter("steps", say("lists no step; leave it out to run every step"))
    return chosen


def _changed(draft: StepDraft, override: StepOverride, language_of: Callable[[ScriptRef], int]) -> StepDraft:
    if isinstance(draft.work, ApprovalDraft):
        return _unchanged_approval(draft, override)
    if override.target and not override.target.is_empty:
        draft = replace(draft, target=override.target)
    if isinstance(draft.work, ScriptDraft):
        _refuse(override, "script", file_target_path=override.target_path, file_source=override.sources)
        return replace(draft, work=_changed_script(draft.work, override, language_of))
    assert isinstance(draft.work, FileDraft)  # a plan has no SQL
    script = override.script or ScriptRef()
    _refuse(
        override,
        "file",
        script_id=script.version_id or script.script_id,
        script_content=script.content,
        script_param=override.param,
        script_timeout=override.timeout,
    )
    return replace(draft, work=_changed_file(draft.work, override))


def _unchanged_approval(draft: StepDraft, override: StepOverride) -> StepDraft:
    """There is nothing in it that a request could change."""
    script = override.script or ScriptRef()
    _refuse(
        override,
        "approval",
        script_id=script.version_id or script.script_id,
        script_content=script.content,
        script_param=override.param,
        script_timeout=override.timeout,
        account=override.account,
        file_target_path=override.target_path,
        file_source=override.sources,
        ip_list=override.target and not override.target.is_empty,
    )
    return draft


def _refuse(override: StepOverride, kind: str, **fields: object) -> None:
    for name, value in fields.items():
        if value:
            raise errors.InvalidParameter(
                f"steps.{name}",
                say(
                    "step {id} is of type {kind}, which has no {name}; leave it out",
                    id=override.step_id,
                    kind=kind,
                    name=name,
                ),
            )


def _changed_script(
    work: ScriptDraft, override: StepOverride, language_of: Callable[[ScriptRef], int]
) -> ScriptDraft:
    return replace(
        work,
        script=_changed_ref(work.script, override.script, language_of),
        param=work.param if override.param is None else override.param,
        timeout=override.timeout or work.timeout,
        account=override.account or work.account,
    )


def _changed_ref(
    stored: ScriptRef, given: ScriptRef | None, language_of: Callable[[ScriptRef], int]
) -> ScriptRef:
    if given is None:
        return stored
    if given.version_id is not None or given.script_id:
        return ScriptRef(version_id=given.version_id, script_id=given.script_id)
    if not given.content:
        return stored
    return ScriptRef(content=given.content, language=given.language or stored.language or language_of(stored))


def _changed_file(work: FileDraft, override: StepOverride) -> FileDraft:
    return replace(
        work,
        target_path=override.target_path or work.target_path,
        sources=override.sources or work.sources,
        account=override.account or work.account,
    )
