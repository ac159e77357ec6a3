"""Steps as plays: what a request says is text to Ansible and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapter.ansible.inventory import RunInventory, run_inventory, secret_lookup
from adapter.ansible.playbook import (
    SourceHost,
    account_variables,
    file_plays,
    script_plays,
    secret_name,
    stop_plays,
)
from adapter.ansible.run_input import RunInput
from adapter.ansible.text import UserText, to_yaml
from adapter.job.model import SERVICE_HOST, Account, FileSource, FileTask, Host, Scope, ScriptTask
from adapter.job.status import FileType

HOST = Host(bk_host_id=7, bk_cloud_id=0, ip="10.0.0.7", name="db")
HOSTILE = "{{ lookup('pipe', 'id') }} $(id) `id` '\"\\ - : # \t !unsafe %}"


def account(**changes: Any) -> Account:
    """Account app, become from whom the inventory names."""
    return Account(**{"id": 4, "scope": Scope("biz", "1"), "alias": "a", "account": "app", **changes})


def inventory(**variables: Any) -> RunInventory:
    """Of one host, target and source."""
    host = {"bk_host_id": 7, "job_login_user": "svc", "job_become_method": "", **variables}
    return RunInventory({"db": host}, {"job_targets": ("db",), "job_source_0": ("db",)}, {})


class Loader(yaml.SafeLoader):
    """Reads `!unsafe` as the text's own class, so that tests see what is marked."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> UserText:
    return UserText(loader.construct_scalar(node))


Loader.add_constructor("!unsafe", _unsafe)


def unmarked(value: Any, text: str) -> list[Any]:
    """Everywhere the text stands without its mark."""
    if isinstance(value, dict):
        return [hit for item in value.items() for part in item for hit in unmarked(part, text)]
    if isinstance(value, list):
        return [hit for part in value for hit in unmarked(part, text)]
    return [value] if isinstance(value, str) and text in value and not isinstance(value, UserText) else []


def test_everything_a_request_says_is_marked() -> None:
    """Parameter, account, paths, macros' results and the new name: none of them is ever rendered."""
    script = ScriptTask(language=1, content=HOSTILE, param=HOSTILE, account_id=4)
    source = FileSource(files=(f"/tmp/{HOSTILE}",), account_id=4, hosts=(HOST,))
    files = FileTask(sources=(source,), target_path="/x/", account_id=4, file_target_name=HOSTILE)
    user = account(account=HOSTILE, login_user=HOSTILE, has_password=True)
    where = [SourceHost(source=0, host=HOST, directory=f"/x/{HOSTILE}/")]
    for plays in (
        script_plays(script, user, inventory(), "k", "files/script", 10),
        stop_plays(script, user, inventory(), "k"),
        file_plays(files, user, [user], where, inventory(), "k"),
    ):
        read = yaml.load(to_yaml(plays), Loader)
        assert "lookup('pipe'" in to_yaml(plays).replace("''", "'")
        assert unmarked(read, "lookup('pipe'") == []
        assert read == plays


@settings(deadline=None)  # a busy machine is no failure
@example("\x85 \u2028 \u2029 \ufeff")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    """YAML has no text that changes what is read."""
    read = yaml.load(to_yaml({"value": UserText(text), "plain": text}), Loader)
    assert read == {"value": text, "plain": text}
    assert isinstance(read["value"], UserText)


def test_a_sensitive_parameter_is_only_named() -> None:
    """It comes over the secret socket."""
    task = ScriptTask(language=1, content="", param="hush", param_sensitive=True, account_id=4)
    plays = script_plays(task, account(), inventory(), "k", "files/script", 10)
    assert "hush" not in to_yaml(plays)
    for step in plays[0]["tasks"]:
        assert step["adapter.job.script"]["param_secret"] == "param"
        assert "param" not in step["adapter.job.script"]


def hosts(*logins: str) -> list[dict[str, str]]:
    """Hosts that Ansible logs in to as these users."""
    return [{"job_login_user": login} for login in logins]


