"""Which workload needs to talk to which Service, as the manifests themselves say.

A pod needs a Service when an environment value, an argument or a referenced ConfigMap names its DNS name. The names are
looked up as whole words, so ``orders`` is not found in ``reorders``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from bulkhead.core.resource import Resource
from bulkhead.posture.facts import network, selectors
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World

_WORD = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,4}")
_LIMIT = 65_536


class Need(msgspec.Struct, frozen=True):
    """``source`` calls ``service``, which is backed by ``targets``, on these container ports."""

    source: PodView
    service: Resource
    targets: tuple[PodView, ...]
    ports: tuple[tuple[int, str], ...]


def needs(world: World) -> list[Need]:
    """Every need that the manifests show, in the order of the resources."""
    if "needs" in world.memo:
        known: list[Need] = world.memo["needs"]
        return known
    services = _services(world)
    out: list[Need] = []
    for view in world.kubernetes_pods:
        home = view.resource.ref.namespace or selectors.HOME
        try:
            words = {word for text in _texts(world, view) for word in _WORD.findall(text.lower()[:_LIMIT])}
        except WRONG_SHAPE:
            unreadable(world, view.resource)
            continue
        named = {key for word in words if (key := _service(word, home, services)) is not None}
        for key in sorted(named):
            service = services[key]
            try:
                targets = tuple(backing(world, service))
                reached = tuple(ports(service, targets[0])) if targets else ()
            except WRONG_SHAPE:
                unreadable(world, service)
                continue
            if targets and view not in targets:
                out.append(Need(view, service, targets, reached))
    world.memo["needs"] = out
    return out


def unreadable(world: World, resource: Resource) -> None:
    """Notes that what a resource means to others could not be told: conclusions drawn without it are no good news."""
    name = resource.ref.name or f"{resource.ref.kind} without a name"
    world.memo.setdefault("unread-pods", {})[name] = None


def needs_of(world: World, view: PodView) -> list[Need]:
    """What one pod needs."""
    if "needs-by-source" not in world.memo:
        found: dict[int, list[Need]] = {}
        for need in needs(world):
            found.setdefault(id(need.source), []).append(need)
        world.memo["needs-by-source"] = found
    known: dict[int, list[Need]] = world.memo["needs-by-source"]
    return known.get(id(view), [])


_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20})://(?:[^\s@/]{1,200}@)?([a-z0-9][a-z0-9.-]{2,252})(?::(\d{1,5}))?")
_PORTS = {
    "http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379, "rediss": 6379,
    "amqp": 5672, "amqps": 5671, "mongodb": 27017, "kafka": 9092, "nats": 4222, "ldap": 389, "ldaps": 636,
    "smtp": 25, "smtps": 465, "ws": 80, "wss": 443, "grpc": 443,
}  # fmt: skip


def outside(world: World, view: PodView) -> list[int]:
    """The ports of hosts outside the cluster that the pod's settings name as URLs, sorted."""
    found: set[int] = set()
    for text in _texts(world, view):
        for scheme, host, port in _URL.findall(text.lower()[:_LIMIT]):
            inside = "." not in host or ".svc" in host or host.endswith((".local", ".internal"))
            number = int(port) if port else _PORTS.get(scheme, 0)
            if not inside and not host.startswith("127.") and _key(world, view, host) is None and 0 < number < 65536:
                found.add(number)
    return sorted(found)


def _key(world: World, view: PodView, host: str) -> tuple[str, str] | None:
    return _service(host, view.resource.ref.namespace or selectors.HOME, _services(world))


def _services(world: World) -> dict[tuple[str, str], Resource]:
    if "services-by-place" not in world.memo:
        world.memo["services-by-place"] = {
            (item.ref.namespace or selectors.HOME, item.ref.name): item for item in world.by_kind.get("Service", ())
        }
    known: dict[tuple[str, str], Resource] = world.memo["services-by-place"]
    return known


def _service(word: str, home: str, services: dict[tuple[str, str], Resource]) -> tuple[str, str] | None:
    """``orders``, ``orders.shop``, ``orders.shop.svc`` and ``orders.shop.svc.cluster.local`` name a Service."""
    parts = word.split(".")
    if len(parts) == 1:
        key = (home, parts[0])
    elif len(parts) == 2 or parts[2] == "svc":
        key = (parts[1], parts[0])
    else:
        return None
    return key if key in services else None


