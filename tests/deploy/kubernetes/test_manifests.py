"""The manifests of deploy/kubernetes: what kustomize builds of them is valid, shut in, and has what compose gives."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from shared.broker.topology import WORK_QUEUES

DEPLOY = Path(__file__).parents[3] / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
KEDA = DEPLOY / "kubernetes" / "components" / "keda" / "scaling.yaml"
EXAMPLE = DEPLOY / "kubernetes" / "overlays" / "example"
OURS = "keda.sh/v1alpha1"
"""Kinds of which Kubernetes itself has no schema."""
BESIDE = {"postgres", "rabbitmq", "certificates"}
"""Services of compose that a cluster has of its own."""
ALARMS = {"alarm_smtp_password", "alarm_webhook_secret"}
"""Whoever has alarms sent gives these; in compose they are settings of the same process."""
KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

Resource = Mapping[str, Any]


def resources(path: Path) -> list[Resource]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def compose() -> Mapping[str, Any]:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return {name: service for name, service in services.items() if name not in BESIDE}


def pods() -> dict[str, Resource]:
    """What runs, by the name that compose has for it, each as its file in base has it."""
    return {
        resource["metadata"]["name"].replace("-", "_"): resource["spec"]["template"]["spec"]
        for path in BASE.glob("*.yaml")
        for resource in resources(path)
        if resource["kind"] in {"Deployment", "Job"}
    }


def secrets(pod: Resource) -> Iterator[str]:
    for volume in pod["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            yield from (item["path"] for item in source["secret"]["items"])


@pytest.fixture(scope="module")
def built() -> list[Resource]:
    assert KUBECTL is not None
    done = subprocess.run([KUBECTL, "kustomize", EXAMPLE], capture_output=True, text=True, check=True)
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def test_all_of_ours_that_compose_runs_runs_here() -> None:
    assert pods().keys() == compose().keys()


@pytest.mark.parametrize("name", compose())
def test_each_has_the_secrets_that_it_has_in_compose(name: str) -> None:
    assert sorted({*secrets(pods()[name])} - ALARMS) == sorted({*compose()[name]["secrets"]} - ALARMS)


@pytest.mark.parametrize("name", sorted(compose().keys() - {"console"}))
def test_each_is_started_as_it_is_in_compose(name: str) -> None:
    assert pods()[name]["containers"][0]["args"] == compose()[name]["command"]


def test_every_file_is_part_of_what_is_built() -> None:
    named = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted([*named, "kustomization.yaml"]) == sorted(path.name for path in BASE.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted(BASE.glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_is_valid_by_itself(path: Path) -> None:
    for resource in resources(path):
        if resource["kind"] != "Kustomization":
            kubernetes_validate.validate(resource, desired_version="1.37", strict=True)


def test_whoever_reads_a_queue_is_scaled_by_it() -> None:
    scaled = {
        (resource["spec"]["scaleTargetRef"]["name"], resource["spec"]["triggers"][0]["metadata"]["queueName"])
        for resource in resources(KEDA)
        if resource["kind"] == "ScaledObject"
    }
    assert scaled == {(queue.reader.replace("_", "-"), queue.name) for queue in WORK_QUEUES}


def test_the_classifier_may_reach_the_servers_alone() -> None:
    reached = {
        resource["metadata"]["name"]
        for resource in resources(BASE / "network-policies.yaml")
        if "egress" in resource["spec"] and _chooses(resource["spec"]["podSelector"], "classifier")
    }
    assert reached == {"names", "servers"}


def _chooses(selector: Resource, name: str) -> bool:
    if "matchLabels" in selector:
        return bool(selector["matchLabels"]["app.kubernetes.io/name"] == name)
    return all(name in each["values"] for each in selector.get("matchExpressions", ()))


@needs_kubectl
def test_what_is_built_is_valid(built: list[Resource]) -> None:
    for resource in built:
        assert resource["kind"] == "Namespace" or resource["metadata"]["namespace"] == "helpdesk-importer"
        if resource["apiVersion"] != OURS:
            kubernetes_validate.validate(resource, desired_version="1.37", strict=True)


@needs_kubectl
def test_every_pod_is_shut_in_and_every_service_asked_for_its_health(built: list[Resource]) -> None:
    for resource in built:
        if resource["kind"] not in {"Deployment", "Job"}:
            continue
        pod = resource["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["image"] == "registry.example/helpdesk-importer:1.0.0"
        assert container["resources"]["limits"]["memory"]
        assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/run/secrets", "/run/certificates"}
        is_service = resource["metadata"]["labels"].get("importer/kind") == "service"
        assert ("livenessProbe" in container) is is_service
        assert ("readinessProbe" in container) is is_service


@needs_kubectl
def test_what_is_scaled_by_queues_has_no_number_of_its_own(built: list[Resource]) -> None:
    scaled = {resource["spec"]["scaleTargetRef"]["name"] for resource in built if resource["kind"] == "ScaledObject"}
    fixed = {
        resource["metadata"]["name"]
        for resource in built
        if resource["kind"] == "Deployment" and "replicas" in resource["spec"]
    }
    assert scaled
    assert not scaled & fixed
