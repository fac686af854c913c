"""An account with known faults: for each thing that can be wrong, one that is right and one that is not."""

from __future__ import annotations

import importlib
import json
from typing import Any

REGION = "eu-west-1"
ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
PULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}
LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)


def client(service: str, url: str) -> Any:
    # boto3 has no types to check against.
    return importlib.import_module("boto3").client(
        service, region_name=REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
    )


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def account(url: str) -> None:
    registries(url)
    identities(url)
    services(url)
    hosts(url)
    clusters(url)


def registries(url: str) -> None:
    ecr = client("ecr", url)
    ecr.create_repository(
        repositoryName="good", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS"},
    )  # fmt: skip
    ecr.put_lifecycle_policy(repositoryName="good", lifecyclePolicyText=LIFECYCLE)
    ecr.create_repository(repositoryName="bad")
    ecr.set_repository_policy(repositoryName="bad", policyText=json.dumps(PULL))
    ecr.close()


def identities(url: str) -> None:
    iam = client("iam", url)
    iam.create_policy(
        PolicyName="narrow",
        PolicyDocument=document(ALLOW | {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}),
    )
    iam.create_policy(PolicyName="admin", PolicyDocument=document(ALLOW))
    iam.create_policy(PolicyName="service", PolicyDocument=document(ALLOW | {"Action": "s3:*"}))
    federated = {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"},
    }  # fmt: skip
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/A"
    scoped = {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:shop:web", f"{issuer}:aud": "sts.amazonaws.com"}}
    iam.create_role(RoleName="irsa-good", AssumeRolePolicyDocument=document(federated | {"Condition": scoped}))
    iam.create_role(RoleName="irsa-bad", AssumeRolePolicyDocument=document(federated))
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}})
    for name, policy in (
        ("nodes-good", "AmazonEC2ContainerRegistryPullOnly"),
        ("nodes-bad", "AmazonEC2ContainerRegistryPowerUser"),
    ):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        made = iam.create_policy(
            PolicyName=policy, Path="/nodes/", PolicyDocument=document(ALLOW | {"Action": "ecr:BatchGetImage"})
        )
        iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    iam.close()


def manifest(layer: str, **annotations: str) -> str:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "c" * 64, "size": 7}
    blob = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + layer * 64, "size": 9}
    named = {f"org.opencontainers.image.base.{key}": value for key, value in annotations.items()}
    return json.dumps(
        {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [blob],
            "annotations": named,
        }
    )  # fmt: skip


def images(url: str) -> dict[str, str]:
    """Images in the registry and single tasks that run them; what was pulled, by reference.

    ``fresh`` is its tag's and its base's image of today, ``stale`` is behind its tag, ``rebuilt`` is one of an index and behind its
    base, ``bare`` does not say what it is built on.
    """
    ecr, ecs, ec2 = client("ecr", url), client("ecs", url), client("ec2", url)
    host = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
    ecr.create_repository(repositoryName="base")

    def put(repository: str, text: str, tag: str = "") -> str:
        kind = json.loads(text)["mediaType"]
        named = {"imageTag": tag} if tag else {}
        made = ecr.put_image(repositoryName=repository, imageManifest=text, imageManifestMediaType=kind, **named)
        return str(made["image"]["imageId"]["imageDigest"])

    old, base = put("base", manifest("0")), put("base", manifest("1"), "3")
    pulled: dict[str, str] = {}
    for name, layer, built_on in (("fresh", "2", base), ("stale", "3", base), ("rebuilt", "4", old), ("bare", "5", "")):
        ecr.create_repository(repositoryName=name)
        told = {"name": f"{host}/base:3", "digest": built_on} if built_on else {}
        text = manifest(layer, **told)
        if name == "rebuilt":
            digest = put(name, text)
            index = {
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 5}],
            }  # fmt: skip
            put(name, json.dumps(index), "1")
        else:
            digest = put(name, text, "1")
        if name == "stale":
            put(name, manifest("6"), "1")
        pulled[f"{host}/{name}:1"] = digest
    subnet = ec2.describe_subnets()["Subnets"][0]
    setting = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": []}}
    for reference in pulled:
        family = reference.rpartition("/")[2].partition(":")[0]
        ecs.register_task_definition(
            family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            containerDefinitions=[{"name": "web", "image": reference, "memory": 64}],
            taskRoleArn=f"arn:aws:iam::123456789012:role/{'narrow' if family == 'fresh' else 'wide'}",
        )  # fmt: skip
        ecs.run_task(cluster="good", taskDefinition=family, launchType="FARGATE", networkConfiguration=setting)
    for opened in (ecr, ecs, ec2):
        opened.close()
    return pulled


# What IAM tells of last access: by role, its services with the actions that it follows; days ago, None for never.
USED: dict[str, list[dict[str, Any]]] = {
    "narrow": [{"service": "sqs", "days": 2}, {"service": "kms", "days": 89}, {"service": "s3", "days": 2, "actions": {"ListAllMyBuckets": 30}}],
    "wide": [{"service": "s3", "days": 2, "actions": {"ListAllMyBuckets": 30, "DeleteBucket": None}}, {"service": "ec2", "days": 120}],
    "irsa-good": [{"service": "sqs", "days": 2}],
    "irsa-bad": [{"service": "sqs", "days": None}],
    "pods": [{"service": "dynamodb", "days": 0}],
    "young": [{"service": "sqs", "days": 2}],
}  # fmt: skip


