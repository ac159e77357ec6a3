"""`adapter apply`: what a file makes, changes and leaves alone, and how it is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli.apply import apply_command
from adapter.job.actions import Action
from adapter.job.commands import AccountRef, ScriptRef
from adapter.job.model import PUBLIC, Scope, Server
from adapter.job.status import StepType, VersionStatus
from adapter.service.apply import ApplyError
from adapter.service.catalog import Catalog
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.opening import Stores
from adapter.store.permissions import PermissionStore

from .conftest import BIZ, OTHER

Applying = Callable[[str], list[str]]

RELEASE = """
scope: {type: biz, id: "2"}
accounts: [{alias: root, account: root, category: 1, type: 1}]
scripts: [{name: hello, language: 1, versions: [{version: "1.0", content: "echo $1", online: true}]}]
templates:
  - name: release
    variables:
      - {name: GREETING, type: 1, value: hi}
      - {name: TARGETS, type: 3, server: {host_id_list: [101]}}
    steps:
      - {id: 1, name: say, type: 1,
         script: {language: 1, content: "echo $1", param: hello, timeout: 1000, account: root},
         target: {host_id_list: [101]}}
      - {id: 2, name: push, type: 2,
         file: {target_path: /tmp/in/, account: root,
                sources: [{files: [/etc/hostname], account: root, server: {host_id_list: [102]}}]},
         target: {variable: TARGETS}}
    plans: [{id: 1, name: release all}]
"""

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nKEY-MATERIAL-7\n-----END OPENSSH PRIVATE KEY-----\n"


def with_accounts(text: str) -> str:
    """A file of accounts only."""
    return f"scope: {{type: biz, id: 2}}\naccounts: {text}"


def with_step(step: str, more: str = "") -> str:
    """A file of one template with one step."""
    return f"""
scope: {{type: biz, id: 2}}
accounts: [{{account: root}}, {{account: mysql, category: 2, type: 9}}]
scripts: [{{name: hello, language: 1, versions: [{{version: "1", content: x, online: true}}]}},
          {{name: draft, language: 1, versions: [{{version: "1", content: x}}]}}]
templates:
  - name: t
    variables: [{{name: HOSTS, type: 3}}, {{name: TEXT}}]
    steps: [{step}]
    {more}
"""


SAY = "{name: say, script: {language: 1, content: x, account: root}, target: {host_id_list: [1]}}"


def test_a_file_makes_everything_it_names(apply: Applying, catalog: Catalog) -> None:
    """And what it made can be launched."""
    assert apply(RELEASE) == [
        "created account root",
        "created script hello",
        "created script version hello 1.0",
        "created template release",
        "created plan release all",
    ]
    root = catalog.account(BIZ, AccountRef(alias="root"))
    plan = catalog.plan(1)
    assert [step.id for step in plan.enabled_steps] == [1, 2]
    say, push = plan.steps
    assert say.script is not None
    assert (say.type, say.script.param, say.script.timeout) == (StepType.SCRIPT, "hello", 1000)
    assert say.script.account_id == root.id
    assert push.file is not None
    assert push.target == Server(variable="TARGETS")
    assert push.file.sources[0].server == Server(host_ids=(102,))
    assert [variable.id for variable in plan.variables] == [1, 2]
    assert catalog.get_script_list(BIZ).items[0].name == "hello"


def test_the_same_file_twice_changes_nothing(apply: Applying, stores: Stores) -> None:
    """Not even a time of change."""
    apply(RELEASE)
    before = stores.plans.get(1), stores.accounts.list(BIZ), stores.scripts.by_name(BIZ, "hello")
    assert apply(RELEASE) == []
    assert before == (stores.plans.get(1), stores.accounts.list(BIZ), stores.scripts.by_name(BIZ, "hello"))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("account: root, category", "account: admin, category", ["updated account root"]),
        ("language: 1, versions", "language: 4, versions", ["updated script hello"]),
        ('content: "echo $1", online', 'content: "echo 2", online', ["updated script version hello 1.0"]),
        ("online: true", "online: false", ["updated script version hello 1.0"]),
        ("param: hello", "param: bye", ["updated template release", "updated plan release all"]),
        ("value: hi", "value: bye", ["updated template release", "updated plan release all"]),
        ("name: push", "name: pull", ["updated template release", "updated plan release all"]),
        ("name: release all", "name: everything", ["updated plan everything"]),
        ("name: release all", "name: release all, steps: [1]", ["updated plan release all"]),
    ],
)
def test_a_changed_file_changes_just_that(apply: Applying, old: str, new: str, changes: list[str]) -> None:
    """And then nothing any more."""
    apply(RELEASE)
    changed = RELEASE.replace(old, new)
    assert apply(changed) == changes
    assert apply(changed) == []
    assert apply(RELEASE) == [line.replace("everything", "release all") for line in changes]


def test_steps_keep_their_ids_by_name(apply: Applying, catalog: Catalog) -> None:
    """However they are reordered; a plan's selection still means the same steps."""
    first = SAY.replace("say", "first")
    second = SAY.replace("say", "second")
    apply(with_step(f"{first}, {second}", "plans: [{name: p, steps: [second]}]"))
    apply(with_step(f"{second}, {first}", "plans: [{name: p, steps: [2]}]"))
    plan = catalog.plan(1)
    assert [(step.id, step.name) for step in plan.steps] == [(2, "second"), (1, "first")]
    assert [step.name for step in plan.enabled_steps] == ["second"]
    assert apply(with_step(f"{second}, {first}", "plans: [{name: p}]")) == ["updated plan p"]


