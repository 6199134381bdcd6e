"""What of its node a pod mounts by way of a claim, and what is said where it mounts something else of it."""

import pytest

from bot.domain.repositories.finding import Outcome
from tests.unit.files.audit.world import deployment, findings

HOLDS, FAILS, UNKNOWN = Outcome.HOLDS, Outcome.FAILS, Outcome.UNKNOWN
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: till}
spec: {SPEC, hostPath: {path: /srv/till}}
"""
CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: receipts}\nspec: {SPEC}\n"
POD = deployment(pod="volumes: [{name: r, persistentVolumeClaim: {claimName: receipts}}]")


def of_claim(volume: str, claim: str) -> tuple[Outcome, str]:
    files = {
        "run/api.yaml": POD,
        "run/volume.yaml": VOLUME.replace("SPEC", volume),
        "run/claim.yaml": CLAIM.replace("SPEC", claim),
    }
    (found,) = findings("no-host-paths", files)
    return found.outcome, found.message


@pytest.mark.parametrize(
    ("volume", "claim"),
    [
        ("claimRef: {name: receipts}", "storageClassName: ''"),
        ("capacity: {storage: 1Gi}", "volumeName: till"),
    ],
)
def test_a_claim_that_is_bound_to_a_folder_of_the_node_mounts_it(volume: str, claim: str) -> None:
    outcome, message = of_claim(volume, claim)
    assert outcome is FAILS
    assert "/srv/till" in message


def test_a_claim_of_the_class_of_such_a_volume_may_be_bound_to_it() -> None:
    outcome, message = of_claim("storageClassName: by-hand", "storageClassName: by-hand")
    assert outcome is UNKNOWN
    assert "till" in message


@pytest.mark.parametrize(
    ("volume", "claim"),
    [
        ("storageClassName: by-hand", "storageClassName: fast"),
        ("storageClassName: by-hand", "accessModes: [ReadWriteOnce]"),
        ("claimRef: {name: other}", "storageClassName: ''"),
        ("storageClassName: by-hand", "storageClassName: by-hand, volumeName: other"),
        ("storageClassName: by-hand, claimRef: {name: other}", "storageClassName: by-hand"),
    ],
)
def test_a_claim_of_another_volume_mounts_nothing_of_the_node(volume: str, claim: str) -> None:
    assert of_claim(volume, claim)[0] is HOLDS


def test_a_claim_template_of_the_class_may_be_bound_too() -> None:
    templates = "volumeClaimTemplates: [{metadata: {name: r}, spec: {storageClassName: by-hand}}]"
    pod = deployment().replace("kind: Deployment", "kind: StatefulSet")
    pod = pod.replace("spec:\n  template", f"spec:\n  {templates}\n  template", 1)
    files = {"run/api.yaml": pod, "run/volume.yaml": VOLUME.replace("SPEC", "storageClassName: by-hand")}
    (found,) = findings("no-host-paths", files)
    assert found.outcome is UNKNOWN


def test_what_is_left_to_the_check_of_sockets_is_said() -> None:
    (found,) = findings("no-host-paths", {"a.yaml": deployment(pod="volumes: [{name: r, hostPath: {path: /run}}]")})
    assert found.outcome is HOLDS
    assert found.message == "it mounts nothing of its node but /run, which no-engine-socket tells of"


LOGS = "volumes: [{name: l, hostPath: {path: /var/log}}]"


@pytest.mark.parametrize(("is_read_only", "is_waived"), [("true", True), ("false", False)])
def test_who_reads_the_logs_of_a_node_is_there_for_it(is_read_only: str, is_waived: bool) -> None:
    mount = f"volumeMounts: [{{name: l, mountPath: /logs, readOnly: {is_read_only}}}]"
    (found,) = findings("no-host-paths", {"a.yaml": deployment(mount, LOGS)})
    assert found.fix is not None
    assert ("waive" in found.fix.advice) is is_waived
    assert "volume" not in found.fix.advice


def test_what_is_only_read_of_the_machine_is_in_no_volume_yet() -> None:
    service = "services: {api: {image: contoso/api, volumes: ['/usr/share/fonts:/usr/share/fonts:ro']}}"
    mount = "volumeMounts: [{name: l, mountPath: /data, readOnly: true}]"
    pod = deployment(mount, "volumes: [{name: l, hostPath: {path: /srv/fonts}}]")
    for files in ({"compose.yaml": service}, {"a.yaml": pod}):
        (found,) = findings("no-host-paths", files)
        assert found.fix is not None
        assert found.fix.advice == "remove the mount, and have the image or a volume hold what is read there"


PRIVILEGED = "securityContext: {privileged: true}"


@pytest.mark.parametrize("check", ["no-host-namespaces", "run-as-non-root"])
@pytest.mark.parametrize(("container", "is_waived"), [(PRIVILEGED, True), ("", False)])
def test_what_manages_its_node_may_waive_what_it_cannot_do_without(
    check: str, container: str, is_waived: bool
) -> None:
    (found,) = findings(check, {"a.yaml": deployment(container, "hostPID: true")})
    assert found.fix is not None
    assert ("waive" in found.fix.advice) is is_waived


def test_privileged_containers_share_no_hardening() -> None:
    files = {f"{name}.yaml": deployment(PRIVILEGED).replace("name: api", f"name: {name}") for name in "abcd"}
    assert findings("shared-hardening", files) == ()


def test_a_claim_is_told_beside_other_mounts() -> None:
    pod = deployment(
        pod="volumes: [{name: r, persistentVolumeClaim: {claimName: receipts}}, {name: h, hostPath: {path: /h}}]"
    )
    volume = VOLUME.replace("SPEC", "claimRef: {name: receipts}")
    found = findings("no-host-paths", {"run/api.yaml": pod, "run/volume.yaml": volume})
    assert [each.outcome for each in found] == [FAILS, FAILS]
