"""Steps of the channel ``aws`` on moto: each call made, gone on from its half, and taken back; and what is left alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from bulkhead.actuators.cloud import AwsHands, Patience
from bulkhead.actuators.cloud.waiting import failed, rolling
from bulkhead.clients.cloud import AwsClient
from bulkhead.clients.cloud.described import ONE
from bulkhead.core.canonical import canonical
from bulkhead.core.errors import Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Step
from bulkhead.core.resource import Ref
from bulkhead.mitigation.channels.aws import KINDS
from tests.fakes.aws import AwsDouble
from tests.fakes.aws_account import ALLOW, LIFECYCLE, REGION, client, document

NUMBER = "123456789012"
POLICY = f"arn:aws:iam::{NUMBER}:policy/p"


class Notes:
    """Progress in memory."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def known(self) -> dict[str, Any]:
        return dict(self.facts)

    def say(self, text: str) -> None:
        self.facts["said"] = text

    def note(self, **facts: Any) -> None:
        self.facts |= msgspec.json.decode(msgspec.json.encode(facts))


class Site:
    def __init__(self, double: AwsDouble) -> None:
        self.double = double
        self.hands = AwsHands(endpoint_url=double.url, patience=Patience(rollout=0.2, update=0.2, look=0.01))

    def record(self, ref: Ref) -> dict[str, Any]:
        async def work() -> dict[str, Any]:
            async with AwsClient(REGION, endpoint_url=self.double.url) as opened:
                return (await ONE[ref.kind](opened, ref.name, ref.namespace, ref.uid)).data

        return KINDS[ref.kind].record(asyncio.run(work()))

    def step(self, ref: Ref, change: Callable[[dict[str, Any]], dict[str, Any]], risk: Any = "none") -> Step:
        before = self.record(ref)
        wanted = change(msgspec.json.decode(msgspec.json.encode(before)))
        return Step(
            id="s", channel="aws", target=f"{ref.kind}/{ref.name}", limit=1, needs=(), before=canonical(before), change=canonical(wanted),
            repairs=(), verify=(), undo="", ref=ref, method="call", risk=risk,
        )  # fmt: skip

    def apply(self, step: Step, notes: Notes) -> None:
        asyncio.run(self.hands.apply(step, notes))

    def undo(self, step: Step, notes: Notes) -> None:
        asyncio.run(self.hands.undo(step, notes))

    def current(self, step: Step) -> bytes | None:
        return asyncio.run(self.hands.current(step, Notes()))


def ref(kind: str, name: str, namespace: str = "", uid: str = "", origin: str = f"aws://{NUMBER}/{REGION}") -> Ref:
    return Ref(source="aws", kind=kind, name=name, namespace=namespace, origin=origin, uid=uid)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with AwsDouble() as double:
        ecr, iam, ecs = client("ecr", double.url), client("iam", double.url), client("ecs", double.url)
        ecr.create_repository(repositoryName="shop")
        iam.create_policy(PolicyName="p", PolicyDocument=document(ALLOW))
        ecs.create_cluster(clusterName="c")
        for made in (ecr, iam, ecs):
            made.close()
        yield Site(double)