def test_what_a_file_leaves_out_stays(apply: Applying, catalog: Catalog, stores: Stores) -> None:
    """Other accounts, descriptions, versions and plans."""
    apply(RELEASE)
    account = catalog.account(BIZ, AccountRef(alias="root"))
    stores.accounts.update(account.id, operator="ann", now_ms=1, description="kept", password="kept")
    assert apply(with_accounts("[{alias: root}]")) == []
    assert catalog.account(BIZ, AccountRef(alias="root")).description == "kept"
    assert stores.accounts.credential(account.id).password == "kept"
    assert apply("scope: {type: biz, id: 2}\nscripts: [{name: hello}]") == []
    assert catalog.plan(1).name == "release all"


def test_ids_that_are_given_are_kept(apply: Applying, catalog: Catalog) -> None:
    """Of everything, and ids handed out later are new ones."""
    apply("""
scope: {type: biz_set, id: "9"}
accounts: [{id: 50, account: root}]
scripts: [{id: abc, name: hello, language: 1, versions: [{id: 60, version: "1", content: x}]}]
templates:
  - {id: 70, name: t, variables: [{id: 80, name: A}, {name: B}], plans: [{id: 90, name: p}, {name: q}],
     steps: [{id: 100, name: a, script: {script_version_id: 60, account_id: 50}, target: {host_id_list: [1]}},
             {name: b, script: {script_id: abc, version: "1", account: root}, target: {host_id_list: [1]}}]}
""")
    plan = catalog.plan(90)
    assert plan.scope == Scope("biz_set", "9")
    assert plan.template_id == 70
    assert [variable.id for variable in plan.variables] == [80, 81]
    assert [step.id for step in plan.steps] == [100, 101]
    assert [step.script and step.script.script_version_id for step in plan.steps] == [60, 60]
    assert catalog.plan(91).name == "q"
    assert catalog.create_account(BIZ, user="ann", account="x", category=1, type=1).id == 51


def test_an_id_renames(apply: Applying, catalog: Catalog) -> None:
    """What is found by its id takes the file's name."""
    apply(with_accounts("[{id: 5, account: root}]"))
    assert apply(with_accounts("[{id: 5, account: root, alias: boss}]")) == ["updated account boss"]
    assert catalog.account(BIZ, AccountRef(alias="boss")).id == 5


def test_versions_go_online_and_off(apply: Applying, catalog: Catalog) -> None:
    """A new online version takes the old one's place."""
    text = "scope: {type: biz, id: 2}\nscripts: [{name: hello, language: 1, versions: [%s]}]"
    apply(text % '{version: "1", content: a, online: true}')
    assert apply(text % '{version: "1", content: a, online: false}, {version: "2", content: b, online: true}')
    script = catalog.get_script_list(BIZ).items[0]
    page = catalog.get_script_version_list(BIZ, script_id=script.id)
    assert [(item.version, item.status) for item in page.items] == [
        ("2", VersionStatus.ONLINE),
        ("1", VersionStatus.OFFLINE),
    ]
    assert catalog.script_version(BIZ, ScriptRef(script_id=script.id)).content == "b"
    assert apply(text % '{version: "2", online: false}') == ["updated script version hello 2"]


def test_every_kind_of_step_is_read(apply: Applying, catalog: Catalog) -> None:
    """Library scripts, sensitive parameters, limits and every form of a server."""
    step = """
{name: a, ignore_error: true, script: {name: hello, account: root, param: PARAM-7, param_sensitive: true},
 target: {ip_list: [{ip: 10.0.0.1}, {bk_cloud_id: 3, ip: 10.0.0.2}], dynamic_group_list: [{id: g}],
          topo_node_list: [{id: 4, node_type: module}]}},
{name: b, file: {target_path: "${TEXT}/in", account: root, transfer_mode: 1, upload_speed_limit: 5,
                 download_speed_limit: 0, timeout: 5,
                 sources: [{files: ['C:\\x', "${TEXT}"], account: root, server: {variable: HOSTS}}]},
 target: {variable: HOSTS}}"""
    apply(with_step(step, "plans: [{name: p}]"))
    assert apply(with_step(step, "plans: [{name: p}]")) == []
    script_step, file_step = catalog.plan(1).steps
    assert script_step.ignore_error
    assert script_step.script is not None
    assert script_step.script.script_id
    assert script_step.script.param == "PARAM-7"
    assert [(ip.bk_cloud_id, ip.ip) for ip in script_step.target.ips] == [(0, "10.0.0.1"), (3, "10.0.0.2")]
    assert file_step.file is not None
    assert file_step.file == replace(
        file_step.file, transfer_mode=1, upload_speed_limit=5, download_speed_limit=None, timeout=5
    )


