BEGIN TRANSACTION;
CREATE TABLE advisories (
	source VARCHAR(64) NOT NULL, 
	cve VARCHAR(32) NOT NULL, 
	advisory JSON NOT NULL, 
	CONSTRAINT pk_advisories PRIMARY KEY (source, cve)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE bases (
	id INTEGER NOT NULL, 
	registry VARCHAR(255) NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	tag VARCHAR(128) NOT NULL, 
	digest VARCHAR(160), 
	version VARCHAR(64), 
	moved_at DATETIME, 
	observation_id INTEGER, 
	error TEXT, 
	used BOOLEAN DEFAULT '1' NOT NULL, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_bases PRIMARY KEY (id), 
	CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag)
);
CREATE TABLE blobs (
	sha VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_blobs PRIMARY KEY (sha)
);
CREATE TABLE changes (
	id INTEGER NOT NULL, 
	base_id INTEGER NOT NULL, 
	from_observation INTEGER NOT NULL, 
	to_observation INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	change JSON NOT NULL, 
	cause VARCHAR(32) NOT NULL, 
	assessed_at DATETIME NOT NULL, 
	feeds_revision BIGINT NOT NULL, 
	planned BOOLEAN NOT NULL, 
	rollout_id INTEGER, 
	CONSTRAINT pk_changes PRIMARY KEY (id), 
	CONSTRAINT fk_changes_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_changes_from_observation_observations FOREIGN KEY(from_observation) REFERENCES observations (id), 
	CONSTRAINT fk_changes_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id), 
	CONSTRAINT fk_changes_to_observation_observations FOREIGN KEY(to_observation) REFERENCES observations (id), 
	CONSTRAINT uq_changes_to_observation UNIQUE (to_observation)
);
CREATE TABLE chores (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	mark VARCHAR(255), 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_chores PRIMARY KEY (id), 
	CONSTRAINT uq_chores_name UNIQUE (name)
);
CREATE TABLE counters (
	name VARCHAR(32) NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counters PRIMARY KEY (name)
);
CREATE TABLE documents (
	id INTEGER NOT NULL, 
	url VARCHAR(1024) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	reader VARCHAR(64), 
	etag VARCHAR(512), 
	last_modified VARCHAR(128), 
	body BLOB, 
	fetched_at DATETIME, 
	checked_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_documents PRIMARY KEY (id), 
	CONSTRAINT uq_documents_url UNIQUE (url)
);
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	opened_at DATETIME NOT NULL, 
	cleared_at DATETIME, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_incidents PRIMARY KEY (id)
);
CREATE TABLE manifests (
	digest VARCHAR(160) NOT NULL, 
	body BLOB NOT NULL, 
	fetched_at DATETIME NOT NULL, 
	CONSTRAINT pk_manifests PRIMARY KEY (digest)
);
CREATE TABLE notices (
	id INTEGER NOT NULL, 
	topic VARCHAR(32) NOT NULL, 
	base_id INTEGER NOT NULL, 
	since DATETIME NOT NULL, 
	until DATETIME, 
	text TEXT NOT NULL, 
	toward JSON NOT NULL, 
	opened_at DATETIME NOT NULL, 
	cleared_at DATETIME, 
	outcome TEXT, 
	told_with INTEGER, 
	CONSTRAINT pk_notices PRIMARY KEY (id), 
	CONSTRAINT fk_notices_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_notices_told_with_notices FOREIGN KEY(told_with) REFERENCES notices (id)
);
CREATE TABLE observations (
	id INTEGER NOT NULL, 
	base_id INTEGER NOT NULL, 
	previous_id INTEGER, 
	at DATETIME NOT NULL, 
	digest VARCHAR(160), 
	sight VARCHAR(16) NOT NULL, 
	observation JSON NOT NULL, 
	assessed BOOLEAN NOT NULL, 
	CONSTRAINT pk_observations PRIMARY KEY (id), 
	CONSTRAINT fk_observations_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id)
);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	"key" VARCHAR(128) NOT NULL, 
	created_at DATETIME NOT NULL, 
	wanted INTEGER NOT NULL, 
	told INTEGER NOT NULL, 
	sent VARCHAR(64), 
	remote JSON, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_key UNIQUE ("key")
);
CREATE TABLE rebuilds (
	id INTEGER NOT NULL, 
	rollout_id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	targets JSON NOT NULL, 
	replacements JSON NOT NULL, 
	wave VARCHAR(64) NOT NULL, 
	planned_at DATETIME NOT NULL, 
	considered_at DATETIME NOT NULL, 
	branch VARCHAR(255), 
	pull_request INTEGER, 
	workflow VARCHAR(255), 
	correlation VARCHAR(64), 
	attempted_at DATETIME, 
	run BIGINT, 
	url TEXT, 
	explained INTEGER DEFAULT '0' NOT NULL, 
	worded INTEGER DEFAULT '0' NOT NULL, 
	ended_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_rebuilds PRIMARY KEY (id), 
	CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id), 
	CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id), 
	CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation)
);
CREATE TABLE releases (
	channel VARCHAR(16) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	published_at DATETIME NOT NULL, 
	release JSON NOT NULL, 
	CONSTRAINT pk_releases PRIMARY KEY (channel, version)
);
CREATE TABLE repositories (
	id INTEGER NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	default_branch VARCHAR(255) NOT NULL, 
	pushed_at DATETIME, 
	tree VARCHAR(64), 
	reader VARCHAR(64), 
	listed BOOLEAN NOT NULL, 
	config JSON NOT NULL, 
	workflows JSON NOT NULL, 
	problems JSON NOT NULL, 
	error TEXT, 
	read_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_repositories PRIMARY KEY (id), 
	CONSTRAINT uq_repositories_name UNIQUE (name)
);
CREATE TABLE rollouts (
	id INTEGER NOT NULL, 
	opened_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	CONSTRAINT pk_rollouts PRIMARY KEY (id)
);
CREATE TABLE transitions (
	id INTEGER NOT NULL, 
	rebuild_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	"before" VARCHAR(16), 
	"after" VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_transitions PRIMARY KEY (id), 
	CONSTRAINT fk_transitions_rebuild_id_rebuilds FOREIGN KEY(rebuild_id) REFERENCES rebuilds (id)
);
CREATE TABLE usages (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	base_id INTEGER, 
	usage JSON NOT NULL, 
	CONSTRAINT pk_usages PRIMARY KEY (id), 
	CONSTRAINT fk_usages_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_usages_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
CREATE INDEX ix_bases_due_at ON bases (due_at);
CREATE INDEX ix_chores_due_at ON chores (due_at);
CREATE INDEX ix_documents_due_at ON documents (due_at);
CREATE UNIQUE INDEX uq_incidents_open ON incidents (subject) WHERE cleared_at IS NULL;
CREATE INDEX ix_outbox_due_at ON outbox (due_at);
CREATE INDEX ix_repositories_due_at ON repositories (due_at);
CREATE INDEX ix_notices_base_id ON notices (base_id);
CREATE INDEX ix_notices_told_with ON notices (told_with);
CREATE UNIQUE INDEX uq_notices_open ON notices (topic, base_id, since) WHERE cleared_at IS NULL;
CREATE INDEX ix_observations_base_id_id ON observations (base_id, id);
CREATE INDEX ix_rebuilds_due_at ON rebuilds (due_at);
CREATE INDEX ix_rebuilds_repository_id ON rebuilds (repository_id);
CREATE INDEX ix_rebuilds_rollout_id ON rebuilds (rollout_id);
CREATE INDEX ix_rebuilds_state ON rebuilds (state);
CREATE INDEX ix_usages_base_id ON usages (base_id);
CREATE INDEX ix_usages_repository_id ON usages (repository_id);
CREATE INDEX ix_changes_planned ON changes (planned);
CREATE INDEX ix_changes_rollout_id ON changes (rollout_id);
CREATE INDEX ix_transitions_rebuild_id ON transitions (rebuild_id);
COMMIT;
