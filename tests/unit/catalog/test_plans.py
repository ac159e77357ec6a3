"""Plans: what is stored comes back, secrets are sealed at rest and masked in replies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter import errors
from adapter.job.model import IpRef, Scope, Server, TopoNode
from adapter.job.plan import (
    GlobalVariable,
    JobTemplate,
    ListFilter,
    PlanFile,
    PlanFileSource,
    PlanScript,
    PlanStep,
)
from adapter.job.status import StepType, VariableType
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores

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
        template, name=name, steps=frozenset(step_ids) or None, operator="ann", now_ms=2
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


def change(stores: Stores, template: JobTemplate, **changes: Any) -> JobTemplate:
    """The template with something else in it."""
    definition = {"name": template.name, "steps": template.steps, "variables": template.variables}
    return stores.plans.update_template(
        template.id, operator="bob", now_ms=3, **{"description": "", **definition, **changes}
    )


def test_a_plan_keeps_its_own_steps_until_it_is_brought_up_to_date(stores: Stores, catalog: Catalog) -> None:
    """As in JOB: a changed template changes no plan, and says of each that it needs an update."""
    template = make(stores)
    everything = plan_of(stores, template)
    some = plan_of(stores, template, "some", template.steps[1].id)
    before = catalog.plan(everything), catalog.plan(some)
    changed = change(stores, template, steps=(template.steps[0], replace(SAY, name="again")), variables=())
    for plan_id, was in zip((everything, some), before, strict=True):
        assert catalog.plan(plan_id) == replace(was, need_update=True)
        assert catalog.get_job_plan_detail(BIZ, plan_id=plan_id).need_update
    assert [plan.need_update for plan in catalog.get_job_plan_list(BIZ, ListFilter()).items] == [True, True]

    stores.plans.update_plan(everything, changed, name="all", operator="bob", now_ms=4)
    stores.plans.update_plan(
        some, changed, name="some", steps=frozenset({template.steps[1].id}), operator="bob", now_ms=4
    )
    assert [step.id for step in catalog.plan(everything).enabled_steps] == [1, 3]
    assert catalog.plan(some).enabled_steps == ()
    assert [plan.step_num for plan in catalog.get_job_plan_list(BIZ, ListFilter()).items] == [0, 2]
    assert not catalog.plan(everything).need_update
    assert stores.plans.step_owner(2) is None
    assert stores.plans.step_owner(3) == template.id


@pytest.mark.parametrize("changes", [{"name": "other"}, {"description": "other"}, {}])
def test_what_is_no_change_of_what_runs_needs_no_update(
    stores: Stores, catalog: Catalog, changes: dict[str, Any]
) -> None:
    """A template's name is not its plans'."""
    template = make(stores)
    plan_id = plan_of(stores, template)
    assert change(stores, template, **changes).version == template.version == 1
    assert not catalog.plan(plan_id).need_update


def test_a_change_of_variables_alone_needs_an_update(stores: Stores, catalog: Catalog) -> None:
    """Also of a cipher's value, which is stored encrypted with a new salt each time."""
    template = make(stores)
    plan_id = plan_of(stores, template)
    secret, *others = template.variables
    change(stores, template, variables=(replace(secret, value="another"), *others))
    plan = catalog.plan(plan_id)
    assert plan.need_update
    assert plan.variables == template.variables


def test_a_deleted_template_takes_its_plans_with_it(stores: Stores, catalog: Catalog) -> None:
    """And its steps; another template's stay."""
    gone, kept = make(stores), make(stores, "kept")
    plan_ids = plan_of(stores, gone), plan_of(stores, kept)
    stores.plans.delete_template(gone.id)
    assert stores.plans.template(gone.id) is None
    assert stores.plans.step_owner(gone.steps[0].id) is None
    with pytest.raises(errors.PlanUnknown):
        catalog.plan(plan_ids[0])
    assert catalog.plan(plan_ids[1]).name == "all"
    with pytest.raises(errors.TemplateUnknown):
        plan_of(stores, gone)


