"""The script library: the API's rules, and what a launch may execute."""

from __future__ import annotations

import threading

import pytest

from adapter import errors
from adapter.job.commands import ScriptRef
from adapter.job.model import ScriptVersion
from adapter.job.status import VersionStatus
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores

from .conftest import BIZ, OTHER


def make(catalog: Catalog, name: str = "hello", **changes: object) -> ScriptVersion:
    """A script with one draft."""
    arguments: dict[str, object] = {"language": 1, "content": "echo 1", "version": "1.0", **changes}
    return catalog.create_script(BIZ, user="ann", name=name, **arguments)  # type: ignore[arg-type]


def publish(catalog: Catalog, version: ScriptVersion) -> ScriptVersion:
    """Put it online."""
    return catalog.publish_script_version(
        BIZ, user="bob", script_id=version.script_id, script_version_id=version.id
    )


def test_a_new_script_is_a_draft_and_in_no_list(catalog: Catalog) -> None:
    """get_script_list has only scripts with an online version."""
    version = make(catalog, content='echo "{{ x }}" 你好\r\n')
    assert version.status == VersionStatus.DRAFT
    assert version.content == 'echo "{{ x }}" 你好\r\n'
    assert len(version.script_id) == 32
    assert catalog.get_script_list(BIZ).total == 0
    publish(catalog, version)
    page = catalog.get_script_list(BIZ)
    assert [(item.id, item.online_version_id) for item in page.items] == [(version.script_id, version.id)]
    assert page.items[0].last_modify_user == "bob"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("name", "a\0"),
        *[("name", f"a{character}b") for character in '\\|/:*<>"?'],
        ("version", ""),
        ("version", "1 0"),
        ("version", "1.0\n"),
        ("version", "版"),
        ("version", "1" * 61),
        ("content", ""),
        ("content", "a\0"),
        ("content", "é" * 8_388_608),
        ("language", 0),
        ("language", 7),
        ("description", "\0"),
        ("version_desc", "\0"),
    ],
)
def test_values_out_of_range_are_refused(catalog: Catalog, field: str, value: object) -> None:
    """As bean validation: 1240003."""
    with pytest.raises(errors.BadRequest, match="Invalid"):
        make(catalog, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["o'brien", "{{ x }}", "数据 备份", "a%_b", "x" * 60])
def test_odd_names_are_names(catalog: Catalog, name: str) -> None:
    """They come back as they are, and filters take them literally."""
    publish(catalog, make(catalog, name))
    publish(catalog, make(catalog, "axyb"))
    assert [item.name for item in catalog.get_script_list(BIZ, name=name).items] == [name]


def test_names_are_taken_once(catalog: Catalog) -> None:
    """A script's within its business, a version's within its script."""
    version = make(catalog)
    with pytest.raises(errors.ScriptExists):
        make(catalog)
    with pytest.raises(errors.VersionExists):
        catalog.create_script_version(
            BIZ, user="ann", script_id=version.script_id, content="x", version="1.0"
        )
    catalog.create_script(OTHER, user="ann", name="hello", language=1, content="x", version="1.0")


def test_a_script_that_cannot_be_made_leaves_nothing(catalog: Catalog, stores: Stores) -> None:
    """Script and version are written together."""
    version = make(catalog)
    assert stores.scripts.versions(version.script_id)[0] == 1
    with pytest.raises(errors.ScriptExists):
        make(catalog, version="2.0")
    assert stores.scripts.versions(version.script_id)[0] == 1


def test_publishing_takes_the_other_version_offline(catalog: Catalog) -> None:
    """At most one version is online; publishing it again changes nothing."""
    first = publish(catalog, make(catalog))
    second = catalog.create_script_version(
        BIZ, user="ann", script_id=first.script_id, content="echo 2", version="2.0", version_desc="d"
    )
    assert publish(catalog, second).status == VersionStatus.ONLINE
    assert publish(catalog, second).status == VersionStatus.ONLINE
    page = catalog.get_script_version_list(BIZ, script_id=first.script_id)
    assert [(item.version, item.status) for item in page.items] == [
        ("2.0", VersionStatus.ONLINE),
        ("1.0", VersionStatus.OFFLINE),
    ]


