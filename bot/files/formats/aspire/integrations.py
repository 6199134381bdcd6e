"""The images that Aspire's hosting integrations start where an AppHost does not say which: registry and name.

From each integration's container image tags in dotnet/aspire, alike in 9.5.2 and in the 13.3 of 2026-03-21;
Elasticsearch's, which has left there, as of 9.2.1. Their tags change with the package's version and are
not kept here.
"""

Named = tuple[str, str]

_HUB = "docker.io"
_MCR = "mcr.microsoft.com"

ADDED: dict[str, Named] = {
    "AddElasticsearch": (_HUB, "library/elasticsearch"),
    "AddGarnet": ("ghcr.io", "microsoft/garnet"),
    "AddKafka": (_HUB, "confluentinc/confluent-local"),
    "AddKeycloak": ("quay.io", "keycloak/keycloak"),
    "AddMilvus": (_HUB, "milvusdb/milvus"),
    "AddMongoDB": (_HUB, "library/mongo"),
    "AddMySql": (_HUB, "library/mysql"),
    "AddNats": (_HUB, "library/nats"),
    "AddOracle": ("container-registry.oracle.com", "database/free"),
    "AddPostgres": (_HUB, "library/postgres"),
    "AddQdrant": (_HUB, "qdrant/qdrant"),
    "AddRabbitMQ": (_HUB, "library/rabbitmq"),
    "AddRedis": (_HUB, "library/redis"),
    "AddSeq": (_HUB, "datalust/seq"),
    "AddSqlServer": (_MCR, "mssql/server"),
    "AddValkey": (_HUB, "valkey/valkey"),
    "AddYarp": (_MCR, "dotnet/nightly/yarp"),
}
"""By the method that adds the resource."""

BESIDE: dict[str, Named] = {
    "WithAttu": (_HUB, "zilliz/attu"),
    "WithKafkaUI": (_HUB, "kafbat/kafka-ui"),
    "WithMongoExpress": (_HUB, "library/mongo-express"),
    "WithPgAdmin": (_HUB, "dpage/pgadmin4"),
    "WithPgWeb": (_HUB, "sosedoff/pgweb"),
    "WithPhpMyAdmin": (_HUB, "library/phpmyadmin"),
    "WithPostgresMcp": (_HUB, "crystaldba/postgres-mcp"),
    "WithRedisCommander": (_HUB, "rediscommander/redis-commander"),
    "WithRedisInsight": (_HUB, "redis/redisinsight"),
}
"""By the method that adds a tool beside a resource, and hands it to a function to be configured."""

RUN_HERE: dict[str, Named] = {
    "AddAzureAppConfiguration": (_MCR, "azure-app-configuration/app-configuration-emulator"),
    "AddAzureCosmosDB": (_MCR, "cosmosdb/linux/azure-cosmos-emulator"),
    "AddAzureEventHubs": (_MCR, "azure-messaging/eventhubs-emulator"),
    "AddAzureKustoCluster": (_MCR, "azuredataexplorer/kustainer-linux"),
    "AddAzureManagedRedis": (_HUB, "library/redis"),
    "AddAzurePostgresFlexibleServer": (_HUB, "library/postgres"),
    "AddAzureRedis": (_HUB, "library/redis"),
    "AddAzureServiceBus": (_MCR, "azure-messaging/servicebus-emulator"),
    "AddAzureSignalR": (_MCR, "signalr/signalr-emulator"),
    "AddAzureSqlServer": (_MCR, "mssql/server"),
    "AddAzureStorage": (_MCR, "azure-storage/azurite"),
}
"""By the method that adds a resource of Azure: what stands in for it where one of `RUNNING_HERE` is called."""

RUNNING_HERE = frozenset({"RunAsContainer", "RunAsEmulator", "RunAsPreviewEmulator"})