@pytest.mark.parametrize("name", ["o'brien", 'say "hi"', "{{ x }}", "${x}", "发布", "a; drop table job_plan"])
def test_odd_names_are_names(apply: Applying, catalog: Catalog, name: str) -> None:
    """Of accounts, templates, steps and plans."""
    quoted = "'" + name.replace("'", "''") + "'"
    text = f"""
scope: {{type: biz, id: 2}}
accounts: [{{alias: {quoted}, account: root}}]
templates:
  - name: {quoted}
    steps: [{{name: {quoted}, script: {{language: 1, content: {quoted}, account: {quoted}}},
              target: {{host_id_list: [1]}}}}]
    plans: [{{name: {quoted}}}]
"""
    apply(text)
    assert apply(text) == []
    plan = catalog.plan(1)
    assert (plan.name, plan.template_name, plan.steps[0].name) == (name, name, name)


# --- logins ----------------------------------------------------------------------------------------------


def test_a_login_is_read_when_the_file_is_applied(
    apply: Applying, stores: Stores, tmp_path: Path, environ: dict[str, str]
) -> None:
    """The key beside the file, the password from the environment; a change of either is an update."""
    (tmp_path / "key").write_text(KEY)
    environ["DEPLOY_PASSWORD"] = "PASSWORD-7"
    text = with_accounts(
        "[{account: app, login: {user: deploy, private_key_file: key, password_env: DEPLOY_PASSWORD}}]"
    )
    assert apply(text) == ["created account app"]
    account = stores.accounts.by_alias(BIZ, "app")
    assert account is not None
    credential = stores.accounts.credential(account.id)
    assert (credential.login_user, credential.private_key, credential.password) == (
        "deploy",
        KEY,
        "PASSWORD-7",
    )
    assert apply(text) == []
    environ["DEPLOY_PASSWORD"] = "PASSWORD-8"
    assert apply(text) == ["updated account app"]
    (tmp_path / "key").write_text(KEY.replace("7", "8").rstrip())
    assert apply(text) == ["updated account app"]
    assert stores.accounts.credential(account.id).private_key == KEY.replace("7", "8")
    assert apply(text) == []


def test_a_login_of_nothing_removes_it(apply: Applying, stores: Stores, tmp_path: Path) -> None:
    """`login:` alone; leaving the key out keeps it. The user is the account if none is named."""
    (tmp_path / "key").write_text(KEY)
    apply(with_accounts("[{account: app, login: {private_key_file: key}}]"))
    account = stores.accounts.by_alias(BIZ, "app")
    assert account is not None
    assert (account.login_user, account.has_private_key) == ("app", True)
    assert apply(with_accounts("[{account: app}]")) == []
    assert apply(with_accounts("[{account: app, login: }]")) == ["updated account app"]
    account = stores.accounts.by_alias(BIZ, "app")
    assert account is not None
    assert (account.login_user, account.has_private_key) == (None, False)


