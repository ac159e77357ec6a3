"""`adapter apply` and plans: bringing them up to date, values of their own, renaming and deleting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter import errors
from adapter.job.model import Server
from adapter.job.plan import ListFilter
from adapter.service.apply import ApplyError
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores

from .conftest import BIZ

Applying = Callable[[str], list[str]]

STEP = "{name: say, script: {language: 1, content: CONTENT, account: root}, target: {host_id_list: [1]}}"
FILE = f"""
scope: {{type: biz, id: 2}}
accounts: [{{account: root}}]
templates:
  - name: t
    variables: [{{name: TEXT, value: old}}, {{name: ARRAY, type: 6}}, {{name: HOSTS, type: 3}}]
    steps: [{STEP}]
    plans: PLANS
"""


def file(plans: str, content: str = "x") -> str:
    """A file with a template of one step and these plans."""
    return FILE.replace("PLANS", plans).replace("CONTENT", content)


def test_the_plans_that_a_file_lists_are_brought_up_to_date(apply: Applying, catalog: Catalog) -> None:
    """The others keep their steps until a file lists them."""
    apply(file("[{name: a}, {name: b}]"))
    changed = file("[{name: a}]", content="y")
    assert apply(changed) == ["updated template t", "updated plan a"]
    assert apply(changed) == []
    contents = {}
    for plan in catalog.get_job_plan_list(BIZ, ListFilter()).items:
        script = catalog.plan(plan.id).steps[0].script
        assert script is not None
        contents[plan.name] = (plan.need_update, script.content)
    assert contents == {"a": (False, "y"), "b": (True, "x")}
    assert apply(file("[{name: b}]", content="y")) == ["updated plan b"]


def test_a_plan_that_the_api_made_is_brought_up_to_date_by_its_name(
    apply: Applying, catalog: Catalog
) -> None:
    """It takes the file's selection and values."""
    apply(file("[]"))
    made = catalog.create_job_plan(BIZ, user="ann", template_id=1, name="made")
    apply(file("[]", content="y"))
    assert catalog.plan(made.id).need_update
    assert apply(file("[{name: made}]", content="y")) == ["updated plan made"]
    plan = catalog.plan(made.id)
    assert (plan.need_update, plan.creator) == (False, "ann")


def test_a_plan_s_own_values(apply: Applying, catalog: Catalog) -> None:
    """Of any type; the same file twice changes nothing; left out, they are the template's again."""
    own = "[{name: TEXT, value: new}, {name: HOSTS, server: {host_id_list: [7]}}]"
    text = file(f"[{{name: p, variables: {own}}}]")
    assert apply(text) == ["created account root", "created template t", "created plan p"]
    assert apply(text) == []
    plan = catalog.plan(1)
    assert [(item.value, item.server) for item in plan.variables] == [
        ("new", None),
        ("", None),
        ("", Server(host_ids=(7,))),
    ]
    assert apply(file("[{name: p}]")) == ["updated plan p"]
    assert catalog.plan(1).variables[0].value == "old"


@pytest.mark.parametrize(
    ("plans", "problem"),
    [
        ("[{name: p, variables: [{name: NONE, value: x}]}]", "variables[0].name: no variable [NONE] in"),
        ("[{name: p, variables: [{name: TEXT}]}]", "plans[0].variables[0].value: is missing"),
        ("[{name: p, variables: [{name: ARRAY, value: x}]}]", "variables[0].value: must be written as"),
        ("[{name: p, variables: [{name: HOSTS, value: x}]}]", "plans[0].variables[0].server: is missing"),
        (
            "[{name: p, variables: [{name: TEXT, value: x}, {name: TEXT, value: x}]}]",
            "plans[0].variables[1].name: [TEXT] is listed twice",
        ),
        ("[{name: p, steps: [none]}]", "plans[0].steps[0]: no step of id or name [none] in template [t]"),
        ("[{name: p, steps: []}]", "plans[0].steps: needs at least one step"),
        (f"[{{name: {'x' * 256}}}]", "plans[0].name: must not be longer than 255"),
        ("[{name: p, state: gone}]", "plans[0].state: must be present or absent"),
        ("[{name: p, state: absent, steps: [say]}]", "plans[0].steps: unknown key"),
        ("[{id: 1, name: other, state: absent}]", "[other] is not the name of plan 1, which is [p]"),
        ("[{name: p}, {name: p, state: absent}]", "plans[1].id: [1] is listed twice"),
    ],
)
def test_broken_plans(apply: Applying, catalog: Catalog, plans: str, problem: str) -> None:
    """The place and the value; nothing has changed."""
    apply(file("[{name: p}]"))
    with pytest.raises(ApplyError) as raised:
        apply(file(plans, content="y"))
    assert problem in str(raised.value)
    assert not catalog.plan(1).need_update


def test_plans_are_deleted_and_renamed(apply: Applying, catalog: Catalog) -> None:
    """What is gone already is no change; a new plan may take the name."""
    apply(file("[{name: a}, {name: b}]"))
    absent = file("[{name: a, state: absent}]")
    assert apply(absent) == ["deleted plan a"]
    assert apply(absent) == []
    assert apply(file("[{id: 2, name: a}]")) == ["updated plan a"]
    assert [plan.name for plan in catalog.get_job_plan_list(BIZ, ListFilter()).items] == ["a"]


def test_templates_are_deleted_and_renamed(apply: Applying, catalog: Catalog, stores: Stores) -> None:
    """A deleted one takes its plans with it."""
    apply(file("[{name: a}]"))
    renamed = file("[]").replace("name: t\n", "id: 1\n    name: other\n    description: why\n")
    assert apply(renamed) == ["updated template other"]
    assert apply(renamed) == []
    template = stores.plans.template(1)
    assert template is not None
    assert (template.description, template.version) == ("why", 1)
    absent = "scope: {type: biz, id: 2}\ntemplates: [{name: other, state: absent}]"
    assert apply(absent) == ["deleted template other"]
    assert apply(absent) == []
    with pytest.raises(errors.PlanUnknown):
        catalog.plan(1)


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{name: t, state: absent, plans: []}", "templates[0].plans: unknown key"),
        ("{id: 1, name: other, state: absent}", "[other] is not the name of template 1, which is [t]"),
        ("{name: other, state: gone}", "templates[0].state: must be present or absent"),
    ],
)
def test_templates_that_cannot_be_deleted_so(apply: Applying, template: str, problem: str) -> None:
    """The place and the value."""
    apply(file("[]"))
    with pytest.raises(ApplyError) as raised:
        apply(f"scope: {{type: biz, id: 2}}\ntemplates: [{template}]")
    assert problem in str(raised.value)
