"""All rules. A new one is a module in a room here and a line in `RULES`: see docs/how-to/add-a-check.md."""

from bot.files.audit.rule import Rule
from bot.files.audit.rules.hygiene import (
    actions_pinned,
    base_pinned,
    deployed_by_digest,
    deployed_latest,
    dispatchable,
    dotnet_versions,
    fresh_layers,
    staged_rollout,
    unread_delivery,
    unread_file,
    weekly_rebuild,
)
from bot.files.audit.rules.runtime import (
    drop_all_capabilities,
    image_user,
    no_added_capabilities,
    no_engine_socket,
    no_host_namespaces,
    no_host_paths,
    no_privilege_escalation,
    not_privileged,
    read_only_root,
    run_as_non_root,
    seccomp_profile,
    service_account_token,
    shared_hardening,
    volume_ownership,
)
from bot.files.audit.rules.scanning import (
    image_scanned,
    scan_before_deploy,
    scan_blocks,
    scan_ignores_unfixed,
    scan_report_uploaded,
    scan_severities,
    scan_target,
)
from bot.files.audit.rules.secrets import (
    build_argument_secrets,
    image_secrets,
    runtime_secrets,
    secrets_in_manifests,
)
from bot.files.audit.rules.supply import (
    admission_enforced,
    image_signed,
    keyless_signing,
    provenance,
    sbom,
    signed_by_digest,
    slsa_level,
    verified_before_deploy,
    verified_identity,
)

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Runtime": (
        run_as_non_root.RULE,
        no_privilege_escalation.RULE,
        drop_all_capabilities.RULE,
        no_added_capabilities.RULE,
        seccomp_profile.RULE,
        read_only_root.RULE,
        volume_ownership.RULE,
        not_privileged.RULE,
        no_host_namespaces.RULE,
        no_host_paths.RULE,
        no_engine_socket.RULE,
        service_account_token.RULE,
        image_user.RULE,
        shared_hardening.RULE,
    ),
    "Scanning": (
        image_scanned.RULE,
        scan_blocks.RULE,
        scan_severities.RULE,
        scan_ignores_unfixed.RULE,
        scan_report_uploaded.RULE,
        scan_target.RULE,
        scan_before_deploy.RULE,
    ),
    "SBOM and provenance": (sbom.RULE, provenance.RULE, slsa_level.RULE),
    "Signing and verifying": (
        image_signed.RULE,
        signed_by_digest.RULE,
        keyless_signing.RULE,
        verified_identity.RULE,
        verified_before_deploy.RULE,
        admission_enforced.RULE,
    ),
    "Secrets": (
        image_secrets.RULE,
        build_argument_secrets.RULE,
        runtime_secrets.RULE,
        secrets_in_manifests.RULE,
    ),
    "Hygiene": (
        base_pinned.RULE,
        deployed_latest.RULE,
        deployed_by_digest.RULE,
        weekly_rebuild.RULE,
        dispatchable.RULE,
        fresh_layers.RULE,
        dotnet_versions.RULE,
        staged_rollout.RULE,
        unread_delivery.RULE,
        unread_file.RULE,
    ),
    "Actions": (actions_pinned.RULE,),
}
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)
BY_CHECK: dict[str, Rule] = {rule.check: rule for rule in RULES}