def test_login_mistakes_name_the_file_and_never_what_is_in_it(
    apply: Applying, tmp_path: Path, environ: dict[str, str]
) -> None:
    """A missing file, a directory, a public key, bytes; a variable that is not set, or too long."""
    (tmp_path / "public").write_text("ssh-ed25519 MATERIAL-7")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe7")
    environ["LONG"] = "PASSWORD-7" * 20
    for login, problem in (
        ("private_key_file: nothing", "there is no file"),
        ("private_key_file: .", "there is no file"),
        ("private_key_file: public", "holds no private key"),
        ("private_key_file: bytes", "is not text"),
        ("password_env: NOT_SET", "NOT_SET is not set"),
        ("password_env: LONG", "LONG must not be longer than 117"),
        ("user: 'a$(id)'", "must be letters, digits"),
        ("user: -oProxyCommand", "must be letters, digits"),
    ):
        with pytest.raises(ApplyError) as raised:
            apply(with_accounts(f"[{{account: app, login: {{{login}}}}}]"))
        assert str(raised.value).startswith(f"accounts[0].login.{login.split(':')[0]}: ")
        assert problem in str(raised.value)
        assert "MATERIAL-7" not in str(raised.value)
        assert "PASSWORD-7" not in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_key_that_cannot_be_read_is_named(apply: Applying, tmp_path: Path) -> None:
    """With the system's reason."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0)
    with pytest.raises(ApplyError, match="cannot be read"):
        apply(with_accounts("[{account: app, login: {private_key_file: key}}]"))


# --- refusals --------------------------------------------------------------------------------------------

BROKEN_STEPS = [
    ("{name: a}", "templates[0].steps[0]: needs exactly one of script, file and approval"),
    ("{name: a, approval: {}}", "approval.users: needs somebody to ask"),
    ("{name: a, approval: {roles: [bk_biz_maintainer]}}", "approval.roles[0]: must be JOB_RESOURCE_OWNER or"),
    ("{name: a, approval: {users: [b]}, target: {}}", "steps[0].target: an approval step has none"),
    ("{name: a, approval: {users: [b]}, ignore_error: true}", "steps[0].ignore_error: an approval step has"),
    ("{name: a, type: 1, approval: {users: [b]}}", "steps[0].type: must be 3 for a step with approval"),
    (SAY.replace("name: say", "type: 2, name: say"), "templates[0].steps[0].type: must be 1"),
    (SAY.replace("name: say", "type: 3, name: say"), "templates[0].steps[0].type: must be 1"),
    (SAY.replace("account: root", "account: deploy"), "script.account: no account [deploy] in biz_2"),
    (SAY.replace("account: root", "account_id: 99"), "script.account_id: no account of id 99"),
    (SAY.replace(", account: root", ""), "templates[0].steps[0].script.account: is missing"),
    (SAY.replace("timeout", "timeot").replace("content: x", "content: x, timeot: 1"), "timeot: unknown key"),
    (SAY.replace("content: x", "content: x, timeout: 0"), "script.timeout: must be 1 to 259200"),
    (SAY.replace("content: x", "content: x, timeout: 1.5"), "script.timeout: must be a whole number"),
    (SAY.replace("content: x", "content: x, name: hello"), "script: needs exactly one of content"),
    (SAY.replace("language: 1, ", ""), "script.language: is missing"),
    (SAY.replace("language: 1", "language: 9"), "script.language: must be 1 to 6"),
    (SAY.replace("language: 1, content: x", "name: nobody"), "script.name: no script [nobody] in biz_2"),
    (SAY.replace("language: 1, content: x", "name: draft"), "script.name: script [draft] has no online"),
    (SAY.replace("language: 1, content: x", 'name: hello, version: "7"'), "script.version: script [hello]"),
    (SAY.replace("language: 1, content: x", "name: hello, language: 1"), "script.language: unknown key"),
    (SAY.replace("language: 1, content: x", "script_version_id: 99"), "script_version_id: no such script"),
    (SAY.replace("host_id_list: [1]", "host_id_list: []"), "steps[0].target: lists nothing"),
    (SAY.replace("host_id_list: [1]", "host_id_list: [a]"), "target.host_id_list[0]: must be a whole"),
    (SAY.replace("host_id_list: [1]", "host_ids: [1]"), "target.host_ids: unknown key"),
    (SAY.replace("host_id_list: [1]", "ip_list: [{ip: 300.1.1.1}]"), "ip_list[0].ip: must be an IPv4"),
    (SAY.replace("host_id_list: [1]", "variable: TEXT"), "target.variable: no variable [TEXT] of type 3"),
    (SAY.replace("[1]", "[1], variable: HOSTS"), "target.variable: stands alone"),
    (SAY.replace("content: x", 'content: "a\\0"'), "script.content: must not contain NUL"),
    (SAY.replace("name: say", 'name: "a\\0"'), "steps[0].name: must not contain control"),
    (SAY.replace("name: say", "name: 1"), "steps[0].name: must be a text, not int 1; put it in quotes"),
    (f"{SAY}, {SAY}", "templates[0].steps[1].name: [say] is listed twice"),
    (
        f"{SAY.replace('name:', 'id: 4, name:')}, {SAY.replace('name: say', 'id: 4, name: b')}",
        "templates[0].steps[1].id: [4] is listed twice",
    ),
    (
        "{name: f, file: {target_path: tmp, account: root, sources: [{files: [/a], account: root, "
        "server: {host_id_list: [1]}}]}, target: {host_id_list: [1]}}",
        "steps[0].file.target_path: must be an absolute path",
    ),
    (
        "{name: f, file: {target_path: /tmp, account: deploy, sources: [{files: [/a], account: root, "
        "server: {host_id_list: [1]}}]}, target: {host_id_list: [1]}}",
        "templates[0].steps[0].file.account: no account [deploy] in biz_2",
    ),
    (
        "{name: f, file: {target_path: /tmp, account: root, sources: [{files: [a], account: root, "
        "server: {host_id_list: [1]}}]}, target: {host_id_list: [1]}}",
        "steps[0].file.sources[0].files[0]: must be an absolute path",
    ),
    (
        "{name: f, file: {target_path: /tmp, account: root, sources: []}, target: {host_id_list: [1]}}",
        "file.sources: needs at least one source",
    ),
]


@pytest.mark.parametrize(("step", "problem"), BROKEN_STEPS)
def test_a_broken_step_is_named_and_leaves_nothing(
    apply: Applying, catalog: Catalog, step: str, problem: str
) -> None:
    """The accounts and scripts before it in the file are not there either."""
    with pytest.raises(ApplyError) as raised:
        apply(with_step(step))
    assert problem in str(raised.value)
    assert catalog.get_account_list(BIZ).total == 0
    assert catalog.get_script_list(BIZ).total == 0


def test_dangerous_rules(apply: Applying, stores: Stores) -> None:
    """Found by expression and languages; enabled unless the file says otherwise; twice changes nothing."""
    text = """
        scope: {type: biz, id: 2}
        dangerous_rules:
          - {expression: 'rm +-rf', script_language_list: [4, 1], action: 2, description: bad}
          - {expression: 'rm +-rf', script_language_list: [3], action: 1, enabled: false}
    """
    rules = DangerousRuleStore(stores.engine)
    assert apply(text) == ["created dangerous rule rm +-rf"] * 2
    assert apply(text) == []
    assert [(rule.languages, rule.action, rule.enabled) for rule in rules.list()] == [
        ((1, 4), 2, True),
        ((3,), 1, False),
    ]
    assert apply(text.replace("[4, 1], action: 2", "[1, 4], action: 1")) == ["updated dangerous rule rm +-rf"]
    assert apply(text.replace("enabled: false", "enabled: true")) == ["updated dangerous rule rm +-rf"] * 2
    for old, new, problem in (
        (
            "'rm +-rf', script_language_list: [3]",
            "'(', script_language_list: [3]",
            "[1].expression: is no regular",
        ),
        ("[3]", "[]", "[1].script_language_list: must name"),
        ("[3]", "[9]", "[1].script_language_list: must be 1 to 6"),
        ("[3]", "[1, 4]", "[1].expression: [1] is listed twice"),
        ("action: 1", "action: 0", "[1].action: must be one of 1, 2"),
        ("enabled: false", "enabld: false", "[1].enabld: unknown key"),
    ):
        with pytest.raises(ApplyError) as raised:
            apply(text.replace(old, new))
        assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "file: must be a mapping of keys to values, not nothing"),
        ("- a", "file: must be a mapping"),
        ("a: [", "not YAML"),
        ("a: !!python/object/apply:os.system [id]", "not YAML"),
        ("{scope: {type: biz, id: 2}, scope: {}}", "the key scope is there twice"),
        ("accounts: []", "scope: is missing"),
        ("scope: {type: module, id: 2}", "scope.type: must be biz or biz_set"),
        ("scope: {type: biz, id: true}", "scope.id: must be a text"),
        ("scope: {type: biz, id: '2/3'}", "scope.id: must be 1 to 64"),
        (
            "scope: {type: biz, id: 2}\nacounts: []",
            "acounts: unknown key; known here are accounts, dangerous_rules, permissions, public_scripts",
        ),
        (with_accounts("{}"), "accounts: must be a list"),
        (with_accounts("[root]"), "accounts[0]: must be a mapping"),
        (with_accounts("[{}]"), "accounts[0]: account or alias is missing"),
        (with_accounts("[{account: a, alias: a}, {account: a}]"), "accounts[1].id: [1] is listed twice"),
        (with_accounts("[{account: a, categry: 1}]"), "accounts[0].categry: unknown key"),
        (with_accounts("[{account: a, type: 4}]"), "accounts[0].type: must be one of 1, 2, 9, 10, 11"),
        (with_accounts("[{account: -a}]"), "accounts[0].account: must not begin with -"),
        (with_accounts("[{account: a, id: 0}]"), "accounts[0].id: must be a whole number from 1"),
        (with_accounts("[{account: a, id: 99999999999999999999}]"), "accounts[0].id: must be"),
        (with_accounts("[{account: a, login: {pasword_env: X}}]"), "accounts[0].login.pasword_env: unknown"),
        (with_step(SAY, "plans: [{name: p, steps: [nobody]}]"), "plans[0].steps[0]: no step of id or name"),
        (with_step(SAY, "plans: [{name: p, steps: [true]}]"), "plans[0].steps[0]: no step of id or name"),
        (with_step(SAY, "plans: [{name: p, steps: []}]"), "plans[0].steps: needs at least one step"),
        (with_step(SAY, "plans: [{name: p}, {name: p}]"), "plans[1].id: [1] is listed twice"),
        (with_step(SAY, "planes: []"), "templates[0].planes: unknown key"),
        (with_step(SAY).replace("{name: TEXT}", "{name: TEXT, type: 3, value: x}"), "variables[1].value:"),
        (with_step(SAY).replace("{name: TEXT}", "{name: TEXT, server: {}}"), "variables[1].server: only"),
        (
            with_step(SAY).replace("{name: TEXT}", "{name: HOSTS}"),
            "variables[1].name: [HOSTS] is listed twice",
        ),
        (
            with_step(SAY).replace("{name: TEXT}", "{name: TEXT, type: 6, value: '($(id))'}"),
            "variables[1].value: $",
        ),
        (
            with_step(SAY).replace("{name: TEXT}", "{name: TEXT, type: 5, value: '(a)'}"),
            "variables[1].value: each",
        ),
        (
            with_step(SAY).replace("{name: TEXT}", "{name: TEXT, type: 4, changeable: true}"),
            "variables[1].changeable: a variable of type 4 cannot be",
        ),
        (
            with_step(SAY).replace("{name: HOSTS, type: 3}", "{name: HOSTS, type: 3, changeable: true}"),
            "changeable",
        ),
        (with_step(SAY).replace("{name: TEXT}", "{name: 'a b'}"), "variables[1].name: must consist of"),
        (with_step(SAY).replace("{name: TEXT}", "{name: TEXT, type: 7}"), "variables[1].type: must be one"),
    ],
)
def test_a_broken_file_is_refused(apply: Applying, catalog: Catalog, text: str, problem: str) -> None:
    """Naming the place, and nothing has changed."""
    with pytest.raises(ApplyError) as raised:
        apply(text)
    assert problem in str(raised.value)
    assert catalog.get_account_list(BIZ).total == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scripts: [{name: new}]", "scripts[0].language: is missing: script [new] is new"),
        ("scripts: [{name: new, language: 1}]", "scripts[0].versions: is missing: script [new] is new"),
        ("scripts: [{name: 'a/b', language: 1}]", "scripts[0].name: must not contain any of"),
        ("scripts: [{name: hello, versions: [{version: 1.0}]}]", "version: must be a text, not float 1.0"),
        ("scripts: [{name: hello, versions: [{version: '2'}]}]", "versions[0].content: is missing"),
        ("scripts: [{id: zzz, name: hello}]", "scripts[0].name: [hello] is the script of id"),
        (
            "scripts: [{name: hello, versions: [{id: 9, version: '1.0'}]}]",
            "scripts[0].versions[0].version: [1.0] is the version of id 1",
        ),
        (
            "scripts: [{name: two, language: 1, versions: [{id: 1, version: '1.0', content: x}]}]",
            "scripts[0].versions[0].id: version 1 belongs to script [hello] of biz_2",
        ),
        (
            "scripts: [{name: hello, versions: [{version: '1.0', online: true}, "
            "{version: '2', content: x, online: true}]}]",
            "scripts[0].versions: only one version can be online",
        ),
        ("accounts: [{id: 9, account: root}]", "accounts[0].alias: [root] is the account of id 1"),
        ("templates: [{id: 9, name: release}]", "templates[0].name: [release] is the template of id 1"),
        (f"templates: [{{name: new, steps: [{SAY.replace('name', 'id: 2, name')}]}}]", "step 2 belongs to"),
        (
            f"templates: [{{name: new, steps: [{SAY}], plans: [{{id: 1, name: p}}]}}]",
            "templates[0].plans[0].id: plan 1 belongs to template [release] of biz_2",
        ),
        ("templates: [{name: new, steps: []}]", "templates[0].steps: needs at least one step"),
    ],
)
def test_what_does_not_fit_what_is_there_is_refused(
    apply: Applying, catalog: Catalog, text: str, problem: str
) -> None:
    """New things without what they need, ids that are another's, names that are taken."""
    apply(RELEASE)
    with pytest.raises(ApplyError) as raised:
        apply("scope: {type: biz, id: 2}\n" + text)
    assert problem in str(raised.value)
    assert apply(RELEASE) == []
    assert catalog.get_script_list(BIZ).total == 1