NARROW = json.loads(document(ALLOW | {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}))
OWN = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{NUMBER}:root"}, "Action": "ecr:BatchGetImage"})
CHANGES: dict[str, tuple[Ref, dict[str, Any]]] = {
    "scan": (ref("EcrRepository", "shop"), {"imageScanningConfiguration": {"scanOnPush": True}}),
    "tags": (ref("EcrRepository", "shop"), {"imageTagMutability": "IMMUTABLE"}),
    "except": (
        ref("EcrRepository", "shop"),
        {
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}],
        },
    ),
    "repository policy": (ref("EcrRepository", "shop"), {"policyText": OWN}),
    "lifecycle": (ref("EcrRepository", "shop"), {"lifecyclePolicyText": LIFECYCLE}),
    "both": (ref("EcrRepository", "shop"), {"policyText": OWN, "imageScanningConfiguration": {"scanOnPush": True}}),
    "settings": (ref("EcsCluster", "c"), {"settings": [{"name": "containerInsights", "value": "enabled"}]}),
    "document": (ref("IamPolicy", "p", uid=POLICY), {"document": NARROW}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_made_and_put_back_to_the_former_values(site: Site, name: str) -> None:
    target, change = CHANGES[name]
    step, notes = site.step(target, lambda data: data | change), Notes()
    asyncio.run(site.hands.rehearse(step))
    assert site.current(step) == step.before
    site.apply(step, notes)
    assert loaded(msgspec.json.decode(site.current(step) or b"{}")).items() >= loaded(change).items()
    assert site.current(step) != step.before
    assert asyncio.run(site.hands.well(step, notes)) == ""
    site.undo(step, notes)
    assert site.current(step) == step.before
    site.undo(step, notes)
    assert site.current(step) == step.before
    assert asyncio.run(site.hands.settle(step, notes)) is False


def test_the_version_that_was_made_of_a_policy_goes_with_the_undo(site: Site) -> None:
    step, notes = site.step(*_document()), Notes()
    site.apply(step, notes)
    site.undo(step, notes)
    assert versions(site) == {"v1": True}


def test_a_version_whose_making_was_never_noted_is_found(site: Site) -> None:
    step, notes = site.step(*_document()), Notes()
    site.apply(step, notes)
    for lost in ("made", "written"):
        del notes.facts[lost]
    site.undo(step, notes)
    assert versions(site) == {"v1": True}


def test_a_policy_without_room_for_a_version_is_refused_and_nothing_is_done(site: Site) -> None:
    iam = client("iam", site.double.url)
    for _ in range(4):
        iam.create_policy_version(PolicyArn=POLICY, PolicyDocument=document(ALLOW), SetAsDefault=False)
    iam.close()
    step = site.step(*_document())
    with pytest.raises(PlanRefused, match="5 versions"):
        asyncio.run(site.hands.rehearse(step))
    with pytest.raises(PlanRefused):
        site.apply(step, Notes())
    assert versions(site)["v1"] is True


def test_undo_goes_on_from_half_of_a_change(site: Site) -> None:
    target, change = CHANGES["both"]
    step, notes = site.step(target, lambda data: data | change), Notes()
    with site.double.refusing("ecr:SetRepositoryPolicy"), pytest.raises(SourceError):
        site.apply(step, notes)
    assert site.current(step) not in (step.before, step.change)
    site.undo(step, notes)
    assert site.current(step) == step.before


def test_what_somebody_else_changed_is_left_alone(site: Site) -> None:
    target, change = CHANGES["scan"]
    step, notes = site.step(target, lambda data: data | change), Notes()
    site.apply(step, notes)
    ecr = client("ecr", site.double.url)
    ecr.set_repository_policy(repositoryName="shop", policyText=OWN)
    ecr.close()
    now = site.current(step)
    with pytest.raises(Conflict, match="policyText"):
        site.undo(step, notes)
    assert site.current(step) == now


def test_nothing_begun_is_nothing_to_undo_and_what_is_gone_is_a_conflict(site: Site) -> None:
    target, change = CHANGES["scan"]
    step, notes = site.step(target, lambda data: data | change), Notes()
    site.undo(step, Notes())
    assert site.current(step) == step.before
    site.apply(step, notes)
    ecr = client("ecr", site.double.url)
    ecr.delete_repository(repositoryName="shop")
    ecr.close()
    assert site.current(step) is None
    assert "no such thing" in asyncio.run(site.hands.well(step, notes))
    for call in (site.undo, site.apply):
        with pytest.raises(Conflict):
            call(step, notes)


def test_credentials_of_another_account_change_nothing(site: Site) -> None:
    target, change = CHANGES["scan"]
    step = site.step(target, lambda data: data | change)
    other = msgspec.structs.replace(step, ref=ref("EcrRepository", "shop", origin=f"aws://999999999999/{REGION}"))
    with pytest.raises(SourceError, match="credentials are of account"):
        site.apply(other, Notes())
    assert site.current(step) == step.before


def test_a_cluster_without_any_way_in_is_refused(site: Site) -> None:
    eks, ec2 = client("eks", site.double.url), client("ec2", site.double.url)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    eks.create_cluster(name="k", roleArn=f"arn:aws:iam::{NUMBER}:role/r", resourcesVpcConfig={"subnetIds": [subnet]})
    eks.close()
    ec2.close()
    closed = {"resourcesVpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": False}}
    step = site.step(ref("EksCluster", "k"), lambda data: data | closed)
    with pytest.raises(PlanRefused, match="neither"):
        asyncio.run(site.hands.rehearse(step))