def test_two_who_publish_at_once_leave_one_online(catalog: Catalog) -> None:
    """Whoever is second sees the first."""
    script = make(catalog)
    versions = [
        catalog.create_script_version(
            BIZ, user="ann", script_id=script.script_id, content="x", version=f"2.{number}"
        )
        for number in range(8)
    ]
    threads = [threading.Thread(target=publish, args=(catalog, version)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = catalog.get_script_version_list(BIZ, script_id=script.script_id)
    assert sum(item.status == VersionStatus.ONLINE for item in page.items) == 1


def test_a_disabled_version_is_not_published(catalog: Catalog) -> None:
    """1241003, and what was online stays online."""
    first = publish(catalog, make(catalog))
    second = catalog.create_script_version(
        BIZ, user="ann", script_id=first.script_id, content="x", version="2"
    )
    publish(catalog, second)
    publish(catalog, first)
    catalog.disable_script_version(BIZ, user="a", script_id=second.script_id, script_version_id=second.id)
    with pytest.raises(errors.UnsupportedOperation):
        publish(catalog, second)
    assert catalog.script_version(BIZ, ScriptRef(script_id=first.script_id)).id == first.id


def test_publishing_names_what_is_unknown(catalog: Catalog) -> None:
    """Script first, then version."""
    version = make(catalog)
    other = make(catalog, "other")
    with pytest.raises(errors.ScriptUnknown):
        catalog.publish_script_version(OTHER, user="a", script_id=version.script_id, script_version_id=1)
    with pytest.raises(errors.ScriptVersionUnknown):
        catalog.publish_script_version(BIZ, user="a", script_id=version.script_id, script_version_id=other.id)


def test_the_detail_is_found_by_id_or_by_name(catalog: Catalog) -> None:
    """The id wins."""
    version = make(catalog)
    script_id = version.script_id
    assert catalog.get_script_version_detail(BIZ, version_id=version.id, version="9") == version
    assert catalog.get_script_version_detail(BIZ, script_id=script_id, version="1.0") == version
    with pytest.raises(errors.InvalidParameter) as raised:
        catalog.get_script_version_detail(BIZ, script_id=script_id)
    assert raised.value.code == 1241005
    with pytest.raises(errors.ScriptVersionUnknown):
        catalog.get_script_version_detail(BIZ, script_id=script_id, version="9\0")
    with pytest.raises(errors.ScriptVersionUnknown):
        catalog.get_script_version_detail(BIZ, version_id=2**63)
    with pytest.raises(errors.ScriptUnknown):
        catalog.get_script_version_detail(OTHER, version_id=version.id)
    with pytest.raises(errors.ScriptUnknown):
        catalog.get_script_version_list(OTHER, script_id=script_id)


@pytest.mark.parametrize(
    ("status", "runs"),
    [
        (VersionStatus.DRAFT, False),
        (VersionStatus.ONLINE, True),
        (VersionStatus.OFFLINE, True),
        (VersionStatus.DISABLED, False),
    ],
)
def test_a_version_runs_when_it_is_online_or_was(
    catalog: Catalog, stores: Stores, status: VersionStatus, runs: bool
) -> None:
    """1244018 otherwise."""
    version = make(catalog)
    if status != VersionStatus.DRAFT:
        publish(catalog, version)
    if status == VersionStatus.OFFLINE:
        stores.scripts.take_offline(version.script_id, version.id, operator="ann", now_ms=1)
    if status == VersionStatus.DISABLED:
        stores.scripts.disable(version.script_id, version.id, operator="ann", now_ms=1)
    ref = ScriptRef(version_id=version.id, script_id="ignored", content="ignored")
    if runs:
        assert catalog.script_version(BIZ, ref).content == "echo 1"
    else:
        with pytest.raises(errors.ScriptNotExecutable) as raised:
            catalog.script_version(BIZ, ref)
        assert raised.value.code == 1244018


def test_a_script_runs_its_online_version(catalog: Catalog) -> None:
    """1244018 if there is none; another business's script does not exist."""
    version = make(catalog)
    ref = ScriptRef(script_id=version.script_id)
    with pytest.raises(errors.ScriptNotExecutable, match="no online version"):
        catalog.script_version(BIZ, ref)
    publish(catalog, version)
    assert catalog.script_version(BIZ, ref).id == version.id
    for scope, unknown in (
        (OTHER, ref),
        (OTHER, ScriptRef(version_id=version.id)),
        (BIZ, ScriptRef(version_id=999)),
        (BIZ, ScriptRef(version_id=2**63)),
        (BIZ, ScriptRef(script_id="nothing")),
        (BIZ, ScriptRef(script_id="a\0b")),
    ):
        with pytest.raises(errors.ScriptUnknown):
            catalog.script_version(scope, unknown)
    with pytest.raises(errors.MissingParameter):
        catalog.script_version(BIZ, ScriptRef(content="echo"))