def test_sensitive_values_are_sealed_at_rest(stores: Stores, data_dir: Path) -> None:
    """A sensitive parameter and a cipher variable are in no file in clear."""
    plan_of(stores, make(stores))
    stores.close()
    for file in data_dir.iterdir():
        assert b"PARAM-7" not in file.read_bytes()
        assert b"CIPHER-7" not in file.read_bytes()


def test_replies_are_masked_and_launches_are_not(stores: Stores, catalog: Catalog) -> None:
    """As JOB shows sensitive values: ******."""
    template = make(stores)
    plan_id = plan_of(stores, template)
    for shown in (
        catalog.get_job_plan_detail(BIZ, plan_id=plan_id),
        catalog.get_job_template_detail(BIZ, template_id=template.id),
    ):
        assert "-7" not in repr(shown)
        assert shown.variables[0].value == "******"
        assert shown.variables[2].value == "hi"
    launched = catalog.plan(plan_id)
    assert launched.steps[0].script is not None
    assert launched.steps[0].script.param == "PARAM-7"
    assert launched.variables[0].value == "CIPHER-7"


def test_the_list_filters(stores: Stores, catalog: Catalog) -> None:
    """By template, name, people and times; other businesses' plans are not in it."""
    release, clean = make(stores), make(stores, "clean")
    plan_of(stores, release, "release all")
    plan_of(stores, clean, "clean %")

    def found(template_id: int | None = None, **wanted: Any) -> list[str]:
        page = catalog.get_job_plan_list(BIZ, ListFilter(**wanted), template_id=template_id)
        assert page.total == len(page.items)
        return [plan.name for plan in page.items]

    assert found() == ["clean %", "release all"]
    assert found(template_id=clean.id) == ["clean %"]
    for nothing in (0, -1, 99, 2**63):
        assert found(template_id=nothing) == []
    assert found(name="%") == ["clean %"]
    assert found(name="RELEASE") == ["release all"]
    assert found(name="_") == []
    assert found(creator="nobody") == []
    assert len(found(last_modify_user="ann", creator="ann")) == 2
    assert len(found(create_time=(2, 2))) == 2
    assert found(create_time=(3, None)) == []
    assert found(last_modify_time=(None, 1)) == []
    assert catalog.get_job_plan_list(OTHER, ListFilter()).total == 0
    with pytest.raises(errors.BadRequest, match="Invalid name"):
        found(name="a\0")


def test_the_list_of_templates_filters(stores: Stores, catalog: Catalog) -> None:
    """By name, people and times, last changed first."""
    release = make(stores)
    make(stores, "clean %")
    change(stores, release, description="changed")

    def found(scope: Scope = BIZ, **wanted: Any) -> list[str]:
        page = catalog.get_job_template_list(scope, ListFilter(**wanted))
        assert page.total == len(page.items)
        return [template.name for template in page.items]

    assert found() == ["release", "clean %"]
    assert found(name="%") == ["clean %"]
    assert found(creator="ann") == ["release", "clean %"]
    assert found(creator="an") == []
    assert found(last_modify_user="bob") == ["release"]
    assert found(create_time=(1, 1)) == ["release", "clean %"]
    assert found(create_time=(None, 0)) == []
    assert found(last_modify_time=(2, None)) == ["release"]
    assert found(OTHER) == []
    page = catalog.get_job_template_list(BIZ, ListFilter(), start=1, length=1)
    assert (page.total, [template.name for template in page.items]) == (2, ["clean %"])


def test_v2_s_list_is_everything(stores: Stores, catalog: Catalog) -> None:
    """Unless it is asked for a part."""
    template = make(stores)
    for number in range(25):
        plan_of(stores, template, f"p{number}")
    assert len(catalog.get_job_list(BIZ, ListFilter())) == 25
    assert len(catalog.get_job_list(BIZ, ListFilter(), start=-1, length=0)) == 25
    assert [plan.name for plan in catalog.get_job_list(BIZ, ListFilter(name="p2"), start=1, length=2)] == [
        "p23",
        "p22",
    ]


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