NODES: dict[str, list[dict[str, Any]]] = {
    "nodes-good": [
        {"service": "ecr", "days": 1}, {"service": "s3", "days": 120},
        {"service": "ec2", "days": 1, "actions": {"DescribeInstances": 1, "AttachNetworkInterface": 3, "AttachVolume": None}},
    ],
    "nodes-bad": [{"service": "ecr", "days": 1}, {"service": "dynamodb", "days": 2}, {"service": "ec2", "days": 1, "actions": {"AttachVolume": 5}}],
    "self-managed": [{"service": "sqs", "days": 4}],
}  # fmt: skip
"""The same of roles of nodes: a node pulls images and handles its own network."""


def roles(url: str) -> None:
    """Roles that containers work under, made today."""
    iam = client("iam", url)
    trust = document(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    )
    for name in ("narrow", "wide", "pods", "young"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.close()


def services(url: str) -> None:
    ecs, ec2 = client("ecs", url), client("ec2", url)
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = {}
    for name, source in (("closed", "10.0.0.0/8"), ("open", "0.0.0.0/0")):
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=subnet["VpcId"])
        groups[name] = made["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": source}]}
        ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[rule])
    part = {
        "name": "web",
        "image": "registry.example/web:1",
        "memory": 64,
        "user": "1000",
        "readonlyRootFilesystem": True,
    }
    for name, insights, group, address, breaker, platform in (
        ("good", "enabled", "closed", "DISABLED", True, "LATEST"), ("bad", "disabled", "open", "ENABLED", False, "1.3.0"),
    ):  # fmt: skip
        ecs.create_cluster(clusterName=name, settings=[{"name": "containerInsights", "value": insights}])
        ecs.register_task_definition(
            family=name, networkMode="awsvpc", containerDefinitions=[part], executionRoleArn="arn:aws:iam::123456789012:role/pull",
            taskRoleArn=f"arn:aws:iam::123456789012:role/{'shop' if name == 'good' else 'pull'}",
            requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        )  # fmt: skip
        ecs.create_service(
            cluster=name, serviceName="web", taskDefinition=name, desiredCount=0, launchType="FARGATE", platformVersion=platform,
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": [groups[group]], "assignPublicIp": address}
            },
        )  # fmt: skip
        ecs.update_service(
            cluster=name, service="web",
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": breaker, "rollback": breaker}, "maximumPercent": 200, "minimumHealthyPercent": 100,
            },
        )  # fmt: skip
    setting = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": [groups["open"]]}}
    ecs.register_task_definition(
        family="single", networkMode="awsvpc", containerDefinitions=[part], requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
    )  # fmt: skip
    ecs.run_task(cluster="bad", taskDefinition="single", launchType="FARGATE", networkConfiguration=setting)
    ecs.close()
    ec2.close()


MACHINE = """#!/bin/bash
cat <<'EOF' >> /etc/ecs/ecs.config
ECS_CLUSTER=bad
ECS_AWSVPC_BLOCK_IMDS=true
ECS_ENGINE_AUTH_DATA={"registry.example":{"password":"hunter2hunter2"}}
EOF
"""


def hosts(url: str) -> None:
    """A machine of the cluster ``good``, three of ``bad``, and a service that runs without a network of its own."""
    ecs, ec2 = client("ecs", url), client("ec2", url)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for cluster, hops, script in (
        ("good", 2, "#!/bin/sh\necho ECS_CLUSTER=good >> /etc/ecs/ecs.config\n"),
        ("bad", 1, MACHINE), ("bad", 2, MACHINE), ("bad", 1, "#!/bin/sh\naws s3 cp s3://shop/start . && . ./start\n"),
    ):  # fmt: skip
        made = ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, UserData=script,
            MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": hops},
        )  # fmt: skip
        machine = json.dumps({"instanceId": made["Instances"][0]["InstanceId"], "region": REGION})
        ecs.register_container_instance(cluster=cluster, instanceIdentityDocument=machine)
    part = {"name": "web", "image": "shop/web:1", "memory": 64}
    ecs.register_task_definition(family="plain", networkMode="bridge", containerDefinitions=[part])
    ecs.create_service(cluster="good", serviceName="plain", taskDefinition="plain", desiredCount=0, launchType="EC2")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    ecs.update_service(cluster="good", service="plain", deploymentConfiguration=breaker)
    ecs.close()
    ec2.close()


def clusters(url: str) -> None:
    eks, ec2 = client("eks", url), client("ec2", url)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    kinds = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    for name, public, hops in (("good", False, 1), ("bad", True, 2)):
        eks.create_cluster(
            name=name, version="1.33", roleArn="arn:aws:iam::123456789012:role/eks",
            resourcesVpcConfig={
                "subnetIds": [subnet], "endpointPublicAccess": public, "endpointPrivateAccess": not public,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
            logging={"clusterLogging": [{"types": kinds, "enabled": name == "good"}]},
            **({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/k"}}]} if name == "good" else {}),
        )  # fmt: skip
        eks.create_nodegroup(
            clusterName=name, nodegroupName="nodes", subnets=[subnet], nodeRole=f"arn:aws:iam::123456789012:role/nodes-{name}",
            remoteAccess={"ec2SshKey": "key", "sourceSecurityGroups": ["sg-1"]} if name == "good" else {"ec2SshKey": "key"},
        )  # fmt: skip
        tags = [{"Key": "eks:cluster-name", "Value": name}, {"Key": "eks:nodegroup-name", "Value": "nodes"}]
        for more in range(2):
            ec2.run_instances(
                ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
                MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": hops + more * (hops - 1)},
            )  # fmt: skip
    eks.close()
    ec2.close()
