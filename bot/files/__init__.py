"""What files say: texts to usages and findings, and back to new texts. Pure: it imports the domain alone.

`PUBLIC` are the modules that other rooms may import; what stands beside them may change without a word to these.
"""

PUBLIC = frozenset(
    {
        "bot.files.audit.audited",
        "bot.files.audit.auditing",
        "bot.files.audit.onboarding.action_commits",
        "bot.files.audit.onboarding.handing_over",
        "bot.files.audit.onboarding.proposing",
        "bot.files.audit.patches",
        "bot.files.audit.repository",
        "bot.files.audit.rules",
        "bot.files.audit.version",
        "bot.files.formats.azure_pipelines.schedules",
        "bot.files.formats.azure_pipelines.startable",
        "bot.files.formats.builds",
        "bot.files.formats.code_owners",
        "bot.files.formats.finding",
        "bot.files.formats.memory",
        "bot.files.formats.partly_read",
        "bot.files.formats.practices",
        "bot.files.formats.repository",
        "bot.files.formats.repository_config",
        "bot.files.formats.rewrite.refresh",
        "bot.files.formats.rewrite.rewrite",
        "bot.files.formats.source.text",
        "bot.files.formats.table",
        "bot.files.formats.update_bots",
        "bot.files.formats.workflows.dispatchable",
        "bot.files.formats.workflows.pushes",
        "bot.files.formats.workflows.schedules",
        "bot.files.formats.zip_list",
    }
)
