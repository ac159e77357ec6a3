"""Plans that the API makes of a template: what they take of it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter import errors
from adapter.job.model import Server
from adapter.job.plan import GlobalVariable, JobTemplate, ListFilter
from adapter.job.status import VariableType
from adapter.service.catalog import Catalog
from adapter.service.plan_making import GivenVariable
from adapter.store.opening import Stores

from .conftest import BIZ, OTHER
from .test_plans import PUSH, SAY, TARGET

VARIABLES = (
    GlobalVariable(id=1, name="TEXT", type=VariableType.STRING, value="old"),
    GlobalVariable(id=2, name="SECRET", type=VariableType.CIPHER, value="old secret"),
    GlobalVariable(id=3, name="ARRAY", type=VariableType.INDEX_ARRAY, value='("a")'),
    GlobalVariable(id=4, name="TARGETS", type=VariableType.HOSTS, server=TARGET),
)


@pytest.fixture
def template(stores: Stores) -> JobTemplate:
    """Two steps and a variable of each kind."""
    return stores.plans.create_template(
        BIZ, name="release", steps=(SAY, PUSH), variables=VARIABLES, operator="ann", now_ms=1
    )


def make(catalog: Catalog, template: JobTemplate, **changes: Any) -> int:
    """A plan of it, in the database."""
    request: dict[str, Any] = {"user": "ann", "template_id": template.id, "name": "p", **changes}
    return catalog.create_job_plan(request.pop("scope", BIZ), **request).id


def test_all_that_is_not_said_is_the_template_s(catalog: Catalog, template: JobTemplate) -> None:
    """Blanks around the name are cut off."""
    plan = catalog.plan(make(catalog, template, name=" p "))
    assert (plan.name, plan.creator, plan.template_id) == ("p", "ann", template.id)
    assert (plan.steps, plan.enabled_steps) == (template.steps, template.steps)
    assert plan.variables == template.variables
    assert not plan.need_update


def test_some_steps_and_values_of_its_own(catalog: Catalog, template: JobTemplate) -> None:
    """The template keeps its values; what follows it, or has no value, is the template's."""
    given = (
        GivenVariable(name="TEXT", value=""),
        GivenVariable(name="ARRAY", value="(x y)"),
        GivenVariable(name="TARGETS", server=Server(host_ids=(9,))),
    )
    plan = catalog.plan(make(catalog, template, enable_steps=[2, 2], variables=given))
    assert [step.id for step in plan.enabled_steps] == [2]
    assert [item.value for item in plan.variables] == ["", "old secret", "(x y)", ""]
    assert plan.variables[3].server == Server(host_ids=(9,))
    assert catalog.get_job_template_detail(BIZ, template_id=template.id).variables[0].value == "old"
    assert catalog.get_job_plan_list(BIZ, ListFilter()).items[0].step_num == 1


def test_what_keeps_the_template_s_value(catalog: Catalog, template: JobTemplate) -> None:
    """Asking for it, saying nothing, and sending back the asterisks of a cipher."""
    given = (
        GivenVariable(name="TEXT", value="ignored", follow_template=True),
        GivenVariable(name="SECRET", value="******"),
        GivenVariable(name="ARRAY"),
        GivenVariable(name="TARGETS", follow_template=True),
    )
    assert catalog.plan(make(catalog, template, variables=given)).variables == VARIABLES


@pytest.mark.parametrize(
    ("changes", "error", "problem"),
    [
        ({"name": " "}, errors.BadRequest, "Invalid name: must not be blank"),
        ({"name": "x" * 61}, errors.BadRequest, "Invalid name: must not be longer than 60"),
        ({"name": "a<b"}, errors.BadRequest, "Invalid name: must not contain any of"),
        ({"name": "a\0"}, errors.BadRequest, "Invalid name: must not contain control"),
        ({"name": "taken"}, errors.PlanExists, r"\[taken\] already exists"),
        ({"template_id": 99}, errors.TemplateUnknown, r"\[99\] does not exist"),
        ({"template_id": 2**63}, errors.TemplateUnknown, "does not exist"),
        ({"scope": OTHER}, errors.TemplateUnknown, "does not exist"),
        ({"enable_steps": [1, 99]}, errors.ReasonedParameter, "enable_steps.*step 99 is not in template 1"),
        ({"enable_steps": [2**63]}, errors.ReasonedParameter, "enable_steps"),
    ],
)
def test_what_is_refused(
    catalog: Catalog, template: JobTemplate, changes: dict[str, Any], error: type[Exception], problem: str
) -> None:
    """JOB's codes, and no plan."""
    make(catalog, template, name="taken")
    with pytest.raises(error, match=problem):
        make(catalog, template, **changes)
    assert catalog.get_job_plan_list(BIZ, ListFilter()).total == 1


def test_a_step_of_another_template(stores: Stores, catalog: Catalog, template: JobTemplate) -> None:
    """It is named."""
    other = stores.plans.create_template(BIZ, name="other", steps=(SAY,), operator="ann", now_ms=1)
    with pytest.raises(errors.ReasonedParameter, match=f"step {other.steps[0].id} is not in template"):
        make(catalog, template, enable_steps=[other.steps[0].id])


HOSTS = Server(host_ids=(9,))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([GivenVariable(name="NONE", value="x")], "no variable NONE"),
        ([GivenVariable(name="text", value="x")], "no variable text"),
        ([GivenVariable(name="TEXT"), GivenVariable(name="TEXT")], "TEXT is listed twice"),
        ([GivenVariable(name="TEXT", value="a\0")], "TEXT: must not contain NUL"),
        ([GivenVariable(name="ARRAY", value="a b")], "ARRAY: must be written as"),
        ([GivenVariable(name="TEXT", server=HOSTS)], "TEXT has a value"),
        ([GivenVariable(name="TARGETS", value="x")], "TARGETS is a variable of hosts"),
        ([GivenVariable(name="TARGETS")], "TARGETS needs at least one host"),
        ([GivenVariable(name="TARGETS", server=Server())], "TARGETS needs at least one host"),
        ([GivenVariable(name="TARGETS", server=HOSTS, follow_template=True)], "leave execute_target out"),
    ],
)
def test_values_that_cannot_be(
    catalog: Catalog, template: JobTemplate, given: list[GivenVariable], problem: str
) -> None:
    """1241010 with the reason, and no plan."""
    with pytest.raises(errors.ReasonedParameter, match=problem) as raised:
        make(catalog, template, variables=given)
    assert raised.value.code == 1241010
    assert catalog.get_job_plan_list(BIZ, ListFilter()).total == 0


def test_a_cipher_is_in_no_message_and_sealed_at_rest(
    stores: Stores, catalog: Catalog, template: JobTemplate, data_dir: Path
) -> None:
    """The plan has it, the database file does not."""
    given = GivenVariable(name="SECRET", value="CIPHER-7")
    assert "CIPHER-7" not in repr(given)
    made = catalog.create_job_plan(BIZ, user="ann", template_id=template.id, name="p", variables=[given])
    assert "CIPHER-7" not in repr(made)
    assert catalog.plan(made.id).variables[1].value == "CIPHER-7"
    stores.close()
    for file in data_dir.iterdir():
        assert b"CIPHER-7" not in file.read_bytes()
