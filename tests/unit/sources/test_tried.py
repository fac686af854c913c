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


def test_an_ignore_file_concerns_its_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Dockerfile").write_text("FROM x:1\nCOPY . .\n")
    [after] = files.tried(tmp_path, {"a/Dockerfile.dockerignore": b".git\n"}).resources
    assert (after.ref.origin, after.data["context"]) == ("a/Dockerfile", {"dockerignore": True})
    assert files.tried(tmp_path, {"../Dockerfile.dockerignore": b".git\n"}).resources == ()


def test_an_ignore_file_further_up_may_or_may_not_be_the_build_s(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "Dockerfile").write_text("FROM x:1\nCOPY . .\n")
    [alone] = files.read(tmp_path).resources
    (tmp_path / ".dockerignore").write_text(".git\n")
    [below] = files.read(tmp_path).resources
    assert (alone.data["context"], "context" in below.data) == ({"dockerignore": False}, False)


def test_a_linked_dockerfile_is_served_by_what_stands_beside_the_link(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "prod").write_text("FROM x:1\nCOPY . .\n")
    (tmp_path / "docker" / ".dockerignore").write_text(".git\n")
    (tmp_path / "Dockerfile").symlink_to("docker/prod")
    [linked] = [item for item in files.read(tmp_path).resources if item.ref.origin == "Dockerfile"]
    assert linked.data["context"] == {"dockerignore": False}
