"""An AWS account on this machine: moto's backends behind a plain HTTP server, with what moto lacks added and calls refused at will.

moto's own server needs a web framework that the project does not; the service of a request is told by its signature's scope.
"""

from __future__ import annotations

import base64
import importlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.config import default_user_config

# botocore has no types to check against.
_Request: Any = importlib.import_module("botocore.awsrequest").AWSPreparedRequest
_Headers: Any = importlib.import_module("botocore.compat").HTTPHeaders
TOKEN = "token-of-the-registry"
_HOSTS = {"ecr": "api.ecr", "iam": "iam", "sts": "sts"}
_GLOBAL = frozenset({"iam"})
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/")
_EKS = {
    "GET /clusters": "ListClusters", "GET /clusters/*": "DescribeCluster", "GET /clusters/*/node-groups": "ListNodegroups",
    "GET /clusters/*/node-groups/*": "DescribeNodegroup", "GET /clusters/*/addons/*": "DescribeAddon",
    "GET /clusters/*/pod-identity-associations": "ListPodIdentityAssociations",
    "GET /clusters/*/pod-identity-associations/*": "DescribePodIdentityAssociation",
    "GET /clusters/*/access-entries": "ListAccessEntries", "GET /clusters/*/access-entries/*": "DescribeAccessEntry",
    "POST /clusters/*/update-config": "UpdateClusterConfig", "GET /clusters/*/updates/*": "DescribeUpdate",
}  # fmt: skip


