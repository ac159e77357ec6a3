"""A plan that another table points to is not deleted, nor is its template."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter import errors
from adapter.job.model import Scope
from adapter.store.plans import PlanStore
from adapter.store.secrets import SecretBox


def test_what_is_pointed_to_is_not_deleted(engine: sa.Engine) -> None:
    """1243037, 1243038: both stay whole; once nothing points there any more, both go."""
    plans = PlanStore(engine, SecretBox(Fernet.generate_key()))
    template = plans.create_template(Scope("biz", "2"), name="t", steps=(), operator="ann", now_ms=1)
    plan_id = plans.create_plan(template, name="p", operator="ann", now_ms=1)
    other_id = plans.create_plan(template, name="other", operator="ann", now_ms=1)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE pointer (plan_id BIGINT REFERENCES job_plan (id))")
        connection.exec_driver_sql(f"INSERT INTO pointer VALUES ({plan_id})")
    with pytest.raises(errors.PlanInUse, match=rf"\[{plan_id}\] is used by a cron job") as plan_refused:
        plans.delete_plan(plan_id)
    with pytest.raises(errors.TemplateInUse, match=rf"\[{template.id}\]") as template_refused:
        plans.delete_template(template.id)
    assert (plan_refused.value.code, template_refused.value.code) == (1243037, 1243038)
    assert plans.get(plan_id) is not None
    assert plans.get(other_id) is not None
    plans.delete_plan(other_id)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM pointer")
    plans.delete_template(template.id)
    assert plans.get(plan_id) is None
