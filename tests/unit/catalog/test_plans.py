"""Plans: what is stored comes back, secrets are sealed at rest and masked in replies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapter import errors
from adapter.job.model import IpRef, Server, TopoNode
from adapter.job.plan import GlobalVariable, PlanFile, PlanFileSource, PlanScript, PlanStep
from adapter.job.status import StepType, VariableType
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores
from adapter.store.plan_rows import JobTemplate

from .conftest import BIZ, OTHER

TARGET = Server(
    host_ids=(1, 2),
    ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),),
    dynamic_groups=("g",),
    topo_nodes=(TopoNode(id=3, node_type="module"),),
)
SAY = PlanStep(
    id=0,
    name="say",
    type=StepType.SCRIPT,
    target=TARGET,
    script=PlanScript(account_id=1, language=1, content="x", param="PARAM-7", param_sensitive=True),
)
PUSH = PlanStep(
    id=0,
    name="push",
    type=StepType.FILE,
    target=Server(variable="TARGETS"),
    file=PlanFile(
        account_id=1,
        target_path="/tmp/",
        sources=(PlanFileSource(files=("/a", "/b"), account_id=1, server=TARGET),),
    ),
    ignore_error=True,
)
VARIABLES = (
    GlobalVariable(id=0, name="SECRET", type=VariableType.CIPHER, value="CIPHER-7"),
    GlobalVariable(id=7, name="TARGETS", type=VariableType.HOSTS, server=TARGET),
    GlobalVariable(id=0, name="GREETING", type=VariableType.STRING, value="hi", required=True),
)


def make(stores: Stores, name: str = "release") -> JobTemplate:
    """A template of two steps."""
    return stores.plans.create_template(
        BIZ, name=name, steps=(SAY, PUSH), variables=VARIABLES, operator="ann", now_ms=1
    )


def plan_of(stores: Stores, template: JobTemplate, name: str = "all", *step_ids: int) -> int:
    """A plan of some steps, or of all."""
    return stores.plans.create_plan(
        template.id, name=name, steps=frozenset(step_ids) or None, operator="ann", now_ms=2
    )


def test_a_plan_comes_back_as_it_was_given(stores: Stores, catalog: Catalog) -> None:
    """With ids for the steps and variables that had none."""
    template = make(stores)
    plan = catalog.plan(plan_of(stores, template))
    assert plan.steps == (replace(SAY, id=1), replace(PUSH, id=2))
    assert plan.variables == (
        replace(VARIABLES[0], id=8),
        VARIABLES[1],
        replace(VARIABLES[2], id=9),
    )
    assert plan.enabled_steps == plan.steps
    assert (plan.template_name, plan.scope) == ("release", BIZ)


def test_a_plan_of_some_steps_keeps_the_others_in_sight(stores: Stores, catalog: Catalog) -> None:
    """get_job_plan_detail shows disabled steps too."""
    template = make(stores)
    plan = catalog.get_job_plan_detail(BIZ, plan_id=plan_of(stores, template, "one", template.steps[1].id))
    assert len(plan.steps) == 2
    assert [step.name for step in plan.enabled_steps] == ["push"]


def test_a_plan_follows_its_template(stores: Stores, catalog: Catalog) -> None:
    """A step that is gone is gone from every plan; a new one is in the plans of all steps. Ids are not reused."""
    template = make(stores)
    everything = plan_of(stores, template)
    some = plan_of(stores, template, "some", template.steps[1].id)
    stores.plans.update_template(
        template.id,
        name="release",
        steps=(template.steps[0], replace(SAY, name="again")),
        variables=(),
        operator="bob",
        now_ms=3,
    )
    assert [step.id for step in catalog.plan(everything).enabled_steps] == [1, 3]
    assert catalog.plan(some).enabled_steps == ()
    assert stores.plans.step_owner(2) is None
    assert stores.plans.step_owner(3) == template.id


def test_sensitive_values_are_sealed_at_rest(stores: Stores, data_dir: Path) -> None:
    """A sensitive parameter and a cipher variable are in no file in clear."""
    plan_of(stores, make(stores))
    stores.close()
    for file in data_dir.iterdir():
        assert b"PARAM-7" not in file.read_bytes()
        assert b"CIPHER-7" not in file.read_bytes()


def test_replies_are_masked_and_launches_are_not(stores: Stores, catalog: Catalog) -> None:
    """As JOB shows sensitive values: ******."""
    plan_id = plan_of(stores, make(stores))
    for plan in (
        catalog.get_job_plan_detail(BIZ, plan_id=plan_id),
        catalog.get_job_plan_list(BIZ).items[0],
    ):
        assert "-7" not in repr(plan)
        assert plan.variables[0].value == "******"
        assert plan.variables[2].value == "hi"
    launched = catalog.plan(plan_id)
    assert launched.steps[0].script is not None
    assert launched.steps[0].script.param == "PARAM-7"
    assert launched.variables[0].value == "CIPHER-7"


def test_the_list_filters(stores: Stores, catalog: Catalog) -> None:
    """By template, name, people and times; other businesses' plans are not in it."""
    release, clean = make(stores), make(stores, "clean")
    plan_of(stores, release, "release all")
    plan_of(stores, clean, "clean %")
    names = [plan.name for plan in catalog.get_job_plan_list(BIZ).items]
    assert names == ["clean %", "release all"]
    assert catalog.get_job_plan_list(BIZ, template_id=clean.id).total == 1
    assert catalog.get_job_plan_list(BIZ, name="%").total == 1
    assert catalog.get_job_plan_list(BIZ, creator="nobody").total == 0
    assert catalog.get_job_plan_list(BIZ, last_modify_user="ann").total == 2
    assert catalog.get_job_plan_list(BIZ, create_time=(2, 2)).total == 2
    assert catalog.get_job_plan_list(BIZ, create_time=(3, None)).total == 0
    assert catalog.get_job_plan_list(BIZ, last_modify_time=(None, 1)).total == 0
    assert catalog.get_job_plan_list(OTHER).total == 0


def test_unknown_plans(stores: Stores, catalog: Catalog) -> None:
    """1241007 for what can be no id, 1244012 for what is none, or another business's."""
    plan_id = plan_of(stores, make(stores))
    with pytest.raises(errors.MissingOrInvalid) as raised:
        catalog.get_job_plan_detail(BIZ, plan_id=0)
    assert raised.value.code == 1241007
    with pytest.raises(errors.PlanUnknown):
        catalog.get_job_plan_detail(OTHER, plan_id=plan_id)
    for unknown in (-1, 99, 2**63):
        with pytest.raises(errors.PlanUnknown):
            catalog.plan(unknown)
