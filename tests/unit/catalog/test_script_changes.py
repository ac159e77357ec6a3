"""Scripts are changed and deleted as the contract has it, a business's and public ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter import errors
from adapter.job.commands import ScriptRef
from adapter.job.model import PUBLIC, Scope, ScriptVersion, Server
from adapter.job.plan import PlanScript, PlanStep
from adapter.job.status import StepType, VersionStatus
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores

from .conftest import BIZ, OTHER

EACH_LIBRARY = pytest.mark.parametrize("library", [BIZ, PUBLIC], ids=str)


def make(catalog: Catalog, library: Scope, name: str = "hello") -> ScriptVersion:
    """A script with one draft."""
    return catalog.create_script(library, user="ann", name=name, language=1, content="x", version="1")


def another(catalog: Catalog, of: ScriptVersion, version: str) -> ScriptVersion:
    """One more draft of the same script."""
    return catalog.create_script_version(
        of.scope, user="ann", script_id=of.script_id, content="y", version=version
    )


def named(version: ScriptVersion) -> dict[str, object]:
    """How requests name it."""
    return {"script_id": version.script_id, "script_version_id": version.id}


def publish(catalog: Catalog, version: ScriptVersion) -> ScriptVersion:
    """Put it online."""
    return catalog.publish_script_version(version.scope, user="bob", **named(version))  # type: ignore[arg-type]


def disable(catalog: Catalog, version: ScriptVersion) -> ScriptVersion:
    """Take it out of use."""
    return catalog.disable_script_version(version.scope, user="bob", **named(version))  # type: ignore[arg-type]


def delete(catalog: Catalog, version: ScriptVersion) -> None:
    """Remove it."""
    catalog.delete_script_version(version.scope, **named(version))  # type: ignore[arg-type]


def use(stores: Stores, scope: Scope, script: PlanScript, name: str = "release") -> None:
    """A template with a step of the script."""
    step = PlanStep(id=0, name="say", type=StepType.SCRIPT, target=Server(host_ids=(1,)), script=script)
    stores.plans.create_template(scope, name=name, steps=(step,), operator="ann", now_ms=1)


@EACH_LIBRARY
def test_name_and_description(catalog: Catalog, library: Scope) -> None:
    """Both change; a description that is left out stays, one that is blank is none."""
    version = make(catalog, library)
    change: Callable[..., object] = catalog.update_script_basic
    of = {"user": "bob", "script_id": version.script_id}
    change(library, name=" bye ", description="d", **of)
    found = catalog.get_script_version_detail(library, version_id=version.id)
    assert (found.name, found.description) == ("bye", "d")
    change(library, name="bye", **of)
    assert catalog.get_script_version_detail(library, version_id=version.id).description == "d"
    change(library, name="bye", description="", **of)
    assert catalog.get_script_version_detail(library, version_id=version.id).description == ""


@EACH_LIBRARY
def test_a_name_that_is_taken(catalog: Catalog, library: Scope) -> None:
    """1243002 within the library, also when renaming; the same name elsewhere is another's affair."""
    make(catalog, library)
    other = make(catalog, library, "other")
    with pytest.raises(errors.ScriptExists):
        make(catalog, library)
    with pytest.raises(errors.ScriptExists) as raised:
        catalog.update_script_basic(library, user="a", script_id=other.script_id, name="hello")
    assert raised.value.code == 1243002
    assert catalog.get_script_version_detail(library, version_id=other.id).name == "other"
    make(catalog, OTHER)


@pytest.mark.parametrize("name", ["", "x" * 61, "a/b", "a\0"])
def test_names_that_are_none(catalog: Catalog, name: str) -> None:
    """1240003, and nothing has changed."""
    version = make(catalog, BIZ)
    with pytest.raises(errors.BadRequest, match="Invalid name"):
        catalog.update_script_basic(BIZ, user="a", script_id=version.script_id, name=name, description="d")
    assert catalog.get_script_version_detail(BIZ, version_id=version.id).description == ""


@EACH_LIBRARY
def test_only_a_draft_is_changed(catalog: Catalog, library: Scope) -> None:
    """1241003 for what has been online, is or is disabled; its text stays."""
    version = make(catalog, library)
    change: Callable[..., ScriptVersion] = catalog.update_script_version
    of = {"user": "bob", **named(version)}
    changed = change(library, content="new", version_desc="d", **of)
    assert (changed.content, changed.version_desc, changed.last_modify_user) == ("new", "d", "bob")
    assert change(library, content="newer", **of).version_desc == "d"
    for move in (publish, disable):
        move(catalog, version)
        with pytest.raises(errors.UnsupportedOperation) as raised:
            change(library, content="newest", **of)
        assert raised.value.code == 1241003
    assert catalog.get_script_version_detail(library, version_id=version.id).content == "newer"


@pytest.mark.parametrize(
    "fields", [{"content": ""}, {"content": "a\0"}, {"content": "é" * 8_388_608}, {"version_desc": "\0"}]
)
def test_texts_that_cannot_be_stored(catalog: Catalog, fields: dict[str, str]) -> None:
    """1240003, and the draft is as it was."""
    version = make(catalog, BIZ)
    change: Callable[..., object] = catalog.update_script_version
    with pytest.raises(errors.BadRequest):
        change(BIZ, user="a", **named(version), **{"content": "new", **fields})
    assert catalog.get_script_version_detail(BIZ, version_id=version.id).content == "x"