def test_ids_of_another_business_are_refused(apply: Applying, catalog: Catalog) -> None:
    """A file cannot take what belongs to another scope."""
    apply(RELEASE)
    script_id = catalog.get_script_list(BIZ).items[0].id
    for text in (
        "accounts: [{id: 1, account: mine}]",
        f"scripts: [{{id: {script_id}, name: mine, language: 1}}]",
        "templates: [{id: 1, name: mine, steps: []}]",
    ):
        with pytest.raises(ApplyError, match=r"\.id: .* belongs to biz_2, not to biz_3"):
            apply("scope: {type: biz, id: 3}\n" + text)
    assert catalog.get_account_list(OTHER).total == 0


# --- the command -----------------------------------------------------------------------------------------


def run(file: Path, data_dir: Path) -> Result:
    """`adapter apply -f file`."""
    return CliRunner().invoke(apply_command, ["-f", str(file), "--data-dir", str(data_dir)])


def test_the_command_prints_what_changed(stores: Stores, tmp_path: Path, data_dir: Path) -> None:
    """Beside a process that has the database open; "no changes" the second time."""
    file = tmp_path / "release.yml"
    file.write_text(RELEASE)
    result = run(file, data_dir)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "created account [root] (id 1)"
    assert run(file, data_dir).stdout == "no changes\n"
    assert stores.plans.get(1) is not None