def test_an_account_without_login_is_become_unless_ansible_is_it_already() -> None:
    """Ansible logs in as the inventory says; nothing of that is overridden."""
    variables = account_variables(account(), hosts("svc", "root"))
    assert variables["ansible_become"] is True
    assert variables["ansible_become_user"] == "app"
    assert "job_become_method" in variables["ansible_become_method"]
    assert not {"ansible_user", "ansible_password", "ansible_ssh_private_key_file"} & set(variables)
    assert account_variables(account(), hosts("app", "app")) == {"ansible_become": False}


@pytest.mark.parametrize("logins", [("app", "svc"), ("{{ admin }}",), ("svc", "{% if x %}a{% endif %}")])
def test_what_differs_from_host_to_host_is_a_template(logins: tuple[str, ...]) -> None:
    """Each host then decides for itself whether its login is the account."""
    variables = account_variables(account(), hosts(*logins))
    assert variables["ansible_become"] == "{{ job_login_user != job_account }}"
    assert variables["job_account"] == "app"
    assert "quote" in variables["ansible_become_user"]


def test_a_become_user_is_one_word_to_a_shell() -> None:
    """Become plugins put it into a line as it is."""
    variables = account_variables(account(account="a; id"), hosts("svc"))
    assert variables["ansible_become_user"] == "'a; id'"
    assert isinstance(variables["ansible_become_user"], UserText)


def test_an_account_with_a_key_logs_in_with_that_key() -> None:
    """The key comes over the secret socket, and a kept connection is this account's alone."""
    variables = account_variables(account(login_user="deploy", has_private_key=True), hosts("svc"))
    assert variables["ansible_user"] == variables["job_login_user"] == "deploy"
    assert variables["ansible_ssh_private_key"] == secret_lookup("account-4-private_key")
    assert variables["ansible_control_path_dir"].endswith("/a4")


def test_an_account_with_a_password_does_not_use_the_inventory_s_key() -> None:
    """Otherwise a wrong password would not be noticed."""
    variables = account_variables(account(login_user="app", has_password=True), hosts("svc"))
    assert variables["ansible_become"] is False
    assert variables["ansible_ssh_private_key_file"] == ""
    looked_up = secret_lookup("account-4-password")
    assert variables["ansible_password"] == variables["ansible_ssh_pass"] == looked_up
    assert secret_name(account(), "password") == "account-4-password"


@pytest.mark.parametrize(
    ("mode", "expected"), [(1, "strict"), (2, "force"), (3, "force"), (4, "force"), (0, "force")]
)
def test_transfer_modes(mode: int, expected: str) -> None:
    """Only 1 asks for a directory that is there."""
    source = FileSource(files=("/a", "/b/", "/c/REGEX:x", "/d/*"), account_id=4, hosts=(HOST,))
    task = FileTask(sources=(source,), target_path="/x/", account_id=4, transfer_mode=mode)
    fetch, send = file_plays(task, account(), [account()], [], inventory(), "k")
    assert send["tasks"][0]["adapter.job.send"]["mode"] == expected
    kinds = [file["kind"] for file in fetch["tasks"][0]["adapter.job.fetch"]["files"]]
    assert kinds == ["file", "directory", "regex", "glob"]


def test_files_that_are_on_no_host_are_not_fetched() -> None:
    """The send play takes them from the service, and says so where the service is not: in a bundle."""
    source = FileSource(files=("2/x/a/n",), account_id=4, hosts=(SERVICE_HOST,), file_type=FileType.LOCAL)
    task = FileTask(sources=(source,), target_path="/x/", account_id=4)
    sources = [SourceHost(source=0, host=SERVICE_HOST, directory="/x/")]
    (send,) = file_plays(task, account(), [account()], sources, inventory(), "k")
    (told,) = send["tasks"][0]["adapter.job.send"]["sources"]
    assert (told["label"], told["given"]) == ("0:0.0.0.0", True)


def test_a_run_s_secrets_are_the_inventory_s_and_the_step_s() -> None:
    """Both are answered for while it lasts."""
    given = run_inventory({"job_targets": [HOST]}, {"db": {"ansible_password": "one"}}, "svc")
    made = RunInput.of(given, {}, forks=1, secrets={"param": "two"})
    assert sorted(made.secrets.values()) == ["one", "two"]
