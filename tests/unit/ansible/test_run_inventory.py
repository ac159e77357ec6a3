"""The inventory of one run: the chosen hosts, all that Ansible needs of them, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.ansible.inventory import RunInventory, run_inventory, secret_lookup
from adapter.ansible.text import UserText, to_json
from adapter.job.model import Host

DB = Host(bk_host_id=7, bk_cloud_id=0, ip="10.0.0.7", name="db")
WEB = Host(bk_host_id=8, bk_cloud_id=0, ip="10.0.0.8", name="web")


def of(variables: dict[str, Any], user: str = "svc") -> tuple[dict[str, Any], dict[str, str]]:
    """Host db's variables in the run's inventory, and the secrets that are looked up."""
    made = run_inventory({"job_targets": [DB]}, {"db": variables}, user)
    return made.hosts["db"], made.secrets


def resolved(value: Any, secrets: dict[str, str]) -> Any:
    """What the run sees: every lookup replaced by what the service answers."""
    if isinstance(value, dict):
        return {key: resolved(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, secrets) for item in value]
    return {secret_lookup(name): text for name, text in secrets.items()}.get(value, value)


def test_only_the_hosts_that_take_part_are_in_it() -> None:
    """Each once with its variables, however many groups it is in; groups are only names."""
    made = run_inventory({"job_targets": [DB, WEB], "job_source_0": [DB]}, {"db": {}, "web": {}}, "svc")
    assert list(made.hosts) == ["db", "web"]
    assert made.groups == {"job_targets": ("db", "web"), "job_source_0": ("db",)}
    assert made.of("job_source_0") == [made.hosts["db"]]


def test_its_text_says_once_what_all_hosts_have_alike() -> None:
    """Of the same type too: 1 is not true. One host keeps what is its own."""
    given: dict[str, dict[str, Any]] = {
        "db": {"a": 1, "b": 1, "c": [True], "d": {"__ansible_unsafe": "{{ x }}"}, "only": "db"},
        "web": {"a": 1, "b": True, "c": [True], "d": "{{ x }}"},
    }
    made = run_inventory({"job_targets": [DB, WEB]}, given, "svc")
    everything = json.loads(made.text().whole)["all"]
    assert {"a": 1, "c": [True], "job_login_user": "svc"}.items() <= everything["vars"].items()
    assert everything["hosts"] == {
        "db": {"b": 1, "d": {"__ansible_unsafe": "{{ x }}"}, "only": "db", "bk_host_id": 7},
        "web": {"b": True, "d": "{{ x }}", "bk_host_id": 8},
    }
    assert everything["children"] == {"job_targets": {"hosts": {"db": None, "web": None}}}
    alone = json.loads(run_inventory({"job_targets": [DB]}, given, "svc").text().whole)["all"]
    assert (alone["vars"], alone["hosts"]["db"]["a"]) == ({}, 1)


@settings(deadline=None, max_examples=20)
@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=["Cs"])), max_size=3))
def test_ansible_reads_back_what_is_written(texts: dict[str, str]) -> None:
    """Marked text stays marked and is not rendered, whatever is in it."""
    host = {key: {"given": {k: UserText(v) for k, v in texts.items()}} for key in ("db", "web")}
    text = RunInventory(host, {"job_targets": ("db", "web")}, {}).text().whole
    assert json.loads(text)["all"]["vars"]["given"] == {k: {"__ansible_unsafe": v} for k, v in texts.items()}


def test_its_text_of_some_hosts_says_the_same_of_them() -> None:
    """What all have alike, what is their own, and their groups; nothing of any other host."""
    given: dict[str, dict[str, Any]] = {"db": {"a": 1, "only": "db"}, "web": {"a": 1, "only": "web"}}
    text = run_inventory({"job_targets": [DB, WEB], "job_source_0": [WEB]}, given, "svc").text()
    whole, some = json.loads(text.whole)["all"], json.loads(text.of({"db"}))["all"]
    assert some["vars"] == whole["vars"]
    assert some["hosts"] == {"db": whole["hosts"]["db"]}
    assert some["children"] == {"job_targets": {"hosts": {"db": None}}, "job_source_0": {"hosts": {}}}


def test_a_host_is_known_by_its_id() -> None:
    """bk_host_id is the service's, whatever the inventory says or does not say."""
    assert of({})[0]["bk_host_id"] == 7
    assert of({"bk_host_id": "7 "})[0]["bk_host_id"] == 7


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "svc"),
        ({"ansible_user": "deploy"}, "deploy"),
        ({"ansible_user": "deploy", "ansible_ssh_user": "root"}, "root"),
        ({"ansible_user": "{{ admin }}"}, "{{ admin }}"),
        ({"ansible_user": "deploy", "ansible_connection": "local"}, "svc"),
        ({"ansible_user": {"__ansible_unsafe": "a{{b}}"}}, "a{{b}}"),
        ({"ansible_user": 1001}, "1001"),
    ],
)
def test_whom_ansible_logs_in_as(variables: dict[str, Any], expected: str) -> None:
    """As Ansible itself finds it: ssh's own name of the variable first; a template stays one."""
    assert of(variables)[0]["job_login_user"] == expected


