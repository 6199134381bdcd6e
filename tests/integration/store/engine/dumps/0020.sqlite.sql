BEGIN TRANSACTION;
CREATE TABLE advisories (
	source VARCHAR(64) NOT NULL, 
	cve VARCHAR(32) NOT NULL, 
	advisory JSON NOT NULL, 
	CONSTRAINT pk_advisories PRIMARY KEY (source, cve)
);
INSERT INTO "advisories" VALUES('msrc','CVE-2026-1','{"cve": "CVE-2026-1", "severity": "high", "evidence": [{"source": "msrc", "locator": "CVE-2026-1", "seen_at": "2026-03-10T12:00:00+00:00"}]}');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0020');
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
	lease_until DATETIME, unconfirmed VARCHAR(160), 
	CONSTRAINT pk_bases PRIMARY KEY (id), 
	CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag)
);
INSERT INTO "bases" VALUES(1,'mcr.microsoft.com','dotnet/aspnet','10.0','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','10.0.5','2026-03-10 12:00:00.000000',2,NULL,1,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL);
CREATE TABLE blobs (
	sha VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, fetched_at DATETIME, 
	CONSTRAINT pk_blobs PRIMARY KEY (sha)
);
INSERT INTO "blobs" VALUES('b1',X'789C730BF2F755480400060801B6','2026-11-30 15:18:03');
CREATE TABLE budgets (
	account VARCHAR(255) NOT NULL, 
	next_at DATETIME, 
	room_at DATETIME, 
	stopped_since DATETIME, 
	stopped_until DATETIME, 
	stopped_because TEXT, 
	CONSTRAINT pk_budgets PRIMARY KEY (account)
);
INSERT INTO "budgets" VALUES('account','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','stopped_because');
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
	rollout_id INTEGER, assessed_revision BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_changes PRIMARY KEY (id), 
	CONSTRAINT fk_changes_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_changes_from_observation_observations FOREIGN KEY(from_observation) REFERENCES observations (id), 
	CONSTRAINT fk_changes_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id), 
	CONSTRAINT fk_changes_to_observation_observations FOREIGN KEY(to_observation) REFERENCES observations (id), 
	CONSTRAINT uq_changes_to_observation UNIQUE (to_observation)
);
INSERT INTO "changes" VALUES(1,1,1,2,'2026-03-10 12:00:00.000000','{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cause": "dotnet-release", "cause_at_detection": "dotnet-unknown", "platforms": ["linux/amd64"]}','dotnet-release','2026-03-10 12:00:00.000000',3,1,1,1);
CREATE TABLE counters (
	name VARCHAR(32) NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counters PRIMARY KEY (name)
);
INSERT INTO "counters" VALUES('feeds',3);
INSERT INTO "counters" VALUES('assessments',1);
INSERT INTO "counters" VALUES('first run',1);
CREATE TABLE deliveries (
	source VARCHAR(16) NOT NULL, 
	delivery VARCHAR(128) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_deliveries PRIMARY KEY (source, delivery)
);
INSERT INTO "deliveries" VALUES('github','delivery','2026-03-10 12:00:00.000000');
CREATE TABLE deployments (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	registry VARCHAR(255) NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	tag VARCHAR(128), 
	digest VARCHAR(160), 
	path TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	CONSTRAINT pk_deployments PRIMARY KEY (id), 
	CONSTRAINT fk_deployments_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "deployments" VALUES(1,1,'ghcr.io','contoso/shop','latest','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','deploy/shop.yaml',1);
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
INSERT INTO "documents" VALUES(1,'https://feeds.example/releases-index.json','dotnet-index',NULL,NULL,NULL,X'789CABAE0500017500F9','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL);
CREATE TABLE images (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	registry VARCHAR(255) NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	tag VARCHAR(128) NOT NULL, 
	source VARCHAR(16) NOT NULL, 
	path TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	found VARCHAR(128), 
	digest VARCHAR(160), 
	seen_at DATETIME, 
	looked_at DATETIME, 
	platforms JSON, 
	declared JSON, 
	standings JSON, 
	behind_since DATETIME, 
	sourced_from TEXT, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, pulls BOOLEAN, 
	CONSTRAINT pk_images PRIMARY KEY (id), 
	CONSTRAINT fk_images_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_images_repository_id_registry_repository UNIQUE (repository_id, registry, repository)
);
INSERT INTO "images" VALUES(1,1,'ghcr.io','contoso/shop','latest','build','path',1,'found','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','[]','{}','[{"platform": "linux/amd64", "strength": "proved", "basis": "layers", "publications": [{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "platform": "linux/amd64", "platform_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "until": null}], "layers": 2}]','2026-03-10 12:00:00.000000','sourced_from',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL,1);
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	opened_at DATETIME NOT NULL, 
	cleared_at DATETIME, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_incidents PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES(1,'watch:mcr.microsoft.com','2026-03-10 12:00:00.000000',NULL,'HTTP 503');
CREATE TABLE issue_sections (
	repository_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	title VARCHAR(255) NOT NULL, 
	text TEXT NOT NULL, 
	told TEXT NOT NULL, 
	CONSTRAINT pk_issue_sections PRIMARY KEY (repository_id, name), 
	CONSTRAINT fk_issue_sections_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id)
);
INSERT INTO "issue_sections" VALUES(1,'name','title','text','told');
CREATE TABLE issues (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	number INTEGER, 
	url TEXT, 
	is_open BOOLEAN DEFAULT '0' NOT NULL, 
	wanted INTEGER NOT NULL, 
	told INTEGER NOT NULL, 
	refused TEXT, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_issues PRIMARY KEY (id), 
	CONSTRAINT fk_issues_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id), 
	CONSTRAINT uq_issues_repository_id UNIQUE (repository_id)
);
INSERT INTO "issues" VALUES(1,1,1,'https://ghcr.example/1',1,1,1,NULL,NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE journal (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(255) NOT NULL, 
	is_claimed BOOLEAN NOT NULL, 
	what VARCHAR(32) NOT NULL, 
	subject VARCHAR(512) NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_journal PRIMARY KEY (id)
);
INSERT INTO "journal" VALUES(1,'2026-03-10 12:00:00.000000','who',1,'pause','all','reason');
CREATE TABLE manifests (
	digest VARCHAR(160) NOT NULL, 
	body BLOB NOT NULL, 
	fetched_at DATETIME NOT NULL, 
	CONSTRAINT pk_manifests PRIMARY KEY (digest)
);
INSERT INTO "manifests" VALUES('sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',X'789CABAE0500017500F9','2026-03-10 12:00:00.000000');
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
INSERT INTO "notices" VALUES(1,'waiting-for-base',1,'2026-03-10 12:00:00.000000',NULL,'waits','[{"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}]','2026-03-10 12:00:00.000000',NULL,NULL,NULL);
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
INSERT INTO "observations" VALUES(1,1,NULL,'2026-03-10 12:00:00.000000','sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','first','{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}',1);
INSERT INTO "observations" VALUES(2,1,1,'2026-03-10 12:00:00.000000','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','moved','{"at": "2026-03-10T12:00:00+00:00", "base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "version": "10.0.5", "created": null, "platforms": [{"platform": "linux/amd64", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "created": null, "os": "noble", "layers": ["sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]}]}',1);
CREATE TABLE "outbox" (
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
	destination VARCHAR(80) DEFAULT '' NOT NULL, 
	rests_until DATETIME, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_key_destination UNIQUE ("key", destination)
);
INSERT INTO "outbox" VALUES(1,'rollout:1','2026-03-10 12:00:00.000000',1,0,NULL,NULL,NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,'slack',NULL);
CREATE TABLE pauses (
	id INTEGER NOT NULL, 
	rollout_id INTEGER, 
	since DATETIME NOT NULL, 
	who VARCHAR(255) NOT NULL, 
	reason TEXT NOT NULL, 
	until DATETIME, 
	CONSTRAINT pk_pauses PRIMARY KEY (id), 
	CONSTRAINT fk_pauses_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id)
);
INSERT INTO "pauses" VALUES(1,1,'2026-03-10 12:00:00.000000','who','reason',NULL);
CREATE TABLE quarantines (
	id INTEGER NOT NULL, 
	base_id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	since DATETIME NOT NULL, 
	who VARCHAR(255) NOT NULL, 
	reason TEXT NOT NULL, 
	until DATETIME, 
	outcome TEXT, 
	CONSTRAINT pk_quarantines PRIMARY KEY (id), 
	CONSTRAINT fk_quarantines_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id)
);
INSERT INTO "quarantines" VALUES(1,1,'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-03-10 12:00:00.000000','who','reason',NULL,NULL);
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
	branch VARCHAR(255), 
	pull_request INTEGER, 
	workflow VARCHAR(255), 
	correlation VARCHAR(64), 
	attempted_at DATETIME, 
	run BIGINT, 
	url TEXT, 
	facts_version INTEGER DEFAULT '0' NOT NULL, 
	text_version INTEGER DEFAULT '0' NOT NULL, 
	ended_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, considered_revision BIGINT DEFAULT '0' NOT NULL, node_id VARCHAR(128), dispatches INTEGER DEFAULT '0' NOT NULL, severity VARCHAR(16), soak_seconds INTEGER, waits_since DATETIME, overdue_at DATETIME, released_at DATETIME, at_request BOOLEAN DEFAULT '0' NOT NULL, held_because TEXT, quarantine_id INTEGER, retried_as INTEGER, call_off TEXT, merge_commit VARCHAR(64), merge_node VARCHAR(128), merged_at DATETIME, built_at DATETIME, proof VARCHAR(16), merging VARCHAR(16), steps INTEGER DEFAULT '0' NOT NULL, parts JSON, 
	CONSTRAINT pk_rebuilds PRIMARY KEY (id), 
	CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id), 
	CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id), 
	CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation)
);
INSERT INTO "rebuilds" VALUES(1,1,1,'pull_request','open','opened','[{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "changes": [1]}]','[{"old": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "new": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}]','rest','2026-03-10 12:00:00.000000','freshness/dotnet-aspnet-10.0',7,NULL,NULL,NULL,NULL,NULL,2,1,NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,0,NULL,0,NULL,NULL,'2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
CREATE TABLE releases (
	channel VARCHAR(16) NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	published_at DATETIME NOT NULL, 
	release JSON NOT NULL, 
	CONSTRAINT pk_releases PRIMARY KEY (channel, version)
);
INSERT INTO "releases" VALUES('10.0','10.0.5','2026-03-10 12:00:00.000000','{"channel": "10.0", "version": "10.0.5", "published_at": "2026-03-10T12:00:00+00:00"}');
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
	lease_until DATETIME, forge_id BIGINT, node_id VARCHAR(128), 
	CONSTRAINT pk_repositories PRIMARY KEY (id), 
	CONSTRAINT uq_repositories_name UNIQUE (name)
);
INSERT INTO "repositories" VALUES(1,'contoso/shop','main','2026-03-10 12:00:00.000000',NULL,NULL,1,'{}','[]','[]',NULL,'2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',0,NULL,NULL,NULL,NULL);
CREATE TABLE repository_blobs (
	repository_id INTEGER NOT NULL, 
	sha VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_repository_blobs PRIMARY KEY (repository_id, sha), 
	CONSTRAINT fk_repository_blobs_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "repository_blobs" VALUES(1,'sha');
CREATE TABLE rollout_waves (
	rollout_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	began_at DATETIME, 
	done_since DATETIME, 
	set_aside INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_rollout_waves PRIMARY KEY (rollout_id, name), 
	CONSTRAINT fk_rollout_waves_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id)
);
INSERT INTO "rollout_waves" VALUES(1,'name','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',1);
CREATE TABLE rollouts (
	id INTEGER NOT NULL, 
	opened_at DATETIME NOT NULL, 
	ended_at DATETIME, occasion VARCHAR(16) DEFAULT 'change' NOT NULL, 
	CONSTRAINT pk_rollouts PRIMARY KEY (id)
);
INSERT INTO "rollouts" VALUES(1,'2026-03-10 12:00:00.000000',NULL,'change');
CREATE TABLE spendings (
	id INTEGER NOT NULL, 
	account VARCHAR(255) NOT NULL, 
	at DATETIME NOT NULL, 
	contents INTEGER NOT NULL, 
	CONSTRAINT pk_spendings PRIMARY KEY (id)
);
INSERT INTO "spendings" VALUES(1,'account','2026-03-10 12:00:00.000000',1);
CREATE TABLE standing_days (
	day DATE NOT NULL, 
	standing VARCHAR(16) NOT NULL, 
	repositories INTEGER NOT NULL, 
	CONSTRAINT pk_standing_days PRIMARY KEY (day, standing)
);
INSERT INTO "standing_days" VALUES('2026-03-10','fresh',1);
CREATE TABLE standings (
	repository_id INTEGER NOT NULL, 
	rank INTEGER NOT NULL, 
	standing VARCHAR(16) NOT NULL, 
	since DATETIME, 
	latest_rebuild INTEGER, 
	CONSTRAINT pk_standings PRIMARY KEY (repository_id), 
	CONSTRAINT fk_standings_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "standings" VALUES(1,1,'fresh','2026-03-10 12:00:00.000000',1);
CREATE TABLE steps (
	id INTEGER NOT NULL, 
	rebuild_id INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	step JSON NOT NULL, 
	start VARCHAR(16) NOT NULL, 
	elsewhere VARCHAR(255), 
	state VARCHAR(24) NOT NULL, 
	reason TEXT NOT NULL, 
	began_at DATETIME, 
	since DATETIME, 
	deadline DATETIME, 
	waits_since DATETIME, 
	attempted_at DATETIME, 
	correlation VARCHAR(64), 
	dispatches INTEGER DEFAULT '0' NOT NULL, 
	run BIGINT, 
	node_id VARCHAR(128), 
	url TEXT, 
	ended_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_steps PRIMARY KEY (id), 
	CONSTRAINT fk_steps_rebuild_id_rebuilds FOREIGN KEY(rebuild_id) REFERENCES rebuilds (id), 
	CONSTRAINT uq_steps_correlation UNIQUE (correlation)
);
INSERT INTO "steps" VALUES(1,1,1,'{"workflow": "deploy.yml"}','after','elsewhere','waiting','reason','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','correlation',1,1,'node_id','https://ghcr.example/1',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE summaries (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_summaries PRIMARY KEY (id), 
	CONSTRAINT uq_summaries_at UNIQUE (at)
);
INSERT INTO "summaries" VALUES(1,'2026-03-10 12:00:00.000000');
CREATE TABLE tasks (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	mark VARCHAR(255), 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_tasks PRIMARY KEY (id), 
	CONSTRAINT uq_tasks_name UNIQUE (name)
);
INSERT INTO "tasks" VALUES(1,'list repositories',NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL);
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
INSERT INTO "transitions" VALUES(1,1,'2026-03-10 12:00:00.000000','planned','open','opened');
CREATE TABLE usages (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	base_id INTEGER, 
	usage JSON NOT NULL, digest VARCHAR(160), version VARCHAR(64), 
	CONSTRAINT pk_usages PRIMARY KEY (id), 
	CONSTRAINT fk_usages_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_usages_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "usages" VALUES(1,1,1,'{"path": "Dockerfile", "kind": "dockerfile", "line": 1, "reference": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "role": "final-stage", "span": {"start": 5, "end": 80}}','sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL);
CREATE TABLE workflow_builds (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	workflow VARCHAR(128) NOT NULL, 
	max_age_seconds INTEGER, 
	node_id VARCHAR(128), 
	builds JSON NOT NULL, 
	last_success DATETIME, 
	read_at DATETIME, 
	tree VARCHAR(64), 
	changed_at DATETIME, 
	error TEXT, 
	judged BOOLEAN DEFAULT '0' NOT NULL, 
	standing VARCHAR(16), 
	said TEXT, 
	plan_at DATETIME, 
	told_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_workflow_builds PRIMARY KEY (id), 
	CONSTRAINT fk_workflow_builds_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workflow_builds_repository_id_workflow UNIQUE (repository_id, workflow)
);
INSERT INTO "workflow_builds" VALUES(1,1,'workflow',1,'node_id','[]','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','tree','2026-03-10 12:00:00.000000',NULL,1,'fresh','said','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE INDEX ix_bases_due_at ON bases (due_at);
CREATE INDEX ix_documents_due_at ON documents (due_at);
CREATE UNIQUE INDEX uq_incidents_open ON incidents (subject) WHERE cleared_at IS NULL;
CREATE INDEX ix_repositories_due_at ON repositories (due_at);
CREATE INDEX ix_notices_base_id ON notices (base_id);
CREATE INDEX ix_notices_told_with ON notices (told_with);
CREATE UNIQUE INDEX uq_notices_open ON notices (topic, base_id, since) WHERE cleared_at IS NULL;
CREATE INDEX ix_observations_base_id_id ON observations (base_id, id);
CREATE INDEX ix_rebuilds_due_at ON rebuilds (due_at);
CREATE INDEX ix_rebuilds_repository_id ON rebuilds (repository_id);
CREATE INDEX ix_rebuilds_state ON rebuilds (state);
CREATE INDEX ix_usages_repository_id ON usages (repository_id);
CREATE INDEX ix_changes_planned ON changes (planned);
CREATE INDEX ix_changes_rollout_id ON changes (rollout_id);
CREATE INDEX ix_transitions_rebuild_id ON transitions (rebuild_id);
CREATE INDEX ix_tasks_due_at ON tasks (due_at);
CREATE INDEX ix_repository_blobs_sha ON repository_blobs (sha);
CREATE INDEX ix_observations_unassessed ON observations (id) WHERE assessed IS 0;
CREATE UNIQUE INDEX ix_repositories_forge_id ON repositories (forge_id);
CREATE INDEX ix_rebuilds_quarantine_id ON rebuilds (quarantine_id);
CREATE INDEX ix_pauses_rollout_id ON pauses (rollout_id);
CREATE INDEX ix_quarantines_base_id ON quarantines (base_id);
CREATE INDEX ix_spendings_account_at ON spendings (account, at);
CREATE INDEX ix_usages_base_id_repository_id ON usages (base_id, repository_id);
CREATE INDEX ix_usages_repository_id_base_id_digest_version ON usages (repository_id, base_id, digest, version);
CREATE INDEX ix_rebuilds_repository_id_state_ended_at ON rebuilds (repository_id, state, ended_at);
CREATE INDEX ix_changes_base_id ON changes (base_id);
CREATE INDEX ix_standings_standing ON standings (standing);
CREATE INDEX ix_deliveries_at ON deliveries (at);
CREATE INDEX ix_images_due_at ON images (due_at);
CREATE INDEX ix_images_registry_repository ON images (registry, repository);
CREATE INDEX ix_deployments_repository_id ON deployments (repository_id);
CREATE INDEX ix_deployments_registry_repository ON deployments (registry, repository);
CREATE INDEX ix_outbox_due_at ON outbox (due_at);
CREATE INDEX ix_rebuilds_rollout_id_state_considered_revision ON rebuilds (rollout_id, state, considered_revision);
CREATE INDEX ix_workflow_builds_due_at ON workflow_builds (due_at);
CREATE INDEX ix_workflow_builds_judged ON workflow_builds (judged);
CREATE INDEX ix_workflow_builds_plan_at ON workflow_builds (plan_at);
CREATE INDEX ix_issues_due_at ON issues (due_at);
CREATE INDEX ix_steps_rebuild_id ON steps (rebuild_id);
CREATE INDEX ix_steps_due_at ON steps (due_at);
COMMIT;