def backing(world: World, service: Resource) -> list[PodView]:
    selector = (service.data.get("spec") or {}).get("selector")
    return network.labelled(world, service.ref.namespace, selector) if isinstance(selector, dict) and selector else []


def ports(service: Resource, target: PodView) -> list[tuple[int, str]]:
    """The container ports behind a Service's ports, with their protocols."""
    out = []
    for port in (service.data.get("spec") or {}).get("ports") or ():
        if isinstance(port, dict):
            number = network.resolve(target, port.get("targetPort") or port.get("port") or 0)
            if number:
                out.append((number, str(port.get("protocol", "TCP"))))
    return out


def _texts(world: World, view: PodView) -> Iterator[str]:
    for container in view.containers:
        for item in container.data.get("env") or ():
            if isinstance(item, dict):
                yield from _config_key(world, view, item.get("valueFrom"))
                yield str(item.get("value", ""))
        for key in ("command", "args"):
            yield from (str(item) for item in container.data.get(key) or ())
        for item in container.data.get("envFrom") or ():
            reference = (item.get("configMapRef") or {}).get("name") if isinstance(item, dict) else None
            yield from _config(world, view, reference)
    for volume in view.spec.get("volumes") or ():
        if isinstance(volume, dict) and isinstance(volume.get("configMap"), dict):
            yield from _config(world, view, volume["configMap"].get("name"))


def _config_key(world: World, view: PodView, source: Any) -> Iterator[str]:
    reference = source.get("configMapKeyRef") if isinstance(source, dict) else None
    if isinstance(reference, dict):
        yield from _config(world, view, reference.get("name"), reference.get("key"))


def _config(world: World, view: PodView, name: Any, key: Any = None) -> Iterator[str]:
    for place in selectors.places(view.resource.ref.namespace):
        for config in world.within("ConfigMap", place):
            if config.ref.name == name:
                for item, value in (config.data.get("data") or {}).items():
                    if key is None or item == key:
                        yield str(value)


def routed(world: World, namespace: str) -> set[str]:
    """The Services that an Ingress or a Gateway route of the namespace leads to."""
    key = ("routed", namespace or selectors.HOME)
    if key not in world.memo:
        names: set[str] = set()
        for place in selectors.places(namespace):
            for ingress in world.within("Ingress", place):
                try:
                    names.update(name for name, _ in ingress_backends(ingress.data))
                except WRONG_SHAPE:
                    unreadable(world, ingress)
            for kind in ROUTES:
                for route in world.within(kind, place):
                    try:
                        names.update(name for _, name, _ in route_backends(route))
                    except WRONG_SHAPE:
                        unreadable(world, route)
        world.memo[key] = names - {""}
    known: set[str] = world.memo[key]
    return known


ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")


def ingress_backends(ingress: dict[str, Any]) -> list[tuple[str, Any]]:
    """Name and port of every Service that an Ingress leads to (networking.k8s.io/v1 and its beta forms)."""
    spec = ingress.get("spec") or {}
    backends = [spec.get("defaultBackend") or spec.get("backend") or {}]
    for rule in spec.get("rules") or ():
        paths = ((rule or {}).get("http") or {}).get("paths") or ()
        backends += [path.get("backend") or {} for path in paths if isinstance(path, dict)]
    out: list[tuple[str, Any]] = []
    for backend in backends:
        service = backend.get("service") or {}
        port = service.get("port") or {}
        name = service.get("name") or backend.get("serviceName")
        if name:
            out.append((str(name), port.get("number") or port.get("name") or backend.get("servicePort")))
    return out


def route_backends(route: Resource) -> list[tuple[str, str, Any]]:
    """Namespace, name and port of every Service that a Gateway route leads to."""
    return [
        (str(item.get("namespace") or route.ref.namespace), str(item.get("name", "")), item.get("port"))
        for rule in (route.data.get("spec") or {}).get("rules") or ()
        for item in (rule or {}).get("backendRefs") or ()
        if isinstance(item, dict) and item.get("kind", "Service") == "Service"
    ]
