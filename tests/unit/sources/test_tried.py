"""Changed files beside the others of their tree."""

from __future__ import annotations

from pathlib import Path

from bulkhead.sources import files

_MAIN = b'resource "aws_ecr_repository" "r" {\n  name = var.name\n  image_tag_mutability = "MUTABLE"\n}\n'


def test_variables_of_the_folder_are_known_in_a_trial(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "variables.tf").write_bytes(b'variable "name" {\n  default = "shop"\n}\n')
    (tmp_path / "infra" / "main.tf").write_bytes(_MAIN)
    changed = _MAIN.replace(b'"MUTABLE"', b'"IMMUTABLE"')
    [before] = files.read(tmp_path).resources
    [after] = files.tried(tmp_path, {"infra/main.tf": changed}).resources
    assert before.data["name"] == after.data["name"] == "shop"
    assert (before.data["image_tag_mutability"], after.data["image_tag_mutability"]) == ("MUTABLE", "IMMUTABLE")
    assert after.ref == before.ref


def test_a_changed_variable_counts(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_bytes(_MAIN)
    tried = files.tried(tmp_path, {"main.tf": _MAIN, "variables.tf": b'variable "name" {\n  default = "new"\n}\n'})
    assert tried.resources[0].data["name"] == "new"


def test_other_files_need_no_tree(tmp_path: Path) -> None:
    tried = files.tried(tmp_path / "absent", {"a.yaml": b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n"})
    assert [item.ref.name for item in tried.resources] == ["p"]
