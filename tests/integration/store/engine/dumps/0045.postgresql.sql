CREATE TABLE public.advisories (
    source character varying(64) NOT NULL,
    cve character varying(32) NOT NULL,
    advisory json NOT NULL
);
CREATE TABLE public.affected_names (
    name character varying(256) NOT NULL,
    affected_id bigint NOT NULL
);
CREATE TABLE public.affected_packages (
    id bigint NOT NULL,
    vulnerability_id bigint NOT NULL,
    release character varying(64) NOT NULL,
    affected json NOT NULL,
    fix_seen_at timestamp with time zone
);
CREATE SEQUENCE public.affected_packages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.affected_packages_id_seq OWNED BY public.affected_packages.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.artifact_reads (
    id bigint NOT NULL,
    rebuild_id bigint,
    step_id bigint,
    repository_id bigint NOT NULL,
    run bigint,
    ended_at timestamp with time zone,
    refused character varying(200),
    problems text,
    read_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.artifact_reads_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.artifact_reads_id_seq OWNED BY public.artifact_reads.id;
CREATE TABLE public.attestations (
    id bigint NOT NULL,
    image_id bigint NOT NULL,
    digest character varying(160),
    attached_at timestamp with time zone,
    considered_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.attestations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attestations_id_seq OWNED BY public.attestations.id;
CREATE TABLE public.audits (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    mark character varying(16),
    error text,
    audited_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    files json NOT NULL,
    findings bytea
);
CREATE SEQUENCE public.audits_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audits_id_seq OWNED BY public.audits.id;
CREATE TABLE public.bases (
    id bigint NOT NULL,
    registry character varying(255) NOT NULL,
    repository character varying(255) NOT NULL,
    tag character varying(128) NOT NULL,
    digest character varying(160),
    version character varying(64),
    moved_at timestamp with time zone,
    observation_id bigint,
    error text,
    used boolean DEFAULT true NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    unconfirmed character varying(160),
    upstream_id bigint,
    upstream_digest character varying(160),
    likeness character varying(16),
    behind_since timestamp with time zone
);
CREATE SEQUENCE public.bases_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.bases_id_seq OWNED BY public.bases.id;
CREATE TABLE public.blobs (
    sha character varying(64) NOT NULL,
    body bytea NOT NULL,
    fetched_at timestamp with time zone
);
CREATE TABLE public.budgets (
    account character varying(255) NOT NULL,
    next_at timestamp with time zone,
    room_at timestamp with time zone,
    stopped_since timestamp with time zone,
    stopped_until timestamp with time zone,
    stopped_because text
);
CREATE TABLE public.changes (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    from_observation bigint NOT NULL,
    to_observation bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    change json NOT NULL,
    cause character varying(32) NOT NULL,
    assessed_at timestamp with time zone NOT NULL,
    feeds_revision bigint NOT NULL,
    planned boolean NOT NULL,
    rollout_id bigint,
    assessed_revision bigint DEFAULT '0'::bigint NOT NULL
);
CREATE SEQUENCE public.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.changes_id_seq OWNED BY public.changes.id;
CREATE TABLE public.code_scans (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    uploaded character varying(32),
    refused text,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    upload character varying(128)
);
CREATE SEQUENCE public.code_scans_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.code_scans_id_seq OWNED BY public.code_scans.id;
CREATE TABLE public.counters (
    name character varying(32) NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.deliveries (
    source character varying(16) NOT NULL,
    delivery character varying(128) NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.deployments (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    registry character varying(255) NOT NULL,
    repository character varying(255) NOT NULL,
    tag character varying(128),
    digest character varying(160),
    path text NOT NULL,
    line integer NOT NULL
);
CREATE SEQUENCE public.deployments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.deployments_id_seq OWNED BY public.deployments.id;
CREATE TABLE public.documents (
    id bigint NOT NULL,
    url character varying(1024) NOT NULL,
    kind character varying(32) NOT NULL,
    reader character varying(64),
    etag character varying(512),
    last_modified character varying(128),
    body bytea,
    fetched_at timestamp with time zone,
    checked_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.documents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.documents_id_seq OWNED BY public.documents.id;
CREATE TABLE public.dumps (
    id bigint NOT NULL,
    ecosystem character varying(32) NOT NULL,
    place character varying(1024) NOT NULL,
    etag character varying(512),
    last_modified character varying(512),
    considered bytea,
    reader character varying(64),
    entries integer,
    problems json,
    fetched_at timestamp with time zone,
    checked_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    asked bytea
);
CREATE SEQUENCE public.dumps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.dumps_id_seq OWNED BY public.dumps.id;
CREATE TABLE public.exposures (
    affected_id bigint NOT NULL,
    package_id bigint NOT NULL,
    is_certain boolean NOT NULL
);
CREATE TABLE public.fleet_issues (
    id bigint NOT NULL,
    repository character varying(255) NOT NULL,
    number integer,
    url text,
    wording integer DEFAULT 0 NOT NULL,
    heeded json NOT NULL,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.fleet_issues_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.fleet_issues_id_seq OWNED BY public.fleet_issues.id;
CREATE TABLE public.gates (
    id bigint NOT NULL,
    image_id bigint NOT NULL,
    digest character varying(160),
    mode character varying(16),
    outcome character varying(16),
    told text,
    blocking integer DEFAULT 0 NOT NULL,
    unfixed integer DEFAULT 0 NOT NULL,
    gated json,
    owed json,
    mark character varying(64),
    judged_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.gates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.gates_id_seq OWNED BY public.gates.id;
CREATE TABLE public.image_inventories (
    image_id bigint NOT NULL,
    platform character varying(100) NOT NULL,
    inventory_id bigint NOT NULL
);
CREATE TABLE public.images (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    registry character varying(255) NOT NULL,
    repository character varying(255) NOT NULL,
    tag character varying(128) NOT NULL,
    source character varying(16) NOT NULL,
    path text NOT NULL,
    line integer NOT NULL,
    found character varying(128),
    digest character varying(160),
    seen_at timestamp with time zone,
    looked_at timestamp with time zone,
    platforms json,
    declared json,
    standings json,
    behind_since timestamp with time zone,
    sourced_from text,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    pulls boolean,
    state character varying(16) DEFAULT 'not-seen'::character varying NOT NULL,
    builder json,
    built_from text DEFAULT ''::text NOT NULL
);
CREATE SEQUENCE public.images_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.images_id_seq OWNED BY public.images.id;
CREATE TABLE public.incidents (
    id bigint NOT NULL,
    subject character varying(255) NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    detail text NOT NULL
);
CREATE SEQUENCE public.incidents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.incidents_id_seq OWNED BY public.incidents.id;
CREATE TABLE public.inventories (
    id bigint NOT NULL,
    digest character varying(160) NOT NULL,
    platform character varying(100) NOT NULL,
    previous_id bigint,
    seen_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    distribution json,
    problems json,
    is_complete boolean,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    config_digest character varying(160)
);
CREATE SEQUENCE public.inventories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.inventories_id_seq OWNED BY public.inventories.id;
CREATE TABLE public.inventory_layers (
    inventory_id bigint NOT NULL,
    "position" integer NOT NULL,
    layer_id bigint NOT NULL
);
CREATE TABLE public.inventory_packages (
    inventory_id bigint NOT NULL,
    package_id bigint NOT NULL,
    since timestamp with time zone NOT NULL
);
CREATE TABLE public.issue_sections (
    repository_id bigint NOT NULL,
    name character varying(64) NOT NULL,
    title character varying(255) NOT NULL,
    text text NOT NULL,
    told text NOT NULL,
    opens boolean DEFAULT true NOT NULL
);
CREATE TABLE public.issues (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    number integer,
    url text,
    is_open boolean DEFAULT false NOT NULL,
    wanted integer NOT NULL,
    told integer NOT NULL,
    refused text,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.issues_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.issues_id_seq OWNED BY public.issues.id;
CREATE TABLE public.journal (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    who character varying(255) NOT NULL,
    is_claimed boolean NOT NULL,
    what character varying(32) NOT NULL,
    subject character varying(512) NOT NULL,
    reason text NOT NULL
);
CREATE SEQUENCE public.journal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.journal_id_seq OWNED BY public.journal.id;
CREATE TABLE public.layer_contents (
    layer_id bigint NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE public.layers (
    id bigint NOT NULL,
    digest character varying(160) NOT NULL,
    registry character varying(255) NOT NULL,
    repository character varying(255) NOT NULL,
    named_diff_id character varying(160),
    diff_id character varying(160),
    problem text,
    read_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.layers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.layers_id_seq OWNED BY public.layers.id;
CREATE TABLE public.let_through (
    image_id bigint NOT NULL,
    platform character varying(100) NOT NULL,
    digest character varying(160) NOT NULL,
    inventory_id bigint NOT NULL
);
CREATE TABLE public.manifests (
    digest character varying(160) NOT NULL,
    body bytea NOT NULL,
    fetched_at timestamp with time zone NOT NULL
);
CREATE TABLE public.notices (
    id bigint NOT NULL,
    topic character varying(32) NOT NULL,
    base_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    text text NOT NULL,
    toward json NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    outcome text,
    told_with bigint
);
CREATE SEQUENCE public.notices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notices_id_seq OWNED BY public.notices.id;
CREATE TABLE public.observations (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    previous_id bigint,
    at timestamp with time zone NOT NULL,
    digest character varying(160),
    sight character varying(16) NOT NULL,
    observation json NOT NULL,
    assessed boolean NOT NULL
);
CREATE SEQUENCE public.observations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.observations_id_seq OWNED BY public.observations.id;
CREATE TABLE public.observed_inventories (
    observation_id bigint NOT NULL,
    platform character varying(100) NOT NULL,
    inventory_id bigint NOT NULL
);
CREATE TABLE public.onboardings (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    state character varying(16) NOT NULL,
    reason text NOT NULL,
    asked_by character varying(255),
    number integer,
    url text,
    merged integer DEFAULT 0 NOT NULL,
    "left" integer DEFAULT 0 NOT NULL,
    made_from character varying(16),
    changed_at timestamp with time zone NOT NULL,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    proposed json,
    brought json,
    declined json
);
CREATE SEQUENCE public.onboardings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.onboardings_id_seq OWNED BY public.onboardings.id;
CREATE TABLE public.outbox (
    id bigint NOT NULL,
    key character varying(128) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    wanted integer NOT NULL,
    told integer NOT NULL,
    sent character varying(64),
    remote json,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    destination character varying(80) DEFAULT ''::character varying NOT NULL,
    rests_until timestamp with time zone
);
CREATE SEQUENCE public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_id_seq OWNED BY public.outbox.id;
CREATE TABLE public.own_links (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    base_id bigint NOT NULL,
    cut boolean DEFAULT false NOT NULL,
    image character varying(511) DEFAULT ''::character varying NOT NULL,
    only_brought boolean DEFAULT false NOT NULL
);
CREATE SEQUENCE public.own_links_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.own_links_id_seq OWNED BY public.own_links.id;
CREATE TABLE public.package_changes (
    id bigint NOT NULL,
    observation_id bigint NOT NULL,
    platform character varying(100) NOT NULL,
    before_id bigint NOT NULL,
    after_id bigint NOT NULL,
    compared_at timestamp with time zone,
    changes json,
    is_complete boolean,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.package_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.package_changes_id_seq OWNED BY public.package_changes.id;
CREATE TABLE public.packages (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    type character varying(256) NOT NULL,
    name character varying(256) NOT NULL,
    version character varying(256) NOT NULL,
    architecture character varying(256),
    source character varying(256),
    source_version character varying(256)
);
CREATE SEQUENCE public.packages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.packages_id_seq OWNED BY public.packages.id;
CREATE TABLE public.pauses (
    id bigint NOT NULL,
    rollout_id bigint,
    since timestamp with time zone NOT NULL,
    who character varying(255) NOT NULL,
    reason text NOT NULL,
    until timestamp with time zone
);
CREATE SEQUENCE public.pauses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.pauses_id_seq OWNED BY public.pauses.id;
CREATE TABLE public.practice_days (
    day date NOT NULL,
    practice character varying(64) NOT NULL,
    outcome character varying(16) NOT NULL,
    repositories integer NOT NULL
);
CREATE TABLE public.practice_weeks (
    week date NOT NULL,
    practice character varying(64) NOT NULL,
    opened integer NOT NULL,
    closed integer NOT NULL
);
CREATE TABLE public.practices (
    repository_id bigint NOT NULL,
    practice character varying(64) NOT NULL,
    outcome character varying(16) NOT NULL
);
CREATE TABLE public.quarantines (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    digest character varying(160) NOT NULL,
    since timestamp with time zone NOT NULL,
    who character varying(255) NOT NULL,
    reason text NOT NULL,
    until timestamp with time zone,
    outcome text,
    copy_of_id bigint,
    lifted boolean DEFAULT false NOT NULL,
    returns integer DEFAULT 0 NOT NULL
);
CREATE SEQUENCE public.quarantines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.quarantines_id_seq OWNED BY public.quarantines.id;
CREATE TABLE public.rebuilds (
    id bigint NOT NULL,
    rollout_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    action character varying(16) NOT NULL,
    state character varying(16) NOT NULL,
    reason text NOT NULL,
    targets json NOT NULL,
    replacements json NOT NULL,
    wave character varying(64) NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    branch character varying(255),
    pull_request integer,
    workflow character varying(255),
    correlation character varying(64),
    attempted_at timestamp with time zone,
    run bigint,
    url text,
    facts_version integer DEFAULT 0 NOT NULL,
    text_version integer DEFAULT 0 NOT NULL,
    ended_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    considered_revision bigint DEFAULT '0'::bigint NOT NULL,
    node_id character varying(128),
    dispatches integer DEFAULT 0 NOT NULL,
    severity character varying(16),
    soak_seconds integer,
    waits_since timestamp with time zone,
    overdue_at timestamp with time zone,
    released_at timestamp with time zone,
    at_request boolean DEFAULT false NOT NULL,
    held_because text,
    quarantine_id bigint,
    retried_as bigint,
    call_off text,
    merge_commit character varying(64),
    merge_node character varying(128),
    merged_at timestamp with time zone,
    built_at timestamp with time zone,
    proof character varying(16),
    merging character varying(16),
    steps integer DEFAULT 0 NOT NULL,
    parts json,
    distance integer DEFAULT 0 NOT NULL,
    waits_for text,
    waits_until timestamp with time zone,
    went_ahead boolean DEFAULT false NOT NULL,
    built_commit character varying(64),
    run_number integer,
    built_by json
);
CREATE SEQUENCE public.rebuilds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rebuilds_id_seq OWNED BY public.rebuilds.id;
CREATE TABLE public.releases (
    channel character varying(16) NOT NULL,
    version character varying(64) NOT NULL,
    published_at timestamp with time zone NOT NULL,
    release json NOT NULL
);
CREATE TABLE public.repositories (
    id bigint NOT NULL,
    name character varying(255) NOT NULL,
    default_branch character varying(255) NOT NULL,
    pushed_at timestamp with time zone,
    tree character varying(64),
    reader character varying(64),
    listed boolean NOT NULL,
    config json NOT NULL,
    workflows json NOT NULL,
    problems json NOT NULL,
    error text,
    read_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    forge_id bigint,
    node_id character varying(128)
);
CREATE SEQUENCE public.repositories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.repositories_id_seq OWNED BY public.repositories.id;
CREATE TABLE public.repository_blobs (
    repository_id bigint NOT NULL,
    sha character varying(64) NOT NULL
);
CREATE TABLE public.rollout_waves (
    rollout_id bigint NOT NULL,
    name character varying(64) NOT NULL,
    began_at timestamp with time zone,
    done_since timestamp with time zone,
    set_aside integer DEFAULT 0 NOT NULL,
    distance integer DEFAULT 0 NOT NULL
);
CREATE TABLE public.rollouts (
    id bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    occasion character varying(16) DEFAULT 'change'::character varying NOT NULL
);
CREATE SEQUENCE public.rollouts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rollouts_id_seq OWNED BY public.rollouts.id;
CREATE TABLE public.sbom_looks (
    id bigint NOT NULL,
    inventory_id bigint NOT NULL,
    registry character varying(255) NOT NULL,
    repository character varying(255) NOT NULL,
    index_digest character varying(160) NOT NULL,
    is_last boolean DEFAULT false NOT NULL,
    looked_at timestamp with time zone,
    error text,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.sbom_looks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sbom_looks_id_seq OWNED BY public.sbom_looks.id;
CREATE TABLE public.sbom_packages (
    sbom_id bigint NOT NULL,
    package_id bigint NOT NULL
);
CREATE TABLE public.sboms (
    id bigint NOT NULL,
    inventory_id bigint NOT NULL,
    document character varying(160) NOT NULL,
    origin character varying(40) NOT NULL,
    strength character varying(20) NOT NULL,
    told text NOT NULL,
    distribution json,
    problems json NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.sboms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sboms_id_seq OWNED BY public.sboms.id;
CREATE TABLE public.scan_report_digests (
    report_id bigint NOT NULL,
    digest character varying(160) NOT NULL
);
CREATE TABLE public.scan_reports (
    id bigint NOT NULL,
    document character varying(160) NOT NULL,
    origin character varying(40) NOT NULL,
    place character varying(1024) NOT NULL,
    repository_id bigint,
    scanned_at timestamp with time zone,
    kept_at timestamp with time zone NOT NULL,
    report bytea NOT NULL,
    scanner character varying(60) DEFAULT 'Trivy'::character varying NOT NULL
);
CREATE SEQUENCE public.scan_reports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.scan_reports_id_seq OWNED BY public.scan_reports.id;
CREATE TABLE public.spendings (
    id bigint NOT NULL,
    account character varying(255) NOT NULL,
    at timestamp with time zone NOT NULL,
    contents integer NOT NULL
);
CREATE SEQUENCE public.spendings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.spendings_id_seq OWNED BY public.spendings.id;
CREATE TABLE public.standing_days (
    day date NOT NULL,
    standing character varying(16) NOT NULL,
    repositories integer NOT NULL
);
CREATE TABLE public.standings (
    repository_id bigint NOT NULL,
    rank integer NOT NULL,
    standing character varying(16) NOT NULL,
    since timestamp with time zone,
    latest_rebuild bigint
);
CREATE TABLE public.steps (
    id bigint NOT NULL,
    rebuild_id bigint NOT NULL,
    place integer NOT NULL,
    step json NOT NULL,
    start character varying(16) NOT NULL,
    elsewhere character varying(255),
    state character varying(24) NOT NULL,
    reason text NOT NULL,
    began_at timestamp with time zone,
    since timestamp with time zone,
    deadline timestamp with time zone,
    waits_since timestamp with time zone,
    attempted_at timestamp with time zone,
    correlation character varying(64),
    dispatches integer DEFAULT 0 NOT NULL,
    run bigint,
    node_id character varying(128),
    url text,
    ended_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.steps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.steps_id_seq OWNED BY public.steps.id;
CREATE TABLE public.summaries (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.summaries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.summaries_id_seq OWNED BY public.summaries.id;
CREATE TABLE public.tasks (
    id bigint NOT NULL,
    name character varying(64) NOT NULL,
    mark character varying(255),
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.tasks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tasks_id_seq OWNED BY public.tasks.id;
CREATE TABLE public.transitions (
    id bigint NOT NULL,
    rebuild_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    before character varying(16),
    after character varying(16) NOT NULL,
    reason text NOT NULL
);
CREATE SEQUENCE public.transitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.transitions_id_seq OWNED BY public.transitions.id;
CREATE TABLE public.usages (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    base_id bigint,
    usage json NOT NULL,
    digest character varying(160),
    version character varying(64),
    image character varying(511)
);
CREATE SEQUENCE public.usages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.usages_id_seq OWNED BY public.usages.id;
CREATE TABLE public.vulnerabilities (
    id bigint NOT NULL,
    dump_id bigint NOT NULL,
    name character varying(64) NOT NULL,
    content character varying(64) NOT NULL,
    title text NOT NULL,
    severity character varying(16),
    rated_by character varying(32) NOT NULL,
    score double precision,
    published_at timestamp with time zone,
    seen_at timestamp with time zone NOT NULL,
    modified character varying(40)
);
CREATE SEQUENCE public.vulnerabilities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.vulnerabilities_id_seq OWNED BY public.vulnerabilities.id;
CREATE TABLE public.vulnerability_cves (
    vulnerability_id bigint NOT NULL,
    cve character varying(32) NOT NULL
);
CREATE TABLE public.workflow_builds (
    id bigint NOT NULL,
    repository_id bigint NOT NULL,
    workflow character varying(128) NOT NULL,
    max_age_seconds integer,
    node_id character varying(128),
    builds json NOT NULL,
    last_success timestamp with time zone,
    read_at timestamp with time zone,
    tree character varying(64),
    changed_at timestamp with time zone,
    error text,
    judged boolean DEFAULT false NOT NULL,
    standing character varying(16),
    said text,
    plan_at timestamp with time zone,
    told_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone,
    ended_run bigint,
    ended_at timestamp with time zone
);
CREATE SEQUENCE public.workflow_builds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.workflow_builds_id_seq OWNED BY public.workflow_builds.id;
ALTER TABLE ONLY public.affected_packages ALTER COLUMN id SET DEFAULT nextval('public.affected_packages_id_seq'::regclass);
ALTER TABLE ONLY public.artifact_reads ALTER COLUMN id SET DEFAULT nextval('public.artifact_reads_id_seq'::regclass);
ALTER TABLE ONLY public.attestations ALTER COLUMN id SET DEFAULT nextval('public.attestations_id_seq'::regclass);
ALTER TABLE ONLY public.audits ALTER COLUMN id SET DEFAULT nextval('public.audits_id_seq'::regclass);
ALTER TABLE ONLY public.bases ALTER COLUMN id SET DEFAULT nextval('public.bases_id_seq'::regclass);
ALTER TABLE ONLY public.changes ALTER COLUMN id SET DEFAULT nextval('public.changes_id_seq'::regclass);
ALTER TABLE ONLY public.code_scans ALTER COLUMN id SET DEFAULT nextval('public.code_scans_id_seq'::regclass);
ALTER TABLE ONLY public.deployments ALTER COLUMN id SET DEFAULT nextval('public.deployments_id_seq'::regclass);
ALTER TABLE ONLY public.documents ALTER COLUMN id SET DEFAULT nextval('public.documents_id_seq'::regclass);
ALTER TABLE ONLY public.dumps ALTER COLUMN id SET DEFAULT nextval('public.dumps_id_seq'::regclass);
ALTER TABLE ONLY public.fleet_issues ALTER COLUMN id SET DEFAULT nextval('public.fleet_issues_id_seq'::regclass);
ALTER TABLE ONLY public.gates ALTER COLUMN id SET DEFAULT nextval('public.gates_id_seq'::regclass);
ALTER TABLE ONLY public.images ALTER COLUMN id SET DEFAULT nextval('public.images_id_seq'::regclass);
ALTER TABLE ONLY public.incidents ALTER COLUMN id SET DEFAULT nextval('public.incidents_id_seq'::regclass);
ALTER TABLE ONLY public.inventories ALTER COLUMN id SET DEFAULT nextval('public.inventories_id_seq'::regclass);
ALTER TABLE ONLY public.issues ALTER COLUMN id SET DEFAULT nextval('public.issues_id_seq'::regclass);
ALTER TABLE ONLY public.journal ALTER COLUMN id SET DEFAULT nextval('public.journal_id_seq'::regclass);
ALTER TABLE ONLY public.layers ALTER COLUMN id SET DEFAULT nextval('public.layers_id_seq'::regclass);
ALTER TABLE ONLY public.notices ALTER COLUMN id SET DEFAULT nextval('public.notices_id_seq'::regclass);
ALTER TABLE ONLY public.observations ALTER COLUMN id SET DEFAULT nextval('public.observations_id_seq'::regclass);
ALTER TABLE ONLY public.onboardings ALTER COLUMN id SET DEFAULT nextval('public.onboardings_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.own_links ALTER COLUMN id SET DEFAULT nextval('public.own_links_id_seq'::regclass);
ALTER TABLE ONLY public.package_changes ALTER COLUMN id SET DEFAULT nextval('public.package_changes_id_seq'::regclass);
ALTER TABLE ONLY public.packages ALTER COLUMN id SET DEFAULT nextval('public.packages_id_seq'::regclass);
ALTER TABLE ONLY public.pauses ALTER COLUMN id SET DEFAULT nextval('public.pauses_id_seq'::regclass);
ALTER TABLE ONLY public.quarantines ALTER COLUMN id SET DEFAULT nextval('public.quarantines_id_seq'::regclass);
ALTER TABLE ONLY public.rebuilds ALTER COLUMN id SET DEFAULT nextval('public.rebuilds_id_seq'::regclass);
ALTER TABLE ONLY public.repositories ALTER COLUMN id SET DEFAULT nextval('public.repositories_id_seq'::regclass);
ALTER TABLE ONLY public.rollouts ALTER COLUMN id SET DEFAULT nextval('public.rollouts_id_seq'::regclass);
ALTER TABLE ONLY public.sbom_looks ALTER COLUMN id SET DEFAULT nextval('public.sbom_looks_id_seq'::regclass);
ALTER TABLE ONLY public.sboms ALTER COLUMN id SET DEFAULT nextval('public.sboms_id_seq'::regclass);
ALTER TABLE ONLY public.scan_reports ALTER COLUMN id SET DEFAULT nextval('public.scan_reports_id_seq'::regclass);
ALTER TABLE ONLY public.spendings ALTER COLUMN id SET DEFAULT nextval('public.spendings_id_seq'::regclass);
ALTER TABLE ONLY public.steps ALTER COLUMN id SET DEFAULT nextval('public.steps_id_seq'::regclass);
ALTER TABLE ONLY public.summaries ALTER COLUMN id SET DEFAULT nextval('public.summaries_id_seq'::regclass);
ALTER TABLE ONLY public.tasks ALTER COLUMN id SET DEFAULT nextval('public.tasks_id_seq'::regclass);
ALTER TABLE ONLY public.transitions ALTER COLUMN id SET DEFAULT nextval('public.transitions_id_seq'::regclass);
ALTER TABLE ONLY public.usages ALTER COLUMN id SET DEFAULT nextval('public.usages_id_seq'::regclass);
ALTER TABLE ONLY public.vulnerabilities ALTER COLUMN id SET DEFAULT nextval('public.vulnerabilities_id_seq'::regclass);
ALTER TABLE ONLY public.workflow_builds ALTER COLUMN id SET DEFAULT nextval('public.workflow_builds_id_seq'::regclass);
INSERT INTO public.advisories VALUES ('msrc', 'CVE-2026-1', '{"cve": "CVE-2026-1", "severity": "high", "evidence": [{"source": "msrc", "locator": "CVE-2026-1", "seen_at": "2026-03-10T12:00:00+00:00"}]}');
INSERT INTO public.affected_names VALUES ('name', 1);
INSERT INTO public.affected_packages VALUES (1, 1, 'release', '[]', '2026-03-10 12:00:00+00');
INSERT INTO public.alembic_version VALUES ('0045');
INSERT INTO public.artifact_reads VALUES (1, 1, 1, 1, 1, '2026-03-10 12:00:00+00', 'refused', 'problems', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.attestations VALUES (1, 1, 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.audits VALUES (1, 1, 'mark', NULL, '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 1, NULL, NULL, '[]', '\x789cabae0500017500f9');
INSERT INTO public.bases VALUES (1, 'mcr.microsoft.com', 'dotnet/aspnet', '10.0', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '10.0.5', '2026-03-10 12:00:00+00', 2, NULL, true, '2026-03-10 12:00:00+00', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.blobs VALUES ('b1', '\x789c730bf2f755480400060801b6', '2026-11-30 15:18:20.743795+00');
INSERT INTO public.budgets VALUES ('account', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'stopped_because');
INSERT INTO public.changes VALUES (1, 1, 1, 2, '2026-03-10 12:00:00+00', '{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cause": "dotnet-release", "cause_at_detection": "dotnet-unknown", "platforms": ["linux/amd64"]}', 'dotnet-release', '2026-03-10 12:00:00+00', 3, true, 1, 1);
INSERT INTO public.code_scans VALUES (1, 1, 'uploaded', 'refused', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL, 'upload');
INSERT INTO public.counters VALUES ('feeds', 3);
INSERT INTO public.counters VALUES ('assessments', 1);
INSERT INTO public.counters VALUES ('first run', 1);
INSERT INTO public.deliveries VALUES ('github', 'delivery', '2026-03-10 12:00:00+00');
INSERT INTO public.deployments VALUES (1, 1, 'ghcr.io', 'contoso/shop', 'latest', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'deploy/shop.yaml', 1);
INSERT INTO public.documents VALUES (1, 'https://feeds.example/releases-index.json', 'dotnet-index', NULL, NULL, NULL, '\x789cabae0500017500f9', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL);
INSERT INTO public.dumps VALUES (1, 'Azure Linux', 'https://ghcr.example/1', 'etag', 'last_modified', '\x789cabae0500017500f9', 'reader', 1, '[]', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL, '\x789cabae0500017500f9');
INSERT INTO public.exposures VALUES (1, 1, true);
INSERT INTO public.fleet_issues VALUES (1, 'contoso/shop', 1, 'https://ghcr.example/1', 1, '[]', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.gates VALUES (1, 1, 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'mode', 'passed', 'told', 1, 1, '[]', '[]', 'mark', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.image_inventories VALUES (1, 'linux/amd64', 1);
INSERT INTO public.images VALUES (1, 1, 'ghcr.io', 'contoso/shop', 'latest', 'build', 'path', 1, 'found', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '[]', '{}', '[{"platform": "linux/amd64", "strength": "proved", "basis": "layers", "publications": [{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "platform": "linux/amd64", "platform_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "until": null}], "layers": 2}]', '2026-03-10 12:00:00+00', 'sourced_from', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL, true, 'current', 'null', 'built_from');
INSERT INTO public.incidents VALUES (1, 'watch:mcr.microsoft.com', '2026-03-10 12:00:00+00', NULL, 'HTTP 503');
INSERT INTO public.inventories VALUES (1, 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'linux/amd64', NULL, '2026-03-10 12:00:00+00', NULL, NULL, NULL, NULL, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL, NULL);
INSERT INTO public.inventory_layers VALUES (1, 0, 1);
INSERT INTO public.inventory_packages VALUES (1, 1, '2026-03-10 12:00:00+00');
INSERT INTO public.issue_sections VALUES (1, 'name', 'title', 'text', 'told', true);
INSERT INTO public.issues VALUES (1, 1, 1, 'https://ghcr.example/1', true, 1, 1, NULL, NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.journal VALUES (1, '2026-03-10 12:00:00+00', 'who', true, 'pause', 'all', 'reason');
INSERT INTO public.layer_contents VALUES (1, '\x789cabae0500017500f9');
INSERT INTO public.layers VALUES (1, 'sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 'mcr.microsoft.com', 'dotnet/aspnet', NULL, NULL, NULL, NULL, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL);
INSERT INTO public.let_through VALUES (1, 'linux/amd64', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 1);
INSERT INTO public.manifests VALUES ('sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '\x789cabae0500017500f9', '2026-03-10 12:00:00+00');
INSERT INTO public.notices VALUES (1, 'waiting-for-base', 1, '2026-03-10 12:00:00+00', NULL, 'waits', '[{"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}]', '2026-03-10 12:00:00+00', NULL, NULL, NULL);
INSERT INTO public.observations VALUES (1, 1, NULL, '2026-03-10 12:00:00+00', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'first', '{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}', true);
INSERT INTO public.observations VALUES (2, 1, 1, '2026-03-10 12:00:00+00', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'moved', '{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}', true);
INSERT INTO public.observed_inventories VALUES (2, 'linux/amd64', 1);
INSERT INTO public.onboardings VALUES (1, 1, 'waiting', 'reason', 'asked_by', 1, 'https://ghcr.example/1', 1, 1, 'made_from', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL, '[]', '[]', '[]');
INSERT INTO public.outbox VALUES (1, 'rollout:1', '2026-03-10 12:00:00+00', 1, 0, NULL, NULL, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL, 'slack', NULL);
INSERT INTO public.own_links VALUES (1, 1, 1, true, 'image', true);
INSERT INTO public.package_changes VALUES (1, 1, 'linux/amd64', 1, 1, '2026-03-10 12:00:00+00', '[]', true, NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.packages VALUES (1, 'key', 'type', 'name', 'version', 'architecture', 'source', 'source_version');
INSERT INTO public.pauses VALUES (1, 1, '2026-03-10 12:00:00+00', 'who', 'reason', NULL);
INSERT INTO public.practice_days VALUES ('2026-03-10', 'practice', 'outcome', 1);
INSERT INTO public.practice_weeks VALUES ('2026-03-10', 'practice', 1, 1);
INSERT INTO public.practices VALUES (1, 'practice', 'outcome');
INSERT INTO public.quarantines VALUES (1, 1, 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2026-03-10 12:00:00+00', 'who', 'reason', NULL, NULL, NULL, true, 1);
INSERT INTO public.rebuilds VALUES (1, 1, 1, 'pull_request', 'open', 'opened', '[{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "changes": [1]}]', '[{"old": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "new": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}]', 'rest', '2026-03-10 12:00:00+00', 'freshness/dotnet-aspnet-10.0', 7, NULL, NULL, NULL, NULL, NULL, 2, 1, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL, 0, NULL, 0, NULL, NULL, '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, NULL, false, NULL, NULL, NULL);
INSERT INTO public.releases VALUES ('10.0', '10.0.5', '2026-03-10 12:00:00+00', '{"channel": "10.0", "version": "10.0.5", "published_at": "2026-03-10T12:00:00+00:00"}');
INSERT INTO public.repositories VALUES (1, 'contoso/shop', 'main', '2026-03-10 12:00:00+00', NULL, NULL, true, '{}', '[]', '[]', NULL, '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 0, NULL, NULL, NULL, NULL);
INSERT INTO public.repository_blobs VALUES (1, 'sha');
INSERT INTO public.rollout_waves VALUES (1, 'name', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 1, 1);
INSERT INTO public.rollouts VALUES (1, '2026-03-10 12:00:00+00', NULL, 'change');
INSERT INTO public.sbom_looks VALUES (1, 1, 'ghcr.io', 'contoso/shop', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', true, '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.sbom_packages VALUES (1, 1);
INSERT INTO public.sboms VALUES (1, 1, 'document', 'origin', 'strength', 'told', '[]', '[]', '2026-03-10 12:00:00+00');
INSERT INTO public.scan_report_digests VALUES (1, 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
INSERT INTO public.scan_reports VALUES (1, 'document', 'origin', 'https://ghcr.example/1', 1, '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '\x789cabae0500017500f9', 'scanner');
INSERT INTO public.spendings VALUES (1, 'account', '2026-03-10 12:00:00+00', 1);
INSERT INTO public.standing_days VALUES ('2026-03-10', 'fresh', 1);
INSERT INTO public.standings VALUES (1, 1, 'fresh', '2026-03-10 12:00:00+00', 1);
INSERT INTO public.steps VALUES (1, 1, 1, '{"workflow": "deploy.yml"}', 'after', 'elsewhere', 'waiting', 'reason', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'correlation', 1, 1, 'node_id', 'https://ghcr.example/1', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.summaries VALUES (1, '2026-03-10 12:00:00+00');
INSERT INTO public.tasks VALUES (1, 'list repositories', NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL);
INSERT INTO public.transitions VALUES (1, 1, '2026-03-10 12:00:00+00', 'planned', 'open', 'opened');
INSERT INTO public.usages VALUES (1, 1, 1, '{"path": "Dockerfile", "kind": "dockerfile", "line": 1, "reference": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "role": "final-stage", "span": {"start": 5, "end": 80}}', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL, NULL);
INSERT INTO public.vulnerabilities VALUES (1, 1, 'name', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'title', 'severity', 'rated_by', 1, '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'modified');
INSERT INTO public.vulnerability_cves VALUES (1, 'cve');
INSERT INTO public.workflow_builds VALUES (1, 1, 'workflow', 1, 'node_id', '[]', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'tree', '2026-03-10 12:00:00+00', NULL, true, 'fresh', 'said', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 1, NULL, NULL, 1, '2026-03-10 12:00:00+00');
SELECT pg_catalog.setval('public.affected_packages_id_seq', 1, true);
SELECT pg_catalog.setval('public.artifact_reads_id_seq', 1, true);
SELECT pg_catalog.setval('public.attestations_id_seq', 1, true);
SELECT pg_catalog.setval('public.audits_id_seq', 1, true);
SELECT pg_catalog.setval('public.bases_id_seq', 1, true);
SELECT pg_catalog.setval('public.changes_id_seq', 1, true);
SELECT pg_catalog.setval('public.code_scans_id_seq', 1, true);
SELECT pg_catalog.setval('public.deployments_id_seq', 1, true);
SELECT pg_catalog.setval('public.documents_id_seq', 1, true);
SELECT pg_catalog.setval('public.dumps_id_seq', 1, true);
SELECT pg_catalog.setval('public.fleet_issues_id_seq', 1, true);
SELECT pg_catalog.setval('public.gates_id_seq', 1, true);
SELECT pg_catalog.setval('public.images_id_seq', 1, true);
SELECT pg_catalog.setval('public.incidents_id_seq', 1, true);
SELECT pg_catalog.setval('public.inventories_id_seq', 1, true);
SELECT pg_catalog.setval('public.issues_id_seq', 1, true);
SELECT pg_catalog.setval('public.journal_id_seq', 1, true);
SELECT pg_catalog.setval('public.layers_id_seq', 1, true);
SELECT pg_catalog.setval('public.notices_id_seq', 1, true);
SELECT pg_catalog.setval('public.observations_id_seq', 2, true);
SELECT pg_catalog.setval('public.onboardings_id_seq', 1, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 1, true);
SELECT pg_catalog.setval('public.own_links_id_seq', 1, true);
SELECT pg_catalog.setval('public.package_changes_id_seq', 1, true);
SELECT pg_catalog.setval('public.packages_id_seq', 1, true);
SELECT pg_catalog.setval('public.pauses_id_seq', 1, true);
SELECT pg_catalog.setval('public.quarantines_id_seq', 1, true);
SELECT pg_catalog.setval('public.rebuilds_id_seq', 1, true);
SELECT pg_catalog.setval('public.repositories_id_seq', 1, true);
SELECT pg_catalog.setval('public.rollouts_id_seq', 1, true);
SELECT pg_catalog.setval('public.sbom_looks_id_seq', 1, true);
SELECT pg_catalog.setval('public.sboms_id_seq', 1, true);
SELECT pg_catalog.setval('public.scan_reports_id_seq', 1, true);
SELECT pg_catalog.setval('public.spendings_id_seq', 1, true);
SELECT pg_catalog.setval('public.steps_id_seq', 1, true);
SELECT pg_catalog.setval('public.summaries_id_seq', 1, true);
SELECT pg_catalog.setval('public.tasks_id_seq', 1, true);
SELECT pg_catalog.setval('public.transitions_id_seq', 1, true);
SELECT pg_catalog.setval('public.usages_id_seq', 1, true);
SELECT pg_catalog.setval('public.vulnerabilities_id_seq', 1, true);
SELECT pg_catalog.setval('public.workflow_builds_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.advisories
    ADD CONSTRAINT pk_advisories PRIMARY KEY (source, cve);
ALTER TABLE ONLY public.affected_names
    ADD CONSTRAINT pk_affected_names PRIMARY KEY (name, affected_id);
ALTER TABLE ONLY public.affected_packages
    ADD CONSTRAINT pk_affected_packages PRIMARY KEY (id);
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT pk_artifact_reads PRIMARY KEY (id);
ALTER TABLE ONLY public.attestations
    ADD CONSTRAINT pk_attestations PRIMARY KEY (id);
ALTER TABLE ONLY public.audits
    ADD CONSTRAINT pk_audits PRIMARY KEY (id);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT pk_bases PRIMARY KEY (id);
ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT pk_blobs PRIMARY KEY (sha);
ALTER TABLE ONLY public.budgets
    ADD CONSTRAINT pk_budgets PRIMARY KEY (account);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.code_scans
    ADD CONSTRAINT pk_code_scans PRIMARY KEY (id);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT pk_counters PRIMARY KEY (name);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (source, delivery);
ALTER TABLE ONLY public.deployments
    ADD CONSTRAINT pk_deployments PRIMARY KEY (id);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT pk_documents PRIMARY KEY (id);
ALTER TABLE ONLY public.dumps
    ADD CONSTRAINT pk_dumps PRIMARY KEY (id);
ALTER TABLE ONLY public.exposures
    ADD CONSTRAINT pk_exposures PRIMARY KEY (affected_id, package_id);
ALTER TABLE ONLY public.fleet_issues
    ADD CONSTRAINT pk_fleet_issues PRIMARY KEY (id);
ALTER TABLE ONLY public.gates
    ADD CONSTRAINT pk_gates PRIMARY KEY (id);
ALTER TABLE ONLY public.image_inventories
    ADD CONSTRAINT pk_image_inventories PRIMARY KEY (image_id, platform);
ALTER TABLE ONLY public.images
    ADD CONSTRAINT pk_images PRIMARY KEY (id);
ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT pk_incidents PRIMARY KEY (id);
ALTER TABLE ONLY public.inventories
    ADD CONSTRAINT pk_inventories PRIMARY KEY (id);
ALTER TABLE ONLY public.inventory_layers
    ADD CONSTRAINT pk_inventory_layers PRIMARY KEY (inventory_id, "position");
ALTER TABLE ONLY public.inventory_packages
    ADD CONSTRAINT pk_inventory_packages PRIMARY KEY (inventory_id, package_id);
ALTER TABLE ONLY public.issue_sections
    ADD CONSTRAINT pk_issue_sections PRIMARY KEY (repository_id, name);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT pk_issues PRIMARY KEY (id);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT pk_journal PRIMARY KEY (id);
ALTER TABLE ONLY public.layer_contents
    ADD CONSTRAINT pk_layer_contents PRIMARY KEY (layer_id);
ALTER TABLE ONLY public.layers
    ADD CONSTRAINT pk_layers PRIMARY KEY (id);
ALTER TABLE ONLY public.let_through
    ADD CONSTRAINT pk_let_through PRIMARY KEY (image_id, platform);
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT pk_manifests PRIMARY KEY (digest);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT pk_notices PRIMARY KEY (id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT pk_observations PRIMARY KEY (id);
ALTER TABLE ONLY public.observed_inventories
    ADD CONSTRAINT pk_observed_inventories PRIMARY KEY (observation_id, platform);
ALTER TABLE ONLY public.onboardings
    ADD CONSTRAINT pk_onboardings PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.own_links
    ADD CONSTRAINT pk_own_links PRIMARY KEY (id);
ALTER TABLE ONLY public.package_changes
    ADD CONSTRAINT pk_package_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.packages
    ADD CONSTRAINT pk_packages PRIMARY KEY (id);
ALTER TABLE ONLY public.pauses
    ADD CONSTRAINT pk_pauses PRIMARY KEY (id);
ALTER TABLE ONLY public.practice_days
    ADD CONSTRAINT pk_practice_days PRIMARY KEY (day, practice, outcome);
ALTER TABLE ONLY public.practice_weeks
    ADD CONSTRAINT pk_practice_weeks PRIMARY KEY (week, practice);
ALTER TABLE ONLY public.practices
    ADD CONSTRAINT pk_practices PRIMARY KEY (repository_id, practice);
ALTER TABLE ONLY public.quarantines
    ADD CONSTRAINT pk_quarantines PRIMARY KEY (id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT pk_rebuilds PRIMARY KEY (id);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT pk_releases PRIMARY KEY (channel, version);
ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT pk_repositories PRIMARY KEY (id);
ALTER TABLE ONLY public.repository_blobs
    ADD CONSTRAINT pk_repository_blobs PRIMARY KEY (repository_id, sha);
ALTER TABLE ONLY public.rollout_waves
    ADD CONSTRAINT pk_rollout_waves PRIMARY KEY (rollout_id, distance, name);
ALTER TABLE ONLY public.rollouts
    ADD CONSTRAINT pk_rollouts PRIMARY KEY (id);
ALTER TABLE ONLY public.sbom_looks
    ADD CONSTRAINT pk_sbom_looks PRIMARY KEY (id);
ALTER TABLE ONLY public.sbom_packages
    ADD CONSTRAINT pk_sbom_packages PRIMARY KEY (sbom_id, package_id);
ALTER TABLE ONLY public.sboms
    ADD CONSTRAINT pk_sboms PRIMARY KEY (id);
ALTER TABLE ONLY public.scan_report_digests
    ADD CONSTRAINT pk_scan_report_digests PRIMARY KEY (report_id, digest);
ALTER TABLE ONLY public.scan_reports
    ADD CONSTRAINT pk_scan_reports PRIMARY KEY (id);
ALTER TABLE ONLY public.spendings
    ADD CONSTRAINT pk_spendings PRIMARY KEY (id);
ALTER TABLE ONLY public.standing_days
    ADD CONSTRAINT pk_standing_days PRIMARY KEY (day, standing);
ALTER TABLE ONLY public.standings
    ADD CONSTRAINT pk_standings PRIMARY KEY (repository_id);
ALTER TABLE ONLY public.steps
    ADD CONSTRAINT pk_steps PRIMARY KEY (id);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT pk_summaries PRIMARY KEY (id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT pk_tasks PRIMARY KEY (id);
ALTER TABLE ONLY public.transitions
    ADD CONSTRAINT pk_transitions PRIMARY KEY (id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT pk_usages PRIMARY KEY (id);
ALTER TABLE ONLY public.vulnerabilities
    ADD CONSTRAINT pk_vulnerabilities PRIMARY KEY (id);
ALTER TABLE ONLY public.vulnerability_cves
    ADD CONSTRAINT pk_vulnerability_cves PRIMARY KEY (vulnerability_id, cve);
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT pk_workflow_builds PRIMARY KEY (id);
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT uq_artifact_reads_rebuild_id UNIQUE (rebuild_id);
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT uq_artifact_reads_repository_id_run UNIQUE (repository_id, run);
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT uq_artifact_reads_step_id UNIQUE (step_id);
ALTER TABLE ONLY public.attestations
    ADD CONSTRAINT uq_attestations_image_id UNIQUE (image_id);
ALTER TABLE ONLY public.audits
    ADD CONSTRAINT uq_audits_repository_id UNIQUE (repository_id);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT uq_changes_to_observation UNIQUE (to_observation);
ALTER TABLE ONLY public.code_scans
    ADD CONSTRAINT uq_code_scans_repository_id UNIQUE (repository_id);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT uq_documents_url UNIQUE (url);
ALTER TABLE ONLY public.dumps
    ADD CONSTRAINT uq_dumps_ecosystem UNIQUE (ecosystem);
ALTER TABLE ONLY public.fleet_issues
    ADD CONSTRAINT uq_fleet_issues_repository UNIQUE (repository);
ALTER TABLE ONLY public.gates
    ADD CONSTRAINT uq_gates_image_id UNIQUE (image_id);
ALTER TABLE ONLY public.images
    ADD CONSTRAINT uq_images_repository_id_registry_repository UNIQUE (repository_id, registry, repository);
ALTER TABLE ONLY public.inventories
    ADD CONSTRAINT uq_inventories_digest UNIQUE (digest);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT uq_issues_repository_id UNIQUE (repository_id);
ALTER TABLE ONLY public.layers
    ADD CONSTRAINT uq_layers_digest UNIQUE (digest);
ALTER TABLE ONLY public.onboardings
    ADD CONSTRAINT uq_onboardings_repository_id UNIQUE (repository_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_key_destination UNIQUE (key, destination);
ALTER TABLE ONLY public.own_links
    ADD CONSTRAINT uq_own_links_repository_id_image_base_id UNIQUE (repository_id, image, base_id);
ALTER TABLE ONLY public.package_changes
    ADD CONSTRAINT uq_package_changes_observation_id_platform UNIQUE (observation_id, platform);
ALTER TABLE ONLY public.packages
    ADD CONSTRAINT uq_packages_key UNIQUE (key);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation);
ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT uq_repositories_name UNIQUE (name);
ALTER TABLE ONLY public.sbom_looks
    ADD CONSTRAINT uq_sbom_looks_inventory_id UNIQUE (inventory_id);
ALTER TABLE ONLY public.steps
    ADD CONSTRAINT uq_steps_correlation UNIQUE (correlation);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT uq_summaries_at UNIQUE (at);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_name UNIQUE (name);
ALTER TABLE ONLY public.vulnerabilities
    ADD CONSTRAINT uq_vulnerabilities_dump_id_name UNIQUE (dump_id, name);
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT uq_workflow_builds_repository_id_workflow UNIQUE (repository_id, workflow);
CREATE INDEX ix_affected_names_affected_id ON public.affected_names USING btree (affected_id);
CREATE INDEX ix_affected_packages_vulnerability_id ON public.affected_packages USING btree (vulnerability_id);
CREATE INDEX ix_artifact_reads_undone ON public.artifact_reads USING btree (due_at) WHERE (read_at IS NULL);
CREATE INDEX ix_attestations_due_at ON public.attestations USING btree (due_at);
CREATE INDEX ix_audits_due_at ON public.audits USING btree (due_at);
CREATE INDEX ix_bases_due_at ON public.bases USING btree (due_at);
CREATE INDEX ix_bases_upstream_id ON public.bases USING btree (upstream_id);
CREATE INDEX ix_changes_base_id ON public.changes USING btree (base_id);
CREATE INDEX ix_changes_planned ON public.changes USING btree (planned);
CREATE INDEX ix_changes_rollout_id ON public.changes USING btree (rollout_id);
CREATE INDEX ix_code_scans_due_at ON public.code_scans USING btree (due_at);
CREATE INDEX ix_deliveries_at ON public.deliveries USING btree (at);
CREATE INDEX ix_deployments_registry_repository ON public.deployments USING btree (registry, repository);
CREATE INDEX ix_deployments_repository_id ON public.deployments USING btree (repository_id);
CREATE INDEX ix_documents_due_at ON public.documents USING btree (due_at);
CREATE INDEX ix_dumps_due_at ON public.dumps USING btree (due_at);
CREATE INDEX ix_exposures_package_id ON public.exposures USING btree (package_id);
CREATE INDEX ix_fleet_issues_due_at ON public.fleet_issues USING btree (due_at);
CREATE INDEX ix_gates_due_at ON public.gates USING btree (due_at);
CREATE INDEX ix_image_inventories_inventory_id ON public.image_inventories USING btree (inventory_id);
CREATE INDEX ix_images_due_at ON public.images USING btree (due_at);
CREATE INDEX ix_images_registry_repository ON public.images USING btree (registry, repository);
CREATE INDEX ix_inventories_config_digest ON public.inventories USING btree (config_digest);
CREATE INDEX ix_inventories_incomplete ON public.inventories USING btree (id) WHERE (is_complete IS NOT TRUE);
CREATE INDEX ix_inventories_undone ON public.inventories USING btree (due_at) WHERE (read_at IS NULL);
CREATE INDEX ix_inventory_layers_layer_id ON public.inventory_layers USING btree (layer_id);
CREATE INDEX ix_inventory_packages_package_id ON public.inventory_packages USING btree (package_id);
CREATE INDEX ix_issues_due_at ON public.issues USING btree (due_at);
CREATE INDEX ix_layers_diff_id ON public.layers USING btree (diff_id);
CREATE INDEX ix_layers_undone ON public.layers USING btree (due_at) WHERE (read_at IS NULL);
CREATE INDEX ix_let_through_inventory_id ON public.let_through USING btree (inventory_id);
CREATE INDEX ix_notices_base_id ON public.notices USING btree (base_id);
CREATE INDEX ix_notices_told_with ON public.notices USING btree (told_with);
CREATE INDEX ix_observations_base_id_id ON public.observations USING btree (base_id, id);
CREATE INDEX ix_observations_unassessed ON public.observations USING btree (id) WHERE (assessed IS FALSE);
CREATE INDEX ix_observed_inventories_inventory_id ON public.observed_inventories USING btree (inventory_id);
CREATE INDEX ix_onboardings_due_at ON public.onboardings USING btree (due_at);
CREATE INDEX ix_outbox_due_at ON public.outbox USING btree (due_at);
CREATE INDEX ix_package_changes_undone ON public.package_changes USING btree (due_at) WHERE (compared_at IS NULL);
CREATE INDEX ix_packages_name ON public.packages USING btree (name);
CREATE INDEX ix_packages_source ON public.packages USING btree (source);
CREATE INDEX ix_pauses_rollout_id ON public.pauses USING btree (rollout_id);
CREATE INDEX ix_practices_practice_outcome ON public.practices USING btree (practice, outcome);
CREATE INDEX ix_quarantines_base_id ON public.quarantines USING btree (base_id);
CREATE INDEX ix_quarantines_copy_of_id ON public.quarantines USING btree (copy_of_id);
CREATE INDEX ix_rebuilds_due_at ON public.rebuilds USING btree (due_at);
CREATE INDEX ix_rebuilds_quarantine_id ON public.rebuilds USING btree (quarantine_id);
CREATE INDEX ix_rebuilds_repository_id ON public.rebuilds USING btree (repository_id);
CREATE INDEX ix_rebuilds_repository_id_state_ended_at ON public.rebuilds USING btree (repository_id, state, ended_at);
CREATE INDEX ix_rebuilds_rollout_id_state_considered_revision ON public.rebuilds USING btree (rollout_id, state, considered_revision);
CREATE INDEX ix_rebuilds_state ON public.rebuilds USING btree (state);
CREATE INDEX ix_repositories_due_at ON public.repositories USING btree (due_at);
CREATE UNIQUE INDEX ix_repositories_forge_id ON public.repositories USING btree (forge_id);
CREATE INDEX ix_repository_blobs_sha ON public.repository_blobs USING btree (sha);
CREATE INDEX ix_sbom_looks_undone ON public.sbom_looks USING btree (due_at) WHERE (looked_at IS NULL);
CREATE INDEX ix_sbom_packages_package_id ON public.sbom_packages USING btree (package_id);
CREATE INDEX ix_sboms_inventory_id ON public.sboms USING btree (inventory_id);
CREATE INDEX ix_scan_report_digests_digest ON public.scan_report_digests USING btree (digest);
CREATE INDEX ix_scan_reports_document ON public.scan_reports USING btree (document);
CREATE INDEX ix_scan_reports_kept_at ON public.scan_reports USING btree (kept_at);
CREATE INDEX ix_scan_reports_repository_id ON public.scan_reports USING btree (repository_id);
CREATE INDEX ix_spendings_account_at ON public.spendings USING btree (account, at);
CREATE INDEX ix_standings_standing ON public.standings USING btree (standing);
CREATE INDEX ix_steps_due_at ON public.steps USING btree (due_at);
CREATE INDEX ix_steps_rebuild_id ON public.steps USING btree (rebuild_id);
CREATE INDEX ix_tasks_due_at ON public.tasks USING btree (due_at);
CREATE INDEX ix_transitions_rebuild_id ON public.transitions USING btree (rebuild_id);
CREATE INDEX ix_usages_base_id_repository_id ON public.usages USING btree (base_id, repository_id);
CREATE INDEX ix_usages_image ON public.usages USING btree (image);
CREATE INDEX ix_usages_repository_id ON public.usages USING btree (repository_id);
CREATE INDEX ix_usages_repository_id_base_id_digest_version ON public.usages USING btree (repository_id, base_id, digest, version);
CREATE INDEX ix_vulnerability_cves_cve ON public.vulnerability_cves USING btree (cve);
CREATE INDEX ix_workflow_builds_due_at ON public.workflow_builds USING btree (due_at);
CREATE INDEX ix_workflow_builds_judged ON public.workflow_builds USING btree (judged);
CREATE INDEX ix_workflow_builds_plan_at ON public.workflow_builds USING btree (plan_at);
CREATE UNIQUE INDEX uq_incidents_open ON public.incidents USING btree (subject) WHERE (cleared_at IS NULL);
CREATE UNIQUE INDEX uq_notices_open ON public.notices USING btree (topic, base_id, since) WHERE (cleared_at IS NULL);
ALTER TABLE ONLY public.affected_names
    ADD CONSTRAINT fk_affected_names_affected_id_affected_packages FOREIGN KEY (affected_id) REFERENCES public.affected_packages(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.affected_packages
    ADD CONSTRAINT fk_affected_packages_vulnerability_id_vulnerabilities FOREIGN KEY (vulnerability_id) REFERENCES public.vulnerabilities(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT fk_artifact_reads_rebuild_id_rebuilds FOREIGN KEY (rebuild_id) REFERENCES public.rebuilds(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT fk_artifact_reads_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.artifact_reads
    ADD CONSTRAINT fk_artifact_reads_step_id_steps FOREIGN KEY (step_id) REFERENCES public.steps(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.attestations
    ADD CONSTRAINT fk_attestations_image_id_images FOREIGN KEY (image_id) REFERENCES public.images(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.audits
    ADD CONSTRAINT fk_audits_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_from_observation_observations FOREIGN KEY (from_observation) REFERENCES public.observations(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_to_observation_observations FOREIGN KEY (to_observation) REFERENCES public.observations(id);
ALTER TABLE ONLY public.code_scans
    ADD CONSTRAINT fk_code_scans_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.deployments
    ADD CONSTRAINT fk_deployments_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.exposures
    ADD CONSTRAINT fk_exposures_affected_id_affected_packages FOREIGN KEY (affected_id) REFERENCES public.affected_packages(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.exposures
    ADD CONSTRAINT fk_exposures_package_id_packages FOREIGN KEY (package_id) REFERENCES public.packages(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.gates
    ADD CONSTRAINT fk_gates_image_id_images FOREIGN KEY (image_id) REFERENCES public.images(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.image_inventories
    ADD CONSTRAINT fk_image_inventories_image_id_images FOREIGN KEY (image_id) REFERENCES public.images(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.image_inventories
    ADD CONSTRAINT fk_image_inventories_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.images
    ADD CONSTRAINT fk_images_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.inventory_layers
    ADD CONSTRAINT fk_inventory_layers_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.inventory_layers
    ADD CONSTRAINT fk_inventory_layers_layer_id_layers FOREIGN KEY (layer_id) REFERENCES public.layers(id);
ALTER TABLE ONLY public.inventory_packages
    ADD CONSTRAINT fk_inventory_packages_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.inventory_packages
    ADD CONSTRAINT fk_inventory_packages_package_id_packages FOREIGN KEY (package_id) REFERENCES public.packages(id);
ALTER TABLE ONLY public.issue_sections
    ADD CONSTRAINT fk_issue_sections_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT fk_issues_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.layer_contents
    ADD CONSTRAINT fk_layer_contents_layer_id_layers FOREIGN KEY (layer_id) REFERENCES public.layers(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.let_through
    ADD CONSTRAINT fk_let_through_image_id_images FOREIGN KEY (image_id) REFERENCES public.images(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.let_through
    ADD CONSTRAINT fk_let_through_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_told_with_notices FOREIGN KEY (told_with) REFERENCES public.notices(id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT fk_observations_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.observed_inventories
    ADD CONSTRAINT fk_observed_inventories_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.observed_inventories
    ADD CONSTRAINT fk_observed_inventories_observation_id_observations FOREIGN KEY (observation_id) REFERENCES public.observations(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.onboardings
    ADD CONSTRAINT fk_onboardings_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.own_links
    ADD CONSTRAINT fk_own_links_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.own_links
    ADD CONSTRAINT fk_own_links_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.package_changes
    ADD CONSTRAINT fk_package_changes_observation_id_observations FOREIGN KEY (observation_id) REFERENCES public.observations(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.pauses
    ADD CONSTRAINT fk_pauses_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.practices
    ADD CONSTRAINT fk_practices_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.quarantines
    ADD CONSTRAINT fk_quarantines_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.quarantines
    ADD CONSTRAINT fk_quarantines_copy_of_id_quarantines FOREIGN KEY (copy_of_id) REFERENCES public.quarantines(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.repository_blobs
    ADD CONSTRAINT fk_repository_blobs_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.rollout_waves
    ADD CONSTRAINT fk_rollout_waves_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.sbom_looks
    ADD CONSTRAINT fk_sbom_looks_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sbom_packages
    ADD CONSTRAINT fk_sbom_packages_package_id_packages FOREIGN KEY (package_id) REFERENCES public.packages(id);
ALTER TABLE ONLY public.sbom_packages
    ADD CONSTRAINT fk_sbom_packages_sbom_id_sboms FOREIGN KEY (sbom_id) REFERENCES public.sboms(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sboms
    ADD CONSTRAINT fk_sboms_inventory_id_inventories FOREIGN KEY (inventory_id) REFERENCES public.inventories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.scan_report_digests
    ADD CONSTRAINT fk_scan_report_digests_report_id_scan_reports FOREIGN KEY (report_id) REFERENCES public.scan_reports(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.scan_reports
    ADD CONSTRAINT fk_scan_reports_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.standings
    ADD CONSTRAINT fk_standings_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.steps
    ADD CONSTRAINT fk_steps_rebuild_id_rebuilds FOREIGN KEY (rebuild_id) REFERENCES public.rebuilds(id);
ALTER TABLE ONLY public.transitions
    ADD CONSTRAINT fk_transitions_rebuild_id_rebuilds FOREIGN KEY (rebuild_id) REFERENCES public.rebuilds(id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT fk_usages_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT fk_usages_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.vulnerabilities
    ADD CONSTRAINT fk_vulnerabilities_dump_id_dumps FOREIGN KEY (dump_id) REFERENCES public.dumps(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.vulnerability_cves
    ADD CONSTRAINT fk_vulnerability_cves_vulnerability_id_vulnerabilities FOREIGN KEY (vulnerability_id) REFERENCES public.vulnerabilities(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT fk_workflow_builds_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
