"""The client against the double: pages, watches, writes with their guards, and everything that a server may say instead."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.clients.kube import Cluster, Expired, Forbidden, KubeClient, Limits, Unauthorised, Vanished, watch
from bulkhead.clients.kube.config import Identity
from bulkhead.clients.kube.discovery import ApiResource
from bulkhead.core.errors import BulkheadError, Conflict, LimitExceeded, PlanRefused, SourceError
from tests.fakes.kube import KubeDouble

PODS = ApiResource("", "v1", "Pod", "pods", namespaced=True)
MAPS = ApiResource("", "v1", "ConfigMap", "configmaps", namespaced=True)
QUICK = Limits(call_seconds=2.0, connect_seconds=1.0, page=3, tries=3, wait_seconds=0.05)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "demo"}, "data": data}


def ask(
    double: KubeDouble, use: Callable[[KubeClient], Awaitable[Any]], *, token: str = "good", limits: Limits = QUICK
) -> Any:
    async def main() -> Any:
        async with KubeClient(Cluster("c", double.url, Identity(token=token)), limits=limits) as client:
            return await use(client)

    return asyncio.run(main())


def filled(count: int) -> list[dict[str, Any]]:
    return [config_map(f"m{number:02}", a=str(number)) for number in range(count)]


@pytest.mark.parametrize("legacy", [False, True])
def test_discovery_in_one_go_or_document_by_document(legacy: bool) -> None:
    with KubeDouble() as double:
        double.legacy = legacy
        double.define("route.openshift.io", "v1", "Route", "routes", namespaced=True)
        found = ask(double, lambda client: client.discover())
        assert found.find("apps", "Deployment").path("a", "b") == "/apis/apps/v1/namespaces/a/deployments/b"
        assert found.find("", "Node").namespaced is False
        assert found.find("route.openshift.io", "Route").api_version == "route.openshift.io/v1"
        assert found.find("", "Nothing") is None
        assert found.failures == {}


def test_a_list_comes_page_by_page_and_says_what_its_items_are() -> None:
    with KubeDouble(filled(8)) as double:
        items, version = ask(double, lambda client: client.collect(MAPS))
        assert [item["metadata"]["name"] for item in items] == [f"m{number:02}" for number in range(8)]
        assert {(item["apiVersion"], item["kind"]) for item in items} == {("v1", "ConfigMap")}
        assert version == str(double.store.version)
        assert len(double.requests) == 3


def test_a_token_that_runs_out_goes_on_with_the_fresh_one_and_says_so() -> None:
    with KubeDouble(filled(8)) as double:

        async def use(client: KubeClient) -> tuple[list[str], str]:
            names, version = [], "?"
            async for items, told in client.pages(MAPS):
                version = told
                names += [item["metadata"]["name"] for item in items]
                if len(names) == 3:
                    double.store.compact()
            return names, version

        names, version = ask(double, use)
        assert names == [f"m{number:02}" for number in range(8)]
        assert version == ""


def test_more_than_the_bound_is_an_error() -> None:
    with KubeDouble(filled(8)) as double, pytest.raises(LimitExceeded):
        ask(double, lambda client: client.collect(MAPS), limits=Limits(page=3, items=5))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, Forbidden),
        (404, Vanished),
        (410, Expired),
        (400, SourceError),
        (500, SourceError),
        (503, SourceError),
        (302, SourceError),
    ],
)
def test_what_the_server_refuses_has_its_own_error(status: int, kind: type[BulkheadError]) -> None:
    with KubeDouble() as double:
        double.answers["/api/v1/pods"] = (status, json.dumps({"kind": "Status", "message": "no"}).encode())
        with pytest.raises(kind, match=str(status)):
            ask(double, lambda client: client.collect(PODS))


def test_a_kind_that_may_not_be_read_is_told_in_the_servers_words() -> None:
    with KubeDouble() as double:
        double.forbidden.add("Secret")
        secrets = ApiResource("", "v1", "Secret", "secrets", namespaced=True)
        with pytest.raises(Forbidden, match='cannot list resource "secrets" in API group "" at the cluster scope'):
            ask(double, lambda client: client.collect(secrets))


def test_a_busy_server_is_asked_again_but_not_for_ever() -> None:
    with KubeDouble(filled(1)) as double:
        double.throttled = 2
        assert len(ask(double, lambda client: client.collect(MAPS))[0]) == 1
        double.throttled = 99
        with pytest.raises(SourceError, match="429"):
            ask(double, lambda client: client.collect(MAPS))


def test_silence_and_floods_end() -> None:
    with KubeDouble() as double:
        double.silent["/api/v1/pods"] = 5.0
        with pytest.raises(LimitExceeded):
            ask(double, lambda client: client.collect(PODS), limits=Limits(call_seconds=0.3))
        double.answers["/api/v1/configmaps"] = (200, b" " * 3000)
        with pytest.raises(LimitExceeded):
            ask(double, lambda client: client.collect(MAPS), limits=Limits(answer=1000))


def test_a_server_that_is_not_there() -> None:
    async def main() -> None:
        async with KubeClient(Cluster("c", "http://127.0.0.1:9", Identity()), limits=QUICK) as client:
            await client.raw("/version")

    with pytest.raises(SourceError, match="cannot be asked"):
        asyncio.run(main())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["items", "metadata", "kind", "continue", "message", "details", "code"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.sampled_from([200, 201, 400, 403, 409, 410, 422, 500]),
)
def test_garbage_never_crashes(shared: KubeDouble, body: bytes, status: int) -> None:
    shared.answers["/api/v1/configmaps"] = (status, body)
    try:
        items, _ = ask(shared, lambda client: client.collect(MAPS), limits=Limits(tries=1, call_seconds=5.0))
        assert isinstance(items, list)
    except BulkheadError:
        pass
    shared.answers["/api/v1/namespaces/demo/configmaps/x"] = (status, body)
    with contextlib.suppress(BulkheadError):
        ask(
            shared,
            lambda client: client.apply(MAPS, config_map("x"), dry_run=True),
            limits=Limits(tries=1, call_seconds=5.0),
        )


@pytest.fixture(scope="module")
def shared() -> Any:
    with KubeDouble() as double:
        yield double


# Watches.


def test_a_watch_goes_on_where_it_broke() -> None:
    with KubeDouble(filled(1)) as double:

        async def use(client: KubeClient) -> list[tuple[str, str]]:
            _, version = await client.collect(MAPS)
            double.break_watch_after = 1
            double.put(config_map("a"))
            double.put(config_map("b"))
            double.put(config_map("b", x="1"))
            double.remove("ConfigMap", "a", "demo")
            seen: list[tuple[str, str]] = []
            async for event in watch(client, MAPS, version=version):
                if event.type != "bookmark":
                    seen.append((event.type, event.data["metadata"]["name"]))
                if len(seen) == 4:
                    return seen
            return seen

        seen = ask(double, use)
        assert seen == [("added", "a"), ("added", "b"), ("modified", "b"), ("deleted", "a")]
        assert len([path for _, path in double.requests if "watch=true" in path]) == 4


def _follow(double: KubeDouble, *, token: str = "good", version: str = "1000") -> None:
    async def use(client: KubeClient) -> None:
        async for _ in watch(client, MAPS, version=version, pause=0.01):
            pass

    ask(double, use, token=token)


def test_a_watch_that_fails_again_and_again_is_the_callers() -> None:
    with KubeDouble() as double:
        double.answers["/api/v1/configmaps"] = (500, b"{}")
        with pytest.raises(SourceError, match="500"):
            _follow(double)
        assert len(double.requests) == 5
        # One that ends at once, without a word, is no watch either; it is not asked for without end.
        double.requests.clear()
        double.answers["/api/v1/configmaps"] = (200, b"")
        with pytest.raises(SourceError, match="ends at once"):
            _follow(double)
        assert len(double.requests) == 5
        double.answers["/api/v1/configmaps"] = (404, b"x" * 5000)
        with pytest.raises(Vanished):
            _follow(double)


def test_a_watch_renews_its_credential(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    with KubeDouble(filled(1)) as double:

        async def main() -> str:
            async with KubeClient(Cluster("c", double.url, Identity(token_file=str(file))), limits=QUICK) as client:
                file.write_text("good")
                async for event in watch(client, MAPS, version="1000"):
                    return event.type
            return ""

        assert asyncio.run(main()) == "added"
        double.token = "another"
        with pytest.raises(Unauthorised):
            _follow(double)


def test_bookmarks_tell_where_to_go_on() -> None:
    with KubeDouble(filled(1)) as double:

        async def use(client: KubeClient) -> str:
            double.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
            async for event in watch(client, MAPS, version="1001"):
                assert event.type == "bookmark"
                return event.version
            return ""

        assert ask(double, use) == str(double.store.version)


def test_a_version_that_is_too_old_is_the_callers_to_list_anew() -> None:
    with KubeDouble(filled(1)) as double:
        double.store.oldest = 5000

        async def use(client: KubeClient) -> None:
            async for _ in watch(client, MAPS, version="1"):
                pass

        with pytest.raises(Expired, match="too old resource version"):
            ask(double, use)
        double.forbidden.add("watch:ConfigMap")
        with pytest.raises(Forbidden):
            ask(double, use)


# Writes.


def test_a_dry_run_changes_nothing() -> None:
    with KubeDouble(filled(1)) as double:
        before = double.store.version
        made = ask(double, lambda client: client.apply(MAPS, config_map("new", a="1"), dry_run=True))
        assert made.data["data"] == {"a": "1"}
        ask(
            double,
            lambda client: client.patch(
                MAPS, "m00", "demo", [{"op": "replace", "path": "/data/a", "value": "9"}], dry_run=True
            ),
        )
        ask(double, lambda client: client.delete(MAPS, "m00", "demo", dry_run=True))
        assert double.store.version == before
        assert all("dryRun=All" in path for method, path in double.writes)


def test_apply_creates_owns_and_conflicts() -> None:
    with KubeDouble() as double:
        ask(double, lambda client: client.apply(MAPS, config_map("x", a="1")))
        entry = double.get("ConfigMap", "x", "demo")["metadata"]["managedFields"][0]
        assert (entry["manager"], entry["operation"]) == ("bulkhead", "Apply")
        entry["manager"] = "somebody"
        with pytest.raises(Conflict, match=r'conflict with "somebody": \.data\.a'):
            ask(double, lambda client: client.apply(MAPS, config_map("x", a="2")))
        ask(double, lambda client: client.apply(MAPS, config_map("x", a="2"), force=True))
        assert double.get("ConfigMap", "x", "demo")["data"] == {"a": "2"}


def test_a_patch_with_an_old_version_is_a_conflict_and_not_an_overwrite() -> None:
    with KubeDouble(filled(1)) as double:
        guard = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}
        change = {"op": "replace", "path": "/data/a", "value": "9"}
        with pytest.raises(Conflict):
            ask(double, lambda client: client.patch(MAPS, "m00", "demo", [guard, change]))
        assert double.get("ConfigMap", "m00", "demo")["data"] == {"a": "0"}


def test_delete_takes_only_the_object_that_is_meant() -> None:
    with KubeDouble(filled(1)) as double:
        with pytest.raises(Conflict, match="does not match the UID in record"):
            ask(double, lambda client: client.delete(MAPS, "m00", "demo", uid="other"))
        uid = double.get("ConfigMap", "m00", "demo")["metadata"]["uid"]
        ask(double, lambda client: client.delete(MAPS, "m00", "demo", uid=uid))
        with pytest.raises(Vanished):
            ask(double, lambda client: client.delete(MAPS, "m00", "demo"))


def test_an_admission_policy_that_refuses_is_no_lack_of_rights() -> None:
    with KubeDouble(filled(1)) as double:
        double.deny = lambda made: "not today"
        with pytest.raises(PlanRefused, match="not today"):
            ask(double, lambda client: client.apply(MAPS, config_map("x")))
        double.deny = None
        double.forbidden.add("patch:ConfigMap")
        with pytest.raises(Forbidden, match="cannot patch"):
            ask(double, lambda client: client.apply(MAPS, config_map("x")))


def test_a_write_is_never_sent_twice_but_when_it_was_not_taken() -> None:
    with KubeDouble(filled(1)) as double:
        double.answers["/api/v1/namespaces/demo/configmaps/x"] = (500, b"{}")
        with pytest.raises(SourceError):
            ask(double, lambda client: client.apply(MAPS, config_map("x")))
        assert len(double.writes) == 1


# Credentials.


def test_a_token_file_that_rotates_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    with KubeDouble(filled(1), token="good") as double:

        async def main() -> int:
            cluster = Cluster("c", double.url, Identity(token_file=str(file)))
            async with KubeClient(cluster, limits=QUICK) as client:
                file.write_text("good\n")
                return len((await client.collect(MAPS))[0])

        assert asyncio.run(main()) == 1


def test_a_credential_that_is_refused_twice_is_told_without_it() -> None:
    with KubeDouble(token="good") as double, pytest.raises(Unauthorised) as caught:
        ask(double, lambda client: client.raw("/version"), token="s3cr3t-token")
    assert "s3cr3t" not in str(caught.value)
    assert "log in again" in str(caught.value)