def test_the_become_method_the_inventory_gives_is_kept_apart() -> None:
    """The play decides by the login user unless the inventory has decided."""
    assert of({})[0]["job_become_method"] == ""
    assert of({"ansible_become_method": "doas"})[0]["job_become_method"] == "doas"


@pytest.mark.parametrize(
    "name",
    [
        "ansible_password", "ansible_ssh_pass", "ansible_become_pass", "ansible_become_password", "db_passwd",
        "ansible_ssh_private_key", "aws_secret_access_key", "aws_access_key", "api_key", "apikey", "API_TOKEN",
        "secret_of_the_house", "vault_credentials", "key_passphrase", "tokens",
    ],
)  # fmt: skip
def test_secrets_are_looked_up_while_the_run_lasts(name: str) -> None:
    """A variable whose name says so is not in the file, whether text, number or marked as not to be rendered."""
    for value, text in (("s3cr3t", "s3cr3t"), (1234, "1234"), ({"__ansible_unsafe": "{{s3cr3t"}, "{{s3cr3t")):
        host, secrets = of({name: value})
        assert list(secrets.values()) == [text]
        assert host[name] == secret_lookup(next(iter(secrets)))
        assert text not in to_json(host)


@pytest.mark.parametrize("name", ["ansible_ssh_private_key_file", "bypass_proxy", "tokenizer", "monkey"])
def test_what_only_sounds_secret_is_kept(name: str) -> None:
    """A file's name is needed in a run by hand, and is no secret."""
    assert of({name: "/path"})[0][name] == "/path"


def test_what_a_secret_s_template_refers_to_is_secret_too() -> None:
    """Through any number of templates, but addresses and users are not, however they are used."""
    given = {
        "ansible_password": "{{ words[env] ~ ansible_host }}",
        "words": {"prod": "one", "test": ["two"]},
        "env": "{% if blue %}prod{% endif %}",
        "blue": "three",
        "ansible_host": "10.0.0.7",
        "other": "four",
    }
    host, secrets = of(given)
    assert set(secrets.values()) == {"one", "two", "three"}
    assert (host["ansible_host"], host["other"]) == ("10.0.0.7", "four")
    assert {name: resolved(host[name], secrets) for name in given} == given


def test_secrets_within_other_variables_are_looked_up() -> None:
    """Keys of mappings at any depth are names too."""
    given = {"databases": [{"user": "app", "password": "one"}], "x": {"y": {"token": "two", "port": 5432}}}
    host, secrets = of(given)
    assert sorted(secrets.values()) == ["one", "two"]
    assert {name: resolved(host[name], secrets) for name in given} == given


def test_no_two_hosts_share_a_secret_s_name() -> None:
    """Each has its own, also of the same variable."""
    variables = {"db": {"ansible_password": "a"}, "web": {"ansible_password": "b"}}
    made = run_inventory({"job_targets": [DB, WEB]}, variables, "svc")
    assert sorted(made.secrets.values()) == ["a", "b"]


def test_flags_and_nothing_are_no_secrets() -> None:
    """`no_secret: false` must stay false: as text it would be true."""
    given = {"verify_secret": False, "token": None}
    host, secrets = of(given)
    assert (host["verify_secret"], host["token"], secrets) == (False, None, {})


def test_vault_values_stay_encrypted_and_unrendered_text_stays_so() -> None:
    """As `ansible-inventory --list` marks them, so the file marks them for Ansible."""
    vault = "$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n"
    host, secrets = of(
        {"key": {"__ansible_vault": vault}, "list": [{"__ansible_unsafe": "{{ x }}"}], "my_password": "p"}
    )
    read = json.loads(to_json(host))
    assert (read["key"], read["list"]) == ({"__ansible_vault": vault}, [{"__ansible_unsafe": "{{ x }}"}])
    assert list(secrets.values()) == ["p"]


def test_an_encrypted_password_needs_no_lookup() -> None:
    """It is safe where it is."""
    vault = "$ANSIBLE_VAULT;1.1;AES256\n6162\n"
    host, secrets = of({"ansible_password": {"__ansible_vault": vault}})
    assert (host["ansible_password"], secrets) == (vault, {})
    assert "__ansible_vault" in to_json(host)