class AwsDouble:
    """``refused`` holds calls (``ecr:DescribeRepositories``) with the code they are answered with; ``calls`` what was asked.

    ``entries`` are who may use a cluster, by its name, as ``DescribeAccessEntry`` tells them.
    ``registry`` is the address of the registry's own protocol, which takes ``TOKEN``. ``pulled`` tells the digests of images in tasks, ``used`` the report of last access of a role by its ARN (two services a page),
    which is written while it is asked for ``slow_reports`` times; days are before the report. It is made in 200 days, ``young`` in 10.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.calls: list[str] = []
        self.addons: dict[str, dict[str, Any]] = {}
        self.extras: dict[str, dict[str, Any]] = {}
        self.associations: dict[str, list[dict[str, Any]]] = {}
        self.entries: dict[str, list[dict[str, Any]]] = {}
        self.pulled: dict[str, str] = {}
        self.used: dict[str, list[dict[str, Any]]] = {}
        self.registry = ""
        self.young: set[str] = set()
        self.slow_reports = 1
        self._jobs: dict[str, str] = {}
        self._waits: dict[str, int] = {}
        self.before: Callable[[str], None] | None = None
        self.update_status = "Successful"
        self._stub = BotocoreStubber()
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        default_user_config["core"]["mock_credentials"] = False
        BackendDict.reset()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        BackendDict.reset()

    @contextmanager
    def refusing(self, *calls: str, code: str = "AccessDeniedException") -> Iterator[None]:
        self.refused = dict.fromkeys(calls, code)
        try:
            yield
        finally:
            self.refused = {}

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        scope = _SCOPE.search(headers.get("Authorization", ""))
        if scope is None:
            return 403, {}, b'{"__type":"MissingAuthenticationTokenException"}'
        region, service = scope.groups()
        name = f"{service}:{_operation(service, method, path, headers, body)}"
        with self._lock:
            self.calls.append(name)
            if self.before is not None:
                self.before(name)
            if name in self.refused:
                return _refusal(service, self.refused[name])
            if name in ("eks:DescribeAddon", "eks:DescribeUpdate"):
                return self._lacking(name, path)
            if name == "eks:UpdateClusterConfig":
                return self._configured(path, region, json.loads(body))
            if name in ("eks:ListPodIdentityAssociations", "eks:DescribePodIdentityAssociation"):
                return self._associated(path)
            if name in ("eks:ListAccessEntries", "eks:DescribeAccessEntry"):
                return self._entered(path)
            if name in ("iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails"):
                return self._last_access(name, {key: value[0] for key, value in parse_qs(body.decode()).items()})
            status, made, text = self._moto(service, region, method, path, headers, body)
            if name == "eks:DescribeCluster" and status == 200:
                found = json.loads(text)
                found["cluster"] |= self.extras.get(found["cluster"]["name"], {})
                text = json.dumps(found).encode()
            if name == "ecr:GetAuthorizationToken" and self.registry:
                found = json.loads(text)
                token = base64.b64encode(f"AWS:{TOKEN}".encode()).decode()
                found["authorizationData"] = [{"authorizationToken": token, "proxyEndpoint": self.registry}]
                text = json.dumps(found).encode()
            if name == "ecs:DescribeTasks" and status == 200:
                found = json.loads(text)
                for task in found["tasks"]:
                    task["containers"] = [
                        {
                            **part,
                            **({"imageDigest": self.pulled[part["image"]]} if part["image"] in self.pulled else {}),
                        }
                        for part in task["containers"]
                    ]
                text = json.dumps(found).encode()
            return status, made, text

    def _moto(
        self, service: str, region: str, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        host = _HOSTS.get(service, service)
        host = f"{host}.amazonaws.com" if service in _GLOBAL else f"{host}.{region}.amazonaws.com"
        sent = _Headers()
        for key, value in headers.items():
            sent[key] = value
        sent.replace_header("Host", host)
        answer = self._stub.process_request(_Request(method, f"https://{host}{path}", sent, body, False))
        assert answer is not None, f"moto knows no {service}"
        status, made, text = answer
        content = text.encode() if isinstance(text, str) else text
        return int(status), {str(k): str(v) for k, v in made.items()}, content

    def _lacking(self, name: str, path: str) -> tuple[int, dict[str, str], bytes]:
        cluster = path.split("/")[2]
        if name == "eks:DescribeUpdate":
            return 200, {}, json.dumps({"update": {"id": "u", "status": self.update_status, "errors": []}}).encode()
        if cluster not in self.addons:
            return _refusal("eks", "ResourceNotFoundException", 404)
        return 200, {}, json.dumps({"addon": self.addons[cluster]}).encode()

    def _configured(self, path: str, region: str, wanted: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """As EKS does it: one kind of change at once, added to what is there."""
        kinds = [key for key in wanted if key != "clientRequestToken"]
        if len(kinds) != 1:
            return _refusal("eks", "InvalidParameterException", 400)
        name = path.split("/")[2]
        backend: Any = get_backend("eks")
        cluster = backend["123456789012"][region].clusters[name]
        if kinds == ["resourcesVpcConfig"]:
            cluster.resources_vpc_config.update(wanted["resourcesVpcConfig"])
        elif kinds == ["logging"]:
            states = {kind: item["enabled"] for item in cluster.logging["clusterLogging"] for kind in item["types"]}
            states |= {kind: item["enabled"] for item in wanted["logging"]["clusterLogging"] for kind in item["types"]}
            cluster.logging = {
                "clusterLogging": [
                    {"types": kinds_, "enabled": state}
                    for state in (True, False)
                    if (kinds_ := [kind for kind, value in states.items() if value is state])
                ]
            }
        else:
            self.extras.setdefault(name, {}).update(wanted)
        return 200, {}, json.dumps({"update": {"id": "u", "status": "InProgress", "type": "LoggingUpdate"}}).encode()

    def _associated(self, path: str) -> tuple[int, dict[str, str], bytes]:
        _, _, cluster, _, *rest = urlsplit(path).path.split("/")
        items = [
            {"clusterName": cluster, "associationId": f"a-{number}", **item}
            for number, item in enumerate(self.associations.get(cluster, []))
        ]
        if not rest:
            told = [{key: value for key, value in item.items() if key != "roleArn"} for item in items]
            return 200, {}, json.dumps({"associations": told}).encode()
        [found] = [item for item in items if item["associationId"] == rest[0]]
        return 200, {}, json.dumps({"association": found}).encode()

    def _entered(self, path: str) -> tuple[int, dict[str, str], bytes]:
        _, _, cluster, _, *rest = urlsplit(path).path.split("/")
        items = self.entries.get(cluster, [])
        if not rest:
            return 200, {}, json.dumps({"accessEntries": [item["principalArn"] for item in items]}).encode()
        asked = unquote("/".join(rest))
        [found] = [item for item in items if item["principalArn"] == asked]
        return 200, {}, json.dumps({"accessEntry": {"clusterName": cluster, **found}}).encode()

    def _last_access(self, name: str, asked: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """IAM writes a report for a job, here named by the role, and hands it out in pages."""
        operation = name.partition(":")[2]
        if operation.startswith("Generate"):
            if asked["Arn"] not in self.used:
                return _refusal("iam", "NoSuchEntity", 404)
            self._waits[asked["Arn"]] = self.slow_reports
            job = str(uuid.uuid5(uuid.NAMESPACE_URL, asked["Arn"]))
            self._jobs[job] = asked["Arn"]
            inner = f"<JobId>{job}</JobId>"
        else:
            arn = self._jobs[asked["JobId"]]
            self._waits[arn] -= 1
            services, at = self.used[arn], int(asked.get("Marker", "0"))
            made = datetime.now(UTC) + timedelta(days=10 if arn in self.young else 200)
            waiting = self._waits[arn] >= 0
            page = [] if waiting else services[at : at + 2]
            more = not waiting and at + 2 < len(services)
            inner = (
                f"<JobStatus>{'IN_PROGRESS' if waiting else 'COMPLETED'}</JobStatus><JobType>ACTION_LEVEL</JobType>"
                f"<JobCreationDate>{_time(made, 0)}</JobCreationDate><JobCompletionDate>{_time(made, 0)}</JobCompletionDate>"
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{f'<Marker>{at + 2}</Marker>' if more else ''}"
                f"<ServicesLastAccessed>{''.join(_service(item, made) for item in page)}</ServicesLastAccessed>"
            )
        text = (
            f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>{inner}'
            f"</{operation}Result></{operation}Response>"
        )
        return 200, {"Content-Type": "text/xml"}, text.encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = double.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for key, value in headers.items():
                    if key.lower() not in ("content-length", "server", "date", "transfer-encoding"):
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (the server's names)

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        return Handler


def _service(item: dict[str, Any], made: datetime) -> str:
    actions = "".join(
        f"<member><ActionName>{name}</ActionName>{_member('LastAccessedTime', made, ago)}</member>"
        for name, ago in item.get("actions", {}).items()
    )
    return (
        f"<member><ServiceName>x</ServiceName><ServiceNamespace>{item['service']}</ServiceNamespace>"
        f"{_member('LastAuthenticated', made, item['days'])}<TrackedActionsLastAccessed>{actions}</TrackedActionsLastAccessed></member>"
    )


def _member(name: str, made: datetime, ago: int | None) -> str:
    return "" if ago is None else f"<{name}>{_time(made, ago)}</{name}>"


def _time(made: datetime, ago: int) -> str:
    return (made - timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _operation(service: str, method: str, path: str, headers: Any, body: bytes) -> str:
    if headers.get("X-Amz-Target"):
        return str(headers["X-Amz-Target"]).rpartition(".")[2]
    if service == "eks":
        parts = urlsplit(path).path.strip("/").split("/")
        pattern = f"{method} /" + "/".join("*" if index % 2 else part for index, part in enumerate(parts))
        return _EKS.get(pattern, pattern)
    return parse_qs(body.decode()).get("Action", ["?"])[0]


def _refusal(service: str, code: str, status: int = 400) -> tuple[int, dict[str, str], bytes]:
    said = "User: arn:aws:iam::123456789012:user/x with AKIAFAKESECRETFAKE is refused"
    if service in ("ecr", "ecs", "eks"):
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        return status, headers, json.dumps({"__type": code, "message": said}).encode()
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{said}</Message></Error></Errors></Response>"
        return status, {"Content-Type": "text/xml"}, text.encode()
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message></Error></ErrorResponse>"
    )
    return status, {"Content-Type": "text/xml"}, text.encode()
