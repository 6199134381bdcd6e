"""What images show: packages, SBOMs, signatures, provenance and standing, read from untrusted bytes. It imports the
domain alone, and asks registries through ports.

`PUBLIC` are the modules that other rooms may import; what stands beside them may change without a word to these.
"""

PUBLIC = frozenset(
    {
        "bot.images.cbor",
        "bot.images.packages.databases.dotnet",
        "bot.images.packages.databases.places",
        "bot.images.packages.image",
        "bot.images.packages.layers.inflate",
        "bot.images.packages.layers.layer",
        "bot.images.packages.layers.overlay",
        "bot.images.provenance.attestations",
        "bot.images.provenance.signed",
        "bot.images.provenance.slsa",
        "bot.images.provenance.statement",
        "bot.images.sbom.collecting",
        "bot.images.sbom.export",
        "bot.images.sbom.package_url",
        "bot.images.sbom.reading",
        "bot.images.scan_reports",
        "bot.images.scanners.reading",
        "bot.images.scanners.report",
        "bot.images.signatures.cosign.keys",
        "bot.images.signatures.cosign.policy",
        "bot.images.signatures.cosign.trusted_root",
        "bot.images.signatures.cosign.verifying",
        "bot.images.signatures.notation.names",
        "bot.images.signatures.notation.trust_store",
        "bot.images.signatures.notation.verifying",
        "bot.images.signatures.verdict",
        "bot.images.standing.deciding",
        "bot.images.standing.declared",
        "bot.images.standing.observed_layers",
        "bot.images.vulnerabilities",
        "bot.images.trust.collecting",
        "bot.images.trust.judging",
        "bot.images.trust.stating",
        "bot.images.vex.attached",
        "bot.images.vex.excusing",
        "bot.images.vex.statements",
    }
)
