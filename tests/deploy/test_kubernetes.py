"""The Kubernetes objects as kustomize builds them: schemas, and what no schema can tell."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from schemas.topics import topics
from tests.deploy.queries import DEPLOY

FOLDER = DEPLOY / "kubernetes"
VERSION = "1.33"
READERS = sorted({service for topic in topics().values() for service in topic.consumers} - {"replay"})
CUSTOM = {"ScaledObject", "TriggerAuthentication", "PodMonitor"}
"""Kinds of KEDA and of the Prometheus operator: no schema of theirs is at hand."""
Object = dict[str, Any]


@cache
def built(name: str) -> tuple[Object, ...]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which holds kustomize, is not installed")
    command = ["kubectl", "kustomize", str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def kind(name: str, folder: str = "example") -> dict[str, Object]:
    return {found["metadata"]["name"]: found for found in built(folder) if found["kind"] == name}


def pod(deployment: Object) -> Object:
    spec: Object = deployment["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("folder", ["base", "example"])
def test_objects_follow_the_schemas_of_kubernetes(folder: str) -> None:
    assert built(folder)
    for found in built(folder):
        if found["kind"] not in CUSTOM:
            kubernetes_validate.validate(found, VERSION, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    broken = yaml.safe_load(yaml.safe_dump(kind("Deployment")["classify"]))
    broken["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


def test_each_service_has_a_deployment_and_a_budget_for_disruptions() -> None:
    assert sorted(kind("Deployment")) == READERS
    assert sorted(kind("PodDisruptionBudget")) == READERS
    for name, deployment in kind("Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        budget = kind("PodDisruptionBudget")[name]["spec"]
        for selector in (deployment["spec"]["selector"], budget["selector"]):
            assert selector["matchLabels"].items() <= labels.items()
        (source,) = [t for t in topics().values() if name in t.consumers and not t.changelog]
        assert deployment["spec"].get("replicas", 1) <= source.partitions


@pytest.mark.parametrize("name", READERS)
def test_pods_are_probed_bounded_and_locked_down(name: str) -> None:
    spec = pod(kind("Deployment")[name])
    service = next(container for container in spec["containers"] if container["name"] == "service")
    assert service["args"] == [f"services.{name}"]
    assert service["image"] == "registry.example/demarche:0.1.0"
    probes = {probe: service[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert {port["name"]: port["containerPort"] for port in service["ports"]}["metrics"] == 9464
    assert spec["enableServiceLinks"] is False, "a Service named demarche-desk would set DEMARCHE_DESK_PORT"
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in (*spec["initContainers"], service):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_secrets_are_only_referred_to() -> None:
    for folder in ("base", "example"):
        assert not kind("Secret", folder)
        assert not any("PASSWORD" in key for key in kind("ConfigMap", folder)["demarche"]["data"])
    for deployment in kind("Deployment").values():
        for container in pod(deployment)["containers"]:
            for variable in container["env"]:
                secret = "PASSWORD" in variable["name"] or variable["name"] == "DEMARCHE_DESK_DATABASE"
                assert not secret or "secretKeyRef" in variable["valueFrom"], variable["name"]


def test_volumes_that_are_mounted_exist() -> None:
    for deployment in kind("Deployment").values():
        spec = pod(deployment)
        names = {volume["name"] for volume in spec["volumes"]}
        for container in (*spec["initContainers"], *spec["containers"]):
            assert {mount["name"] for mount in container["volumeMounts"]} <= names
        for volume in spec["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in kind("PersistentVolumeClaim")


def test_classify_is_scaled_on_the_lag_of_what_it_reads_up_to_its_partitions() -> None:
    scaled = kind("ScaledObject")["classify"]["spec"]
    (trigger,) = scaled["triggers"]
    deployment = kind("Deployment")[scaled["scaleTargetRef"]["name"]]
    topic = trigger["metadata"]["topic"]
    assert "classify" in topics()[topic].consumers
    assert scaled["maxReplicaCount"] == topics()[topic].partitions
    assert trigger["metadata"]["consumerGroup"] == "demarche.classify"
    assert trigger["metadata"]["bootstrapServersFromEnv"] in kind("ConfigMap")["demarche"]["data"]
    assert trigger["authenticationRef"]["name"] in kind("TriggerAuthentication")
    assert "replicas" not in deployment["spec"], "an apply would undo the scaling"
    assert kind("Deployment", "base")["classify"]["spec"]["replicas"] == 1


def test_only_what_is_named_may_talk() -> None:
    policies = {name: policy["spec"] for name, policy in kind("NetworkPolicy").items()}
    assert policies["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        for rule in (*policy.get("ingress", []), *policy.get("egress", [])):
            assert rule.get("from") or rule.get("to"), f"{name} allows everybody"
            assert rule["ports"], f"{name} allows every port"
    ports = {port["containerPort"] for port in pod(kind("Deployment")["desk"])["containers"][0]["ports"]}
    opened = {
        port["port"] for name in ("desk", "metrics") for rule in policies[name]["ingress"] for port in rule["ports"]
    }
    assert ports == opened
    brokers = kind("ConfigMap")["demarche"]["data"]["DEMARCHE_BOOTSTRAP"].split(",")
    kafka = {str(p["port"]) for rule in policies["names-and-kafka"]["egress"] for p in rule["ports"]}
    assert {broker.split(":")[1] for broker in brokers} <= kafka


def test_all_namespaced_objects_are_in_one_namespace() -> None:
    for found in built("example"):
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] == "demarche", found["metadata"]["name"]


def test_the_gpu_variant_takes_the_other_image_and_a_gpu() -> None:
    kustomization = yaml.safe_load((FOLDER / "components" / "cuda" / "kustomization.yaml").read_text())
    patch = yaml.safe_load(kustomization["patches"][0]["patch"])
    kubernetes_validate.validate(
        {**patch, "spec": {**patch["spec"], "selector": {"matchLabels": {"a": "b"}}}}, VERSION, strict=True
    )
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith("-cuda")
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
