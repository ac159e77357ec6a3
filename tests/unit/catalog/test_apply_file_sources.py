"""`adapter apply` and steps that take files from file sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.plan import PlanFileSource
from adapter.job.status import FileType
from adapter.service.apply import ApplyError
from adapter.service.catalog import Catalog
from adapter.store.file_sources import FileSourceStore
from adapter.store.opening import Stores

from .conftest import BIZ, OTHER

Applying = Callable[[str], list[str]]


def file(source: str) -> str:
    """A file with a template of one step that takes files from there."""
    return f"""
scope: {{type: biz, id: 2}}
accounts: [{{account: root}}]
templates:
  - name: t
    variables: [{{name: VERSION, value: v1}}]
    steps:
      - name: get
        type: 2
        file: {{target_path: /tmp, account: root, sources: [{{file_type: 3, {source}}}]}}
        target: {{host_id_list: [1]}}
    plans: [{{name: p}}]
"""


@pytest.fixture
def releases(stores: Stores) -> FileSourceDefinition:
    """A file source of the file's business, and one of another."""
    store = FileSourceStore(stores.engine)
    new = {"alias": "Releases", "type": FileSourceType.S3, "base_url": "https://s3", "last_modify_time": 1}
    store.create(FileSourceDefinition(scope=OTHER, code="theirs", **new))  # type: ignore[arg-type]
    return store.create(FileSourceDefinition(scope=BIZ, code="releases", **new))  # type: ignore[arg-type]


def test_a_step_that_takes_files_from_one(
    apply: Applying, catalog: Catalog, releases: FileSourceDefinition
) -> None:
    """By its code; applied twice nothing changes."""
    text = file("file_source_code: releases, files: ['bucket/${VERSION}/app', bucket/b]")
    assert apply(text)
    assert apply(text) == []
    step = catalog.plan(1).steps[0]
    assert step.file is not None
    assert step.file.sources == (
        PlanFileSource(
            files=("bucket/${VERSION}/app", "bucket/b"),
            account_id=step.file.account_id,
            file_type=FileType.FILE_SOURCE,
            file_source_id=releases.id,
            file_source_code="releases",
        ),
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("file_source_code: none, files: [bucket/a]", "sources[0].file_source_code: Cannot find file source"),
        (
            "file_source_code: theirs, files: [bucket/a]",
            "sources[0].file_source_code: Cannot find file source",
        ),
        ("files: [bucket/a]", "sources[0].file_source_code"),
        ("file_source_code: releases, files: []", "sources[0].files: needs at least one path"),
        (
            "file_source_code: releases, files: [bucket/]",
            "sources[0].files[0]: must be files, not a directory",
        ),
        ("file_source_code: releases, files: [a]", "sources[0].files[0]: must have at least 2 parts"),
        ("file_source_code: releases, files: ['${X}/../a']", "sources[0].files[0]: must be paths like"),
        ("file_source_code: releases, files: [b/a], account: root", "sources[0].account: unknown key"),
    ],
)
def test_broken_sources(apply: Applying, releases: FileSourceDefinition, source: str, problem: str) -> None:
    """The file is refused as a whole, naming the place."""
    with pytest.raises(ApplyError) as found:
        apply(file(source))
    assert problem in str(found.value)
    assert releases.id