def test_the_command_keeps_secrets_to_itself(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its output nor the database has them in clear; the key's path starts from the file."""
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("DEPLOY_PASSWORD", "PASSWORD-7")
    file = tmp_path / "accounts.yml"
    login = "login: {private_key_file: key, password_env: DEPLOY_PASSWORD}"
    file.write_text(with_accounts(f"[{{account: app, {login}}}]"))
    result = run(file, data_dir)
    assert result.exit_code == 0
    file.write_text(with_accounts(f"[{{account: app, {login}}}, {{account: }}]"))
    broken = run(file, data_dir)
    assert broken.exit_code == 1
    for shown in (result.output, broken.output):
        assert "MATERIAL-7" not in shown
        assert "PASSWORD-7" not in shown
    for stored in data_dir.iterdir():
        assert b"MATERIAL-7" not in stored.read_bytes()
        assert b"PASSWORD-7" not in stored.read_bytes()


def test_the_command_refuses_in_one_line(tmp_path: Path, data_dir: Path) -> None:
    """Naming file and place on standard error, with exit code 1."""
    file = tmp_path / "broken.yml"
    file.write_text(with_accounts("[{account: a, alais: b}]"))
    result = run(file, data_dir)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{file}: accounts[0].alais: unknown key" in result.stderr
    file.write_bytes(b"\xff")
    assert run(file, data_dir).exit_code == 1
    assert run(tmp_path / "nothing.yml", data_dir).exit_code == 2


def test_a_wrong_key_file_is_said_plainly(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """secret.key is not the one that the database was written with."""
    monkeypatch.setenv("DEPLOY_PASSWORD", "PASSWORD-7")
    file = tmp_path / "accounts.yml"
    file.write_text(with_accounts("[{account: app, login: {password_env: DEPLOY_PASSWORD}}]"))
    assert run(file, data_dir).exit_code == 0
    (data_dir / "secret.key").unlink()
    result = run(file, data_dir)
    assert result.exit_code == 1
    assert "copy secret.key from" in result.stderr


def test_two_who_apply_at_once_take_turns(tmp_path: Path) -> None:
    """On a data directory that neither has opened before: one creates, the other changes nothing."""
    file = tmp_path / "release.yml"
    file.write_text(RELEASE)
    program = "from adapter.cli.apply import apply_command; apply_command()"
    command = [sys.executable, "-W", "error", "-c", program, "-f", str(file)]
    command += ["--data-dir", str(tmp_path / "data")]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], answers
    assert sorted(out.splitlines()[-1] for out, _ in answers)[1:] == ["no changes"] * 3


# --- databases -------------------------------------------------------------------------------------------

DATABASE = (
    "[{account: mysql}, {alias: orders, account: app, category: 2, type: 9,"
    " database: {system_account: mysql, port: 3306, password_env: ORDERS}}]"
)


def test_an_account_of_a_database(apply: Applying, stores: Stores, environ: dict[str, str]) -> None:
    """Port, system account and password; twice changes nothing, another password does."""
    environ["ORDERS"] = "s3cret"
    assert apply(with_accounts(DATABASE)) == ["created account mysql", "created account orders"]
    system, made = (stores.accounts.by_alias(BIZ, alias) for alias in ("mysql", "orders"))
    assert system is not None
    assert made is not None
    assert (made.account, made.db_port, made.db_system_account_id) == ("app", 3306, system.id)
    assert stores.accounts.credential(made.id).password == "s3cret"
    assert apply(with_accounts(DATABASE)) == []
    environ["ORDERS"] = "another"
    assert apply(with_accounts(DATABASE)) == ["updated account orders"]
    assert apply(with_accounts("[{alias: orders, category: 2}]")) == []


@pytest.mark.parametrize(
    ("account", "problem"),
    [
        ("{account: a, category: 2, type: 9, database: {}}", "database.system_account: is missing"),
        (
            "{account: a, category: 2, type: 9, database: {system_account: b}}",
            "database.system_account: [b] is no",
        ),
        ("{account: a, database: {system_account: root}}", "database: only an account of category 2"),
        (
            "{account: a, category: 2, type: 9, login: {user: a, private_key_file: key}}",
            "login: an account of a database",
        ),
        (
            "{account: a, category: 2, type: 9, database: {system_account: root, port: 0}}",
            "database.port: must be 1 to 65535",
        ),
        ("{account: a, category: 2, database: {system_account: root, host: x}}", "database.host: unknown"),
        (
            "{account: a, category: 2, database: {system_account: root, password_env: BROKEN}}",
            "database.password_env: the password in BROKEN must not contain control",
        ),
    ],
)
def test_mistakes_about_a_database(
    apply: Applying,
    stores: Stores,
    environ: dict[str, str],
    tmp_path: Path,
    account: str,
    problem: str,
) -> None:
    """Each names its place; nothing of the file is applied."""
    environ["BROKEN"] = "two\nlines"
    (tmp_path / "key").write_text(KEY)
    with pytest.raises(ApplyError) as raised:
        apply(with_accounts(f"[{{account: root}}, {account}]"))
    assert str(raised.value).startswith(f"accounts[1].{problem}")
    assert stores.accounts.list(BIZ)[0] == 0


PERMISSIONS = """
scope: {type: biz, id: "2"}
permissions:
  - {app: my_app, user: ann, actions: [view, launch], accounts: [deploy, "ID=7"]}
  - {app: my_app, user: "*", actions: []}
"""


def test_permissions(apply: Applying, stores: Stores) -> None:
    """What users may do in the file's business; the same again changes nothing, another replaces it."""
    stores.apps.create(code="my_app", secret="s", now_ms=1)
    assert apply(PERMISSIONS) == [
        "created permission ann of my_app",
        "created permission * of my_app",
    ]
    assert apply(PERMISSIONS) == []
    assert apply(PERMISSIONS.replace("view, launch", "view")) == ["updated permission ann of my_app"]
    ann, tom = (stores.apps.get("my_app", user) for user in ("ann", "tom"))
    assert ann is not None
    assert tom is not None
    (of_ann,), (of_tom,) = ann.users, tom.users
    assert (of_ann.scopes, of_ann.actions) == (frozenset({BIZ}), frozenset({Action.VIEW}))
    assert of_ann.accounts == frozenset({"deploy", "ID=7"})
    assert (of_tom.actions, of_tom.accounts) == (frozenset(), None)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("my_app, user: ann", "ghost, user: ann", "app: APP Code [ghost] is not registered"),
        ("user: ann", "user: 'a b'", "user: must be a user's name, or *"),
        ("launch", "fly", "actions[1]: must be one of view, launch, operate, manage, not 'fly'"),
        ('"*"', "ann", "[ann of my_app] is listed twice"),
    ],
)
def test_permissions_that_are_none(
    apply: Applying, stores: Stores, before: str, after: str, words: str
) -> None:
    """Each named by its place; nothing of the file is kept."""
    stores.apps.create(code="my_app", secret="s", now_ms=1)
    with pytest.raises(ApplyError, match=re.escape(words)):
        apply(PERMISSIONS.replace(before, after))
    assert PermissionStore(stores.engine).list() == ()