def test_a_machine_of_ecs_gets_its_metadata_options_back(site: Site) -> None:
    ecs, ec2 = client("ecs", site.double.url), client("ec2", site.double.url)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    options = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 3}
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, MetadataOptions=options)
    identity = json.dumps({"instanceId": made["Instances"][0]["InstanceId"], "region": REGION})
    arn = ecs.register_container_instance(cluster="c", instanceIdentityDocument=identity)["containerInstance"][
        "containerInstanceArn"
    ]
    ecs.close()
    ec2.close()
    target = ref("EcsContainerInstance", arn.rpartition("/")[2], "c", arn)
    strict = {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}}
    step, notes = site.step(target, lambda data: data | strict), Notes()
    site.apply(step, notes)
    assert site.current(step) == step.change
    site.undo(step, notes)
    assert site.current(step) == step.before
    assert site.record(target)["metadataOptions"] == {"httpTokens": "optional", "httpPutResponseHopLimit": 3}


def test_a_step_of_something_else_is_refused(site: Site) -> None:
    target, change = CHANGES["scan"]
    step = site.step(target, lambda data: data | change)
    for other in (ref("IamRole", "x"), ref("EcrRepository", "shop", origin="kubernetes://x")):
        with pytest.raises(PlanRefused):
            asyncio.run(site.hands.rehearse(msgspec.structs.replace(step, ref=other)))


@pytest.mark.parametrize(
    ("data", "bad", "left"),
    [
        ({"desiredCount": 1, "runningCount": 1, "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}]}, "", ""),
        ({"desiredCount": 1, "runningCount": 1, "deployments": [{"status": "PRIMARY"}]}, "", ""),
        ({"desiredCount": 2, "runningCount": 1, "deployments": [{"status": "PRIMARY"}]}, "", "1 of 2 tasks run"),
        ({"deployments": [{"status": "PRIMARY"}, {"status": "ACTIVE"}]}, "", "1 older deployments still run"),
        ({"deployments": [{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}]}, "", "the deployment is IN_PROGRESS"),
        (
            {"deployments": [{"status": "PRIMARY", "rolloutState": "FAILED", "rolloutStateReason": "tasks failed"}]},
            "tasks failed", "the deployment is FAILED",
        ),
    ],
)  # fmt: skip
def test_a_deployment_is_done_when_all_its_tasks_run(data: dict[str, Any], bad: str, left: str) -> None:
    assert (failed(data), rolling(data)) == (bad, left)


def loaded(data: dict[str, Any]) -> dict[str, Any]:
    """Texts of policies as what they say: the cloud spaces them as it likes."""
    return {name: json.loads(value) if name.endswith("Text") else value for name, value in data.items()}


def _document() -> tuple[Ref, Callable[[dict[str, Any]], dict[str, Any]]]:
    target, change = CHANGES["document"]
    return target, lambda data: data | change


def versions(site: Site) -> dict[str, bool]:
    iam = client("iam", site.double.url)
    found = iam.list_policy_versions(PolicyArn=POLICY)["Versions"]
    iam.close()
    return {item["VersionId"]: item["IsDefaultVersion"] for item in found}
