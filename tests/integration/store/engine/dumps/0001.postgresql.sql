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
    lease_until timestamp with time zone
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
    body bytea NOT NULL
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
    rollout_id bigint
);
CREATE SEQUENCE public.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.changes_id_seq OWNED BY public.changes.id;
CREATE TABLE public.chores (
    id bigint NOT NULL,
    name character varying(64) NOT NULL,
    mark character varying(255),
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.chores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.chores_id_seq OWNED BY public.chores.id;
CREATE TABLE public.counters (
    name character varying(32) NOT NULL,
    value bigint NOT NULL
);
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
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_id_seq OWNED BY public.outbox.id;
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
    considered_at timestamp with time zone NOT NULL,
    branch character varying(255),
    pull_request integer,
    workflow character varying(255),
    correlation character varying(64),
    attempted_at timestamp with time zone,
    run bigint,
    url text,
    explained integer DEFAULT 0 NOT NULL,
    worded integer DEFAULT 0 NOT NULL,
    ended_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner character varying(64),
    lease_until timestamp with time zone
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
    lease_until timestamp with time zone
);
CREATE SEQUENCE public.repositories_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.repositories_id_seq OWNED BY public.repositories.id;
CREATE TABLE public.rollouts (
    id bigint NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
CREATE SEQUENCE public.rollouts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rollouts_id_seq OWNED BY public.rollouts.id;
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
    usage json NOT NULL
);
CREATE SEQUENCE public.usages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.usages_id_seq OWNED BY public.usages.id;
ALTER TABLE ONLY public.bases ALTER COLUMN id SET DEFAULT nextval('public.bases_id_seq'::regclass);
ALTER TABLE ONLY public.changes ALTER COLUMN id SET DEFAULT nextval('public.changes_id_seq'::regclass);
ALTER TABLE ONLY public.chores ALTER COLUMN id SET DEFAULT nextval('public.chores_id_seq'::regclass);
ALTER TABLE ONLY public.documents ALTER COLUMN id SET DEFAULT nextval('public.documents_id_seq'::regclass);
ALTER TABLE ONLY public.incidents ALTER COLUMN id SET DEFAULT nextval('public.incidents_id_seq'::regclass);
ALTER TABLE ONLY public.notices ALTER COLUMN id SET DEFAULT nextval('public.notices_id_seq'::regclass);
ALTER TABLE ONLY public.observations ALTER COLUMN id SET DEFAULT nextval('public.observations_id_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN id SET DEFAULT nextval('public.outbox_id_seq'::regclass);
ALTER TABLE ONLY public.rebuilds ALTER COLUMN id SET DEFAULT nextval('public.rebuilds_id_seq'::regclass);
ALTER TABLE ONLY public.repositories ALTER COLUMN id SET DEFAULT nextval('public.repositories_id_seq'::regclass);
ALTER TABLE ONLY public.rollouts ALTER COLUMN id SET DEFAULT nextval('public.rollouts_id_seq'::regclass);
ALTER TABLE ONLY public.transitions ALTER COLUMN id SET DEFAULT nextval('public.transitions_id_seq'::regclass);
ALTER TABLE ONLY public.usages ALTER COLUMN id SET DEFAULT nextval('public.usages_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0001');
SELECT pg_catalog.setval('public.bases_id_seq', 1, false);
SELECT pg_catalog.setval('public.changes_id_seq', 1, false);
SELECT pg_catalog.setval('public.chores_id_seq', 1, false);
SELECT pg_catalog.setval('public.documents_id_seq', 1, false);
SELECT pg_catalog.setval('public.incidents_id_seq', 1, false);
SELECT pg_catalog.setval('public.notices_id_seq', 1, false);
SELECT pg_catalog.setval('public.observations_id_seq', 1, false);
SELECT pg_catalog.setval('public.outbox_id_seq', 1, false);
SELECT pg_catalog.setval('public.rebuilds_id_seq', 1, false);
SELECT pg_catalog.setval('public.repositories_id_seq', 1, false);
SELECT pg_catalog.setval('public.rollouts_id_seq', 1, false);
SELECT pg_catalog.setval('public.transitions_id_seq', 1, false);
SELECT pg_catalog.setval('public.usages_id_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.advisories
    ADD CONSTRAINT pk_advisories PRIMARY KEY (source, cve);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT pk_bases PRIMARY KEY (id);
ALTER TABLE ONLY public.blobs
    ADD CONSTRAINT pk_blobs PRIMARY KEY (sha);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.chores
    ADD CONSTRAINT pk_chores PRIMARY KEY (id);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT pk_counters PRIMARY KEY (name);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT pk_documents PRIMARY KEY (id);
ALTER TABLE ONLY public.incidents
    ADD CONSTRAINT pk_incidents PRIMARY KEY (id);
ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT pk_manifests PRIMARY KEY (digest);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT pk_notices PRIMARY KEY (id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT pk_observations PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT pk_rebuilds PRIMARY KEY (id);
ALTER TABLE ONLY public.releases
    ADD CONSTRAINT pk_releases PRIMARY KEY (channel, version);
ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT pk_repositories PRIMARY KEY (id);
ALTER TABLE ONLY public.rollouts
    ADD CONSTRAINT pk_rollouts PRIMARY KEY (id);
ALTER TABLE ONLY public.transitions
    ADD CONSTRAINT pk_transitions PRIMARY KEY (id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT pk_usages PRIMARY KEY (id);
ALTER TABLE ONLY public.bases
    ADD CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT uq_changes_to_observation UNIQUE (to_observation);
ALTER TABLE ONLY public.chores
    ADD CONSTRAINT uq_chores_name UNIQUE (name);
ALTER TABLE ONLY public.documents
    ADD CONSTRAINT uq_documents_url UNIQUE (url);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT uq_outbox_key UNIQUE (key);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation);
ALTER TABLE ONLY public.repositories
    ADD CONSTRAINT uq_repositories_name UNIQUE (name);
CREATE INDEX ix_bases_due_at ON public.bases USING btree (due_at);
CREATE INDEX ix_changes_planned ON public.changes USING btree (planned);
CREATE INDEX ix_changes_rollout_id ON public.changes USING btree (rollout_id);
CREATE INDEX ix_chores_due_at ON public.chores USING btree (due_at);
CREATE INDEX ix_documents_due_at ON public.documents USING btree (due_at);
CREATE INDEX ix_notices_base_id ON public.notices USING btree (base_id);
CREATE INDEX ix_notices_told_with ON public.notices USING btree (told_with);
CREATE INDEX ix_observations_base_id_id ON public.observations USING btree (base_id, id);
CREATE INDEX ix_outbox_due_at ON public.outbox USING btree (due_at);
CREATE INDEX ix_rebuilds_due_at ON public.rebuilds USING btree (due_at);
CREATE INDEX ix_rebuilds_repository_id ON public.rebuilds USING btree (repository_id);
CREATE INDEX ix_rebuilds_rollout_id ON public.rebuilds USING btree (rollout_id);
CREATE INDEX ix_rebuilds_state ON public.rebuilds USING btree (state);
CREATE INDEX ix_repositories_due_at ON public.repositories USING btree (due_at);
CREATE INDEX ix_transitions_rebuild_id ON public.transitions USING btree (rebuild_id);
CREATE INDEX ix_usages_base_id ON public.usages USING btree (base_id);
CREATE INDEX ix_usages_repository_id ON public.usages USING btree (repository_id);
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
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT fk_notices_told_with_notices FOREIGN KEY (told_with) REFERENCES public.notices(id);
ALTER TABLE ONLY public.observations
    ADD CONSTRAINT fk_observations_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id);
ALTER TABLE ONLY public.rebuilds
    ADD CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY (rollout_id) REFERENCES public.rollouts(id);
ALTER TABLE ONLY public.transitions
    ADD CONSTRAINT fk_transitions_rebuild_id_rebuilds FOREIGN KEY (rebuild_id) REFERENCES public.rebuilds(id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT fk_usages_base_id_bases FOREIGN KEY (base_id) REFERENCES public.bases(id);
ALTER TABLE ONLY public.usages
    ADD CONSTRAINT fk_usages_repository_id_repositories FOREIGN KEY (repository_id) REFERENCES public.repositories(id) ON DELETE CASCADE;
