"""The fields of the v3 APIs about dangerous rules (contract d); the use case checks expressions and lists."""

from __future__ import annotations

from adapter.api.fields import Base64, BaseSchema, Many, Number, Text
from adapter.api.schemas_v3 import MAX_SCRIPT_BYTES


class CreateDangerousRule(BaseSchema):
    """create_dangerous_rule."""

    expression = Text(required=True)
    script_language_list = Many(Number(required=True))
    action = Number(required=True)
    description = Text(load_default="")


class UpdateDangerousRule(CreateDangerousRule):
    """update_dangerous_rule."""

    id = Number(required=True)


class OneDangerousRule(BaseSchema):
    """enable_dangerous_rule, disable_dangerous_rule, delete_dangerous_rule."""

    id = Number(required=True)


class GetDangerousRuleList(BaseSchema):
    """get_dangerous_rule_list."""

    expression = Text()
    script_language_list = Many(Number(required=True), nullable=True)
    description = Text()
    action = Number()


class CheckScript(BaseSchema):
    """check_script."""

    script_language = Number(required=True)
    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
