"""An account of AWS behind moto on this machine: what is told of it, what its refusals hide, what is repaired and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulkhead.actuators.cloud import AwsHands, Patience
from bulkhead.app import live
from bulkhead.app.live import Applied, Site, Trial
from bulkhead.app.ports import EntryState
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.bootstrap import running
from bulkhead.clients.cloud import AwsClient
from bulkhead.core.control import MitigationClass
from bulkhead.core.errors import BulkheadError, Conflict
from bulkhead.core.outcome import Outcome
from bulkhead.core.plan import Rollout
from bulkhead.core.resource import UNKNOWN, Ref, Snapshot
from bulkhead.mitigation.channels.aws import KINDS
from bulkhead.mitigation.choosing import Consent
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.sources.cloud import aws
from bulkhead.sources.cloud.layers import Layers
from bulkhead.store.kept import KeptFacts
from tests.catalogue_check import catalogue
from tests.fakes.aws import TOKEN, AwsDouble
from tests.fakes.aws_account import NODES, REGION, USED, account, client, images, roles
from tests.fakes.images import Built, folder, item, sha256, tar
from tests.fakes.registry import Registry
from tests.fakes.store import MemoryJournal

ROLE = "arn:aws:iam::123456789012:role/"
AT_ONCE = Rollout(canary=0, watch_seconds=0)
QUICK = Patience(rollout=2.0, update=2.0, look=0.01)
ADDON = {"addonName": "vpc-cni", "configurationValues": '{"enableNetworkPolicy":"true"}'}
SETTLED = {
    "deletionProtection": True,
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
}
# What each control says of the things that it is about: those that it fails, and those that cannot be told.
TRUTH: dict[str, tuple[set[str], set[str]]] = {
    "cloud.aws.ecr-immutable-tags": ({"bad"}, set()),
    "cloud.aws.ecr-kms": ({"bad"}, set()),
    "cloud.aws.ecr-lifecycle": ({"bad"}, set()),
    "cloud.aws.ecr-public-policy": ({"bad"}, set()),
    "cloud.aws.ecr-scan-on-push": ({"bad"}, set()),
    "cloud.aws.ecr-image-secrets": (set(), {"good", "bad"}),
    "cloud.aws.ecr-vulns-latest": (set(), {"good", "bad"}),
    "cloud.aws.ecr-node-readonly": ({"bad"}, set()),
    "cloud.aws.ecr-user-access": ({"admin"}, set()),
    "cloud.aws.ecs-insights": ({"bad"}, set()),
    "cloud.aws.ecs-deploy-circuit": ({"bad/web"}, set()),
    "cloud.aws.ecs-fargate-platform": ({"bad/web"}, set()),
    "cloud.aws.ecs-public-ip": ({"bad/web"}, set()),
    "cloud.aws.ecs-roles-distinct": ({"bad"}, set()),
    "cloud.aws.ecs-logging": ({"good", "bad", "plain", "single"}, set()),
    "cloud.aws.ecs-no-new-privileges": ({"plain"}, set()),
    "cloud.aws.eks-access-entries": ({"bad"}, set()),
    "cloud.aws.eks-creator-admin": ({"bad"}, set()),
    "cloud.aws.eks-deletion-protection": ({"bad"}, set()),
    "cloud.aws.eks-endpoint-cidr": ({"bad"}, set()),
    "cloud.aws.eks-imds-hop": ({"bad/nodes"}, set()),
    "cloud.aws.eks-irsa": ({"bad"}, set()),
    "cloud.aws.eks-irsa-trust-scope": ({"irsa-bad"}, set()),
    "cloud.aws.eks-logging": ({"bad"}, set()),
    "cloud.aws.eks-network-policy": (set(), {"bad"}),
    "cloud.aws.eks-node-ssh": ({"bad/nodes"}, set()),
    "cloud.aws.eks-public-endpoint": ({"bad"}, set()),
    "cloud.aws.eks-secrets-kms": ({"bad"}, set()),
    "cloud.aws.iam-administrator": ({"admin"}, set()),
    "cloud.aws.iam-wildcards": ({"admin", "service"}, set()),
    "cloud.generic.registry-allow-list": (set(), {"123456789012"}),
    "cloud.generic.restricted-network": ({"bad/web/web", "bad/single/web"}, set()),
}
# Read-only calls of a reading, each of which may be refused.
CALLS = (
    "ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "ecr:GetLifecyclePolicy", "ecr:DescribeImages", "ecs:ListClusters",
    "ecs:DescribeClusters", "ecs:ListServices", "ecs:DescribeServices", "ecs:ListTasks", "ecs:ListContainerInstances",
    "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:DescribeContainerInstances", "ec2:DescribeNetworkInterfaces", "eks:ListClusters", "eks:DescribeCluster", "eks:ListNodegroups", "eks:DescribeNodegroup",
    "eks:DescribeAddon", "ec2:DescribeInstances", "ec2:DescribeSecurityGroups", "iam:ListPolicies", "iam:GetPolicyVersion",
    "iam:ListRoles", "iam:ListAttachedRolePolicies", "ec2:DescribeInstanceAttribute", "eks:ListAccessEntries",
    "iam:GenerateServiceLastAccessedDetails",
)  # fmt: skip


class AccountWorld:
    def __init__(self, double: AwsDouble) -> None:
        self._double = double

    @property
    def root(self) -> str:
        return f"aws://{REGION}"

    async def read(self) -> Snapshot:
        async with AwsClient(REGION, endpoint_url=self._double.url) as opened:
            return await aws.read(opened)


class Work:
    def __init__(self, double: AwsDouble) -> None:
        self.double = double
        self.world = AccountWorld(double)
        self.journal = MemoryJournal()
        self.hands = {"aws": AwsHands(endpoint_url=double.url, patience=QUICK)}
        self.context = Context(catalogue(), lambda: "2026-11-27T10:00:00+00:00")
        self.selection = Selection(
            tuple(control for control in catalogue().controls if control.id.startswith("cloud."))
        )

    def scan(self) -> Scan:
        return live.judged(running.run(self.world.read()), self.world.root, self.context, self.selection, self.journal)

    def plan(self, *controls: str) -> tuple[Trial, Scan]:
        scan = self.scan()
        named = frozenset(controls)
        trial = live.propose(scan, self.context, Consent(MitigationClass.PROPOSE, named, named), AT_ONCE)
        return running.run(live.rehearse(trial, self.hands)), scan

    def apply(self, trial: Trial, scan: Scan) -> Applied:
        site = Site(self.world, self.hands, self.journal, asyncio.sleep)
        return running.run(live.apply(trial, scan, site, self.context, actor="ada"))

    def undo(self, done: Applied) -> tuple[str, ...]:
        return running.run(live.undo(done.entry, self.hands, self.journal, tenant="default"))


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsDouble]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"), ("AWS_MAX_ATTEMPTS", "1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with AwsDouble() as made:
        account(made.url)
        made.addons["good"] = dict(ADDON)
        made.extras["good"] = dict(SETTLED)
        made.used |= {ROLE + name: report for name, report in NODES.items()}
        made.slow_reports = 0
        yield made


def said(snapshot: Snapshot) -> dict[tuple[str, str], Outcome]:
    """Each verdict, passes too, by its control and the thing that it is of; the worst where there are several."""
    controls = tuple(control for control in catalogue().controls if control.id in TRUTH)
    request = Request(catalogue(), controls, keep_passes=True)
    found: dict[tuple[str, str], Outcome] = {}
    for finding in evaluate(snapshot, request).findings:
        ref = finding.resource
        key = (finding.control, f"{ref.namespace}/{ref.name}".removeprefix("/"))
        if found.get(key, Outcome.PASS) is Outcome.PASS:
            found[key] = finding.outcome
    return found


def read(double: AwsDouble) -> Snapshot:
    return running.run(AccountWorld(double).read())


def test_every_verdict_on_the_account_is_right(double: AwsDouble) -> None:
    found = said(read(double))
    for control, (fails, errors) in TRUTH.items():
        of = {name: outcome for (mine, name), outcome in found.items() if mine == control}
        assert {name for name, outcome in of.items() if outcome is Outcome.FAIL} == fails, control
        assert {name for name, outcome in of.items() if outcome is Outcome.ERROR} == errors, control
        assert len(of) > len(fails | errors) or fails | errors, control
    passes = {key for key, outcome in found.items() if outcome is Outcome.PASS}
    assert ("cloud.aws.ecr-lifecycle", "good") in passes
    assert ("cloud.aws.eks-network-policy", "good") in passes
    assert ("cloud.generic.restricted-network", "good/web/web") in passes
    assert ("cloud.aws.eks-irsa-trust-scope", "irsa-good") in passes
    assert ("cloud.generic.restricted-network", "good/plain/web") in passes


def test_what_an_instance_of_ecs_has_is_told_with_its_machine(double: AwsDouble) -> None:
    snapshot = read(double)
    found = [item for item in snapshot.resources if item.ref.kind == "EcsContainerInstance"]
    [good] = [item.data for item in found if item.ref.namespace == "good"]
    assert good["metadataOptions"] == {"httpTokens": "optional", "httpPutResponseHopLimit": 2}
    assert good["agentConfiguration"] == {"ECS_CLUSTER": "good"}
    bad = [item.data["agentConfiguration"] for item in found if item.ref.namespace == "bad"]
    assert bad.count({"ECS_AWSVPC_BLOCK_IMDS": "true", "ECS_CLUSTER": "bad"}) == 2
    assert bad.count(UNKNOWN) == 1
    assert any("writes no settings of the agent" in gap.reason for gap in snapshot.gaps)
    assert "hunter2" not in repr(snapshot)
    [control] = [item for item in catalogue().controls if item.id == "cloud.aws.ecs-imds-block"]
    findings = evaluate(snapshot, Request(catalogue(), (control,), keep_passes=True)).findings
    said = sorted((item.resource.namespace, item.outcome.value) for item in findings)
    # Of the three of bad: one that blocks, one whose hops let tasks through all the same, one that does not tell.
    assert said == [("bad", "error"), ("bad", "fail"), ("bad", "pass"), ("good", "fail")]


def test_pods_that_call_aws_with_the_role_of_their_node_are_seen_in_what_the_role_did(double: AwsDouble) -> None:
    def nodes(cluster: str) -> Any:
        [found] = [
            item.data for item in read(double).resources if (item.ref.kind, item.ref.name) == ("EksCluster", cluster)
        ]
        return {item["arn"].rpartition("/")[2]: item["calls"] for item in found["nodeRoles"] if item is not UNKNOWN}

    assert nodes("good") == {"nodes-good": []}
    assert nodes("bad") == {"nodes-bad": ["dynamodb", "ec2:AttachVolume"]}
    double.entries["good"] = [
        {"principalArn": ROLE + "self-managed", "type": "EC2_LINUX"}, {"principalArn": ROLE + "ada", "type": "STANDARD"},
    ]  # fmt: skip
    iam = client("iam", double.url)
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam.create_role(RoleName="self-managed", AssumeRolePolicyDocument=trust)
    iam.close()
    assert nodes("good") == {"nodes-good": [], "self-managed": ["sqs"]}
    assert of(read(double), "cloud.aws.eks-irsa") == {"good": Outcome.FAIL, "bad": Outcome.FAIL}
    double.entries.clear()
    # Where the cluster alone may know who its nodes are, what is seen of some is no pass for all.
    for mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP"):
        double.extras["good"] = SETTLED | {"accessConfig": {"authenticationMode": mode}}
        assert of(read(double), "cloud.aws.eks-irsa") == {"good": Outcome.ERROR, "bad": Outcome.FAIL}, mode


def allowed(snapshot: Snapshot, *approved: str) -> Outcome:
    [control] = [item for item in catalogue().controls if item.id == "cloud.generic.registry-allow-list"]
    parameters = {control.id: {"approved": list(approved)}}
    request = Request(catalogue(), (control,), keep_passes=True, parameters=parameters)
    [finding] = evaluate(snapshot, request).findings
    return finding.outcome


def test_registries_that_the_user_approves_decide_where_the_account_has_no_rule(double: AwsDouble) -> None:
    both = ("registry.example", "docker.io")
    # What runs in clusters of EKS is not seen: it may come from anywhere.
    snapshot = read(double)
    assert [allowed(snapshot, *names) for names in ((), both[:1], both)] == [Outcome.ERROR, Outcome.FAIL, Outcome.ERROR]
    eks = client("eks", double.url)
    for name in ("good", "bad"):
        eks.delete_nodegroup(clusterName=name, nodegroupName="nodes")
        eks.delete_cluster(name=name)
    eks.close()
    snapshot = read(double)
    assert [allowed(snapshot, *names) for names in ((), both[:1], both)] == [Outcome.ERROR, Outcome.FAIL, Outcome.PASS]
    for call in (
        "ecs:DescribeTaskDefinition",
        "ecs:ListServices",
        "ecs:ListClusters",
        "ecs:ListTasks",
        "eks:ListClusters",
    ):
        with double.refusing(call):
            assert allowed(read(double), *both) is Outcome.ERROR, call


def test_a_refused_call_turns_no_verdict_into_a_pass_and_hides_what_depends_on_it_alone(double: AwsDouble) -> None:
    whole = read(double)
    before = said(whole)
    kinds = {item.ref.kind for item in whole.resources}
    for call in CALLS:
        service = call.partition(":")[0]
        code = {"ec2": "UnauthorizedOperation", "iam": "AccessDenied"}.get(service, "AccessDeniedException")
        with double.refusing(call, code=code):
            snapshot = read(double)
        assert call in double.calls, call
        gaps = [gap for gap in snapshot.gaps if gap not in whole.gaps]
        assert gaps, call
        assert any(call in gap.hint for gap in gaps), (call, gaps)
        assert "AKIA" not in repr(snapshot), call
        hidden = {kind for gap in gaps for kind in gap.hides}
        assert hidden <= kinds, call
        missing = kinds - {item.ref.kind for item in snapshot.resources}
        assert missing <= hidden, (call, missing - hidden)
        for key, outcome in said(snapshot).items():
            if outcome is Outcome.PASS:
                assert before[key] is Outcome.PASS, (call, key)


@pytest.fixture
def busy(double: AwsDouble) -> AwsDouble:
    """The account with tasks that run images of its registry, and roles with what they used."""
    double.pulled |= images(double.url)
    roles(double.url)
    double.used |= {ROLE + name: report for name, report in USED.items()}
    double.young.add(ROLE + "young")
    double.associations["good"] = [
        {"namespace": "shop", "serviceAccount": name, "roleArn": ROLE + name} for name in ("pods", "young")
    ]
    return double


def of(snapshot: Snapshot, control: str) -> dict[str, Outcome]:
    wanted = tuple(item for item in catalogue().controls if item.id == control)
    found = evaluate(snapshot, Request(catalogue(), wanted, keep_passes=True)).findings
    return {item.resource.name.rpartition("/")[2]: item.outcome for item in found}


def test_images_that_run_are_held_beside_their_tag_and_their_base(busy: AwsDouble) -> None:
    snapshot = read(busy)
    assert of(snapshot, "cloud.generic.up-to-date") == {
        "fresh:1": Outcome.PASS, "stale:1": Outcome.FAIL, "rebuilt:1": Outcome.FAIL, "bare:1": Outcome.ERROR, "web:1": Outcome.ERROR,
    }  # fmt: skip
    [rebuilt] = [item.data for item in snapshot.resources if item.ref.name.endswith("/rebuilt:1")]
    assert rebuilt["digest"] == rebuilt["tagDigest"]
    assert rebuilt["baseBehind"] is True
    assert rebuilt["usedBy"] == ["good/rebuilt"]
    reasons = {gap.reason for gap in snapshot.gaps}
    assert "the image does not say what it is built on" in reasons
    assert "registry.example/web:1 is not in this account's registry in this region" in reasons


def test_a_tag_that_is_gone_is_no_pass(busy: AwsDouble) -> None:
    ecr = client("ecr", busy.url)
    ecr.batch_delete_image(repositoryName="fresh", imageIds=[{"imageTag": "1"}])
    ecr.close()
    assert of(read(busy), "cloud.generic.up-to-date")["fresh:1"] is Outcome.ERROR


def test_rights_that_are_not_used_are_told_of_each_identity(busy: AwsDouble) -> None:
    busy.slow_reports = 2
    snapshot = read(busy)
    assert of(snapshot, "cloud.generic.least-privilege-iam") == {
        "narrow": Outcome.PASS, "wide": Outcome.FAIL, "irsa-good": Outcome.PASS, "irsa-bad": Outcome.FAIL, "pods": Outcome.PASS,
        "young": Outcome.ERROR, "shop": Outcome.ERROR, "pull": Outcome.ERROR,
    }  # fmt: skip
    data = {item.ref.name: item.data for item in snapshot.resources if item.ref.kind == "WorkloadIdentity"}
    assert data["wide"]["granted"] == ["ec2:*", "s3:DeleteBucket", "s3:ListAllMyBuckets"]
    assert data["wide"]["used"] == ["s3:ListAllMyBuckets"]
    assert data["narrow"]["used"] == ["kms:*", "s3:ListAllMyBuckets", "sqs:*"]
    assert data["pods"]["usedBy"] == ["eks/good/shop/pods"]
    assert data["wide"]["usedBy"] == ["ecs/bare", "ecs/rebuilt", "ecs/stale"]
    assert any("not 90 days old" in gap.reason for gap in snapshot.gaps)


@pytest.mark.parametrize(
    ("call", "code", "control"),
    [
        ("ecr:BatchGetImage", "AccessDeniedException", "cloud.generic.up-to-date"),
        ("ecr:DescribeImages", "AccessDeniedException", "cloud.generic.up-to-date"),
        ("ecs:DescribeTasks", "AccessDeniedException", "cloud.generic.up-to-date"),
        ("iam:GenerateServiceLastAccessedDetails", "AccessDenied", "cloud.generic.least-privilege-iam"),
        ("iam:GetServiceLastAccessedDetails", "AccessDenied", "cloud.generic.least-privilege-iam"),
        ("iam:ListRoles", "AccessDenied", "cloud.generic.least-privilege-iam"),
        ("eks:ListPodIdentityAssociations", "AccessDeniedException", "cloud.generic.least-privilege-iam"),
        ("eks:DescribePodIdentityAssociation", "AccessDeniedException", "cloud.generic.least-privilege-iam"),
    ],
)
def test_what_is_refused_of_images_and_identities_is_a_gap_and_no_pass(
    busy: AwsDouble, call: str, code: str, control: str
) -> None:
    whole = read(busy)
    before = of(whole, control)
    with busy.refusing(call, code=code):
        snapshot = read(busy)
    assert call in busy.calls
    kind = "DeployedImage" if control.endswith("up-to-date") else "WorkloadIdentity"
    gaps = [gap for gap in snapshot.gaps if gap not in whole.gaps]
    assert any(call in gap.hint and kind in gap.hides for gap in gaps), gaps
    after = of(snapshot, control)
    assert {name for name, outcome in after.items() if outcome is Outcome.PASS} <= {
        name for name, outcome in before.items() if outcome is Outcome.PASS
    }
    assert after != before


SECRET = "ghp_" + "c0ffee" * 6
LEAN = Built((tar(folder("app"), item("app/server", b"\x7fELF", mode=0o755)),))
FULL = Built(
    (tar(folder("bin"), item("bin/curl", b"\x7fELF", mode=0o755), item("deploy.sh", f"T={SECRET}\n".encode())),)
)


def layered(double: AwsDouble, kept: Path, *, broken: bool = False) -> tuple[Snapshot, Registry]:
    """The account read with the files of two images that its registry has."""
    registry = Registry(user="AWS", password=TOKEN, basic=True)
    ecr = client("ecr", double.url)
    for name, built in (("lean", LEAN), ("full", FULL)):
        built.push(registry)
        if name not in {item["repositoryName"] for item in ecr.describe_repositories()["repositories"]}:
            ecr.create_repository(repositoryName=name)
            text, digest = built.manifest_bytes.decode(), sha256(built.manifest_bytes)
            ecr.put_image(repositoryName=name, imageManifest=text, imageTag="1", imageDigest=digest)
        if broken:
            registry.blobs[sha256(built.stored[0])] = b"something else"
    ecr.close()

    async def work() -> Snapshot:
        async with registry.listening(), AwsClient(REGION, endpoint_url=double.url) as opened:
            double.registry = f"http://{registry.host}"
            return await aws.read(opened, Layers(KeptFacts(kept, "1")))

    return asyncio.run(work()), registry


def both_run(double: AwsDouble) -> None:
    """Single tasks that run both images."""
    ecs, ec2 = client("ecs", double.url), client("ec2", double.url)
    setting = {
        "awsvpcConfiguration": {"subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]], "securityGroups": []}
    }
    for name, built in (("lean", LEAN), ("full", FULL)):
        reference = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{name}:1"
        double.pulled[reference] = sha256(built.manifest_bytes)
        ecs.register_task_definition(
            family=name, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            containerDefinitions=[{"name": "web", "image": reference, "memory": 64}],
        )  # fmt: skip
        ecs.run_task(cluster="good", taskDefinition=name, launchType="FARGATE", networkConfiguration=setting)
    ecs.close()
    ec2.close()


def test_files_of_images_are_read_from_the_account_s_registry_on_request(double: AwsDouble, tmp_path: Path) -> None:
    both_run(double)
    snapshot, registry = layered(double, tmp_path)
    secrets = of(snapshot, "cloud.aws.ecr-image-secrets")
    assert (secrets["lean"], secrets["full"]) == (Outcome.PASS, Outcome.FAIL)
    layers = of(snapshot, "cloud.generic.minimal-layers")
    assert layers == {"lean:1": Outcome.PASS, "full:1": Outcome.FAIL, "web:1": Outcome.ERROR}
    assert SECRET not in repr(snapshot)
    assert TOKEN not in repr(snapshot)
    assert registry.seen
    again, registry = layered(double, tmp_path)
    assert of(again, "cloud.generic.minimal-layers") == layers
    assert registry.seen == []


def test_without_the_request_no_check_on_files_passes(double: AwsDouble) -> None:
    both_run(double)
    assert set(of(read(double), "cloud.generic.minimal-layers").values()) == {Outcome.ERROR}


def test_a_layer_that_is_not_what_its_digest_says_is_a_gap_and_an_error(double: AwsDouble, tmp_path: Path) -> None:
    both_run(double)
    snapshot, _ = layered(double, tmp_path, broken=True)
    assert set(of(snapshot, "cloud.generic.minimal-layers").values()) == {Outcome.ERROR}
    assert Outcome.PASS not in of(snapshot, "cloud.aws.ecr-image-secrets").values()
    assert any("are not known" in gap.reason for gap in snapshot.gaps)
    with double.refusing("ecr:GetAuthorizationToken"):
        snapshot, _ = layered(double, tmp_path)
    assert set(of(snapshot, "cloud.generic.minimal-layers").values()) == {Outcome.ERROR}
    assert any("ecr:GetAuthorizationToken" in gap.hint for gap in snapshot.gaps)


REPAIRS = (
    ("cloud.aws.ecr-scan-on-push", "EcrRepository", "bad"), ("cloud.aws.ecr-immutable-tags", "EcrRepository", "bad"),
    ("cloud.aws.ecs-insights", "EcsCluster", "bad"), ("cloud.aws.ecs-deploy-circuit", "EcsService", "web"),
    ("cloud.aws.ecs-fargate-platform", "EcsService", "web"), ("cloud.aws.ecs-public-ip", "EcsService", "web"),
    ("cloud.aws.eks-logging", "EksCluster", "bad"), ("cloud.aws.eks-endpoint-cidr", "EksCluster", "bad"),
    ("cloud.aws.eks-public-endpoint", "EksCluster", "bad"), ("cloud.aws.eks-deletion-protection", "EksCluster", "bad"),
    ("cloud.aws.eks-imds-hop", "EksNodegroup", "nodes"),
)  # fmt: skip


def test_each_repair_is_made_proved_and_taken_back(double: AwsDouble) -> None:
    work = Work(double)
    options = instances(double)
    for control, kind, name in REPAIRS:
        before = records(read(double))
        trial, scan = work.plan(control)
        assert [(step.ref.kind, step.ref.name) for step in trial.plan.steps if step.ref] == [(kind, name)], (
            control,
            [item.reason for item in trial.plan.unfixed],
        )
        done = work.apply(trial, scan)
        assert done.reason == "", control
        after = read(double)
        assert control not in {mine for (mine, _), outcome in said(after).items() if outcome is Outcome.FAIL}, control
        assert records(after) != before, control
        work.undo(done)
        assert records(read(double)) == before, control
        assert work.journal.entry(done.entry).summary.state is EntryState.UNDONE
    assert instances(double) == options


def records(snapshot: Snapshot) -> dict[Ref, dict[str, Any]]:
    return {item.ref: KINDS[item.ref.kind].record(item.data) for item in snapshot.resources if item.ref.kind in KINDS}


def instances(double: AwsDouble) -> dict[str, tuple[str, int]]:
    ec2 = client("ec2", double.url)
    found = ec2.describe_instances()["Reservations"]
    ec2.close()
    return {
        item["InstanceId"]: (item["MetadataOptions"]["HttpTokens"], item["MetadataOptions"]["HttpPutResponseHopLimit"])
        for reservation in found
        for item in reservation["Instances"]
    }


def test_what_changes_between_plan_and_apply_is_a_conflict_and_not_an_overwrite(double: AwsDouble) -> None:
    work = Work(double)
    trial, scan = work.plan("cloud.aws.ecr-scan-on-push")
    ecr = client("ecr", double.url)
    ecr.put_image_tag_mutability(repositoryName="bad", imageTagMutability="IMMUTABLE")
    done = work.apply(trial, scan)
    assert "changed since" in done.reason
    found = ecr.describe_repositories(repositoryNames=["bad"])["repositories"][0]
    ecr.close()
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": False}


def test_undo_leaves_alone_what_somebody_changed_since(double: AwsDouble) -> None:
    work = Work(double)
    trial, scan = work.plan("cloud.aws.ecs-deploy-circuit")
    done = work.apply(trial, scan)
    assert done.reason == ""
    ecs = client("ecs", double.url)
    ecs.update_service(cluster="bad", service="web", deploymentConfiguration={"maximumPercent": 150})
    with pytest.raises(Conflict):
        work.undo(done)
    found = ecs.describe_services(cluster="bad", services=["web"])["services"][0]["deploymentConfiguration"]
    ecs.close()
    assert found["maximumPercent"] == 150


def test_an_update_that_fails_is_taken_back(double: AwsDouble) -> None:
    work = Work(double)
    before = records(read(double))
    trial, scan = work.plan("cloud.aws.eks-logging")
    double.update_status = "Failed"

    def later(call: str) -> None:
        if double.calls.count("eks:UpdateClusterConfig") > 1:
            double.update_status = "Successful"

    double.before = later
    done = work.apply(trial, scan)
    assert "ended as Failed" in done.reason
    assert records(read(double)) == before


def test_an_account_that_refuses_in_the_middle_is_put_back_later(double: AwsDouble) -> None:
    work = Work(double)
    before, options = records(read(double)), instances(double)
    trial, scan = work.plan("cloud.aws.eks-imds-hop")

    def cut(call: str) -> None:
        if double.calls.count("ec2:ModifyInstanceMetadataOptions") > 0:
            double.refused = {"ec2:ModifyInstanceMetadataOptions": "UnauthorizedOperation"}

    double.before = cut
    entry = ""
    try:
        entry = work.apply(trial, scan).entry
    except BulkheadError:
        entry = work.journal.entries()[0].id
    double.before, double.refused = None, {}
    state = work.journal.entry(entry).summary.state
    assert state not in (EntryState.APPLIED, EntryState.UNDONE)
    if state is not EntryState.FAILED:
        running.run(live.recover(entry, work.hands, work.journal, tenant="default"))
    assert records(read(double)) == before
    assert instances(double) == options
