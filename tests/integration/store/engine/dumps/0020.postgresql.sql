CREATE TABLE public.advisories (
    source character varying(64) NOT NULL,
    cve character varying(32) NOT NULL,
    advisory json NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
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
    unconfirmed character varying(160)
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
    pulls boolean
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
CREATE TABLE public.issue_sections (
    repository_id bigint NOT NULL,
    name character varying(64) NOT NULL,
    title character varying(255) NOT NULL,
    text text NOT NULL,
    told text NOT NULL
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
CREATE TABLE public.quarantines (
    id bigint NOT NULL,
    base_id bigint NOT NULL,
    digest character varying(160) NOT NULL,
    since timestamp with time zone NOT NULL,
    who character varying(255) NOT NULL,
    reason text NOT NULL,
    until timestamp with time zone,
    outcome text
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
    parts json
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
    set_aside integer DEFAULT 0 NOT NULL
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
    version character varying(64)
);
CREATE SEQUENCE public.usages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.usages_id_seq OWNED BY public.usages.id;
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
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.workflow_builds_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.workflow_builds_id_seq OWNED BY public.workflow_builds.id;
ALTER TABLE ONLY public.bases ALTER COLUMN id SET DEFAULT nextval('public.bases_id_seq'::regclass);
ALTER TABLE ONLY public.changes ALTER COLUMN id SET DEFAULT nextval('public.changes_id_seq'::regclass);
ALTER TABLE ONLY public.deployments ALTER COLUMN id SET DEFAULT nextval('public.deployments_id_seq'::regclass);
ALTER TABLE ONLY public.documents ALTER COLUMN id SET DEFAULT nextval('public.documents_id_seq'::regclass);
ALTER TABLE ONLY public.images ALTER COLUMN id SET DEFAULT nextval('public.images_id_seq'::regclass);
ALTER TABLE ONLY public.incidents ALTER COLUMN id SET DEFAULT nextval('public.incidents_id_seq'::regclass);
ALTER TABLE ONLY public.issues ALTER COLUMN id SET DEFAULT nextval('public.issues_id_seq'::regclass);
ALTER TABLE ONLY public.journal ALTER COLUMN id SET DEFAULT nextval('public.journal_id_seq'::regclass);
ALTER TABLE ONLY public.notices ALTER COLUMN id SET DEFAULT nextval('public.notices_id_seq'::regclass);
ALTER TABLE ONLY public.observations ALTER COLUMN id SET DEFAULT nextval('public.observations_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.pauses ALTER COLUMN id SET DEFAULT nextval('public.pauses_id_seq'::regclass);
ALTER TABLE ONLY public.quarantines ALTER COLUMN id SET DEFAULT nextval('public.quarantines_id_seq'::regclass);
ALTER TABLE ONLY public.rebuilds ALTER COLUMN id SET DEFAULT nextval('public.rebuilds_id_seq'::regclass);
ALTER TABLE ONLY public.repositories ALTER COLUMN id SET DEFAULT nextval('public.repositories_id_seq'::regclass);
ALTER TABLE ONLY public.rollouts ALTER COLUMN id SET DEFAULT nextval('public.rollouts_id_seq'::regclass);
ALTER TABLE ONLY public.spendings ALTER COLUMN id SET DEFAULT nextval('public.spendings_id_seq'::regclass);
ALTER TABLE ONLY public.steps ALTER COLUMN id SET DEFAULT nextval('public.steps_id_seq'::regclass);
ALTER TABLE ONLY public.summaries ALTER COLUMN id SET DEFAULT nextval('public.summaries_id_seq'::regclass);
ALTER TABLE ONLY public.tasks ALTER COLUMN id SET DEFAULT nextval('public.tasks_id_seq'::regclass);
ALTER TABLE ONLY public.transitions ALTER COLUMN id SET DEFAULT nextval('public.transitions_id_seq'::regclass);
ALTER TABLE ONLY public.usages ALTER COLUMN id SET DEFAULT nextval('public.usages_id_seq'::regclass);
ALTER TABLE ONLY public.workflow_builds ALTER COLUMN id SET DEFAULT nextval('public.workflow_builds_id_seq'::regclass);
INSERT INTO public.advisories VALUES ('msrc', 'CVE-2026-1', '{"cve": "CVE-2026-1", "severity": "high", "evidence": [{"source": "msrc", "locator": "CVE-2026-1", "seen_at": "2026-03-10T12:00:00+00:00"}]}');
INSERT INTO public.alembic_version VALUES ('0020');
INSERT INTO public.bases VALUES (1, 'mcr.microsoft.com', 'dotnet/aspnet', '10.0', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '10.0.5', '2026-03-10 12:00:00+00', 2, NULL, true, '2026-03-10 12:00:00+00', 0, NULL, NULL, NULL);
INSERT INTO public.blobs VALUES ('b1', '\x789c730bf2f755480400060801b6', '2026-11-30 15:18:06.223033+00');
INSERT INTO public.budgets VALUES ('account', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'stopped_because');
INSERT INTO public.changes VALUES (1, 1, 1, 2, '2026-03-10 12:00:00+00', '{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cause": "dotnet-release", "cause_at_detection": "dotnet-unknown", "platforms": ["linux/amd64"]}', 'dotnet-release', '2026-03-10 12:00:00+00', 3, true, 1, 1);
INSERT INTO public.counters VALUES ('feeds', 3);
INSERT INTO public.counters VALUES ('assessments', 1);
INSERT INTO public.counters VALUES ('first run', 1);
INSERT INTO public.deliveries VALUES ('github', 'delivery', '2026-03-10 12:00:00+00');
INSERT INTO public.deployments VALUES (1, 1, 'ghcr.io', 'contoso/shop', 'latest', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'deploy/shop.yaml', 1);
INSERT INTO public.documents VALUES (1, 'https://feeds.example/releases-index.json', 'dotnet-index', NULL, NULL, NULL, '\x789cabae0500017500f9', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL);
INSERT INTO public.images VALUES (1, 1, 'ghcr.io', 'contoso/shop', 'latest', 'build', 'path', 1, 'found', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '[]', '{}', '[{"platform": "linux/amd64", "strength": "proved", "basis": "layers", "publications": [{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "platform": "linux/amd64", "platform_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "until": null}], "layers": 2}]', '2026-03-10 12:00:00+00', 'sourced_from', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL, true);
INSERT INTO public.incidents VALUES (1, 'watch:mcr.microsoft.com', '2026-03-10 12:00:00+00', NULL, 'HTTP 503');
INSERT INTO public.issue_sections VALUES (1, 'name', 'title', 'text', 'told');
INSERT INTO public.issues VALUES (1, 1, 1, 'https://ghcr.example/1', true, 1, 1, NULL, NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.journal VALUES (1, '2026-03-10 12:00:00+00', 'who', true, 'pause', 'all', 'reason');
INSERT INTO public.manifests VALUES ('sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', '\x789cabae0500017500f9', '2026-03-10 12:00:00+00');
INSERT INTO public.notices VALUES (1, 'waiting-for-base', 1, '2026-03-10 12:00:00+00', NULL, 'waits', '[{"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}]', '2026-03-10 12:00:00+00', NULL, NULL, NULL);
INSERT INTO public.observations VALUES (1, 1, NULL, '2026-03-10 12:00:00+00', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'first', '{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}', true);
INSERT INTO public.observations VALUES (2, 1, 1, '2026-03-10 12:00:00+00', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'moved', '{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}', true);
INSERT INTO public.outbox VALUES (1, 'rollout:1', '2026-03-10 12:00:00+00', 1, 0, NULL, NULL, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL, 'slack', NULL);
INSERT INTO public.pauses VALUES (1, 1, '2026-03-10 12:00:00+00', 'who', 'reason', NULL);
INSERT INTO public.quarantines VALUES (1, 1, 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '2026-03-10 12:00:00+00', 'who', 'reason', NULL, NULL);
INSERT INTO public.rebuilds VALUES (1, 1, 1, 'pull_request', 'open', 'opened', '[{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "changes": [1]}]', '[{"old": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "new": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}]', 'rest', '2026-03-10 12:00:00+00', 'freshness/dotnet-aspnet-10.0', 7, NULL, NULL, NULL, NULL, NULL, 2, 1, NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL, 0, NULL, 0, NULL, NULL, '2026-03-10 12:00:00+00', NULL, '2026-03-10 12:00:00+00', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL);
INSERT INTO public.releases VALUES ('10.0', '10.0.5', '2026-03-10 12:00:00+00', '{"channel": "10.0", "version": "10.0.5", "published_at": "2026-03-10T12:00:00+00:00"}');
INSERT INTO public.repositories VALUES (1, 'contoso/shop', 'main', '2026-03-10 12:00:00+00', NULL, NULL, true, '{}', '[]', '[]', NULL, '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 0, NULL, NULL, NULL, NULL);
INSERT INTO public.repository_blobs VALUES (1, 'sha');
INSERT INTO public.rollout_waves VALUES (1, 'name', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 1);
INSERT INTO public.rollouts VALUES (1, '2026-03-10 12:00:00+00', NULL, 'change');
INSERT INTO public.spendings VALUES (1, 'account', '2026-03-10 12:00:00+00', 1);
INSERT INTO public.standing_days VALUES ('2026-03-10', 'fresh', 1);
INSERT INTO public.standings VALUES (1, 1, 'fresh', '2026-03-10 12:00:00+00', 1);
INSERT INTO public.steps VALUES (1, 1, 1, '{"workflow": "deploy.yml"}', 'after', 'elsewhere', 'waiting', 'reason', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'correlation', 1, 1, 'node_id', 'https://ghcr.example/1', NULL, '2026-03-10 12:00:00+00', 1, NULL, NULL);
INSERT INTO public.summaries VALUES (1, '2026-03-10 12:00:00+00');
INSERT INTO public.tasks VALUES (1, 'list repositories', NULL, '2026-03-10 12:00:00+00', 0, NULL, NULL);
INSERT INTO public.transitions VALUES (1, 1, '2026-03-10 12:00:00+00', 'planned', 'open', 'opened');
INSERT INTO public.usages VALUES (1, 1, 1, '{"path": "Dockerfile", "kind": "dockerfile", "line": 1, "reference": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "role": "final-stage", "span": {"start": 5, "end": 80}}', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', NULL);
INSERT INTO public.workflow_builds VALUES (1, 1, 'workflow', 1, 'node_id', '[]', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 'tree', '2026-03-10 12:00:00+00', NULL, true, 'fresh', 'said', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', '2026-03-10 12:00:00+00', 1, NULL, NULL);
SELECT pg_catalog.setval('public.bases_id_seq', 1, true);
SELECT pg_catalog.setval('public.changes_id_seq', 1, true);
SELECT pg_catalog.setval('public.deployments_id_seq', 1, true);
SELECT pg_catalog.setval('public.documents_id_seq', 1, true);
SELECT pg_catalog.setval('public.images_id_seq', 1, true);
SELECT pg_catalog.setval('public.incidents_id_seq', 1, true);
SELECT pg_catalog.setval('public.issues_id_seq', 1, true);
SELECT pg_catalog.setval('public.journal_id_seq', 1, true);
SELECT pg_catalog.setval('public.notices_id_seq', 1, true);
SELECT pg_catalog.setval('public.observations_id_seq', 2, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 1, true);
SELECT pg_catalog.setval('public.pauses_id_seq', 1, true);
SELECT pg_catalog.setval('public.quarantines_id_seq', 1, true);
SELECT pg_catalog.setval('public.rebuilds_id_seq', 1, true);
SELECT pg_catalog.setval('public.repositories_id_seq', 1, true);
SELECT pg_catalog.setval('public.rollouts_id_seq', 1, true);
SELECT pg_catalog.setval('public.spendings_id_seq', 1, true);
SELECT pg_catalog.setval('public.steps_id_seq', 1, true);
SELECT pg_catalog.setval('public.summaries_id_seq', 1, true);
SELECT pg_catalog.setval('public.tasks_id_seq', 1, true);
SELECT pg_catalog.setval('public.transitions_id_seq', 1, true);
SELECT pg_catalog.setval('public.usages_id_seq', 1, true);
SELECT pg_catalog.setval('public.workflow_builds_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.advisories
    ADD CONSTRAINT pk_advisories PRIMARY KEY (source, cve);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT pk_bases PRIMARY KEY (id);
ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT pk_blobs PRIMARY KEY (sha);
ALTER TABLE ONLY public.budgets
    ADD CONSTRAINT pk_budgets PRIMARY KEY (account);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT pk_counters PRIMARY KEY (name);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (source, delivery);
ALTER TABLE ONLY public.deployments
    ADD CONSTRAINT pk_deployments PRIMARY KEY (id);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT pk_documents PRIMARY KEY (id);
ALTER TABLE ONLY public.images
    ADD CONSTRAINT pk_images PRIMARY KEY (id);
ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT pk_incidents PRIMARY KEY (id);
ALTER TABLE ONLY public.issue_sections
    ADD CONSTRAINT pk_issue_sections PRIMARY KEY (repository_id, name);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT pk_issues PRIMARY KEY (id);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT pk_journal PRIMARY KEY (id);
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT pk_manifests PRIMARY KEY (digest);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT pk_notices PRIMARY KEY (id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT pk_observations PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.pauses
    ADD CONSTRAINT pk_pauses PRIMARY KEY (id);
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
    ADD CONSTRAINT pk_rollout_waves PRIMARY KEY (rollout_id, name);
ALTER TABLE ONLY public.rollouts
    ADD CONSTRAINT pk_rollouts PRIMARY KEY (id);
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
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT pk_workflow_builds PRIMARY KEY (id);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT uq_changes_to_observation UNIQUE (to_observation);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT uq_documents_url UNIQUE (url);
ALTER TABLE ONLY public.images
    ADD CONSTRAINT uq_images_repository_id_registry_repository UNIQUE (repository_id, registry, repository);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT uq_issues_repository_id UNIQUE (repository_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_key_destination UNIQUE (key, destination);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation);
ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT uq_repositories_name UNIQUE (name);
ALTER TABLE ONLY public.steps
    ADD CONSTRAINT uq_steps_correlation UNIQUE (correlation);
ALTER TABLE ONLY public.summaries
    ADD CONSTRAINT uq_summaries_at UNIQUE (at);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT uq_tasks_name UNIQUE (name);
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT uq_workflow_builds_repository_id_workflow UNIQUE (repository_id, workflow);
CREATE INDEX ix_bases_due_at ON public.bases USING btree (due_at);
CREATE INDEX ix_changes_base_id ON public.changes USING btree (base_id);
CREATE INDEX ix_changes_planned ON public.changes USING btree (planned);
CREATE INDEX ix_changes_rollout_id ON public.changes USING btree (rollout_id);
CREATE INDEX ix_deliveries_at ON public.deliveries USING btree (at);
CREATE INDEX ix_deployments_registry_repository ON public.deployments USING btree (registry, repository);
CREATE INDEX ix_deployments_repository_id ON public.deployments USING btree (repository_id);
CREATE INDEX ix_documents_due_at ON public.documents USING btree (due_at);
CREATE INDEX ix_images_due_at ON public.images USING btree (due_at);
CREATE INDEX ix_images_registry_repository ON public.images USING btree (registry, repository);
CREATE INDEX ix_issues_due_at ON public.issues USING btree (due_at);
CREATE INDEX ix_notices_base_id ON public.notices USING btree (base_id);
CREATE INDEX ix_notices_told_with ON public.notices USING btree (told_with);
CREATE INDEX ix_observations_base_id_id ON public.observations USING btree (base_id, id);
CREATE INDEX ix_observations_unassessed ON public.observations USING btree (id) WHERE (assessed IS FALSE);
CREATE INDEX ix_outbox_due_at ON public.outbox USING btree (due_at);
CREATE INDEX ix_pauses_rollout_id ON public.pauses USING btree (rollout_id);
CREATE INDEX ix_quarantines_base_id ON public.quarantines USING btree (base_id);
CREATE INDEX ix_rebuilds_due_at ON public.rebuilds USING btree (due_at);
CREATE INDEX ix_rebuilds_quarantine_id ON public.rebuilds USING btree (quarantine_id);
CREATE INDEX ix_rebuilds_repository_id ON public.rebuilds USING btree (repository_id);
CREATE INDEX ix_rebuilds_repository_id_state_ended_at ON public.rebuilds USING btree (repository_id, state, ended_at);
CREATE INDEX ix_rebuilds_rollout_id_state_considered_revision ON public.rebuilds USING btree (rollout_id, state, considered_revision);
CREATE INDEX ix_rebuilds_state ON public.rebuilds USING btree (state);
CREATE INDEX ix_repositories_due_at ON public.repositories USING btree (due_at);
CREATE UNIQUE INDEX ix_repositories_forge_id ON public.repositories USING btree (forge_id);
CREATE INDEX ix_repository_blobs_sha ON public.repository_blobs USING btree (sha);
CREATE INDEX ix_spendings_account_at ON public.spendings USING btree (account, at);
CREATE INDEX ix_standings_standing ON public.standings USING btree (standing);
CREATE INDEX ix_steps_due_at ON public.steps USING btree (due_at);
CREATE INDEX ix_steps_rebuild_id ON public.steps USING btree (rebuild_id);
CREATE INDEX ix_tasks_due_at ON public.tasks USING btree (due_at);
CREATE INDEX ix_transitions_rebuild_id ON public.transitions USING btree (rebuild_id);
CREATE INDEX ix_usages_base_id_repository_id ON public.usages USING btree (base_id, repository_id);
CREATE INDEX ix_usages_repository_id ON public.usages USING btree (repository_id);
CREATE INDEX ix_usages_repository_id_base_id_digest_version ON public.usages USING btree (repository_id, base_id, digest, version);
CREATE INDEX ix_workflow_builds_due_at ON public.workflow_builds USING btree (due_at);
CREATE INDEX ix_workflow_builds_judged ON public.workflow_builds USING btree (judged);
CREATE INDEX ix_workflow_builds_plan_at ON public.workflow_builds USING btree (plan_at);
CREATE UNIQUE INDEX uq_incidents_open ON public.incidents USING btree (subject) WHERE (cleared_at IS NULL);
CREATE UNIQUE INDEX uq_notices_open ON public.notices USING btree (topic, base_id, since) WHERE (cleared_at IS NULL);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_from_observation_observations FOREIGN KEY (from_observation) REFERENCES public.observations(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT fk_changes_to_observation_observations FOREIGN KEY (to_observation) REFERENCES public.observations(id);
ALTER TABLE ONLY public.deployments
    ADD CONSTRAINT fk_deployments_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.images
    ADD CONSTRAINT fk_images_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.issue_sections
    ADD CONSTRAINT fk_issue_sections_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.issues
    ADD CONSTRAINT fk_issues_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_told_with_notices FOREIGN KEY (told_with) REFERENCES public.notices(id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT fk_observations_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.pauses
    ADD CONSTRAINT fk_pauses_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.quarantines
    ADD CONSTRAINT fk_quarantines_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.repository_blobs
    ADD CONSTRAINT fk_repository_blobs_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.rollout_waves
    ADD CONSTRAINT fk_rollout_waves_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
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
ALTER TABLE ONLY public.workflow_builds
    ADD CONSTRAINT fk_workflow_builds_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
