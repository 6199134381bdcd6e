BEGIN TRANSACTION;
CREATE TABLE advisories (
	source VARCHAR(64) NOT NULL, 
	cve VARCHAR(32) NOT NULL, 
	advisory JSON NOT NULL, 
	CONSTRAINT pk_advisories PRIMARY KEY (source, cve)
);
INSERT INTO "advisories" VALUES('msrc','CVE-2026-1','{"cve": "CVE-2026-1", "severity": "high", "evidence": [{"source": "msrc", "locator": "CVE-2026-1", "seen_at": "2026-03-10T12:00:00+00:00"}]}');
CREATE TABLE affected_names (
	name VARCHAR(256) NOT NULL, 
	affected_id INTEGER NOT NULL, 
	CONSTRAINT pk_affected_names PRIMARY KEY (name, affected_id), 
	CONSTRAINT fk_affected_names_affected_id_affected_packages FOREIGN KEY(affected_id) REFERENCES affected_packages (id) ON DELETE CASCADE
);
INSERT INTO "affected_names" VALUES('name',1);
CREATE TABLE affected_packages (
	id INTEGER NOT NULL, 
	vulnerability_id INTEGER NOT NULL, 
	release VARCHAR(64) NOT NULL, 
	affected JSON NOT NULL, 
	fix_seen_at DATETIME, 
	CONSTRAINT pk_affected_packages PRIMARY KEY (id), 
	CONSTRAINT fk_affected_packages_vulnerability_id_vulnerabilities FOREIGN KEY(vulnerability_id) REFERENCES vulnerabilities (id) ON DELETE CASCADE
);
INSERT INTO "affected_packages" VALUES(1,1,'release','[]','2026-03-10 12:00:00.000000');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0066');
CREATE TABLE artifact_reads (
	id INTEGER NOT NULL, 
	rebuild_id INTEGER, 
	step_id INTEGER, 
	repository_id INTEGER NOT NULL, 
	run BIGINT, 
	ended_at DATETIME, 
	refused VARCHAR(200), 
	problems TEXT, 
	read_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_artifact_reads PRIMARY KEY (id), 
	CONSTRAINT fk_artifact_reads_rebuild_id_rebuilds FOREIGN KEY(rebuild_id) REFERENCES rebuilds (id) ON DELETE CASCADE, 
	CONSTRAINT fk_artifact_reads_step_id_steps FOREIGN KEY(step_id) REFERENCES steps (id) ON DELETE CASCADE, 
	CONSTRAINT fk_artifact_reads_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_artifact_reads_rebuild_id UNIQUE (rebuild_id), 
	CONSTRAINT uq_artifact_reads_step_id UNIQUE (step_id), 
	CONSTRAINT uq_artifact_reads_repository_id_run UNIQUE (repository_id, run)
);
INSERT INTO "artifact_reads" VALUES(1,1,1,1,1,'2026-03-10 12:00:00.000000','refused','problems','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE attestations (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	digest VARCHAR(160), 
	attached_at DATETIME, 
	considered_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_attestations PRIMARY KEY (id), 
	CONSTRAINT fk_attestations_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE, 
	CONSTRAINT uq_attestations_image_id UNIQUE (image_id)
);
INSERT INTO "attestations" VALUES(1,1,'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE audits (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	mark VARCHAR(16), 
	error TEXT, 
	audited_at DATETIME, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	files JSON NOT NULL, 
	findings BLOB, 
	CONSTRAINT pk_audits PRIMARY KEY (id), 
	CONSTRAINT fk_audits_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_audits_repository_id UNIQUE (repository_id)
);
INSERT INTO "audits" VALUES(1,1,'mark',NULL,'2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',1,NULL,NULL,'[]',X'789CABAE0500017500F9');
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
	lease_until DATETIME, unconfirmed VARCHAR(160), upstream_id INTEGER, upstream_digest VARCHAR(160), likeness VARCHAR(16), behind_since DATETIME, other_digest VARCHAR(160), switched_at DATETIME, 
	CONSTRAINT pk_bases PRIMARY KEY (id), 
	CONSTRAINT uq_bases_registry_repository_tag UNIQUE (registry, repository, tag)
);
INSERT INTO "bases" VALUES(1,'mcr.microsoft.com','dotnet/aspnet','10.0','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','10.0.5','2026-03-10 12:00:00.000000',2,NULL,1,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE blobs (
	sha VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, fetched_at DATETIME, 
	CONSTRAINT pk_blobs PRIMARY KEY (sha)
);
INSERT INTO "blobs" VALUES('b1',X'789C730BF2F755480400060801B6','2026-11-30 15:18:30');
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
CREATE TABLE code_scans (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	uploaded VARCHAR(32), 
	refused TEXT, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, upload VARCHAR(128), 
	CONSTRAINT pk_code_scans PRIMARY KEY (id), 
	CONSTRAINT fk_code_scans_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_code_scans_repository_id UNIQUE (repository_id)
);
INSERT INTO "code_scans" VALUES(1,1,'uploaded','refused',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL,'upload');
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
	line INTEGER NOT NULL, since DATETIME, is_older BOOLEAN DEFAULT '1' NOT NULL, named_before JSON, 
	CONSTRAINT pk_deployments PRIMARY KEY (id), 
	CONSTRAINT fk_deployments_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "deployments" VALUES(1,1,'ghcr.io','contoso/shop','latest','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','deploy/shop.yaml',1,'2026-03-10 12:00:00.000000',1,'[]');
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
	lease_until DATETIME, newest_at DATETIME, doubts JSON, 
	CONSTRAINT pk_documents PRIMARY KEY (id), 
	CONSTRAINT uq_documents_url UNIQUE (url)
);
INSERT INTO "documents" VALUES(1,'https://feeds.example/releases-index.json','dotnet-index',NULL,NULL,NULL,X'789CABAE0500017500F9','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL,NULL);
CREATE TABLE dumps (
	id INTEGER NOT NULL, 
	ecosystem VARCHAR(32) NOT NULL, 
	place VARCHAR(1024) NOT NULL, 
	etag VARCHAR(512), 
	last_modified VARCHAR(512), 
	considered BLOB, 
	reader VARCHAR(64), 
	entries INTEGER, 
	problems JSON, 
	fetched_at DATETIME, 
	checked_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, asked BLOB, newest_at DATETIME, 
	CONSTRAINT pk_dumps PRIMARY KEY (id), 
	CONSTRAINT uq_dumps_ecosystem UNIQUE (ecosystem)
);
INSERT INTO "dumps" VALUES(1,'Azure Linux','https://ghcr.example/1','etag','last_modified',X'789CABAE0500017500F9','reader',1,'[]','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL,X'789CABAE0500017500F9','2026-03-10 12:00:00.000000');
CREATE TABLE ended_sessions (
	session VARCHAR(64) NOT NULL, 
	until DATETIME NOT NULL, 
	CONSTRAINT pk_ended_sessions PRIMARY KEY (session)
);
INSERT INTO "ended_sessions" VALUES('session','2026-03-10 12:00:00.000000');
CREATE TABLE exposures (
	affected_id INTEGER NOT NULL, 
	package_id INTEGER NOT NULL, 
	is_certain BOOLEAN NOT NULL, 
	CONSTRAINT pk_exposures PRIMARY KEY (affected_id, package_id), 
	CONSTRAINT fk_exposures_affected_id_affected_packages FOREIGN KEY(affected_id) REFERENCES affected_packages (id) ON DELETE CASCADE, 
	CONSTRAINT fk_exposures_package_id_packages FOREIGN KEY(package_id) REFERENCES packages (id) ON DELETE CASCADE
);
INSERT INTO "exposures" VALUES(1,1,1);
CREATE TABLE fleet_issues (
	id INTEGER NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	number INTEGER, 
	url TEXT, 
	wording INTEGER DEFAULT '0' NOT NULL, 
	heeded JSON NOT NULL, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_fleet_issues PRIMARY KEY (id), 
	CONSTRAINT uq_fleet_issues_repository UNIQUE (repository)
);
INSERT INTO "fleet_issues" VALUES(1,'contoso/shop',1,'https://ghcr.example/1',1,'[]',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE gates (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	digest VARCHAR(160), 
	mode VARCHAR(16), 
	outcome VARCHAR(16), 
	told TEXT, 
	blocking INTEGER DEFAULT '0' NOT NULL, 
	unfixed INTEGER DEFAULT '0' NOT NULL, 
	gated JSON, 
	owed JSON, 
	mark VARCHAR(64), 
	judged_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_gates PRIMARY KEY (id), 
	CONSTRAINT fk_gates_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE, 
	CONSTRAINT uq_gates_image_id UNIQUE (image_id)
);
INSERT INTO "gates" VALUES(1,1,'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','mode','passed','told',1,1,'[]','[]','mark','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE grants (
	owner VARCHAR(255) NOT NULL, 
	granted JSON NOT NULL, 
	CONSTRAINT pk_grants PRIMARY KEY (owner)
);
INSERT INTO "grants" VALUES('owner','{}');
CREATE TABLE image_inventories (
	image_id INTEGER NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	CONSTRAINT pk_image_inventories PRIMARY KEY (image_id, platform), 
	CONSTRAINT fk_image_inventories_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE, 
	CONSTRAINT fk_image_inventories_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE
);
INSERT INTO "image_inventories" VALUES(1,'linux/amd64',1);
CREATE TABLE "images" (
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
	lease_until DATETIME, 
	pulls BOOLEAN, 
	state VARCHAR(16) DEFAULT 'not-seen' NOT NULL, 
	builder JSON, 
	built_from TEXT DEFAULT ('') NOT NULL, 
	weakness TEXT DEFAULT ('') NOT NULL, judged_by VARCHAR(32), judged_until DATETIME, not_judged JSON, law INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_images PRIMARY KEY (id), 
	CONSTRAINT fk_images_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_images_repository_id_registry_repository_tag UNIQUE (repository_id, registry, repository, tag)
);
INSERT INTO "images" VALUES(1,1,'ghcr.io','contoso/shop','latest','build','path',1,'found','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','[]','{}','[{"platform": "linux/amd64", "strength": "proved", "basis": "layers", "publications": [{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "at": "2026-03-10T12:00:00+00:00", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "platform": "linux/amd64", "platform_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "until": null}], "layers": 2}]','2026-03-10 12:00:00.000000','sourced_from',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL,1,'current','null','built_from','weakness',NULL,'2026-03-10 12:00:00.000000','null',1);
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	subject VARCHAR(255) NOT NULL, 
	opened_at DATETIME NOT NULL, 
	cleared_at DATETIME, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_incidents PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES(1,'watch:mcr.microsoft.com','2026-03-10 12:00:00.000000',NULL,'HTTP 503');
CREATE TABLE inventories (
	id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	previous_id INTEGER, 
	seen_at DATETIME NOT NULL, 
	read_at DATETIME, 
	distribution JSON, 
	problems JSON, 
	is_complete BOOLEAN, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, config_digest VARCHAR(160), 
	CONSTRAINT pk_inventories PRIMARY KEY (id), 
	CONSTRAINT uq_inventories_digest UNIQUE (digest)
);
INSERT INTO "inventories" VALUES(1,'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','linux/amd64',NULL,'2026-03-10 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL);
CREATE TABLE inventory_layers (
	inventory_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	layer_id INTEGER NOT NULL, 
	CONSTRAINT pk_inventory_layers PRIMARY KEY (inventory_id, position), 
	CONSTRAINT fk_inventory_layers_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE, 
	CONSTRAINT fk_inventory_layers_layer_id_layers FOREIGN KEY(layer_id) REFERENCES layers (id)
);
INSERT INTO "inventory_layers" VALUES(1,0,1);
CREATE TABLE inventory_packages (
	inventory_id INTEGER NOT NULL, 
	package_id INTEGER NOT NULL, 
	since DATETIME NOT NULL, 
	CONSTRAINT pk_inventory_packages PRIMARY KEY (inventory_id, package_id), 
	CONSTRAINT fk_inventory_packages_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE, 
	CONSTRAINT fk_inventory_packages_package_id_packages FOREIGN KEY(package_id) REFERENCES packages (id)
)
 WITHOUT ROWID

;
INSERT INTO "inventory_packages" VALUES(1,1,'2026-03-10 12:00:00.000000');
CREATE TABLE issue_sections (
	repository_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	title VARCHAR(255) NOT NULL, 
	text TEXT NOT NULL, 
	told TEXT NOT NULL, opens BOOLEAN DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_issue_sections PRIMARY KEY (repository_id, name), 
	CONSTRAINT fk_issue_sections_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id)
);
INSERT INTO "issue_sections" VALUES(1,'name','title','text','told',1);
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
CREATE TABLE later_indexes (
	index_digest VARCHAR(160) NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_later_indexes PRIMARY KEY (index_digest, inventory_id), 
	CONSTRAINT fk_later_indexes_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE
);
INSERT INTO "later_indexes" VALUES('sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',1,'2026-03-10 12:00:00.000000');
CREATE TABLE layer_contents (
	layer_id INTEGER NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT pk_layer_contents PRIMARY KEY (layer_id), 
	CONSTRAINT fk_layer_contents_layer_id_layers FOREIGN KEY(layer_id) REFERENCES layers (id) ON DELETE CASCADE
);
INSERT INTO "layer_contents" VALUES(1,X'789CABAE0500017500F9');
CREATE TABLE layers (
	id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	registry VARCHAR(255) NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	named_diff_id VARCHAR(160), 
	diff_id VARCHAR(160), 
	problem TEXT, 
	read_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_layers PRIMARY KEY (id), 
	CONSTRAINT uq_layers_digest UNIQUE (digest)
);
INSERT INTO "layers" VALUES(1,'sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','mcr.microsoft.com','dotnet/aspnet',NULL,NULL,NULL,NULL,NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL);
CREATE TABLE let_through (
	image_id INTEGER NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	CONSTRAINT pk_let_through PRIMARY KEY (image_id, platform), 
	CONSTRAINT fk_let_through_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE, 
	CONSTRAINT fk_let_through_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE
);
INSERT INTO "let_through" VALUES(1,'linux/amd64','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',1);
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
CREATE TABLE observed_inventories (
	observation_id INTEGER NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	CONSTRAINT pk_observed_inventories PRIMARY KEY (observation_id, platform), 
	CONSTRAINT fk_observed_inventories_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE, 
	CONSTRAINT fk_observed_inventories_observation_id_observations FOREIGN KEY(observation_id) REFERENCES observations (id) ON DELETE CASCADE
);
INSERT INTO "observed_inventories" VALUES(2,'linux/amd64',1);
CREATE TABLE onboardings (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	asked_by VARCHAR(255), 
	number INTEGER, 
	url TEXT, 
	merged INTEGER DEFAULT '0' NOT NULL, 
	"left" INTEGER DEFAULT '0' NOT NULL, 
	made_from VARCHAR(16), 
	changed_at DATETIME NOT NULL, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, proposed JSON, brought JSON, declined JSON, 
	CONSTRAINT pk_onboardings PRIMARY KEY (id), 
	CONSTRAINT fk_onboardings_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id), 
	CONSTRAINT uq_onboardings_repository_id UNIQUE (repository_id)
);
INSERT INTO "onboardings" VALUES(1,1,'waiting','reason','asked_by',1,'https://ghcr.example/1',1,1,'made_from','2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL,'[]','[]','[]');
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
CREATE TABLE "own_links" (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	base_id INTEGER NOT NULL, 
	cut BOOLEAN DEFAULT '0' NOT NULL, 
	image VARCHAR(511) DEFAULT '' NOT NULL, 
	only_brought BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_own_links PRIMARY KEY (id), 
	CONSTRAINT fk_own_links_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_own_links_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_own_links_repository_id_image_base_id UNIQUE (repository_id, image, base_id)
);
INSERT INTO "own_links" VALUES(1,1,1,1,'image',1);
CREATE TABLE package_changes (
	id INTEGER NOT NULL, 
	observation_id INTEGER NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	before_id INTEGER NOT NULL, 
	after_id INTEGER NOT NULL, 
	compared_at DATETIME, 
	changes JSON, 
	is_complete BOOLEAN, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_package_changes PRIMARY KEY (id), 
	CONSTRAINT fk_package_changes_observation_id_observations FOREIGN KEY(observation_id) REFERENCES observations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_package_changes_observation_id_platform UNIQUE (observation_id, platform)
);
INSERT INTO "package_changes" VALUES(1,1,'linux/amd64',1,1,'2026-03-10 12:00:00.000000','[]',1,NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE packages (
	id INTEGER NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	type VARCHAR(256) NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	version VARCHAR(256) NOT NULL, 
	architecture VARCHAR(256), 
	source VARCHAR(256), 
	source_version VARCHAR(256), 
	CONSTRAINT pk_packages PRIMARY KEY (id), 
	CONSTRAINT uq_packages_key UNIQUE ("key")
);
INSERT INTO "packages" VALUES(1,'key','type','name','version','architecture','source','source_version');
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
CREATE TABLE practice_days (
	day DATE NOT NULL, 
	practice VARCHAR(64) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	repositories INTEGER NOT NULL, 
	CONSTRAINT pk_practice_days PRIMARY KEY (day, practice, outcome)
);
INSERT INTO "practice_days" VALUES('2026-03-10','practice','outcome',1);
CREATE TABLE practice_weeks (
	week DATE NOT NULL, 
	practice VARCHAR(64) NOT NULL, 
	opened INTEGER NOT NULL, 
	closed INTEGER NOT NULL, 
	CONSTRAINT pk_practice_weeks PRIMARY KEY (week, practice)
);
INSERT INTO "practice_weeks" VALUES('2026-03-10','practice',1,1);
CREATE TABLE practices (
	repository_id INTEGER NOT NULL, 
	practice VARCHAR(64) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	CONSTRAINT pk_practices PRIMARY KEY (repository_id, practice), 
	CONSTRAINT fk_practices_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "practices" VALUES(1,'practice','outcome');
CREATE TABLE "quarantines" (
	id INTEGER NOT NULL, 
	base_id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	since DATETIME NOT NULL, 
	who VARCHAR(255) NOT NULL, 
	reason TEXT NOT NULL, 
	until DATETIME, 
	outcome TEXT, 
	copy_of_id INTEGER, lifted BOOLEAN DEFAULT '0' NOT NULL, returns INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_quarantines PRIMARY KEY (id), 
	CONSTRAINT fk_quarantines_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_quarantines_copy_of_id_quarantines FOREIGN KEY(copy_of_id) REFERENCES quarantines (id)
);
INSERT INTO "quarantines" VALUES(1,1,'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-03-10 12:00:00.000000','who','reason',NULL,NULL,NULL,1,1);
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
	lease_until DATETIME, considered_revision BIGINT DEFAULT '0' NOT NULL, node_id VARCHAR(128), dispatches INTEGER DEFAULT '0' NOT NULL, severity VARCHAR(16), soak_seconds INTEGER, waits_since DATETIME, overdue_at DATETIME, released_at DATETIME, at_request BOOLEAN DEFAULT '0' NOT NULL, held_because TEXT, quarantine_id INTEGER, retried_as INTEGER, call_off TEXT, merge_commit VARCHAR(64), merge_node VARCHAR(128), merged_at DATETIME, built_at DATETIME, proof VARCHAR(16), merging VARCHAR(16), steps INTEGER DEFAULT '0' NOT NULL, parts JSON, distance INTEGER DEFAULT '0' NOT NULL, waits_for TEXT, waits_until DATETIME, went_ahead BOOLEAN DEFAULT '0' NOT NULL, built_commit VARCHAR(64), run_number INTEGER, built_by JSON, joined VARCHAR(16), gave_way_at DATETIME, pointed_at TEXT, 
	CONSTRAINT pk_rebuilds PRIMARY KEY (id), 
	CONSTRAINT fk_rebuilds_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id), 
	CONSTRAINT fk_rebuilds_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id), 
	CONSTRAINT uq_rebuilds_correlation UNIQUE (correlation)
);
INSERT INTO "rebuilds" VALUES(1,1,1,'pull_request','open','opened','[{"base": {"registry": "mcr.microsoft.com", "repository": "dotnet/aspnet", "tag": "10.0"}, "from_digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "to_digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "changes": [1]}]','[{"old": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "new": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}]','rest','2026-03-10 12:00:00.000000','freshness/dotnet-aspnet-10.0',7,NULL,NULL,NULL,NULL,NULL,2,1,NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,0,NULL,0,NULL,NULL,'2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL);
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
CREATE TABLE "rollout_waves" (
	rollout_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	began_at DATETIME, 
	done_since DATETIME, 
	set_aside INTEGER DEFAULT '0' NOT NULL, 
	distance INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_rollout_waves PRIMARY KEY (rollout_id, distance, name), 
	CONSTRAINT fk_rollout_waves_rollout_id_rollouts FOREIGN KEY(rollout_id) REFERENCES rollouts (id)
);
INSERT INTO "rollout_waves" VALUES(1,'name','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',1,1);
CREATE TABLE rollouts (
	id INTEGER NOT NULL, 
	opened_at DATETIME NOT NULL, 
	ended_at DATETIME, occasion VARCHAR(16) DEFAULT 'change' NOT NULL, 
	CONSTRAINT pk_rollouts PRIMARY KEY (id)
);
INSERT INTO "rollouts" VALUES(1,'2026-03-10 12:00:00.000000',NULL,'change');
CREATE TABLE sbom_looks (
	id INTEGER NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	registry VARCHAR(255) NOT NULL, 
	repository VARCHAR(255) NOT NULL, 
	index_digest VARCHAR(160) NOT NULL, 
	is_last BOOLEAN DEFAULT '0' NOT NULL, 
	looked_at DATETIME, 
	error TEXT, 
	due_at DATETIME NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	lease_owner VARCHAR(64), 
	lease_until DATETIME, 
	CONSTRAINT pk_sbom_looks PRIMARY KEY (id), 
	CONSTRAINT fk_sbom_looks_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_sbom_looks_inventory_id UNIQUE (inventory_id)
);
INSERT INTO "sbom_looks" VALUES(1,1,'ghcr.io','contoso/shop','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',1,'2026-03-10 12:00:00.000000',NULL,'2026-03-10 12:00:00.000000',1,NULL,NULL);
CREATE TABLE sbom_packages (
	sbom_id INTEGER NOT NULL, 
	package_id INTEGER NOT NULL, 
	CONSTRAINT pk_sbom_packages PRIMARY KEY (sbom_id, package_id), 
	CONSTRAINT fk_sbom_packages_sbom_id_sboms FOREIGN KEY(sbom_id) REFERENCES sboms (id) ON DELETE CASCADE, 
	CONSTRAINT fk_sbom_packages_package_id_packages FOREIGN KEY(package_id) REFERENCES packages (id)
)
 WITHOUT ROWID

;
INSERT INTO "sbom_packages" VALUES(1,1);
CREATE TABLE sboms (
	id INTEGER NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	document VARCHAR(160) NOT NULL, 
	origin VARCHAR(40) NOT NULL, 
	strength VARCHAR(20) NOT NULL, 
	told TEXT NOT NULL, 
	distribution JSON, 
	problems JSON NOT NULL, 
	at DATETIME NOT NULL, judged_by VARCHAR(32), judged_until DATETIME, 
	CONSTRAINT pk_sboms PRIMARY KEY (id), 
	CONSTRAINT fk_sboms_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE
);
INSERT INTO "sboms" VALUES(1,1,'document','origin','strength','told','[]','[]','2026-03-10 12:00:00.000000','judged_by','2026-03-10 12:00:00.000000');
CREATE TABLE scan_report_digests (
	report_id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	CONSTRAINT pk_scan_report_digests PRIMARY KEY (report_id, digest), 
	CONSTRAINT fk_scan_report_digests_report_id_scan_reports FOREIGN KEY(report_id) REFERENCES scan_reports (id) ON DELETE CASCADE
);
INSERT INTO "scan_report_digests" VALUES(1,'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
CREATE TABLE scan_reports (
	id INTEGER NOT NULL, 
	document VARCHAR(160) NOT NULL, 
	origin VARCHAR(40) NOT NULL, 
	place VARCHAR(1024) NOT NULL, 
	repository_id INTEGER, 
	scanned_at DATETIME, 
	kept_at DATETIME NOT NULL, 
	report BLOB NOT NULL, scanner VARCHAR(60) DEFAULT 'Trivy' NOT NULL, 
	CONSTRAINT pk_scan_reports PRIMARY KEY (id), 
	CONSTRAINT fk_scan_reports_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "scan_reports" VALUES(1,'document','origin','https://ghcr.example/1',1,'2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',X'789CABAE0500017500F9','scanner');
CREATE TABLE shown_again (
	id INTEGER NOT NULL, 
	image_id INTEGER NOT NULL, 
	platform VARCHAR(100) NOT NULL, 
	inventory_id INTEGER NOT NULL, 
	previous_id INTEGER, 
	since DATETIME NOT NULL, 
	CONSTRAINT pk_shown_again PRIMARY KEY (id), 
	CONSTRAINT fk_shown_again_image_id_images FOREIGN KEY(image_id) REFERENCES images (id) ON DELETE CASCADE, 
	CONSTRAINT fk_shown_again_inventory_id_inventories FOREIGN KEY(inventory_id) REFERENCES inventories (id) ON DELETE CASCADE
);
INSERT INTO "shown_again" VALUES(1,1,'linux/amd64',1,1,'2026-03-10 12:00:00.000000');
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
CREATE TABLE unpacked_layers (
	id INTEGER NOT NULL, 
	digest VARCHAR(160) NOT NULL, 
	content VARCHAR(160) NOT NULL, 
	read_at DATETIME NOT NULL, 
	CONSTRAINT pk_unpacked_layers PRIMARY KEY (id), 
	CONSTRAINT uq_unpacked_layers_digest UNIQUE (digest)
);
INSERT INTO "unpacked_layers" VALUES(1,'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-03-10 12:00:00.000000');
CREATE TABLE usages (
	id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	base_id INTEGER, 
	usage JSON NOT NULL, digest VARCHAR(160), version VARCHAR(64), image VARCHAR(511), 
	CONSTRAINT pk_usages PRIMARY KEY (id), 
	CONSTRAINT fk_usages_base_id_bases FOREIGN KEY(base_id) REFERENCES bases (id), 
	CONSTRAINT fk_usages_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE
);
INSERT INTO "usages" VALUES(1,1,1,'{"path": "Dockerfile", "kind": "dockerfile", "line": 1, "reference": {"name": "mcr.microsoft.com/dotnet/aspnet", "tag": "10.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "role": "final-stage", "span": {"start": 5, "end": 80}}','sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,NULL);
CREATE TABLE vulnerabilities (
	id INTEGER NOT NULL, 
	dump_id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	content VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	severity VARCHAR(16), 
	rated_by VARCHAR(32) NOT NULL, 
	score FLOAT, 
	published_at DATETIME, 
	seen_at DATETIME NOT NULL, modified VARCHAR(40), 
	CONSTRAINT pk_vulnerabilities PRIMARY KEY (id), 
	CONSTRAINT fk_vulnerabilities_dump_id_dumps FOREIGN KEY(dump_id) REFERENCES dumps (id) ON DELETE CASCADE, 
	CONSTRAINT uq_vulnerabilities_dump_id_name UNIQUE (dump_id, name)
);
INSERT INTO "vulnerabilities" VALUES(1,1,'name','sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','title','severity','rated_by',1.0,'2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','modified');
CREATE TABLE vulnerability_cves (
	vulnerability_id INTEGER NOT NULL, 
	cve VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_vulnerability_cves PRIMARY KEY (vulnerability_id, cve), 
	CONSTRAINT fk_vulnerability_cves_vulnerability_id_vulnerabilities FOREIGN KEY(vulnerability_id) REFERENCES vulnerabilities (id) ON DELETE CASCADE
);
INSERT INTO "vulnerability_cves" VALUES(1,'cve');
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
	lease_until DATETIME, ended_run BIGINT, ended_at DATETIME, 
	CONSTRAINT pk_workflow_builds PRIMARY KEY (id), 
	CONSTRAINT fk_workflow_builds_repository_id_repositories FOREIGN KEY(repository_id) REFERENCES repositories (id) ON DELETE CASCADE, 
	CONSTRAINT uq_workflow_builds_repository_id_workflow UNIQUE (repository_id, workflow)
);
INSERT INTO "workflow_builds" VALUES(1,1,'workflow',1,'node_id','[]','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','tree','2026-03-10 12:00:00.000000',NULL,1,'fresh','said','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000','2026-03-10 12:00:00.000000',1,NULL,NULL,1,'2026-03-10 12:00:00.000000');
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
CREATE INDEX ix_spendings_account_at ON spendings (account, at);
CREATE INDEX ix_usages_base_id_repository_id ON usages (base_id, repository_id);
CREATE INDEX ix_usages_repository_id_base_id_digest_version ON usages (repository_id, base_id, digest, version);
CREATE INDEX ix_rebuilds_repository_id_state_ended_at ON rebuilds (repository_id, state, ended_at);
CREATE INDEX ix_changes_base_id ON changes (base_id);
CREATE INDEX ix_standings_standing ON standings (standing);
CREATE INDEX ix_deliveries_at ON deliveries (at);
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
CREATE INDEX ix_attestations_due_at ON attestations (due_at);
CREATE INDEX ix_fleet_issues_due_at ON fleet_issues (due_at);
CREATE INDEX ix_inventories_undone ON inventories (due_at) WHERE read_at IS NULL;
CREATE INDEX ix_inventories_incomplete ON inventories (id) WHERE is_complete IS NOT 1;
CREATE INDEX ix_layers_diff_id ON layers (diff_id);
CREATE INDEX ix_layers_undone ON layers (due_at) WHERE read_at IS NULL;
CREATE INDEX ix_packages_name ON packages (name);
CREATE INDEX ix_packages_source ON packages (source);
CREATE INDEX ix_inventory_layers_layer_id ON inventory_layers (layer_id);
CREATE INDEX ix_inventory_packages_package_id ON inventory_packages (package_id);
CREATE INDEX ix_image_inventories_inventory_id ON image_inventories (inventory_id);
CREATE INDEX ix_observed_inventories_inventory_id ON observed_inventories (inventory_id);
CREATE INDEX ix_package_changes_undone ON package_changes (due_at) WHERE compared_at IS NULL;
CREATE INDEX ix_usages_image ON usages (image);
CREATE INDEX ix_audits_due_at ON audits (due_at);
CREATE INDEX ix_practices_practice_outcome ON practices (practice, outcome);
CREATE INDEX ix_bases_upstream_id ON bases (upstream_id);
CREATE INDEX ix_onboardings_due_at ON onboardings (due_at);
CREATE INDEX ix_dumps_due_at ON dumps (due_at);
CREATE INDEX ix_affected_packages_vulnerability_id ON affected_packages (vulnerability_id);
CREATE INDEX ix_vulnerability_cves_cve ON vulnerability_cves (cve);
CREATE INDEX ix_affected_names_affected_id ON affected_names (affected_id);
CREATE INDEX ix_exposures_package_id ON exposures (package_id);
CREATE INDEX ix_code_scans_due_at ON code_scans (due_at);
CREATE INDEX ix_sbom_looks_undone ON sbom_looks (due_at) WHERE looked_at IS NULL;
CREATE INDEX ix_sboms_inventory_id ON sboms (inventory_id);
CREATE INDEX ix_sbom_packages_package_id ON sbom_packages (package_id);
CREATE INDEX ix_scan_reports_document ON scan_reports (document);
CREATE INDEX ix_scan_reports_repository_id ON scan_reports (repository_id);
CREATE INDEX ix_scan_reports_kept_at ON scan_reports (kept_at);
CREATE INDEX ix_scan_report_digests_digest ON scan_report_digests (digest);
CREATE INDEX ix_gates_due_at ON gates (due_at);
CREATE INDEX ix_let_through_inventory_id ON let_through (inventory_id);
CREATE INDEX ix_quarantines_base_id ON quarantines (base_id);
CREATE INDEX ix_quarantines_copy_of_id ON quarantines (copy_of_id);
CREATE INDEX ix_inventories_config_digest ON inventories (config_digest);
CREATE INDEX ix_artifact_reads_undone ON artifact_reads (due_at) WHERE read_at IS NULL;
CREATE INDEX ix_images_registry_repository ON images (registry, repository);
CREATE INDEX ix_images_due_at ON images (due_at);
CREATE INDEX ix_later_indexes_inventory_id ON later_indexes (inventory_id);
CREATE INDEX ix_shown_again_image_id ON shown_again (image_id);
CREATE INDEX ix_shown_again_inventory_id ON shown_again (inventory_id);
CREATE INDEX ix_shown_again_previous_id ON shown_again (previous_id);
CREATE INDEX ix_ended_sessions_until ON ended_sessions (until);
COMMIT;