@EACH_LIBRARY
def test_legal_moves(catalog: Catalog, library: Scope) -> None:
    """Disabled only from online or offline, and for good: neither again, nor online."""
    first = make(catalog, library)
    with pytest.raises(errors.UnsupportedOperation):
        disable(catalog, first)
    second = another(catalog, publish(catalog, first), "2")
    publish(catalog, second)
    assert disable(catalog, first).status == VersionStatus.DISABLED  # it was offline
    for move in (publish, disable):
        with pytest.raises(errors.UnsupportedOperation):
            move(catalog, first)
    assert [item.online_version_id for item in catalog.get_script_list(library).items] == [second.id]
    assert disable(catalog, second).status == VersionStatus.DISABLED
    assert catalog.get_script_list(library).total == 0
    with pytest.raises(errors.ScriptNotExecutable):
        catalog.script_version(BIZ, ScriptRef(script_id=first.script_id))


@EACH_LIBRARY
def test_versions_go_and_the_last_takes_its_script_along(catalog: Catalog, library: Scope) -> None:
    """That one is online is no obstacle."""
    first = publish(catalog, make(catalog, library))
    second = another(catalog, first, "2")
    delete(catalog, first)
    assert catalog.get_script_list(library).total == 0
    with pytest.raises(errors.ScriptVersionUnknown):
        delete(catalog, first)
    delete(catalog, second)
    with pytest.raises(errors.ScriptUnknown):
        delete(catalog, second)
    make(catalog, library)  # the name is free


@EACH_LIBRARY
def test_a_script_goes_with_its_versions(catalog: Catalog, library: Scope) -> None:
    """Another scope's is unknown (1243001)."""
    version = publish(catalog, make(catalog, library))
    another(catalog, version, "2")
    with pytest.raises(errors.ScriptUnknown):
        catalog.delete_script(OTHER, script_id=version.script_id)
    catalog.delete_script(library, script_id=version.script_id)
    with pytest.raises(errors.ScriptVersionUnknown):
        catalog.get_script_version_detail(library, version_id=version.id)
    with pytest.raises(errors.ScriptUnknown):
        catalog.delete_script(library, script_id=version.script_id)


@EACH_LIBRARY
def test_what_a_template_names_stays(catalog: Catalog, stores: Stores, library: Scope) -> None:
    """1243054 with the template, for the version and for the script; other versions may go."""
    used = publish(catalog, make(catalog, library))
    free = another(catalog, used, "2")
    use(stores, BIZ, PlanScript(account_id=1, script_id=used.script_id, script_version_id=used.id))
    with pytest.raises(errors.ScriptInUse) as raised:
        delete(catalog, used)
    assert (raised.value.code, "[release]" in raised.value.message) == (1243054, True)
    with pytest.raises(errors.ScriptInUse):
        catalog.delete_script(library, script_id=used.script_id)
    delete(catalog, free)
    assert catalog.get_script_list(library).total == 1


def test_a_step_without_a_version_uses_what_is_online(catalog: Catalog, stores: Stores) -> None:
    """That one and the last one stay."""
    first = publish(catalog, make(catalog, BIZ))
    second = another(catalog, first, "2")
    use(stores, BIZ, PlanScript(account_id=1, script_id=first.script_id))
    with pytest.raises(errors.ScriptInUse):
        delete(catalog, first)
    publish(catalog, second)
    delete(catalog, first)
    disable(catalog, second)
    with pytest.raises(errors.ScriptInUse):
        delete(catalog, second)


def test_a_text_that_looks_like_a_reference_is_none(catalog: Catalog, stores: Stores) -> None:
    """A script may say in its text whatever it likes."""
    version = make(catalog, BIZ)
    text = f'"script_id":"{version.script_id}","script_version_id":{version.id},'
    use(stores, BIZ, PlanScript(account_id=1, language=1, content=text, param=text))
    delete(catalog, version)


def test_public_scripts_run_everywhere(catalog: Catalog) -> None:
    """By script and by version, in any business; but no business's list or detail has them."""
    version = publish(catalog, make(catalog, PUBLIC))
    for scope in (BIZ, OTHER, Scope("biz_set", "9")):
        assert catalog.script_version(scope, ScriptRef(script_id=version.script_id)).id == version.id
        assert catalog.script_version(scope, ScriptRef(version_id=version.id)).id == version.id
        assert catalog.get_script_list(scope).total == 0
        with pytest.raises(errors.ScriptUnknown):
            catalog.get_script_version_detail(scope, version_id=version.id)
        with pytest.raises(errors.ScriptUnknown):
            catalog.delete_script(scope, script_id=version.script_id)


def test_a_list_without_texts_reads_none(catalog: Catalog) -> None:
    """They may be long."""
    version = make(catalog, BIZ)
    page = catalog.get_script_version_list(BIZ, script_id=version.script_id, with_content=False)
    assert [item.content for item in page.items] == [""]