def test_public_scripts(apply: Applying, catalog: Catalog, stores: Stores) -> None:
    """Made whatever the file's scope; a step's name is the scope's script first, then the public one."""
    text = """scope: {type: biz, id: 2}
accounts: [{account: root}]
public_scripts:
  - {name: all, language: 1, versions: [{version: "1", content: echo all, online: true}]}
  - {name: both, language: 1, versions: [{version: "1", content: echo public, online: true}]}
scripts:
  - {name: both, language: 1, versions: [{version: "1", content: echo own, online: true}]}
templates:
  - name: t
    steps:
      - {name: a, script: {name: all, account: root}, target: {host_id_list: [1]}}
      - {name: b, script: {name: both, version: "1", account: root}, target: {host_id_list: [1]}}
    plans: [{name: p}]
"""
    assert "created script all" in apply(text)
    assert apply(text) == []
    assert {item.name for item in catalog.get_script_list(PUBLIC).items} == {"both", "all"}
    template = stores.plans.template_named(BIZ, "t")
    assert template is not None
    assert [step.script and step.script.is_public for step in template.steps] == [True, False]
    (public,) = catalog.get_script_list(PUBLIC, name="all").items
    by_version = f"script_version_id: {public.online_version_id}"
    assert apply(text.replace("name: all, account", f"{by_version}, account")) == [
        "updated template t",
        "updated plan p",
    ]
    with pytest.raises(ApplyError, match="nor a public one"):
        apply(text.replace("name: all, account", "name: none, account"))
